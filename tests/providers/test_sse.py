"""Events are cut the same, however the bytes are cut on the way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.providers import sse
from llm_core.providers.sse import EventCutter, parse_json

BODY = (
    ": a comment\n"
    "event: first\ndata: one\n\n"
    "data:two\n"
    "data: lines\n\n"
    "retry: 5\n\n"
    "data: Grüße 世界 🌍\r\n\r\n"
    "id: 7\ndata:  space kept\n\n"
    "data\n\n"
    "data: [DONE]\n\n"
).encode()
EVENTS = [b"one", b"two\nlines", "Grüße 世界 🌍".encode(), b" space kept", b"[DONE]"]


def cut(*chunks: bytes) -> list[bytes]:
    cutter = EventCutter()
    found = [event for chunk in chunks for event in cutter.feed(chunk)]
    return found + cutter.end()


def test_events_are_cut_out_of_a_body() -> None:
    assert cut(BODY) == EVENTS


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(places: list[int]) -> None:
    ends = sorted({0, *places, len(BODY)})
    assert cut(*(BODY[start:end] for start, end in pairwise(ends))) == EVENTS


def test_single_bytes_do_too() -> None:
    assert cut(*(bytes([byte]) for byte in BODY)) == EVENTS


def test_an_event_is_there_as_soon_as_it_is_whole() -> None:
    cutter = EventCutter()
    assert cutter.feed(b"data: a\n") == []
    assert cutter.feed(b"\n") == [b"a"]


def test_a_last_event_without_its_blank_line_is_not_lost() -> None:
    assert cut(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT", 100)
    cutter = EventCutter()
    with pytest.raises(ValueError, match="too large"):
        cutter.feed(b"data: " + b"x" * 200)


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT", 100)
    cutter = EventCutter()
    for _ in range(5):
        assert cutter.feed(b"data: xxxxxxxxxx\n") == []
    with pytest.raises(ValueError, match="too large"):
        cutter.feed(b"data: xxxxxxxxxx\n" * 5)


def test_json_of_careless_servers_is_read() -> None:
    assert parse_json(b'{"a": 1}') == {"a": 1}
    assert str(parse_json(b'{"a": NaN, "b": -Infinity}')) == "{'a': nan, 'b': -inf}"
    for broken in (b"", b"{", b"<html>"):
        with pytest.raises(ValueError):
            parse_json(broken)


def test_lines_outside_of_events_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    cutter = EventCutter()
    assert cutter.feed(BODY + b'{\n  "error": "broken",\r\n  "id": 7\n}\n') == EVENTS
    assert parse_json(bytes(cutter.stray)) == {"error": "broken", "id": 7}
    monkeypatch.setattr(sse, "LARGEST_STRAY", 10)
    cutter = EventCutter()
    for _ in range(9):
        cutter.feed(b"1234567\n")
    assert len(cutter.stray) == 14
