"""Prices that a person sets: checked, kept in the state, and found again by model, mode and day.

An own price stands alone: in its period it counts instead of the list, class by class as it was given, and what it
lacks is unknown. So a negotiated price is never mixed with a list price.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ..errors import InvalidInput
from ..store.tables import own_prices
from ..types import MODES, split_model_id
from .cost import UNITS, Rate, RateCard
from .price_table import Period

_MOST = Decimal(1_000_000)
_DECIMALS = 12
_LONGEST_NOTE = 200
_EVER = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """A person's price of one model in one mode, from the day `effective_from` up to, without, `effective_to` (UTC).

    `rates` maps a class of usage to US dollars for its unit in `cost.UNITS`. `key` is what `remove_own` takes.
    """

    key: str
    model: str
    mode: str
    rates: Mapping[str, Decimal]
    effective_from: date | None
    effective_to: date | None
    note: str
    changed_at: datetime

    @property
    def source(self) -> str:
        return f"own price, {self.note}" if self.note else "own price"

    def period(self) -> Period:
        rates = {name: Rate(usd, UNITS[name].per) for name, usd in self.rates.items()}
        return Period(self.effective_from, self.effective_to, RateCard(self.source, self.effective_from, rates))


def checked(
    model: str,
    rates: Mapping[str, Decimal | str | int],
    effective_from: date | None,
    effective_to: date | None,
    mode: str,
    note: str,
) -> OwnPrice:
    """A new price with a key of its own. Raises InvalidInput, UnknownModel."""
    split_model_id(model)
    if mode not in MODES:
        raise InvalidInput(f"There is no mode {mode!r}.", f"Use one of {', '.join(MODES)}.")
    for day in (effective_from, effective_to):
        if day is not None and type(day) is not date:
            raise InvalidInput(f"{day!r} is not a day.", "Give a date, as date(2026, 12, 1), or None.")
    if effective_from is not None and effective_to is not None and effective_to <= effective_from:
        raise InvalidInput(
            "A price must end after it begins.", "Its last day is the one before effective_to; None leaves it open."
        )
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE or not note.isprintable():
        raise InvalidInput(f"A note is one line of up to {_LONGEST_NOTE} letters.")
    if not rates:
        raise InvalidInput("A price needs at least one rate.", f"There are {', '.join(UNITS)}.")
    return OwnPrice(
        os.urandom(8).hex(),
        model,
        mode,
        {name: _usd(name, value) for name, value in rates.items()},
        effective_from,
        effective_to,
        note.strip(),
        datetime.now(UTC),
    )


def _usd(name: str, value: object) -> Decimal:
    if name not in UNITS:
        raise InvalidInput(f"There is no rate {name!r}.", f"There are {', '.join(UNITS)}.")
    what = f"The price of {name}, in US dollars per {UNITS[name].name},"
    if isinstance(value, (bool, float)):
        raise InvalidInput(f"{what} cannot be a float.", 'Give a Decimal or text, as "0.25".')
    try:
        usd = Decimal(value)  # type: ignore[arg-type]  # whatever else it is raises
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidInput(f"{what} cannot be {value!r}.", 'Give a number, as "0.25".') from None
    if not usd.is_finite() or not 0 <= usd <= _MOST:
        raise InvalidInput(f"{what} must be from 0 to {_MOST:,}, not {value}.")
    if usd != round(usd, _DECIMALS):
        raise InvalidInput(f"{what} can have {_DECIMALS} decimals at most.")
    return usd


def keep(connection: Connection, price: OwnPrice) -> None:
    """Raises InvalidInput where the model already has an own price in that mode on some day of the period."""
    for other in kept(connection):
        if (other.model, other.mode) == (price.model, price.mode) and _overlap(other, price):
            raise InvalidInput(
                f"{price.model} already has a price of your own {_told(other)}.",
                "Remove that one, or let the new one begin where it ends.",
            )
    connection.execute(
        insert(own_prices).values(
            id=price.key,
            model=price.model,
            mode=price.mode,
            effective_from=price.effective_from,
            effective_to=price.effective_to,
            rates={name: [f"{usd:f}", UNITS[name].per] for name, usd in price.rates.items()},
            note=price.note,
            changed_at=price.changed_at,
        )
    )


def kept(connection: Connection) -> list[OwnPrice]:
    """All of them, by model, mode and beginning."""
    found = [_of_row(row) for row in connection.execute(select(own_prices))]
    return sorted(found, key=lambda price: (price.model, price.mode, price.effective_from or date.min))


def forget(connection: Connection, key: str) -> bool:
    return connection.execute(delete(own_prices).where(own_prices.c.id == key)).rowcount > 0


def _of_row(row: Any) -> OwnPrice:
    rates = {name: Decimal(usd) * UNITS[name].per / per for name, (usd, per) in row.rates.items() if name in UNITS}
    return OwnPrice(row.id, row.model, row.mode, rates, row.effective_from, row.effective_to, row.note, row.changed_at)


def _overlap(one: OwnPrice, other: OwnPrice) -> bool:
    (first, end), (first_too, end_too) = (_span(price) for price in (one, other))
    return first < end_too and first_too < end


def _span(price: OwnPrice) -> tuple[date, date]:
    return price.effective_from or _EVER[0], price.effective_to or _EVER[1]


def _told(price: OwnPrice) -> str:
    start = f"from {price.effective_from}" if price.effective_from else "from the start"
    return f"{start} up to {price.effective_to}" if price.effective_to else f"{start} on"
