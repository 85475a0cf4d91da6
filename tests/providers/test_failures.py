"""Every failure of a provider becomes one of our errors, of the right kind, with nothing of theirs or the key in it."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import socket
import ssl
import traceback
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import httpx2
import pytest

from llm_core.errors import (
    ConnectionBroken,
    KeyRefused,
    ProviderError,
    RedirectRefused,
    TimedOut,
    TLSFailed,
    UnknownModel,
    Unreachable,
    UnreadableAnswer,
)
from llm_core.providers import openai as openai_module
from llm_core.providers.failures import Failing, Source, failure_from, retry_after
from llm_core.providers.protocol import Answer, Deadline
from llm_core.providers.redaction import redacted
from llm_core.providers.registry import find
from llm_core.types import LLMProvider
from tests.wire.calls import KEY, WAYS, adapter_to, call, cases, kept_waiting, request
from tests.wire.recordings import Recording, own
from tests.wire.replies import Raw, Say, failing
from tests.wire.server import WireServer

SOURCE = Source(LLMProvider("test", "openai"), find("openai"), lambda: KEY)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("fixture", "way"), cases(own("openai/errors.json")))
def test_an_error_answer_becomes_the_right_error(wire: WireServer, fixture: Recording, way: str, api: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, api=api) as adapter:
        error = call(adapter, request(), way).error
    assert isinstance(error, ProviderError)
    assert error.kind == fixture.expect["error"]
    assert fixture.expect.get("said", "") in str(error)
    assert "<" not in str(error)
    assert (error.provider, error.connection) == ("openai", "test")
    status = fixture.response["status"]
    assert error.status == (None if status == 200 else status)
    assert error.retry_after == fixture.expect.get("retry_after")
    assert error.hint
    if "x-request-id" in fixture.response["headers"]:
        assert error.request_id == "req_err"
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("way", WAYS)
def test_nobody_listening_is_unreachable_and_nothing_was_sent(way: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        adapter = openai_module.connect(LLMProvider("test", "openai", base_url=place), KEY)
        outcome = call(adapter, request(), way)
        adapter.close()
    assert type(outcome.error) is Unreachable
    assert "refused" in str(outcome.error)
    assert outcome.error.retryable
    assert not outcome.answer.sent


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_does_not_exist_is_unreachable(way: str) -> None:
    adapter = openai_module.connect(LLMProvider("test", "openai", base_url="http://no-such-host.invalid/v1"), KEY)
    outcome = call(adapter, request(), way)
    adapter.close()
    assert type(outcome.error) is Unreachable
    assert "no-such-host.invalid" in str(outcome.error)


@pytest.mark.parametrize("way", WAYS)
def test_a_redirect_is_refused_and_its_target_never_asked(wire: WireServer, way: str) -> None:
    with WireServer() as elsewhere, adapter_to(wire) as adapter:
        for status in (301, 302, 303, 307, 308):
            wire.script(Raw(status=status, headers={"location": f"{elsewhere.url}/v1/responses"}))
            error = call(adapter, request(), way).error
            assert isinstance(error, RedirectRefused)
            assert error.status == status
        assert elsewhere.connections == 0


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_comes_too_late_is_timed_out(wire: WireServer, way: str) -> None:
    wire.script(Say(delay=30))
    with adapter_to(wire) as adapter:
        outcome = kept_waiting(lambda seconds: call(adapter, request(seconds=seconds), way))
    assert type(outcome.error) is TimedOut


@pytest.mark.parametrize("way", WAYS)
def test_a_deadline_that_has_passed_sends_nothing(wire: WireServer, way: str) -> None:
    with adapter_to(wire) as adapter:
        outcome = call(adapter, request(seconds=0), way)
    assert type(outcome.error) is TimedOut
    assert not outcome.answer.sent
    assert not wire.requests


@pytest.mark.parametrize("way", WAYS)
def test_a_wire_that_breaks_before_the_answer_is_broken_not_retryable(wire: WireServer, way: str) -> None:
    wire.script(Say(reset=True))
    with adapter_to(wire) as adapter:
        outcome = call(adapter, request(), way)
    assert type(outcome.error) is ConnectionBroken
    assert not outcome.error.retryable
    assert outcome.answer.sent


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_exceptions_of_both_http_libraries_are_told_apart(library: Any) -> None:
    asked = library.Request("POST", "https://api.example.com", headers={"authorization": f"Bearer {KEY}"})
    answer = library.Response(401, request=asked, json={"error": {"message": f"Bad key {KEY}"}})
    known: list[tuple[Exception, type[Exception]]] = [
        (library.ConnectError("[Errno 111] Connection refused"), Unreachable),
        (library.ConnectTimeout(""), Unreachable),
        (library.ReadTimeout(""), TimedOut),
        (library.WriteTimeout(""), TimedOut),
        (library.PoolTimeout(""), TimedOut),
        (library.ReadError(""), ConnectionBroken),
        (library.RemoteProtocolError(""), ConnectionBroken),
        (library.DecodingError("bad gzip"), UnreadableAnswer),
        (library.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), TLSFailed),
        (library.HTTPStatusError("401", request=asked, response=answer), KeyRefused),
    ]
    for theirs, ours in known:
        assert type(failure_from(theirs, SOURCE)) is ours


def test_the_reason_is_told_without_its_number() -> None:
    assert failure_from(httpx2.ConnectError("[Errno 111] Connection refused"), SOURCE).message.endswith(
        "cannot be reached. Connection refused."
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (ssl.SSLError("record layer failure"), ConnectionBroken),
        (ConnectionResetError(), ConnectionBroken),
        (TimeoutError(), TimedOut),
        (json.JSONDecodeError("bad", "", 0), UnreadableAnswer),
        (KeyError("choices"), UnreadableAnswer),
        (AttributeError("'NoneType' object has no attribute 'get'"), UnreadableAnswer),
    ],
)
def test_exceptions_of_python_are_told_apart(theirs: Exception, ours: type[Exception]) -> None:
    assert type(failure_from(theirs, SOURCE)) is ours


def test_an_error_of_ours_passes_unchanged_but_for_what_lies_behind_it() -> None:
    failing_block = Failing(SOURCE)
    with failing_block:
        try:
            raise ValueError(KEY)
        except ValueError:
            raise UnknownModel("No such model.") from None
    with pytest.raises(UnknownModel) as caught:
        failing_block.check()
    assert caught.value.__context__ is None


@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_a_stop_is_no_failure(stop: type[BaseException]) -> None:
    with pytest.raises(stop), Failing(SOURCE, Answer()):
        raise stop


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)) == seconds


ECHOES = [
    KEY,
    f"Bearer {KEY}",
    f"Incorrect API key provided: {KEY}.",
    quote(KEY, safe=""),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(b"user:" + KEY.encode() + b"!").decode(),
    KEY[:14],
    f"ends in {KEY[-9:]}",
    json.dumps({"authorization": KEY}),
    f"{KEY[:20]}\u200b{KEY[20:]}",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 200])
def test_a_key_that_the_provider_echoes_shows_nowhere(
    wire: WireServer, caplog: pytest.LogCaptureFixture, echo: str, status: int, way: str
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.script(Raw(status=status, body={"error": {"message": echo, "code": echo}}, headers={"x-request-id": KEY}))
    with adapter_to(wire) as adapter:
        outcome = call(adapter, request(), way)
    error = outcome.error
    assert error is not None
    shown = [str(error), repr(error), error.message, error.hint, repr(vars(error)), repr(adapter), caplog.text]
    shown.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    shown.append(repr(pickle.dumps((error.message, error.hint, vars(error)))))
    for part in (KEY, KEY[:12], KEY[-9:], KEY[8:24], echo if len(echo) > 30 else KEY):
        assert all(part not in text for text in shown)


def test_the_sdk_logs_neither_prompt_nor_key_when_everything_is_logged(
    wire: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with adapter_to(wire) as adapter:
        for way in WAYS:
            call(adapter, request("A prompt that is nobody's business."), way)
        wire.script(failing(500))
        call(adapter, request("A prompt that is nobody's business."))
        adapter.list_models(Deadline(5))
    assert KEY not in caplog.text
    assert "nobody's business" not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "The model `gpt-6-luna` does not exist or you do not have access to it.",
        "This model's maximum context length is 128000 tokens (context_length_exceeded).",
        "Rate limit reached for gpt-6-luna in organization org-AbCdEf on tokens per min (TPM): Limit 30000",
        "model 'llama3.3:70b-instruct-q4_K_M' not found, try pulling it first",
        "keyboard_interrupt and task-oriented sketches",
    ],
)
def test_ordinary_messages_are_left_as_they_are(text: str) -> None:
    assert redacted(text, KEY) == text


def test_keys_of_other_vendors_are_taken_out_too() -> None:
    for other in ("sk-ant-api03-AbCdEf123456", "AIzaSyA1234567890abcdefg", "hf_abcdefgh1jklmnop", "gsk_abcdef1234567"):
        assert other not in redacted(f"Wrong key {other} given", None)


def test_a_message_is_one_line_of_bounded_length() -> None:
    text = redacted("a\nb\x1b[31m\t" + "word " * 500, None)
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) <= 600
