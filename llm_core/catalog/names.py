"""Which model an id means, by its spelling alone. Knows nothing of which models there are.

A dated id (`gpt-4o-2024-08-06`, `claude-opus-4-1@20250805`, `gemini-2.0-flash-001`) is one state of the model before
the date. No other ending is taken off: `-mini`, `-lite`, `-pro`, `-audio` or `-preview` make another model.
"""

from __future__ import annotations

import re
from datetime import date

_WHOLE_DATE = re.compile(r"(?P<stem>.+?)(?:-(\d{4})-(\d{2})-(\d{2})|[-@](\d{4})(\d{2})(\d{2}))(?:-v\d(?::\d)?)?")
_MONTH_DAY = re.compile(r"(?P<stem>.+)-(\d{2})(\d{2})")
_MONTH_YEAR = re.compile(r"(?P<stem>.+)-(\d{2})-(\d{4})")
_REVISION = re.compile(r"(?P<stem>.+)-00\d")
_DOT = re.compile(r"(?<=\d)\.(?=\d)")
_VERSION = re.compile(r"\d")
"""Without one, as in `gemini-pro-latest`, the newest of several models is meant, and that changes."""
_YEARS = range(2020, 2040)


def spelled(name: str) -> str:
    """The id in lower case, a dash for the dot in a version as deployments write it: `gpt-4-1`, `gpt-35-turbo`."""
    return _DOT.sub("-", name.lower()).replace("gpt-35", "gpt-3-5")


def undated(provider: str, name: str) -> str | None:
    """The model that `name` is a dated or `-latest` form of, as `provider` dates its ids; None for any other id."""
    if name.endswith("-latest"):
        return name.removesuffix("-latest") if _VERSION.search(name) else None
    if found := _WHOLE_DATE.fullmatch(name):
        year, month, day = (int(part) for part in found.groups()[1:] if part)
        return found["stem"] if _is_date(year, month, day) else None
    if provider == "openai" and (found := _MONTH_DAY.fullmatch(name)):
        return found["stem"] if _is_date(2024, int(found[2]), int(found[3])) else None
    if provider in ("google", "cohere") and (found := _MONTH_YEAR.fullmatch(name)):
        return found["stem"] if _is_date(int(found[3]), int(found[2]), 1) else None
    if provider == "google" and (found := _REVISION.fullmatch(name)):
        return found["stem"]
    return None


def fine_tuned_from(name: str) -> str | None:
    """The model of `ft:MODEL:organization:name:id`, or on Azure `MODEL.ft-ID`; None for what is not fine-tuned."""
    if name.startswith("ft:"):
        return name.split(":")[1].rstrip("-")
    base, tuned, _ = name.partition(".ft-")
    return base if tuned else None


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day).year in _YEARS
    except ValueError:
        return False
