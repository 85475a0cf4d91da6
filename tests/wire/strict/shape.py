"""A small way to write down the shape of a JSON body: each field's test. Fields that are not named are refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

Test = Callable[[Any], bool]
Shape = Mapping[str, Test]


def misfit(body: Mapping[str, Any], shape: Shape, needed: Collection[str] = ()) -> str | None:
    for name in needed:
        if name not in body:
            return f"{name}: field required"
    for name, value in body.items():
        if name not in shape:
            return f"{name}: not permitted"
        if not shape[name](value):
            return f"{name}: {value!r} is not allowed"
    return None


def number(low: float, high: float | None = None) -> Test:
    return lambda v: (
        isinstance(v, (int, float)) and not isinstance(v, bool) and v >= low and (high is None or v <= high)
    )


def whole(low: int, high: int | None = None) -> Test:
    return lambda v: isinstance(v, int) and number(low, high)(v)


def one_of(*words: Any) -> Test:
    return lambda v: v in words


def texts(most: int | None = None, blank: bool = True) -> Test:
    """A list of one text or more, none of them empty."""
    return lambda v: (
        isinstance(v, list)
        and 1 <= len(v) <= (most or len(v))
        and all(isinstance(t, str) and t and (blank or t.strip()) for t in v)
    )


def text(v: Any) -> bool:
    return isinstance(v, str)


def flag(v: Any) -> bool:
    return isinstance(v, bool)


def filled(v: Any) -> bool:
    """A list or object with something in it."""
    return isinstance(v, (list, dict)) and bool(v)


def form(shape: Shape, needed: Collection[str] = ()) -> Test:
    return lambda v: isinstance(v, Mapping) and misfit(v, shape, needed) is None
