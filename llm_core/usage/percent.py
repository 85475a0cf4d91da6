"""Shares in texts for people, as pages write them."""

from __future__ import annotations

from decimal import Decimal


def percent(share: float | Decimal, places: int = 0) -> str:
    """0.41 as `41 %`."""
    return f"{share * 100:.{places}f} %"
