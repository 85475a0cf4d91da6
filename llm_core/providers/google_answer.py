"""How Gemini's answers are read. Each event of a stream has the form of a whole answer, with what is new in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..types import ToolCall
from .failures import LONGEST_REQUEST_ID, AnswerCutShort, ErrorInside
from .google_content import kept_signature
from .google_usage import note_usage
from .protocol import Answer, Piece

_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "ESCALATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""Their words -> ours; anything else they write is "error"."""
_FAILED = {
    "MALFORMED_FUNCTION_CALL": ("The model wrote a tool call that cannot be read.", "INTERNAL"),
    "MALFORMED_RESPONSE": ("The model wrote an answer that cannot be read.", "INTERNAL"),
    "UNEXPECTED_TOOL_CALL": ("The model called a tool that it does not have.", "INTERNAL"),
    "TOO_MANY_TOOL_CALLS": ("The model called too many tools and did not come to an answer.", "INTERNAL"),
    "MISSING_THOUGHT_SIGNATURE": ("A tool call in the history lacks its signature.", "INVALID_ARGUMENT"),
    "PUP_LIMITED_DISABLED": ("The account is limited for what it was used for.", "PERMISSION_DENIED"),
}
"""Reasons to end that mean there is no answer: what happened, and the status that Google gives such an error."""


def read_whole(data: Any, into: Answer) -> None:
    """A whole answer, or all events of a stream as one list. Raises ErrorInside, or ValueError and the like for what is
    no answer.
    """
    reader = AnswerReader(into)
    for event in data if isinstance(data, list) and data else [data]:
        reader.read(event)
    reader.end_whole()


class AnswerReader:
    """Reads a stream event by event into the answer."""

    done = False
    """The API does not say that a stream is over: an event after the one with the reason may bring counts."""

    def __init__(self, into: Answer) -> None:
        self._into = into
        self._id = ""
        self._answered = False
        self._searches = 0

    def read(self, event: Any) -> Piece | None:
        """One event's JSON, or None for a closing [DONE], which this API does not send. Raises ErrorInside."""
        if event is None:
            return None
        _require_no_error(event)
        self._read_head(event)
        text = reasoning = ""
        failure: ErrorInside | None = None
        for candidate in event.get("candidates") or ():
            self._answered = True
            written, thought = _texts(candidate)
            if index := candidate.get("index") or 0:
                self._other(index, written)
                continue
            text += written
            reasoning += thought
            self._note_calls(candidate)
            self._note_logprobs(candidate.get("logprobsResult"))
            self._searches = max(self._searches, _searches(candidate))
            failure = self._finish(candidate) or failure
        self._into.text += text
        self._into.reasoning += reasoning
        self._note_usage(event)
        if failure is not None:
            raise failure
        return Piece(text, reasoning) if text or reasoning else None

    def end(self) -> None:
        """Called when the body is over. Raises AnswerCutShort where the answer was not."""
        if self._into.finish is None:
            raise AnswerCutShort

    def end_whole(self) -> None:
        """As `end`, for an answer that came as one."""
        if not self._answered:
            raise ErrorInside({"message": "It sent no candidate of an answer.", "status": "INTERNAL"})
        if self._into.finish is None:
            self._into.finish = "stop"
            self._note_usage({"usageMetadata": self._into.raw_usage})

    def _read_head(self, event: Mapping[str, Any]) -> None:
        self._into.model_reported = event.get("modelVersion") or self._into.model_reported
        answer_id = event.get("responseId")
        if isinstance(answer_id, str) and 0 < len(answer_id) <= LONGEST_REQUEST_ID:
            self._id = self._into.request_id = answer_id
        blocked = (event.get("promptFeedback") or {}).get("blockReason")
        if blocked and not event.get("candidates"):
            self._note_usage(event, final=True)
            raise ErrorInside({"message": f"It blocked the prompt: {blocked}.", "type": "content_filter"})

    def _note_usage(self, event: Mapping[str, Any], *, final: bool = False) -> None:
        """The counts so far. They are of the whole answer once its end was told."""
        if isinstance(raw := event.get("usageMetadata"), Mapping):
            final = final or self._into.finish is not None
            note_usage(raw, self._into, final=final, searches=self._searches)

    def _finish(self, candidate: Mapping[str, Any]) -> ErrorInside | None:
        reason = candidate.get("finishReason")
        if reason is None:
            return None
        self._into.finish = _FINISH.get(reason, "error")
        if self._into.finish == "stop" and self._into.tool_calls:
            self._into.finish = "tool_calls"
        if reason not in _FAILED:
            return None
        message, status = _FAILED[reason]
        told = candidate.get("finishMessage")
        return ErrorInside({"message": f"{message} {told}" if told else message, "status": status})

    def _note_calls(self, candidate: Mapping[str, Any]) -> None:
        """The API gives a call an id only lately: one is made, for its result to name."""
        calls = self._into.tool_calls
        for part in _parts(candidate):
            if call := part.get("functionCall"):
                made = call.get("id") or f"call_{self._id}_{len(calls)}"
                arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
                calls.append(ToolCall(made, call["name"], arguments, kept_signature(part.get("thoughtSignature"))))

    def _note_logprobs(self, result: Any) -> None:
        """For each token what was chosen, with what else was likely where that was asked for."""
        if not result:
            return
        chosen, others = result.get("chosenCandidates") or (), result.get("topCandidates") or ()
        entries = [dict(entry) for entry in chosen]
        for entry, top in zip(entries, others, strict=False):
            entry["topCandidates"] = top.get("candidates")
        self._into.logprobs = [*(self._into.logprobs or ()), *entries]

    def _other(self, index: int, text: str) -> None:
        texts = self._into.alternatives
        texts.extend([""] * (index - len(texts)))
        texts[index - 1] += text


def _parts(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """None where all of the limit was thought."""
    return list((candidate.get("content") or {}).get("parts") or ())


def _texts(candidate: Mapping[str, Any]) -> tuple[str, str]:
    """What a candidate says and what it thought."""
    said = thought = ""
    for part in _parts(candidate):
        if part.get("thought"):
            thought += part.get("text") or ""
        else:
            said += part.get("text") or ""
    return said, thought


def _searches(candidate: Mapping[str, Any]) -> int:
    """How often the model searched the web."""
    queries = (candidate.get("groundingMetadata") or {}).get("webSearchQueries") or ()
    return sum(1 for query in queries if query)


def _require_no_error(data: Any) -> None:
    if not isinstance(data, Mapping):
        raise ValueError("An answer is no object.")
    if data.get("error"):
        raise ErrorInside(data)
