"""How numbers read: units, shortening, and what stands for the unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pages.components import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("182.4"), "$182.40"),
        (Decimal("0.0021"), "$0.0021"),
        (Decimal("0.6"), "$0.60"),
        (Decimal("0.0213"), "$0.021"),
        (Decimal("0.996"), "$1.00"),
        (Decimal("0.00001"), "< $0.0001"),
        (Decimal(0), "$0.00"),
        (12_345, "$12,345.00"),
        (1_234_567, "$1.2 M"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_dollars_show_cents_and_at_least_two_digits_that_count(value: object, text: str) -> None:
    assert figures.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (48_213, "48,213"), (96_200_000, "96.2 M"), (2_500_000_000, "2.5 B"), (None, "–")]
)
def test_counts_are_whole_until_a_million(value: object, text: str) -> None:
    assert figures.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (212, "212 ms"),
        (999.6, "1.0 s"),
        (3_800, "3.8 s"),
        (125_000, "2.1 min"),
        (5_400_000, "1.5 h"),
        (None, "–"),
    ],
)
def test_durations_take_the_unit_that_fits(value: object, text: str) -> None:
    assert figures.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.41, "41 %"), (0.007, "0.7 %"), (0.0004, "0.04 %"), (0, "0 %"), (None, "–")]
)
def test_shares_are_percent_with_the_digits_that_matter(value: object, text: str) -> None:
    assert figures.share(value) == text


def test_a_change_is_signed_flat_or_unknown() -> None:
    assert figures.change(112, 100) == "+12 %"
    assert figures.change(97, 100) == "-3 %"
    assert figures.change(100.1, 100) == 0
    assert figures.change(5_000, 100) == "+50x"
    assert figures.change(5, 0) is None
    assert figures.change(None, 3) is None


def test_a_difference_carries_its_unit_and_a_plain_minus() -> None:
    assert figures.difference(3.8, 4.2, "s") == "-0.4 s"
    assert figures.difference(0.47, 0.41, "pt", 100, 0) == "+6 pt"
    assert figures.difference(0.5, 0.5, "pt", 100) == 0


def test_moments_are_relative_within_a_day_and_dated_in_the_persons_zone_after() -> None:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    berlin = figures.zone("Europe/Berlin")
    assert figures.moment(now - timedelta(seconds=20), berlin, now) == "just now"
    assert figures.moment(now - timedelta(minutes=12), berlin, now) == "12 min ago"
    assert figures.moment(now - timedelta(hours=5), berlin, now) == "5 h ago"
    assert figures.moment(datetime(2026, 11, 3, 23, 30, tzinfo=UTC), berlin, now) == "4 Nov, 00:30"
    assert figures.moment(datetime(2025, 11, 3, 9, 0, tzinfo=UTC), berlin, now) == "3 Nov 2025, 10:00"
    assert figures.moment(None, berlin, now) == "–"


def test_an_unknown_zone_falls_back_to_utc() -> None:
    assert figures.zone("Nowhere/At_all").key == "UTC"
    assert figures.zone(None).key == "UTC"


def test_names_that_others_chose_cannot_be_markdown() -> None:
    assert figures.plain("![x](http://e.org/a.png)") == r"\!\[x\]\(http://e.org/a.png\)"
    assert figures.plain("gpt-6-luna") == "gpt-6-luna"
