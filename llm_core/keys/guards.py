"""Puts redaction in front of what this process says: log records, warnings, uncaught tracebacks, our own errors.

Set up once, with the first key. What holds no key passes as it was, so that other handlers, hooks and formatters keep
working. Not reached: `extra=` fields of a log record, which are set on it later.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from ..errors import redact_with
from .redaction import holds_known, redacted

_SDK_LOGGERS = (
    "openai",
    "anthropic",
    "google_genai",
    "cohere",
    "huggingface_hub",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "urllib3",
)
"""At DEBUG they write whole prompts, headers and URLs."""
_LOOKED_THROUGH = 2_000
"""So many values of a traceback's frames are looked at; what holds more is treated as if it held a key."""

_UNSHOWN = "(This line could not be checked for keys, so it was left out.)"

_installed = False


def install() -> None:
    """Once for a process; further calls do nothing. SDK loggers that have no level of their own are set to WARNING."""
    global _installed
    if _installed:
        return
    _installed = True
    redact_with(redacted)
    _guard_logs()
    _guard_warnings()
    _guard_hooks()
    for name in _SDK_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def safe_traceback(error: BaseException) -> str | None:
    """The traceback as redacted text where it, or a local variable in it, holds a key; None where it may be shown."""
    text = "".join(traceback.format_exception(error))
    clean = redacted(text)
    return clean if clean != text or _any_holds_key(_locals(error)) else None


def _guard_logs() -> None:
    factory = logging.getLogRecordFactory()

    def make(*args: Any, **named: Any) -> logging.LogRecord:
        record = factory(*args, **named)
        try:
            _clean(record)
        except Exception:  # noqa: BLE001  # whatever an argument does when it is shown, logging goes on
            record.msg, record.args, record.exc_info = _UNSHOWN, (), None
        return record

    logging.setLogRecordFactory(make)


def _clean(record: logging.LogRecord) -> None:
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001  # wrong arguments: logging will print both, unless they hold a key
        text = f"{record.msg} {record.args}"
    clean = redacted(text)
    if clean != text:
        record.msg, record.args = clean, ()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and (told := safe_traceback(error)) is not None:
        record.exc_text = told.rstrip("\n")
        record.exc_info = None  # some formatters print the local variables of its frames
    if record.stack_info:
        record.stack_info = redacted(record.stack_info)


def _guard_warnings() -> None:
    formatted = warnings.formatwarning

    def shown(*args: Any, **named: Any) -> str:
        return redacted(formatted(*args, **named))

    warnings.formatwarning = shown


def _guard_hooks() -> None:
    at_the_end, in_a_thread = sys.excepthook, threading.excepthook

    def uncaught(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        if (told := safe_traceback(error)) is None:
            at_the_end(kind, error, at)
        elif sys.stderr is not None:
            sys.stderr.write(told)

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        told = None if args.exc_value is None else safe_traceback(args.exc_value)
        if told is None:
            in_a_thread(args)
        elif sys.stderr is not None:
            sys.stderr.write(f"Exception in thread {args.thread.name if args.thread else 'unknown'}:\n{told}")

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread


def _locals(error: BaseException) -> Iterator[Any]:
    """The local variables of every frame that a traceback of this error shows."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        left += [link.__cause__, link.__context__]
        left += link.exceptions if isinstance(link, BaseExceptionGroup) else []
        for frame, _ in traceback.walk_tb(link.__traceback__):
            yield from frame.f_locals.values()


def _any_holds_key(values: Iterator[Any]) -> bool:
    """Looks at text, at containers and at objects that show their parts. Runs none of their code."""
    left = list(values)
    for _ in range(_LOOKED_THROUGH):
        if not left:
            return False
        value = left.pop()
        if isinstance(value, str):
            if holds_known(value):
                return True
        elif isinstance(value, (bytes, bytearray)):
            if holds_known(value.decode("latin-1")):
                return True
        else:
            left += _parts(value)
    return True


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    shown: Any = type(value).__repr__
    if shown == object.__repr__ or isinstance(value, type):
        return []
    names = [field.name for field in dataclasses.fields(value) if field.repr] if dataclasses.is_dataclass(value) else []
    parts = [_attribute(value, name) for name in names]
    kept = _attribute(value, "__dict__")
    return parts + (list(kept.values()) if isinstance(kept, dict) else [])


def _attribute(value: Any, name: str) -> Any:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return None
