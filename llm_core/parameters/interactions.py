"""How one parameter binds another: stated once for each model, read by pages and by validation.

An interaction belongs to the spec of one parameter and speaks of another. It holds when the first is set (to one of the
values `when` names) and says what the second may then be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Values:
    """A set of values. Without any field it holds nothing but "not set"."""

    one_of: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None

    def __contains__(self, value: object) -> bool:
        if any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in self.one_of):
            return True
        if (self.low is None and self.high is None) or isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


UNSET = Values()


@dataclass(frozen=True, slots=True)
class Interaction:
    """While this parameter is set, `other` must be in `allowed`, or not be set at all."""

    other: str
    rule: str
    """One sentence, as shown to a person."""
    remedy: str
    allowed: Values = UNSET
    when: Values | None = None
    """Only for these values of this parameter; None: for any."""
    needed: bool = False
    """`other` must be set, or be in `allowed` by default: leaving it out is no way around."""
    below: bool = False
    """This parameter must be less than `other`, in place of `allowed`."""
    refused: bool = True
    """The provider refuses it; else it is only unwise or without effect."""

    def broken_by(self, value: Any, others: Mapping[str, Any], default: Any) -> bool:
        """`others` are the values that are set, `default` is what `other` is without one."""
        if self.when is not None and value not in self.when:
            return False
        found = others.get(self.other)
        if self.below:
            return _is_number(found) and _is_number(value) and value >= found
        if found is not None:
            return found not in self.allowed
        return self.needed and default not in self.allowed


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def broken(
    interactions: Mapping[str, tuple[Interaction, ...]], given: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterable[tuple[str, Interaction]]:
    """Each interaction that `given` breaks, with the parameter it belongs to."""
    for name, value in given.items():
        for interaction in interactions.get(name, ()):
            if interaction.broken_by(value, given, defaults.get(interaction.other)):
                yield name, interaction
