"""What holds for Anthropic, Google, Cohere and Hugging Face alike: broken streams, failures, keys that stay in."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import socket
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from llm_core.errors import (
    ConnectionBroken,
    InvalidConnection,
    NoModelList,
    ProviderError,
    ProviderFailed,
    ProviderOverloaded,
    RedirectRefused,
    RequestRefused,
    TimedOut,
    Unreachable,
    UnreadableAnswer,
)
from llm_core.providers.protocol import Answer, Deadline
from llm_core.providers.registry import find
from llm_core.types import LLMProvider, Usage
from tests.waiting import until
from tests.wire.calls import KEY, STREAM_WAYS, WAYS, adapter_to, call, kept_waiting, request
from tests.wire.recordings import own
from tests.wire.replies import Raw, Say
from tests.wire.server import WireServer
from tests.wire.vendors import VENDORS

WHOLE = Say(
    text="One two three.",
    reasoning="Let me count.",
    tool_calls=(("call_a", "count", '{"to": 3}'),),
    usage=Usage(input_tokens=20, output_tokens=30),
)
EVENTS = {name: vendor.events(WHOLE) for name, vendor in VENDORS.items()}


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize(
    ("vendor", "number", "reset"),
    [
        pytest.param(vendor, number, reset, id=f"{vendor}-{number}{'-reset' if reset else ''}")
        for vendor, events in EVENTS.items()
        for number in range(len(events))
        for reset in (False, True)
    ],
)
def test_a_cut_after_any_event_keeps_what_came(
    wire: WireServer, vendor: str, number: int, reset: bool, way: str
) -> None:
    wire.script(Say(**{**vars(WHOLE), "cut_after": number, "reset": reset}))
    with adapter_to(wire, vendor) as adapter:
        outcome = call(adapter, request(), way)
    answer = outcome.answer
    if number < len(EVENTS[vendor]) - VENDORS[vendor].after:
        assert isinstance(outcome.error, ConnectionBroken)
        assert (outcome.error.__cause__, outcome.error.__context__) == (None, None)
    assert WHOLE.text.startswith(answer.text)
    assert WHOLE.reasoning.startswith(answer.reasoning)
    assert "".join(piece.text for piece in outcome.pieces) == answer.text
    assert answer.sent
    if not reset:  # which may overtake what was sent before it
        came = "".join(EVENTS[vendor][:number])
        assert answer.usage == (WHOLE.usage if VENDORS[vendor].counts in came else None)
        assert answer.request_id == (VENDORS[vendor].request_id if came or vendor != "google" else None)


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_that_ends_too_soon_in_good_order_is_broken_too(wire: WireServer, vendor: str, way: str) -> None:
    ends = VENDORS[vendor].ends
    some = EVENTS[vendor][: next(n for n, event in enumerate(EVENTS[vendor]) if ends in event)]
    with adapter_to(wire, vendor) as adapter:
        for number in range(len(some) + 1):
            wire.script(Raw(events=some[:number]))
            assert isinstance(call(adapter, request(), way).error, ConnectionBroken)


@pytest.mark.parametrize("way", STREAM_WAYS)
def test_anthropics_count_of_the_prompt_is_true_even_where_the_answer_is_guessed(wire: WireServer, way: str) -> None:
    told = Usage(input_tokens=500, cache_read_tokens=300, cache_write_tokens=50, cache_write_1h_tokens=20)
    wire.script(Say(text="word " * 40, usage=told, cut_after=30))
    with adapter_to(wire, "anthropic") as adapter:
        answer = call(adapter, request(), way).answer
        guess = adapter.estimate_usage(request(), answer)
    assert answer.usage is None
    assert guess is not None
    assert (guess.input_tokens, guess.cache_read_tokens, guess.cache_write_1h_tokens) == (500, 300, 20)
    assert guess.output_tokens > 20


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stop_closes_the_wire_and_keeps_what_came(wire: WireServer, vendor: str) -> None:
    wire.script(Say(text="One two three four five six.", hold_after=5))
    with adapter_to(wire, vendor) as adapter:
        answer = Answer()
        stream = adapter.stream(request(), answer)
        first = next(stream).text
        stream.close()
        until(lambda: wire.requests[0].ended == "left")
        assert answer.text.startswith(first)
        assert answer.usage is None
        assert adapter.estimate_usage(request(), answer) is not None


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_async_stop_closes_the_wire(wire: WireServer, vendor: str) -> None:
    wire.script(Say(text="One two three four five six.", hold_after=5))
    answer = Answer()

    async def stop_early(stream: Any) -> None:
        await anext(stream)
        await stream.aclose()

    with adapter_to(wire, vendor) as adapter:
        asyncio.run(stop_early(adapter.astream(request(), answer)))
        until(lambda: wire.requests[0].ended == "left")
    assert answer.text


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
UNAVAILABLE = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
FAILED = {"type": "message-end", "delta": {"finish_reason": "ERROR", "usage": {}, "error": "It broke."}}


@pytest.mark.parametrize("way", STREAM_WAYS)
@pytest.mark.parametrize(
    ("vendor", "broken", "kind"),
    [
        ("anthropic", f"event: error\ndata: {json.dumps(OVERLOADED)}", ProviderOverloaded),
        ("anthropic", "data: {not json", UnreadableAnswer),
        ("anthropic", "data: [1]", UnreadableAnswer),
        ("anthropic", 'data: {"type": "content_block_delta", "index": 99, "delta": {}}', UnreadableAnswer),
        ("anthropic", 'data: {"type": "message_delta"}', UnreadableAnswer),
        ("cohere", f"data: {json.dumps(FAILED)}", ProviderFailed),
        ("cohere", 'data: {"message": "It broke."}', ProviderFailed),
        ("cohere", "data: {not json", UnreadableAnswer),
        ("cohere", "data: 7", UnreadableAnswer),
        ("cohere", 'data: {"type": "content-delta"}', UnreadableAnswer),
        ("google", f"data: {json.dumps(UNAVAILABLE)}", ProviderOverloaded),
        ("google", json.dumps(UNAVAILABLE, indent=2), ProviderOverloaded),
        ("google", json.dumps([UNAVAILABLE], indent=2), ProviderOverloaded),
        ("google", "data: {not json", UnreadableAnswer),
        ("google", "data: [1]", UnreadableAnswer),
        ("google", 'data: {"candidates": [7]}', UnreadableAnswer),
        ("google", 'data: {"candidates": [{"content": {"parts": [{"functionCall": {"id": "x"}}]}}]}', UnreadableAnswer),
        ("huggingface", 'data: {"error": "Overloaded", "error_type": "overloaded"}', ProviderOverloaded),
        ("huggingface", 'data: {"error": "Bad input", "error_type": "validation"}', RequestRefused),
        ("huggingface", 'data: {"error": {"message": "It broke.", "code": 500}}', ProviderFailed),
        ("huggingface", "data: {not json", UnreadableAnswer),
        ("huggingface", 'data: "x"', UnreadableAnswer),
    ],
)
def test_an_error_in_mid_stream_is_typed_and_keeps_what_came(
    wire: WireServer, vendor: str, broken: str, kind: type[Exception], way: str
) -> None:
    rest = [] if broken[0] in "[{" else EVENTS[vendor][-2:]
    wire.script(Raw(events=[*EVENTS[vendor][:6], broken, *rest]))
    with adapter_to(wire, vendor) as adapter:
        outcome = call(adapter, request(), way)
    assert type(outcome.error) is kind
    assert outcome.answer.text + outcome.answer.reasoning
    assert outcome.answer.usage is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("vendor", "fixture"),
    [
        pytest.param(vendor, fixture, id=f"{vendor}-{fixture.id}")
        for vendor in VENDORS
        for fixture in own(f"{vendor}/errors.json")
    ],
)
def test_an_error_answer_becomes_the_right_error(wire: WireServer, vendor: str, fixture: Any, way: str) -> None:
    wire.script(fixture.step())
    with adapter_to(wire, vendor) as adapter:
        error = call(adapter, request(), way).error
    assert isinstance(error, ProviderError)
    assert error.kind == fixture.expect["error"]
    assert fixture.expect.get("said", "") in str(error)
    assert "<" not in str(error)
    assert (error.provider, error.connection) == (vendor, "test")
    status = fixture.response["status"]
    assert error.status == (None if status == 200 else status)
    assert error.retry_after == fixture.expect.get("retry_after")
    assert error.hint
    if status != 200 and "said" in fixture.expect:
        assert error.request_id in ("req_err", "trace-err", None if vendor == "google" else "")
    assert (error.__cause__, error.__context__) == (None, None)
    assert len(wire.requests) == 1  # the SDKs would ask up to three times


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_redirect_is_refused_and_its_target_never_asked(wire: WireServer, vendor: str, way: str) -> None:
    with WireServer() as elsewhere, adapter_to(wire, vendor) as adapter:
        for status in (302, 307):
            wire.script(Raw(status=status, headers={"location": f"{elsewhere.url}{VENDORS[vendor].path}"}))
            assert isinstance(call(adapter, request(), way).error, RedirectRefused)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_nobody_listening_is_unreachable_and_nothing_was_sent(vendor: str, way: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{unused.getsockname()[1]}"
        adapter = find(vendor).factory()(LLMProvider("test", vendor, base_url=place), KEY)
        outcome = call(adapter, request(), way)
        adapter.close()
    assert type(outcome.error) is Unreachable
    assert not outcome.answer.sent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_the_deadline_ends_a_call_that_is_late_or_drips(wire: WireServer, vendor: str, way: str) -> None:
    wire.script(Say(delay=30), Say(text="word " * 400, pause=0.05, drip=1))
    with adapter_to(wire, vendor) as adapter:
        for _ in range(2):
            outcome = kept_waiting(lambda seconds: call(adapter, request(seconds=seconds), way))
            assert type(outcome.error) is TimedOut
        assert type(call(adapter, request(seconds=0), way).error) is TimedOut
    until(lambda: [asked.ended for asked in wire.requests][1:] == ["left"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wire_that_breaks_before_the_answer_is_broken(wire: WireServer, vendor: str, way: str) -> None:
    wire.script(Say(reset=True))
    with adapter_to(wire, vendor) as adapter:
        outcome = call(adapter, request(), way)
    assert type(outcome.error) is ConnectionBroken
    assert outcome.answer.sent
    assert len(wire.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_an_answer_read_to_its_end_leaves_its_connection_for_the_next(wire: WireServer, vendor: str, way: str) -> None:
    async def several(adapter: Any) -> None:
        for _ in range(3):
            if way == "astream":
                async for _ in adapter.astream(request(), Answer()):
                    pass
            else:
                await adapter.acomplete(request(), Answer())

    with adapter_to(wire, vendor) as adapter:
        if way in ("acomplete", "astream"):
            asyncio.run(several(adapter))
        else:
            assert [call(adapter, request(), way).error for _ in range(3)] == [None] * 3
    assert (len(wire.requests), wire.connections) == (3, 1)


@pytest.fixture
def hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the two SDKs look for."""
    for name, value in {
        "ANTHROPIC_API_KEY": "ambient-key",
        "ANTHROPIC_AUTH_TOKEN": "ambient-token",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
        "ANTHROPIC_CUSTOM_HEADERS": "X-Ambient: 1\nauthorization: Bearer ambient\nX-Api-Key: ambient\n"
        "Content-Type: ambient\nanthropic-version: ambient\nanthropic-beta: ambient\nUser-Agent: ambient",
        "ANTHROPIC_PROFILE": "ambient",
        "ANTHROPIC_IDENTITY_TOKEN": "ambient",
        "ANTHROPIC_FEDERATION_RULE_ID": "ambient",
        "ANTHROPIC_ORGANIZATION_ID": "ambient",
        "ANTHROPIC_WORKSPACE_ID": "ambient",
        "ANTHROPIC_WEBHOOK_SIGNING_KEY": "ambient",
        "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
        "GOOGLE_API_KEY": "ambient-key",
        "GEMINI_API_KEY": "ambient-key",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_CLOUD_PROJECT": "ambient",
        "GOOGLE_CLOUD_LOCATION": "ambient",
        "GOOGLE_APPLICATION_CREDENTIALS": "/ambient",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1",
        "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:1",
        "GOOGLE_GENAI_API_VERSION": "ambient",
        "GOOGLE_GENAI_HTTP_CLIENT": "httpx",
        "GOOGLE_GENAI_CLIENT_MODE": "replay",
        "GOOGLE_GENAI_REPLAYS_DIRECTORY": "/ambient",
        "GOOGLE_GENAI_REPLAY_ID": "ambient",
        "HF_TOKEN": "ambient-key",
        "HUGGING_FACE_HUB_TOKEN": "ambient-key",
        "HF_ENDPOINT": "http://127.0.0.1:1",
        "HF_INFERENCE_ENDPOINT": "http://127.0.0.1:1",
        "HF_HUB_USER_AGENT_ORIGIN": "ambient",
        "HF_HUB_OFFLINE": "1",
        "SSL_CERT_FILE": "/ambient",
        "CO_API_KEY": "ambient-key",
        "COHERE_API_KEY": "ambient-key",
        "CO_API_URL": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_environment")
@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("vendor", VENDORS)
def test_nothing_of_the_environment_is_sent(
    wire: WireServer, monkeypatch: pytest.MonkeyPatch, vendor: str, key: str | None
) -> None:
    if key is None:  # then Anthropic's SDK would look for a profile on the disk
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN")
    with adapter_to(wire, vendor, key) as adapter:
        for way in WAYS:
            assert call(adapter, request(), way).error is None
        adapter.list_models(Deadline(20))
    for asked in wire.requests:
        carried = {name: value for name, value in asked.headers.items() if name in ("authorization", "x-goog-api-key")}
        assert carried == (VENDORS[vendor].key(key) if key else {})
        assert "ambient" not in str(asked.headers)
        assert "x-ambient" not in asked.headers
        assert asked.method == "GET" or asked.headers["content-type"] == "application/json"
    assert vendor != "anthropic" or all("anthropic-version" in asked.headers for asked in wire.requests)


@pytest.mark.parametrize("vendor", VENDORS)
def test_headers_of_the_connection_are_sent_and_others_options_refused(wire: WireServer, vendor: str) -> None:
    with adapter_to(wire, vendor, headers={"X-Title": "Mine"}) as adapter:
        call(adapter, request())
    assert wire.requests[0].headers["x-title"] == "Mine"
    for options in ({"api": "chat"}, {"headers": {"Authorization": "x"}}, {"headers": {"X-Api-Key": "x"}}):
        with pytest.raises(InvalidConnection), adapter_to(wire, vendor, **options):
            pass


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_endpoint_that_lists_no_models_but_takes_calls_is_told_apart(wire: WireServer, vendor: str) -> None:
    wire.missing = {VENDORS[vendor].models}
    with adapter_to(wire, vendor) as adapter, pytest.raises(NoModelList):
        adapter.list_models(Deadline(20))
    wire.missing |= {VENDORS[vendor].path}
    with adapter_to(wire, vendor) as adapter, pytest.raises(ProviderError) as caught:
        adapter.list_models(Deadline(20))
    assert caught.value.kind == "model_not_found"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_key_that_is_echoed_is_in_no_text_repr_pickle_traceback_or_log(
    wire: WireServer, vendor: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Some endpoints repeat the key, whole or in part, in the body or a header of their refusal."""
    caplog.set_level(logging.DEBUG)
    echoes = {"x-echo": KEY, VENDORS[vendor].id_header: f"req-{KEY}", "retry-after": "1"}
    told = f"Bad key {KEY}, or {KEY[:20]}... in the header Authorization: Bearer {KEY}"
    found: list[str] = []
    with adapter_to(wire, vendor) as adapter:
        found += [repr(adapter), str(adapter)]
        for way in WAYS:
            for status in (400, 401, 429, 500):
                wire.script(VENDORS[vendor].failing(status, told, headers=echoes))
                outcome = call(adapter, request(), way)
                error = outcome.error
                assert error is not None
                found += [str(error), repr(error), repr(vars(error)), repr(outcome.answer), repr(pickle.dumps(error))]
                found += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    found += [caplog.text, *(repr(record.__dict__) for record in caplog.records)]
    assert not [text for text in found if KEY[:20] in text]


@pytest.fixture
def loud_libraries(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The SDKs and HTTP libraries at DEBUG, as somebody who looks for a fault may set them."""
    sdks = ("anthropic", "cohere", "google_genai", "huggingface_hub")
    names = ("", *sdks, "httpx", "httpx2", "httpcore", "httpcore2")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_key_is_in_no_log_of_the_libraries_at_debug(
    wire: WireServer, vendor: str, loud_libraries: pytest.LogCaptureFixture
) -> None:
    with adapter_to(wire, vendor) as adapter:
        for way in WAYS:
            assert call(adapter, request(), way).error is None
    assert "POST" in loud_libraries.text
    assert KEY[:20] not in loud_libraries.text


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_prompt_is_in_the_logs(wire: WireServer, vendor: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with adapter_to(wire, vendor) as adapter:
        for way in WAYS:
            call(adapter, request("a secret prompt"), way)
    assert "a secret prompt" not in caplog.text
