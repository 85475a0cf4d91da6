"""What a preview shows: the request, what became of each parameter, its tokens and what an answer may cost."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..types import Cost, TokenCount
from .validate import Validation

HAPPENED: tuple[str, ...] = ("renamed", "changed", "added", "dropped", "clamped", "routed")
"""`clamped`: a preset's number became the nearest that the model takes. `routed`: the request goes to another address
of the same provider."""


@dataclass(frozen=True, slots=True)
class WireNote:
    """What became of one parameter on its way. `happened` is one of HAPPENED."""

    field: str
    happened: str
    before: Any
    """The parameter's value; None for what was added."""
    after: Any
    """Where it stands in the body and with what value, as {path: value}; None where it was dropped."""
    why: str


@dataclass(frozen=True, slots=True)
class CostRange:
    """From the shortest answer to the longest. `high` is None where nothing ends an answer that we know of."""

    low: Cost
    high: Cost | None
    low_tokens: int
    """Tokens of the shortest answer; of all of them, where several are asked for."""
    high_tokens: int | None
    note: str = ""
    """What sets the longest, or why it is not known."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as it would be sent. `body` is None where it would not be: `validation` says why.

    Header names are in lower case; the key is shown as ***.
    """

    model: str
    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    notes: tuple[WireNote, ...] = ()
    prompt_tokens: TokenCount | None = None
    cost: CostRange | None = None
    validation: Validation = field(default_factory=Validation)

    @property
    def curl(self) -> str:
        """The same request for a shell; put the key in place of ***. Empty where there is no request."""
        if self.body is None:
            return ""
        told = ("authorization", "x-api-key", "x-goog-api-key", "content-type", "anthropic-version")
        lines = [f"curl {shlex.quote(self.url)}"]
        lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items() if name in told]
        lines.append(f"-d {shlex.quote(json.dumps(self.body, ensure_ascii=False))}")
        return " \\\n  ".join(lines)
