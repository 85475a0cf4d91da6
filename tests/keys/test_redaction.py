"""Keys in text: logs, warnings, tracebacks with local variables, uncaught errors, our own errors."""

from __future__ import annotations

import base64
import json
import logging
import re
import traceback
import warnings
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote_plus, urlencode

import pytest

from llm_core.errors import InvalidInput, LLMManagerError
from llm_core.keys import guards, redacted
from llm_core.keys.redaction import know
from llm_core.keys.secret import Secret

from .vaults import in_child

CANARY = 'canary/key+with"odd\\letters=0123456789'
"""Looks like no vendor's key, so that only the list of known ones can find it."""


@pytest.fixture(autouse=True)
def _canary_is_known() -> None:
    Secret(CANARY)


def basic(user: str) -> str:
    return base64.b64encode(f"{user}:{CANARY}".encode()).decode()


FORMS = {
    "as it is": f"key={CANARY} refused",
    "JSON": json.dumps({"error": f"bad key {CANARY}"}),
    "JSON with slashes": json.dumps({"error": CANARY}).replace("/", "\\/"),
    "URL": "https://x/v1?" + urlencode({"q": CANARY}),
    "URL path": f"https://x/{quote(CANARY, safe='')}/{quote(CANARY)}?{quote_plus(CANARY)}",
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(CANARY.encode()).decode(),
    "base64 at another place": f"{basic('a')} {basic('ab')} {basic('abc')}",
    "base64 in the middle": base64.b64encode(f"{{'k': '{CANARY}', 'more': 1}}".encode()).decode(),
    "repr": repr({"key": CANARY}),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_known_key_is_found_in_every_form(name) -> None:
    clean = redacted(FORMS[name])
    assert "***" in clean
    for part in (CANARY, quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]):
        assert part not in clean
    assert not CANARY_PARTS & parts_of(clean)
    assert CANARY_PARTS & parts_of(FORMS[name])


def parts_of(text: str) -> set[str]:
    """All eight letters in a row of it, and of what any word of it means in base64, wherever that begins."""
    texts = [unquote_plus(text).replace("\\", "")]
    for word in re.findall(r"[\w+/-]{8,}", text):
        for shift in range(4):
            whole = word[shift : shift + (len(word) - shift) // 4 * 4].translate(str.maketrans("-_", "+/"))
            texts.append(base64.b64decode(whole).decode("latin-1").replace("\\", ""))
    return {one[at : at + 8] for one in texts for at in range(len(one) - 7)}


CANARY_PARTS = {CANARY.replace("\\", "")[at : at + 8] for at in range(len(CANARY) - 8)}


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-****WXYZ.",
        "sk-ant-api03-abcdefgh12345678",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "hf_abcdefghij0123456789",
        "gsk_0123456789abcdef",
        "Authorization: Bearer abcdef-ghijk",
        "authorization: Basic dXNlcjpwYXNz",
        "{'x-api-key': 'plain-custom-key'}",
        '"x-goog-api-key": "plain-custom-key"',
        "('authorization', 'Bearer plaincustomkey')",
        '{\\"Authorization\\": \\"Bearer plaincustomkey\\"}',
        "GET /v1/models?key=plaincustomkey&alt=sse",
        "https://x/?access_token=plaincustomkey",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123",
    ],
)
def test_what_looks_like_a_key_is_taken_out_even_if_unknown(text) -> None:
    clean = redacted(text)
    assert "***" in clean
    for part in ("plain", "abcdef", "0123456789", "dXNlcjp", "WXYZ", "eyJzdWI"):
        assert part not in clean


@pytest.mark.parametrize(
    "text",
    [
        "hf_hub_download took 3 s",
        "the task-list is done, the risk-free one too",
        "max_tokens=4096 and key=3 and token count 128",
        "basic training for bearers of bad news",
        "openai:gpt-6-luna answered 12,345 tokens",
        "Keys are made at https://platform.openai.com/api-keys.",
        "The API key is empty. Paste the whole key.",
        "/home/anna/.local/share/llm-manager/vault.json",
    ],
)
def test_ordinary_text_stays(text) -> None:
    assert redacted(text) == text


def test_with_the_refused_key_even_its_parts_go() -> None:
    key = "ollama-local-key-abcdefghijklmnop"
    assert redacted("You sent abcdefghijkl... which is wrong", key) == "You sent *** which is wrong"
    assert redacted("the word local stays", key) == "the word local stays"
    assert redacted("pw is wrong: pw", "pw") == "*** is wrong: ***"


def test_a_short_key_does_not_take_words_out_of_everything() -> None:
    Secret("ollama")
    assert redacted("ollama is running") == "ollama is running"


def test_of_two_keys_where_one_begins_the_other_nothing_is_left() -> None:
    know("beginning-of-a-key")
    know("beginning-of-a-key-and-more")
    assert redacted("x beginning-of-a-key-and-more y") == "x *** y"


class Rows(logging.Handler):
    """A handler that formats in ways of its own: JSON of everything, tracebacks with local variables."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said += repr({name: value for name, value in vars(record).items() if name != "exc_info"})
        self.said += logging.Formatter().format(record)
        if record.exc_info and record.exc_info[1] is not None:
            told = traceback.TracebackException.from_exception(record.exc_info[1], capture_locals=True)
            self.said += "".join(told.format())


@pytest.fixture
def said() -> Rows:
    handler = Rows()
    logger = logging.getLogger("another.library")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)


logger = logging.getLogger("another.library")


def test_a_log_line_of_any_library_holds_no_key(said) -> None:
    logger.debug("headers %s", {"x-custom": CANARY})
    logger.info(f"sent {CANARY}")
    logger.warning("%(a)s", {"a": CANARY})
    logger.error(CANARY)
    logger.info("wait", stack_info=True)
    assert CANARY not in said.said
    assert json.dumps(CANARY)[1:-1] not in said.said
    assert said.said.count("***") >= 4


def test_a_log_line_with_wrong_arguments_holds_no_key(said, capsys, monkeypatch) -> None:
    monkeypatch.setattr(logger, "propagate", False)
    logger.removeHandler(said)
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    try:
        logger.info("no place for it", CANARY)
        logger.info("%d", CANARY)
        logger.info("%d", "harmless")
    finally:
        logger.removeHandler(handler)
    printed = capsys.readouterr().err
    assert 'with"odd' not in printed
    assert "no place for it" in printed
    assert "Arguments: ('harmless',)" in printed


def test_an_argument_that_cannot_be_shown_ends_nothing(said) -> None:
    class Unwilling:
        def __repr__(self) -> str:
            raise RuntimeError(CANARY)

    logger.warning("of %s", Unwilling())
    assert "could not be checked" in said.said
    assert 'with"odd' not in said.said


def test_a_log_line_without_a_key_keeps_its_arguments_and_its_error(caplog) -> None:
    error = ValueError("plain")
    logger.warning("took %d of %s", 3, "five", exc_info=error)
    record = caplog.records[-1]
    assert (record.msg, record.args) == ("took %d of %s", (3, "five"))
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@dataclass
class Shown:
    header: str


@dataclass(slots=True)
class Slotted:
    header: str


def raise_with(value: object) -> None:
    kept = value
    raise ValueError("plain words", len(str(kept)))


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        CANARY.encode(),
        {"headers": [("authorization", f"Bearer {CANARY}")]},
        {CANARY: 1},
        (1, {2, CANARY}),
        Shown(CANARY),
        Slotted(CANARY),
        [Shown({"deep": [CANARY]})],
        f"https://x/?k={quote(CANARY, safe='')}",
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_traceback_that_is_logged_shows_no_key_in_local_variables(value, said) -> None:
    try:
        raise_with(value)
    except ValueError:
        logger.exception("it failed")
    assert "with" + '"odd' not in said.said
    assert "plain words" in said.said
    assert "raise_with" in said.said


def test_a_key_in_the_words_or_the_cause_of_an_error_is_not_logged(said) -> None:
    try:
        try:
            raise KeyError(f"refused {CANARY}")
        except KeyError as error:
            raise RuntimeError("second") from error
    except RuntimeError:
        logger.exception("it failed")
    try:
        raise ExceptionGroup("both", [ValueError(CANARY), TypeError("other")])
    except ExceptionGroup:
        logger.exception("it failed")
    assert 'with"odd' not in said.said
    assert "second" in said.said
    assert "TypeError" in said.said


def test_looking_through_local_variables_runs_none_of_their_code() -> None:
    class Trap:
        def __repr__(self) -> str:
            return "trap"

        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked for")

        def __iter__(self) -> object:
            raise AssertionError("it was iterated")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("it was compared")

        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(ValueError) as caught:
        raise_with(Trap())
    assert guards.safe_traceback(caught.value) is None


def test_local_variables_without_end_are_taken_for_the_worst() -> None:
    itself: list[object] = []
    itself.append(itself)
    with pytest.raises(ValueError) as caught:
        raise_with(itself)
    told = guards.safe_traceback(caught.value)
    assert told is not None
    assert "plain words" in told


def test_a_warning_that_is_shown_holds_no_key() -> None:
    text = warnings.formatwarning(UserWarning(f"bad {CANARY}"), UserWarning, "file.py", 3, f"x = {CANARY!r}")
    assert CANARY not in text
    assert text.startswith("file.py:3: UserWarning: bad ***")


def test_our_own_errors_never_hold_a_key() -> None:
    for error in (LLMManagerError(f"m {CANARY}", f"h {CANARY}"), InvalidInput(CANARY)):
        assert CANARY not in f"{error} {error!r} {error.args} {error.message} {error.hint}"
        assert "***" in str(error)


def test_nothing_that_ends_a_program_or_a_thread_prints_a_key() -> None:
    code = """
import sys, threading, warnings
from llm_core.keys.secret import Secret
key = sys.argv[1]
Secret(key)
def fail(value):
    raise RuntimeError(f"thread with {value}")
thread = threading.Thread(target=fail, args=(key,)); thread.start(); thread.join()
harmless = threading.Thread(target=lambda: 1 / 0); harmless.start(); harmless.join()
warnings.warn(f"warned of {key}")
raise RuntimeError(f"refused {key}")
"""
    done = in_child(code, CANARY, check=False)
    assert done.returncode == 1
    assert CANARY not in done.stderr + done.stdout
    for words in ("thread with ***", "ZeroDivisionError", "warned of ***", "RuntimeError: refused ***"):
        assert words in done.stderr


def test_an_uncaught_error_without_a_key_is_shown_as_ever() -> None:
    done = in_child("from llm_core.keys import guard_output; guard_output(); 1 / 0", check=False)
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


def test_the_vendors_libraries_keep_quiet_unless_they_were_asked() -> None:
    code = """
import logging
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("openai").setLevel(logging.DEBUG)
from llm_core.keys import guard_output
guard_output(); guard_output()
print(logging.getLogger("anthropic").isEnabledFor(logging.INFO), logging.getLogger("httpx").isEnabledFor(logging.INFO))
print(logging.getLogger("openai").isEnabledFor(logging.DEBUG))
"""
    assert in_child(code).stdout.split() == ["False", "False", "True"]
