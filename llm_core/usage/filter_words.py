"""Filters as words, as they are typed in a terminal: `model=gpt-6-luna`, `cost_usd>0.5`, `tag:team=search`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import InvalidInput
from .schema import COLUMNS

_WORD = re.compile(r"(?P<name>[^=<>]+)(?P<sign>>=|<=|=|>|<)(?P<value>.*)", re.DOTALL)
_BOUNDS = {">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def filters_of(words: Iterable[str]) -> dict[str, Any]:
    """The filters that `filters.condition` takes. A name given twice means any of its values, an empty value none.

    Raises InvalidInput; whether a name is one of a column is for `condition` to say.
    """
    found: dict[str, Any] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            raise InvalidInput(f"{word!r} is not a filter.", "Write a column, a sign and a value: model=gpt-6-luna.")
        name, sign, text = match["name"].strip(), match["sign"], match["value"]
        if sign in _BOUNDS:
            limits = found.setdefault(name, {})
            if not isinstance(limits, dict):
                raise InvalidInput(f"{name} cannot have both values and a range.", "Give one or the other.")
            limits[_BOUNDS[sign]] = _number(name, text)
        elif name in ("priced", "search"):
            found[name] = _yes_or_no(text) if name == "priced" else text
        else:
            values = found.setdefault(name, [])
            if not isinstance(values, list):
                raise InvalidInput(f"{name} cannot have both values and a range.", "Give one or the other.")
            values.append(None if text == "" else int(_number(name, text)) if _is_number(name) else text)
    return found


def _is_number(name: str) -> bool:
    return COLUMNS.get(name) == "INTEGER"


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text.strip()) else float(text)
    except ValueError:
        raise InvalidInput(f"{name} cannot be compared with {text!r}.", "Give a number.") from None


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise InvalidInput(f"priced cannot be {text!r}.", "Give yes or no.")
    return _YES_NO[text.lower()]
