"""Which of our errors an error answer is, from its status and its body, for all vendors' shapes of bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import (
    ContentRefused,
    ContextTooLong,
    KeyRefused,
    ModelNotFound,
    OutOfCredit,
    PermissionRefused,
    ProviderError,
    ProviderFailed,
    ProviderOverloaded,
    RateLimited,
    RequestRefused,
    TimedOut,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What an error body says: its sentence, and the lower-case words of its code, type and status fields."""

    message: str
    words: frozenset[str]
    status: int | None = None
    """A status given inside the body, where the answer's own says nothing."""
    retry_after: float | None = None
    """Seconds to wait, where the body tells them."""


def told_by(body: Any) -> Told:
    """Read an error body: bytes, text, or parsed JSON of any vendor's shape."""
    if isinstance(body, (bytes, bytearray)):
        body = bytes(body).decode("utf-8", "replace")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return Told("" if body.lstrip()[:1] == "<" else body.strip(), frozenset())
    found = list(_objects(body))
    message = next((text for item in found if (text := _message(item))), "")
    words = {
        str(item[name]).lower() for item in found for name in _WORD_FIELDS if isinstance(item.get(name), (str, int))
    }
    status = next((int(word) for word in words if word.isdigit() and 400 <= int(word) < 600), None)
    return Told(message, frozenset(words), status, next(filter(None, map(_wait, found)), None))


def error_class(status: int | None, told: Told) -> type[ProviderError]:
    """`status` is None for an error inside an answer that began as a success."""
    if status == 402 or told.words & _CREDIT_WORDS or _CREDIT.search(told.message):
        return OutOfCredit
    if status in (400, 401, 403) and _KEY.search(told.message):
        return KeyRefused
    vague = status in (None, 200, 400, 413, 422, 500)
    if vague and (told.words & _CONTEXT_WORDS or _CONTEXT.search(told.message)):
        return ContextTooLong
    if told.words & _FILTER_WORDS:
        return ContentRefused
    if status in (None, 200, 400, 422):
        for words, kind in _BY_WORD:
            if told.words & words:
                return kind
        status = status if status in (400, 422) else told.status
    if status is None:
        return ProviderFailed
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ProviderFailed if status >= 500 else RequestRefused


_WORD_FIELDS = ("code", "type", "status", "reason", "error_type", "error_code")
_BY_STATUS: dict[int, type[ProviderError]] = {
    401: KeyRefused,
    403: PermissionRefused,
    404: ModelNotFound,
    408: TimedOut,
    429: RateLimited,
    503: ProviderOverloaded,
    529: ProviderOverloaded,
}
_CREDIT_WORDS = frozenset(
    {
        "insufficient_quota",
        "insufficient_credits",
        "billing_hard_limit_reached",
        "billing_not_active",
        "billing_error",
        "payment_required",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
    }
)
_CREDIT = re.compile(
    r"credit balance is too low|(insufficient|out of|not enough|requires more) (credit|balance|fund)"
    r"|credits? (is|are|have been) depleted|exceeded your monthly included credits",
    re.IGNORECASE,
)
_KEY = re.compile(r"api key (expired|not valid|not found|was reported as leaked)", re.IGNORECASE)
"""Google says so under statuses that mean other things too."""
_CONTEXT_WORDS = frozenset({"context_length_exceeded", "exceed_context_size_error", "request_too_large"})
_CONTEXT = re.compile(
    r"maximum context length|prompt is too long|too many tokens|exceeds? the (available|maximum) context"
    r"|context (window|length|size) (exceed|is too)|`inputs` (tokens )?(\+ `max_new_tokens` )?must (be|have)"
    r"|input token count.{0,40}exceeds|exceeds.{0,40}context window",
    re.IGNORECASE,
)
_FILTER_WORDS = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "image_content_policy_violation",
        "responsibleaipolicyviolation",
        "misalignment_policy_violation",
        "bio_policy",
        "invalid_prompt",
    }
)
"""invalid_prompt is OpenAI's word for a prompt flagged against its usage policy."""
_BY_WORD: tuple[tuple[frozenset[str], type[ProviderError]], ...] = (
    (frozenset({"invalid_api_key", "api_key_invalid", "authentication_error", "unauthenticated"}), KeyRefused),
    (frozenset({"permission_error", "permission_denied"}), PermissionRefused),
    (
        frozenset({"rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests", "tokens"}),
        RateLimited,
    ),
    (
        frozenset({"overloaded_error", "server_overloaded", "overloaded", "unavailable", "slow_down"}),
        ProviderOverloaded,
    ),
    (frozenset({"model_not_found", "not_found_error", "not_found"}), ModelNotFound),
    (frozenset({"server_error", "api_error", "internal_error", "internal"}), ProviderFailed),
    (frozenset({"invalid_request_error", "invalid_argument", "bad_request", "validation"}), RequestRefused),
)


def _objects(body: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of an error body, the innermost first: {"error": {...}}, [{"error": ...}], {"detail": [...]}."""
    if isinstance(body, Sequence) and not isinstance(body, (str, bytes)):
        for item in body[:4]:
            yield from _objects(item)
    elif isinstance(body, Mapping):
        for name in ("error", "innererror", "response", "detail"):
            if isinstance(body.get(name), (Mapping, list)):
                yield from _objects(body[name])
        yield body
        if isinstance(body.get("details"), (Mapping, list)):  # last, since its words help, but its text explains less
            yield from _objects(body["details"])


def _message(item: Mapping[str, Any]) -> str:
    for name in ("message", "msg", "error", "detail", "title"):
        if isinstance(text := item.get(name), str) and text.strip():
            return text.strip()
    return ""


def _wait(item: Mapping[str, Any]) -> float | None:
    """Google's RetryInfo has a retryDelay, as "34.07s"; Hugging Face tells the estimated_time of loading a model."""
    delay = item.get("retryDelay", item.get("estimated_time"))
    try:
        seconds = float(delay.removesuffix("s") if isinstance(delay, str) else delay or 0)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 1e9 else None
