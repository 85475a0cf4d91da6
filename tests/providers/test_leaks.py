"""Twelve ways by which a key could get out, at each provider, with a key that nobody else has: it is found in none.

Each provider is used once, as programs use it, and in every way that makes a provider, a library or us speak of the
key: endpoints that repeat it whole or in part, refused rotations, broken answers, libraries at DEBUG. Then each channel
is looked through.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import json
import logging
import os
import pickle
import pprint
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest

from llm_core import Workspace
from llm_core.errors import LLMManagerError
from llm_core.providers.registry import REGISTRY
from tests.conftest import ODD_NAME
from tests.wire.calls import WAYS
from tests.wire.replies import Raw, failing
from tests.wire.server import WireServer, form_for

CANARY = "Canary/7mPq+2RzX9vKd4WcT8bLn3qYw0AbCdEf=="
"""Of no vendor's form, so that no pattern hides it, and with letters that URLs, JSON and base64 write differently."""
LIBRARIES = (
    *("", "openai", "anthropic", "google_genai", "google.genai", "cohere", "huggingface_hub"),
    *("httpx", "httpx2", "httpcore", "httpcore2", "asyncio", "llm_core", "sqlalchemy.engine", "urllib3"),
)
PROMPT = "Say hello."


def forms_of(key: str) -> list[str]:
    """The key as it may be written, and the part of it that endpoints like to repeat."""
    encoded = [base64.b64encode(raw.encode()).decode().rstrip("=")[:-2] for raw in (key, f":{key}")]
    in_urls, in_json, backwards = quote(key, safe=""), json.dumps(key)[1:-1], key[::-1]
    return [key, key[:16], in_urls, in_json, backwards, encoded[0], encoded[1][4:], key.encode().hex()]


@dataclass
class Used:
    """A provider after it was used, and all that this left."""

    ws: Workspace
    home: Path
    key: str = field(repr=False)
    objects: dict[str, Any] = field(default_factory=dict, repr=False)
    errors: list[BaseException] = field(default_factory=list, repr=False)
    records: list[logging.LogRecord] = field(default_factory=list, repr=False)
    log: list[str] = field(default_factory=list, repr=False)
    warnings: list[warnings.WarningMessage] = field(default_factory=list, repr=False)

    def finds(self, text: str) -> list[str]:
        return [form for form in forms_of(self.key) if form in text]

    def require_none(self, texts: dict[str, str]) -> None:
        """In no text. The message tells which one, and not what is in it."""
        assert texts
        assert [name for name, text in texts.items() if self.finds(text)] == []


class _Recorder(logging.Handler):
    def __init__(self, used: Used) -> None:
        super().__init__(logging.DEBUG)
        self._used = used
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._used.records.append(record)
        self._used.log.append(self.format(record))


@contextmanager
def listening(used: Used) -> Iterator[None]:
    """Every library as talkative as it can be."""
    handler = _Recorder(used)
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            used.warnings = caught
            yield
    finally:
        logging.getLogger().removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.fixture(scope="module", params=REGISTRY)
def used(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    provider = request.param
    folder = tmp_path_factory.mktemp("leaks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.setenv("LLM_MANAGER_CACHE", str(folder / "cache"))
        with Workspace.open(folder / ODD_NAME) as ws, WireServer() as server:
            ws.keys.choose_source("key_file", key_file=folder / "master.key")
            found = Used(ws, folder, CANARY)
            with listening(found):
                if provider == "local":
                    _use_local(found, request.getfixturevalue("model_cache"))
                else:
                    _use_vendor(found, provider, server)
                found.objects |= {
                    "workspace": ws,
                    "keys": ws.keys,
                    "providers": ws.providers,
                    "llm": ws.llm,
                    "connection": ws.providers.get(provider),
                    "adapter": ws.providers.adapter(provider),
                    "vault": ws.keys.status(),
                    "audit log": ws.keys.audit_log(),
                    "records": ws.usage.history(1000),
                }
            yield found


def _use_vendor(used: Used, provider: str, server: WireServer) -> None:
    row = REGISTRY[provider]
    base_url = server.base_url if row.base_url is None or row.base_url.endswith("/v1") else server.url
    used.ws.providers.connect(provider, CANARY, base_url=base_url)
    used.objects["tested"] = used.ws.providers.test(provider)
    model = f"{provider}:m"
    for way in WAYS:
        _call(used, way, model)
    for answer in _tactless(server.requests[-1].path):
        for way in ("complete", "astream"):
            server.script(*[answer] * 3)
            _call(used, way, model)
            server._script.clear()
        server.script(answer)
        used.objects[f"told {len(used.objects)}"] = used.ws.providers.test(provider)
        server._script.clear()
    server.key = "another"
    _fails(used, lambda: used.ws.providers.rotate(provider, CANARY))
    server.key = None
    _fails(used, lambda: used.ws.providers.connect(provider, CANARY, base_url="http://169.254.169.254/v1"))
    _fails(used, lambda: used.ws.providers.edit(provider, api_key=CANARY, options={"headers": {"X-Api-Key": "other"}}))
    _fails(used, lambda: used.ws.providers.edit(provider, base_url=f"http://{CANARY[:6]}:{CANARY[7:11]}@127.0.0.1/v1"))
    _fails(used, lambda: used.ws.providers.connect(provider, CANARY, name="not a name", base_url=base_url))
    _fails(used, lambda: used.ws.providers.connect("local", CANARY))


def _tactless(path: str) -> list[Raw]:
    """Answers that repeat the key, whole and in part, in the body and in headers."""
    fail = getattr(form_for(path.split("?")[0]), "failing", failing)
    told = f"Bad key {CANARY} ({CANARY[:20]}...), sent as Authorization: Bearer {CANARY}, ?key={quote(CANARY, safe='')}"
    echoes = {"x-request-id": f"req-{CANARY}", "x-echo": CANARY, "retry-after": "0", "www-authenticate": CANARY}
    answers = [fail(status, told, headers=echoes) for status in (400, 401, 403, 429, 500)]
    answers += [
        Raw(body=f"<html>{told}</html>", headers=echoes),
        Raw(body=f'{{"broken": "{CANARY}', headers=echoes),
        Raw(events=[f"data: {{broken {CANARY}"], headers=echoes),
        Raw(status=307, headers={"location": f"http://127.0.0.1:9/?key={quote(CANARY, safe='')}", **echoes}),
        Raw(body={"id": CANARY}, headers=echoes, cut_after=20),
    ]
    return answers


def _use_local(used: Used, model_cache: Path) -> None:
    """Its key is its server's own, made anew in each process."""
    file = next((model_cache / "models").glob("*.gguf"))
    used.ws.providers.connect("local", options={"source": "gguf", "path": str(file)})
    model = f"local:{file.stem}"
    for way in WAYS:
        _call(used, way, model, parameters={"max_tokens": 2})
    _call(used, "complete", model, prompt="word " * 20_000)
    _call(used, "stream", model, timeout=0.001)
    adapter: Any = used.ws.providers.adapter("local")
    used.key = adapter._engine.server.key


def _call(used: Used, way: str, model: str, prompt: str = PROMPT, **options: Any) -> None:
    llm = used.ws.llm

    async def astream() -> Any:
        stream = llm.astream(prompt, model=model, **options)
        async for _ in stream:
            pass
        return stream

    ways: dict[str, Callable[[], Any]] = {
        "complete": lambda: llm.complete(prompt, model=model, **options),
        "acomplete": lambda: asyncio.run(llm.acomplete(prompt, model=model, **options)),
        "stream": lambda: _drained(llm.stream(prompt, model=model, **options)),
        "astream": lambda: asyncio.run(astream()),
    }
    try:
        used.objects[f"{way} {len(used.objects)}"] = ways[way]()
    except LLMManagerError as error:
        used.errors.append(error)


def _drained(stream: Any) -> Any:
    for _ in stream:
        pass
    return stream


def _fails(used: Used, act: Callable[[], object]) -> None:
    try:
        act()
    except LLMManagerError as error:
        used.errors.append(error)


def test_repr(used: Used) -> None:
    shown = {name: repr(thing) for name, thing in used.objects.items()}
    shown |= {f"inside {name}": repr(vars(thing)) for name, thing in used.objects.items() if hasattr(thing, "__dict__")}
    used.require_none(shown)


def test_str_and_format(used: Used) -> None:
    used.require_none({name: f"{thing} {thing!s} {thing!a} %s" % (thing,) for name, thing in used.objects.items()})


def test_notebooks_and_asdict(used: Used) -> None:
    shown: dict[str, str] = {}
    for name, thing in used.objects.items():
        shown[name] = pprint.pformat(thing)
        for method in ("_repr_html_", "_repr_pretty_", "_repr_mimebundle_"):
            with suppress(AttributeError, TypeError):
                shown[f"{name} {method}"] = str(getattr(thing, method)())
        if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            shown[f"{name} asdict"] = repr(dataclasses.asdict(thing))
    used.require_none(shown)


def test_pickle_and_copy(used: Used) -> None:
    """What cannot be copied refuses; what can holds no key."""
    shown: dict[str, str] = {}
    for name, thing in [*used.objects.items(), *enumerate(used.errors)]:
        for how in (pickle.dumps, copy.copy, copy.deepcopy):
            try:
                made = how(thing)
            except Exception as error:  # noqa: BLE001  # locks and connections refuse in words of their own
                made = error
            shown[f"{name} {how.__name__}"] = made.decode("latin-1") if isinstance(made, bytes) else repr(made)
    used.require_none(shown)


def test_json(used: Used) -> None:
    def plain(thing: Any) -> Any:
        if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            return {name.name: getattr(thing, name.name) for name in dataclasses.fields(thing)}
        return vars(thing) if isinstance(thing, BaseException) else str(thing)

    told = {name: json.dumps(thing, default=plain) for name, thing in used.objects.items()}
    used.require_none(told | {f"error {n}": json.dumps(error, default=plain) for n, error in enumerate(used.errors)})


def test_exception_text(used: Used) -> None:
    shown = {}
    for number, error in enumerate(used.errors):
        notes = getattr(error, "__notes__", [])
        shown[f"error {number}"] = f"{error} {error!r} {error.args} {vars(error)} {notes}"
    used.require_none(shown)


def test_tracebacks_with_local_variables(used: Used) -> None:
    """Of every frame of ours; the last few are of this file, where the key is typed."""
    shown = {}
    for number, error in enumerate(used.errors):
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert told.stack
        frames = [frame for frame in told.stack if Path(frame.filename) != Path(__file__)]
        shown[f"error {number}"] = repr([(frame.filename, frame.name, frame.locals) for frame in frames])
    used.require_none(shown)


def test_chained_exceptions(used: Used) -> None:
    shown = {}
    for number, error in enumerate(used.errors):
        link: BaseException | None = error
        while link is not None:
            shown[f"error {number} {type(link).__name__}"] = f"{link!r} {vars(link)}"
            assert "llm_core" in type(link).__module__, "an exception of a library is kept behind ours"
            link = link.__cause__ or link.__context__
    used.require_none(shown)


def test_logs_at_debug(used: Used) -> None:
    assert any(record.levelno == logging.DEBUG for record in used.records)
    shown = {f"line {number}": line for number, line in enumerate(used.log)}
    shown |= {f"record {number}": repr(record.__dict__) for number, record in enumerate(used.records)}
    used.require_none(shown)


def test_warnings(used: Used) -> None:
    """Those that came, and one that repeats a key as a library might."""
    shown = {f"warning {number}": str(warning.message) for number, warning in enumerate(used.warnings)}
    if used.key == CANARY:
        shown["of a library"] = warnings.formatwarning(f"Bad key {CANARY}", UserWarning, "library.py", 1)
    used.require_none(shown | {"none": ""})


def test_files(used: Used) -> None:
    """Of the home and the cache: vault, audit log, state, ledger, what is left of them."""
    used.ws.usage.flush()
    files = [path for path in used.home.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".sqlite"}
    used.require_none({str(path): path.read_bytes().decode("latin-1") for path in files})


def test_environment_and_arguments_of_child_processes(used: Used) -> None:
    used.ws.usage.sql("SELECT count(*) FROM usage")
    children = psutil.Process().children(recursive=True)
    assert children
    shown = {"ours": repr(dict(os.environ))}
    for child in children:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            shown[child.name()] = f"{child.environ()} {child.cmdline()}"
    used.require_none(shown)


def test_the_canary_would_be_found(used: Used) -> None:
    key = used.key
    for text in (key, quote(key, safe=""), json.dumps(key), base64.b64encode(f":{key}".encode()).decode(), key[:20]):
        assert used.finds(f"before {text} after")
    if used.key == CANARY:
        assert used.errors
