"""One line of the table that `make bench` prints: what was measured, beside its reference in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, the same taken of its reference (None where there is none), their ratio, and what must hold.

    `must` is the condition in words, as "<= 3x" or "<= 500 ms"; `ok` says whether it holds.
    """

    name: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None
    must: str
    ok: bool


def at_most(name: str, value: float, unit: str, reference: float, limit: float) -> Figure:
    """A figure that must be at most `limit` times its reference."""
    ratio = value / reference
    return Figure(name, value, unit, reference, ratio, f"<= {limit:g}x", ratio <= limit)


def at_least(name: str, value: float, unit: str, reference: float, limit: float) -> Figure:
    """A figure that must be at least `limit` times its reference."""
    ratio = value / reference
    return Figure(name, value, unit, reference, ratio, f">= {limit:g}x", ratio >= limit)


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text, one each, in columns."""
    head = ("what", "value", "reference", "ratio", "must", "")
    rows = [head] + [
        (
            figure.name,
            f"{_number(figure.value)} {figure.unit}",
            "" if figure.reference is None else f"{_number(figure.reference)} {figure.unit}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}x",
            figure.must,
            "ok" if figure.ok else "MISSED",
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if at in (0, 4, 5) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
