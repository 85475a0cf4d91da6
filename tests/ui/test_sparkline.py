"""The small lines of the tiles."""

from __future__ import annotations

import re
from math import nan
from xml.etree import ElementTree

from pages.components import sparkline


def points(values: list[float]) -> list[list[tuple[float, float]]]:
    lines = ElementTree.fromstring(sparkline.svg(values, "#123456")).findall("{*}polyline")
    return [
        [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", line.attrib["points"])] for line in lines
    ]


def test_a_line_goes_from_edge_to_edge_and_from_nothing_to_its_highest_value() -> None:
    assert points([0.0, 5.0, 10.0]) == [[(0.0, 26.0), (50.0, 14.0), (100.0, 2.0)]]


def test_what_is_not_known_is_a_gap_and_not_nothing() -> None:
    first, alone, last = points([1.0, 1.0, nan, 2.0, nan, 1.0, 1.0])
    assert [x for x, _ in first] == [0.0, 16.67]
    assert alone == [(50.0, 2.0), (50.0, 2.0)]
    assert last[-1] == (100.0, 14.0)


def test_zeros_lie_at_the_bottom_nothing_known_is_empty_and_one_value_is_level() -> None:
    assert points([0.0, 0.0]) == [[(0.0, 26.0), (100.0, 26.0)]]
    assert points([nan, nan]) == points([]) == []
    assert points([3.0]) == [[(0.0, 2.0), (100.0, 2.0)]]
