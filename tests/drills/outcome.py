"""What a drill came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`figures` says what was done and counted; `faults` are sentences, none when the drill was passed."""

    name: str
    figures: str
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def compare(acknowledged: Iterable[str], found: Counter[str]) -> list[str]:
    """Faults: acknowledged records that are not there, and records that are there more than once."""
    lost = [name for name in acknowledged if name not in found]
    doubled = [name for name, count in found.items() if count > 1]
    faults = []
    if lost:
        faults.append(f"{len(lost)} acknowledged records are lost, as {lost[0]}")
    if doubled:
        faults.append(f"{len(doubled)} records are there twice, as {doubled[0]}")
    return faults
