"""Lines of the spools that are no usage records, kept byte for byte and reported, so that nothing vanishes silently."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ..store.home import Home
from .files import create_once


@dataclass(frozen=True, slots=True)
class BadLine:
    """Bytes found at `offset` of a spool file, and why they are no record."""

    spool: str
    offset: int
    reason: str
    content: bytes


def keep(home: Home, lines: Sequence[BadLine]) -> Path | None:
    """Write bad lines to a file of their own, durably. None when there are none. Raises OSError."""
    if not lines:
        return None
    path = home.quarantine / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(6).hex()}.jsonl"
    create_once(
        path,
        b"".join(
            orjson.dumps(
                {
                    "spool": line.spool,
                    "offset": line.offset,
                    "reason": line.reason,
                    "content_base64": base64.b64encode(line.content).decode(),
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for line in lines
        ),
    )
    return path


def read(home: Home) -> list[BadLine]:
    """All bad lines, each once: a drain killed before its commit leaves lines that the next one finds again."""
    found: dict[tuple[str, int], BadLine] = {}
    for path in sorted(home.quarantine.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            entry = orjson.loads(line)
            bad = BadLine(entry["spool"], entry["offset"], entry["reason"], base64.b64decode(entry["content_base64"]))
            found[bad.spool, bad.offset] = bad
    return list(found.values())
