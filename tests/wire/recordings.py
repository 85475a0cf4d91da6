"""Loads answers to replay: our own fixtures beside this file, and real recordings where their folder exists.

Both have one shape: `api`, `request`, `response` (status, headers, body; a stream is the text of its events). Ours say
in `expect` what must come of it; recordings bring the text and usage that the vendor's SDK returned.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .replies import Raw, events_of

HERE = Path(__file__).parent
RECORDINGS = Path(os.environ.get("LLM_MANAGER_RECORDINGS") or HERE.parents[1].parent / "shared" / "recordings")


@dataclass(frozen=True)
class Recording:
    id: str
    api: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    expect: Mapping[str, Any] = field(default_factory=dict)
    sdk_text: str | None = None
    sdk_usage: Mapping[str, Any] | None = None

    @property
    def streamed(self) -> bool:
        return bool(self.response.get("stream"))

    def step(self, **course: Any) -> Raw:
        """The answer, to be scripted."""
        response = self.response
        status, headers, body = response.get("status", 200), response.get("headers", {}), response["body"]
        if self.streamed:
            events = body if isinstance(body, list) else events_of(body)
            return Raw(status=status, headers=headers, events=[_event(event) for event in events], **course)
        return Raw(status=status, headers=headers, body=body, **course)


def own(file: str) -> list[Recording]:
    """The fixtures of one file, as openai/chat.json."""
    entries = json.loads((HERE / file).read_text(encoding="utf-8"))
    return [
        Recording(
            id=entry["id"],
            api=entry.get("api", ""),
            request=entry.get("request", {}),
            response=entry["response"],
            expect=entry.get("expect", {}),
        )
        for entry in entries
    ]


def recorded(api: str) -> list[Recording]:
    """Real recordings of one api, as openai-chat; none where the folder is missing."""
    found = []
    for path in sorted(RECORDINGS.glob(f"{api}--*.json")):
        entry = json.loads(path.read_text(encoding="utf-8"))
        fields = {name: entry.get(name) for name in ("id", "api", "request", "response", "sdk_text", "sdk_usage")}
        found.append(Recording(**fields))
    return found


def _event(event: Any) -> str:
    """Our fixtures write an event as its JSON alone, or as a bare word such as [DONE]."""
    if isinstance(event, str):
        return event if event.startswith(("data:", "event:", ":")) else f"data: {event}"
    kind = event.get("type")
    head = f"event: {kind}\n" if isinstance(kind, str) else ""
    return f"{head}data: {json.dumps(event, ensure_ascii=False)}"
