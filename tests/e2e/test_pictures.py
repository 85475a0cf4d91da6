"""Pictures of charts beside the charts, both as the browser draws them: each mark has the same words and place."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Serve, settled, words_of
from tests.e2e.pictures_app import WIDTHS, figures

pytestmark = pytest.mark.browser


def test_pictures_have_the_marks_of_the_charts_at_their_places(page: Page, serve: Serve) -> None:
    page.goto(serve("tests/e2e/pictures_app.py"))
    count = len(list(figures()))
    expect(page.locator(".js-plotly-plot .main-svg:first-child")).to_have_count(count * len(WIDTHS))
    settled(page)
    for place in range(count):
        for width in WIDTHS:
            both = page.locator(f".st-key-figure-{place}-{width}")
            picture = words_of(page, both.locator(".chart-picture [role=img]"))
            chart = words_of(page, both.locator(".js-plotly-plot"))
            assert chart
            assert sorted(picture) == sorted(chart), f"figure {place}, {width} px wide"
            for word, at in picture.items():
                assert at == pytest.approx(chart[word], abs=3), f"{word} of figure {place}, {width} px wide"
