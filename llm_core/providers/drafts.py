"""Drafts: requests that are made in full by a vendor's SDK and, in place of being sent, shown.

The SDK's own HTTP client gets a transport that hands each request over and opens no connection. So a draft is the
request, not a description of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

PLACEHOLDER_KEY = "***"
"""Stands for the key in drafts: they are made without the real one, so that it can be in none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Drafted(BaseException):
    """Carries a draft out of the SDK. No exception of the usual kind: SDKs wrap those in their own."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("The request is a draft.")
        self.draft = draft


def hand_over(request: Any) -> NoReturn:
    """What a transport of httpx or httpx2 does with a draft. Raises Drafted."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    raise Drafted(Draft(request.method, str(request.url), headers, request.content))
