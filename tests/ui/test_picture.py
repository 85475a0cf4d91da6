"""Pictures of charts: they draw what the figure says. That they look as plotly's charts do is tested in a browser."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.components import budget_line, charts, figures, picture, usage_figures
from pages.components.span import Span

HOSTILE = "<img src=x onerror=alert(1)>"
DAY = 86_400_000.0


def image(html: str) -> ElementTree.Element:
    found = re.search(r"base64,([^\"]+)\"", html)
    assert found
    return ElementTree.fromstring(b64decode(found[1]))


def words(html: str) -> list[str]:
    return [text for text in re.findall(r">([^<]+)<", html) if text.strip()]


def milliseconds(*at: int) -> float:
    return datetime(*at, tzinfo=UTC).timestamp() * 1e3  # type: ignore[misc, arg-type]


def spent(amounts: dict[str, list[float]]) -> go.Figure:
    """Stacked bars over four days in November."""
    rows = [
        (pd.Timestamp(2026, 11, 2 + day, tz="Europe/Berlin"), name, amount)
        for name, each in amounts.items()
        for day, amount in enumerate(each)
    ]
    frame = pd.DataFrame(rows, columns=["bucket", "model", "cost_usd"])
    first = rows[0][0].to_pydatetime()
    span = Span("4 d", first, "day", 4, (first - timedelta(days=4), first), "Europe/Berlin")
    taken = charts.slots(list(amounts), {})
    return charts.bars(frame, span, by="model", value="cost_usd", taken=taken, theme="light", money=True)


def boxes(path: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Left, bottom, top and right of each bar."""
    found = re.findall(r"M([\d.]+),([\d.]+)V([\d.]+)H([\d.]+)V[\d.]+Z", path.attrib["d"])
    return [(float(left), float(low), float(high), float(right)) for left, low, high, right in found]


def test_bars_stand_on_each_other_as_high_as_their_values() -> None:
    html = picture.html(spent({"a": [60.0, 30.0, 0.0, 95.0], "b": [35.0, 0.0, 20.0, 0.0]}), "Spend", "light")
    below, above = (boxes(path) for path in image(html))
    # the highest stack, 95, has 5 % of the room left above it
    assert below[0] == (31.2, 1000.0, 400.0, 218.8)
    assert above[0] == (31.2, 400.0, 50.0, 218.8)
    assert above[2][1:3] == (1000.0, 800.0)
    assert below[3][2] == 50.0
    assert [path.attrib["fill"] for path in image(html)] == list(charts.COLOURS["light"][:2])
    assert words(html)[:5] == ["$0", "$20", "$40", "$60", "$80"]
    assert words(html)[-4:] == ["2 Nov", "3 Nov", "4 Nov", "5 Nov"]
    assert 'aria-label="Spend"' in html


def test_a_forecast_has_its_interval_its_lines_and_the_line_of_a_budget() -> None:
    days = [date(2026, 11, 1) + timedelta(days=place) for place in range(30)]
    sums = [1000.0 * place for place in range(30)]
    path = pd.DataFrame(
        {"day": days, "cumulative": sums, "low": [s * 0.9 for s in sums], "high": [s * 1.1 for s in sums]}
    )
    figure = usage_figures.projection(path, pd.Timestamp(2026, 11, 10), theme="dark", money=False)
    budget_line.draw(figure, budget_line.Line(20_000.0, "Cap"), (days[0], days[-1]), "dark")
    html = picture.html(figure, "Calls", "dark")
    interval, past, coming, limit = image(html)
    assert interval.attrib["fill"].startswith("rgba(")
    assert "stroke" not in interval.attrib
    assert past.attrib["points"].startswith("0.0,1000.0 ")
    assert "stroke-dasharray" not in past.attrib
    assert coming.attrib["points"].split()[0] == past.attrib["points"].split()[-1]
    assert coming.attrib["points"].split()[-1].startswith("1000.0,")
    top = 29_000 * 1.1 * 1.05
    height = f"{1000 - 20_000 / top * 1000:.1f}"
    assert limit.attrib["points"] == f"0.0,{height} 1000.0,{height}"
    assert words(html)[:4] == ["0", "10k", "20k", "30k"]


def test_ranked_bars_are_as_wide_as_their_values_and_names_are_no_html() -> None:
    frame = pd.DataFrame({"user": [HOSTILE[:20], "ann"], "cost_usd": [30.0, 10.0]})
    figure = usage_figures.ranked(frame, "user", "cost_usd", figures.usd, colours=["#111111", "#222222"], other="none")
    html = picture.html(figure, HOSTILE, "light")
    assert re.findall(r"width:([\d.]+)%", html) == ["62.500", "20.833"]
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert [word for word in words(html) if "$" in word] == ["$30.00 · 75 %", "$10.00 · 25 %"]


@pytest.mark.parametrize(
    ("top", "most", "marks"),
    [
        (38.4, 6, [0, 10, 20, 30]),
        (100.0, 6, [0, 20, 40, 60, 80, 100]),
        (0.03, 6, [0, 0.01, 0.02, 0.03]),
        (6.0, 6, [0, 2, 4, 6]),  # a step is more than a sixth, not as much
        (0.0, 6, [0]),
    ],
)
def test_numbers_are_marked_as_plotly_marks_them(top: float, most: int, marks: list[float]) -> None:
    assert picture.numbers(top, most) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("begin", "end", "first", "step"),
    [
        ((2026, 11, 1), (2026, 12, 1), (2026, 11, 1), 7 * DAY),  # a Sunday
        ((2026, 11, 2), (2026, 11, 10), (2026, 11, 3), 2 * DAY),
        ((2026, 11, 2), (2026, 11, 3), (2026, 11, 2), DAY / 4),
        ((2026, 6, 3), (2026, 9, 10), (2026, 6, 14), 14 * DAY),
    ],
)
def test_days_and_hours_are_marked_as_plotly_marks_them(
    begin: tuple[int, ...], end: tuple[int, ...], first: tuple[int, ...], step: float
) -> None:
    marks = picture.times(milliseconds(*begin), milliseconds(*end), 8)
    assert marks[0] == milliseconds(*first)
    assert {later - before for before, later in pairwise(marks)} == {step}
    assert marks[-1] <= milliseconds(*end) < marks[-1] + step


def test_months_are_marked_at_their_beginning() -> None:
    marks = picture.times(milliseconds(2025, 11, 15), milliseconds(2026, 11, 15), 8)
    assert marks == [milliseconds(2026, month, 1) for month in (1, 3, 5, 7, 9, 11)]


def test_months_are_marked_as_many_apart_as_the_figure_says() -> None:
    marks = picture.times(milliseconds(2025, 8, 15), milliseconds(2026, 11, 15), 8, "M6")
    assert marks == [milliseconds(2026, month, 1) for month in (1, 7)]
