"""Turns whatever a provider's SDK, the HTTP library or a strange answer throws into one of our errors.

It looks at the status and the body, never at the class an SDK chose: five SDKs name one failure in five ways. Works for
the exceptions of httpx and httpx2 without importing either. The errors it makes hold no SDK object, header or key.
"""

from __future__ import annotations

import logging
import math
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ..errors import (
    ConnectionBroken,
    LLMManagerError,
    ProviderError,
    RedirectRefused,
    TimedOut,
    TLSFailed,
    Unreachable,
    UnreadableAnswer,
)
from ..types import LLMProvider
from .classify import Told, error_class, told_by
from .protocol import Answer
from .redaction import redacted
from .registry import ProviderRow
from .wording import wording

log = logging.getLogger(__name__)

LONGEST_REQUEST_ID = 200
_REQUEST_IDS = ("x-request-id", "request-id", "x-debug-trace-id", "inference-id")
"""OpenAI's header, which most endpoints use, Anthropic's, Cohere's, and that of providers behind Hugging Face."""


class ErrorInside(Exception):
    """Raised by an adapter that finds an error inside an answer whose status was 200. `body` is the error as sent."""

    def __init__(self, body: Any) -> None:
        super().__init__("The answer holds an error.")
        self.body = body


class AnswerCutShort(Exception):
    """Raised by an adapter when a stream ended in good order before the answer did."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose failure it is, for the words of an error. `key` gives the secret that must not be in them."""

    connection: LLMProvider
    row: ProviderRow
    key: Callable[[], str | None]

    @property
    def label(self) -> str:
        """Who failed: the vendor, or the host of an endpoint that any vendor may run."""
        if self.row.base_url or not self.connection.base_url:
            return self.row.label
        return urlsplit(self.connection.base_url).netloc

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        """The provider's own id of an answer, from its headers, where it can be kept."""
        text = next((found for name in _REQUEST_IDS if (found := headers.get(name))), None)
        if not text:
            return None
        key = self.key()
        return None if len(text) > LONGEST_REQUEST_ID or (key and key in text) else text


class Failing:
    """Catches what goes wrong in its block; `check` then raises our error, with nothing of theirs behind it.

        failing = Failing(source, into)
        with failing:
            ... the SDK ...
        failing.check()

    Two steps, since an error raised while another is handled keeps that other one, and its request headers, for ever.
    """

    def __init__(self, source: Source, into: Answer | None = None) -> None:
        self._source = source
        self._into = into
        self.failure: LLMManagerError | None = None
        """What was caught."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False  # no failure, or a stop: GeneratorExit, CancelledError, KeyboardInterrupt
        self.failure = failure_from(error, self._source)
        if self._into is not None:
            self._into.sent = self._into.sent and not _names(_chain(error)) & _NOT_SENT
            self._into.request_id = self._into.request_id or getattr(self.failure, "request_id", None)
        return True

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure


def failure_from(error: Exception, source: Source) -> LLMManagerError:
    """Our error for theirs. One of ours is handed back as it is."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, LLMManagerError):
            return _freed(link)
    response = next((found for link in chain if _status_of(found := getattr(link, "response", None))), None)
    if response is not None:
        return answered(_status_of(response) or 0, _body_of(response), response.headers, source)
    inside = next((link for link in chain if isinstance(link, ErrorInside)), None)
    if inside is not None:
        return answered(None, inside.body, {}, source)
    return _without_answer(chain, source)


def answered(status: int | None, body: Any, headers: Mapping[str, str], source: Source) -> ProviderError:
    """The error for an answer: its status (None: an error inside a 200), its body, parsed or text, and its headers."""
    if status is not None and 300 <= status < 400:
        target = urlsplit(headers.get("location", "")).netloc
        return _made(RedirectRefused, source, status=status, reason=f"It points to {target}." if target else "")
    told = told_by(body)
    asked = retry_after(headers)
    return _made(
        error_class(status, told),
        source,
        status=status,
        told=told,
        retry_after=told.retry_after if asked is None else asked,
        request_id=source.request_id(headers),
    )


def named(kind: type[ProviderError], source: Source) -> ProviderError:
    """An error that an adapter found by itself."""
    return _made(kind, source)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the provider asks to wait: Retry-After in seconds or as a date (RFC 9110), or retry-after-ms."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) / unit
        except ValueError:
            seconds = _until(text, now or datetime.now(UTC))
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def _until(text: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return math.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()


def _without_answer(chain: list[BaseException], source: Source) -> ProviderError:
    """No answer, or not a whole one. The names are those that httpx, httpx2, anyio and the standard library share."""
    names = _names(chain)
    reason = re.sub(r"^\[Errno -?\d+\] ", "", redacted(str(chain[-1]), source.key()))
    tls = next((link for link in chain if isinstance(link, ssl.SSLError)), None)
    if "ConnectError" in names and (tls is not None or "CERTIFICATE_VERIFY_FAILED" in reason):
        return _made(TLSFailed, source, reason=getattr(tls, "verify_message", "") or reason)
    if names & _NOT_SENT - {"PoolTimeout", "DeadlinePassed"}:
        return _made(Unreachable, source, reason=f"Its proxy answers: {reason}" if "ProxyError" in names else reason)
    if names & {"TimeoutException", "TimeoutError", "APITimeoutError"}:
        return _made(TimedOut, source)
    if isinstance(chain[0], AnswerCutShort) or names & _BROKEN_WIRE:
        return _made(ConnectionBroken, source)
    if not isinstance(chain[-1], ValueError):
        _note_unexpected(chain[-1])
    return _made(UnreadableAnswer, source, reason=f"({type(chain[-1]).__name__})")


_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "DeadlinePassed", "UnsupportedProtocol", "ProxyError"}
"""There was no connection to send anything over."""
_BROKEN_WIRE = {
    "NetworkError",
    "ProtocolError",
    "StreamError",
    "APIConnectionError",
    "ConnectionError",
    "BrokenResourceError",
    "ClosedResourceError",
    "EndOfStream",
    "SSLError",
}


def _made(
    kind: type[ProviderError],
    source: Source,
    *,
    status: int | None = None,
    told: Told | None = None,
    reason: str = "",
    retry_after: float | None = None,
    request_id: str | None = None,
) -> ProviderError:
    headline, hint = wording(kind, source.label, source.row)
    if told and told.message:
        reason = f"It says: {redacted(told.message, source.key())}"
    if reason and reason[-1] not in ".!?…":
        reason += "."
    if retry_after:
        reason += f" It asks to wait {retry_after:g} s."
    return kind(
        f"{headline}{f' ({status})' if status else ''}. {reason}".strip(),
        hint,
        provider=source.connection.provider,
        connection=source.connection.name,
        status=status,
        retry_after=retry_after,
        request_id=request_id,
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the first cause last. Bounded, since a cause may be made to point at itself."""
    link: BaseException | None = error
    for _ in range(16):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _names(chain: Iterable[BaseException]) -> set[str]:
    return {kind.__name__ for link in chain for kind in type(link).__mro__}


def _status_of(response: Any) -> int | None:
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _body_of(response: Any) -> Any:
    """The body of a response that the SDK has read; empty where it could not."""
    try:
        return response.content
    except Exception:  # noqa: BLE001  # not read: httpx and httpx2 each have their own class for that
        return b""


def _freed(error: LLMManagerError) -> LLMManagerError:
    """Without the exceptions of others that it was raised among."""
    error.__cause__ = error.__context__ = None
    return error


def _note_unexpected(error: BaseException) -> None:
    """Leave a trace of what no rule knew: its class and place, not its text, which may quote the request."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f"{PurePath(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "unknown place"
    log.warning("An answer could not be read: %s at %s.", type(error).__name__, place)
