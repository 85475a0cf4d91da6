"""Prices rows in SQL, all at once and exactly: the same money as `catalog.cost.cost_of` gives one by one.

A rate becomes a whole number, so that sums are exact: dollars for a million units, in units of 1e-12. A cost is then a
whole number of 1e-18 dollars, of 1e-18 / 3,600,000 where audio is billed by the hour, and is rounded once, half to
even, to the ledger's ten decimals. Where a rate that is needed is not known, the cost is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..types import TOKEN_CLASSES, PriceBand

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Bands = Callable[[str], Sequence[PriceBand] | None]
"""The rates of a model id, over all time and in every mode, none overlapping; None for a model that is not known."""

Key = tuple[str, str, str]
"""A row's connection, provider and model."""

_MOST_UNITS = 10**12
_MOST_SECONDS = 10**9
"""What is more than this in one call is wrong usage, and has no cost, as in `cost_of`."""

_PRICES: Mapping[str, str] = {
    "input_tokens": "BIGINT",
    "cache_read_tokens": "BIGINT",
    "cache_write_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "input_audio_tokens": "BIGINT",
    "cache_read_audio_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "reasoning_tokens": "BIGINT",
    "output_audio_tokens": "BIGINT",
    "images": "HUGEINT",
    "searches": "HUGEINT",
    "requests": "HUGEINT",
    "audio_seconds": "BIGINT",
}
_COLUMNS: Mapping[str, str] = {
    "connection": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "id": "VARCHAR",
    "mode": "VARCHAR",
    "since": "TIMESTAMP",
    "until": "TIMESTAMP",
    "day_from": "BIGINT",
    "day_until": "BIGINT",
    "over_tokens": "BIGINT",
    "up_to_tokens": "BIGINT",
    "one_price": "BOOLEAN",
    "source": "VARCHAR",
    "price_from": "DATE",
    **{f"p_{name}": kind for name, kind in _PRICES.items()},
}
"""Of the relation `rates`. `connection`, `provider` and `model` are those of rows in the ledger, `id` is the model id
that may be asked for by name: one of the two is there."""

_BEGINNING, _END = datetime(1, 1, 1), datetime(9999, 1, 1)
_HOUR_PART = 3_600_000
_NEEDED = ("price_source", "usage_source")
_COUNTS = (*TOKEN_CLASSES, "images", "requests", "searches")
PRICED_BY = ("connection", "provider", "model", "mode", "started_at", "audio_seconds", *_COUNTS, *_NEEDED)
"""The columns of the ledger that decide what a row costs."""


MACROS = ("usage_priced", "usage_priced_at", "usage_priced_on")
"""Table functions of typed SQL: `usage` with repriced_usd, repriced_source and repriced_from."""

_TEXT = re.compile(r"'((?:[^']|'')*)'")
_MOST_IDS = 100


def mentions_prices(query: str) -> bool:
    return MACROS[0] in str(query).casefold()


def ids_in(query: str, params: Mapping[str, Any] | Sequence[Any] | None) -> list[str]:
    """The texts in a statement and its parameters that look like model ids."""
    bound = params.values() if isinstance(params, Mapping) else params or ()
    texts = [text.replace("''", "'") for text in _TEXT.findall(str(query))]
    found = dict.fromkeys(text for text in (*texts, *bound) if isinstance(text, str) and ":" in text)
    return list(found)[:_MOST_IDS]


def macros_sql(columns: Sequence[str]) -> Iterator[str]:
    """Makes the functions of MACROS over `usage` and `rates`."""
    moment, model = "asked_at::TIMESTAMP", "asked_model"
    own = priced_sql("usage", columns)
    at = priced_sql("usage", columns, moment=moment)
    on = priced_sql("usage", columns, model=model)
    both = priced_sql("usage", columns, moment=moment, model=model)
    yield f"CREATE MACRO usage_priced() AS TABLE {own}"
    yield f"CREATE MACRO usage_priced_at(asked_at) AS TABLE {at}"
    yield f"CREATE MACRO usage_priced_on(asked_model) AS TABLE ({on}), (asked_model, asked_at) AS TABLE ({both})"


def rate_rows(bands: Bands, keys: Iterable[Key], ids: Iterable[str] = ()) -> list[tuple[Any, ...]]:
    """The rows of `rates` for rows of the ledger and for models asked for by id.

    A row's rates are those of its connection's model, else, as the connection may be gone or never have been here, of
    its provider's.
    """
    rows: list[tuple[Any, ...]] = []
    for connection, provider, model in keys:
        ways = dict.fromkeys((f"{connection}:{model}", f"{provider}:{model}"))
        found = next((found for way in ways if (found := bands(way)) is not None), ())
        rows += [_row((connection, provider, model, None), band) for band in found]
    for id in dict.fromkeys(ids):  # noqa: A001
        rows += [_row((None, None, None, id), band) for band in bands(id) or ()]
    return rows


def _row(key: tuple[str | None, ...], band: PriceBand) -> tuple[Any, ...]:
    return (
        *key,
        band.mode,
        _midnight(band.start, _BEGINNING),
        _midnight(band.end, _END),
        band.hours[0] * 1_000_000,
        band.hours[1] * 1_000_000,
        band.over_tokens,
        _MOST_UNITS if band.up_to_tokens is None else band.up_to_tokens,
        band.one_price_for_all_media,
        band.source,
        band.effective_from,
        *(_whole(name, band.rates.get(name)) for name in _PRICES),
    )


def _midnight(day: Any, otherwise: datetime) -> datetime:
    return otherwise if day is None else datetime(day.year, day.month, day.day)


def _whole(name: str, rate: tuple[Decimal, int] | None) -> int | None:
    """Dollars for a million units, for an hour of audio, as a whole number of 1e-12."""
    if rate is None:
        return None
    usd, per = rate
    return int(usd * 10**12 * (3600 if name == "audio_seconds" else 1_000_000) / per)


_NOBODY = (*(["-"] * 5), _END, _BEGINNING, 0, 0, 0, 0, False, "-", None, *([None] * len(_PRICES)))
"""A row that nothing matches. Where DuckDB 2.0 sees beforehand that a LEFT JOIN finds nothing, as in an empty table, it
forgets the statement's LIMIT."""


def rates_sql(rows: Sequence[tuple[Any, ...]]) -> tuple[str, dict[str, Any]]:
    """A SELECT that gives `rates`, and the values bound in it."""
    columns = zip(*rows, _NOBODY, strict=True)
    values = {f"rates_{name}": list(column) for name, column in zip(_COLUMNS, columns, strict=True)}
    names = ", ".join(f"unnest($rates_{name}::{kind}[]) AS {name}" for name, kind in _COLUMNS.items())
    return f"SELECT {names}", values


def fill_rates(connection: DuckDBPyConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Make the table `rates` anew."""
    sql, values = rates_sql(rows)
    connection.execute(f"CREATE OR REPLACE TABLE rates AS {sql}", values)


def priced_sql(
    rows: str, columns: Sequence[str], *, rates: str = "rates", moment: str = "u.started_at", model: str | None = None
) -> str:
    """A SELECT of `columns` of the relation `rows`, with repriced_usd, repriced_source and repriced_from.

    Each row counts at the rates of `moment` (SQL, UTC without a zone; of the row where not told), and of its own model
    or of the one whose id the SQL `model` gives. Its mode stays: a batch call is priced as a batch call. What was not
    billed stays free.
    """
    # concat hides from DuckDB that no row may have this id: see _NOBODY.
    who = (
        "r.connection = u.connection AND r.provider = u.provider AND r.model = u.model"
        if model is None
        else f"concat(r.id, '') = {model}"
    )
    kept = ", ".join(f'"{name}"' for name in columns)
    carried = ", ".join(f'u."{name}"' for name in dict.fromkeys((*columns, *_NEEDED, "audio_seconds")))
    prices = ", ".join(f"r.p_{name}" for name in _PRICES)
    counts = ", ".join(f"{_bounded(name)} AS n_{name}" for name in _COUNTS)
    return f"""
        SELECT {kept}, repriced_usd,
               CASE WHEN repriced_usd IS NOT NULL THEN _source END AS repriced_source,
               CASE WHEN repriced_usd IS NOT NULL THEN _price_from END AS repriced_from
        FROM (SELECT *, {_ROUNDED} AS repriced_usd
        FROM (SELECT *, {_QUOTIENT} AS _q
        FROM (SELECT *, if(_time = 0, _money, _money * {_HOUR_PART} + _time) AS _n,
                     if(_time = 0, 100000000::HUGEINT, {100_000_000 * _HOUR_PART}::HUGEINT) AS _d
        FROM (SELECT *, {_MONEY} AS _money, {_TIME} AS _time
        FROM (SELECT *, CASE WHEN _least = _most AND NOT (_least > 0 AND n_cache_write_tokens > 0) THEN _least END
                     AS _cached_audio, {_IS_WHOLE} AS _is_whole
        FROM (SELECT *, greatest(0, _audio + n_cache_read_tokens + n_cache_write_tokens - n_input_tokens) AS _least,
                     least(_audio, n_cache_read_tokens + n_cache_write_tokens) AS _most
        FROM (SELECT *, if(_one_price AND p_input_audio_tokens IS NULL, 0, n_input_audio_tokens) AS _audio,
                     if(_one_price AND p_output_audio_tokens IS NULL, 0, n_output_audio_tokens) AS _spoken
        FROM (SELECT {carried}, {counts}, {_NANOSECONDS} AS _ns, {prices}, coalesce(r.one_price, false) AS _one_price,
                     r.source AS _source, r.price_from AS _price_from
              FROM {rows} AS u LEFT JOIN {rates} AS r
              ON {who} AND r.mode = coalesce(u.mode, 'standard') AND r.since <= {moment} AND r.until > {moment}
                 AND epoch_us({moment}) % {_DAY_US} >= r.day_from AND epoch_us({moment}) % {_DAY_US} < r.day_until
                 AND u.input_tokens > r.over_tokens AND u.input_tokens <= r.up_to_tokens))))))))
    """


def _bounded(name: str) -> str:
    """A count of a row, NULL where it is wrong usage, so that no sum can overflow; 0 where none was told of a class."""
    count = f"u.{name}" if name in ("input_tokens", "output_tokens") else f"coalesce(u.{name}, 0)"
    return f"CASE WHEN {count} >= 0 AND {count} < {_MOST_UNITS} THEN {count} END"


def _cost(count: str, rate: str) -> str:
    """What some units cost: nothing for none, whether there is a rate or not."""
    return f"CASE WHEN {count} > 0 THEN ({count})::HUGEINT * {rate} WHEN {count} = 0 THEN 0 END"


_DAY_US = 86_400_000_000
_NANOSECONDS = (
    f"CASE WHEN coalesce(u.audio_seconds, 0) >= 0 AND coalesce(u.audio_seconds, 0) < {_MOST_SECONDS} "
    "THEN round_even(coalesce(u.audio_seconds, 0) * 1e9, 0)::HUGEINT END"
)
_IS_WHOLE = """(
    usage_source IS DISTINCT FROM 'unknown'
    AND n_cache_read_tokens + n_cache_write_tokens <= n_input_tokens AND n_cache_write_1h_tokens <= n_cache_write_tokens
    AND n_input_audio_tokens <= n_input_tokens AND n_reasoning_tokens <= n_output_tokens
    AND n_output_audio_tokens <= n_output_tokens AND n_images IS NOT NULL AND n_requests IS NOT NULL
    AND n_searches IS NOT NULL AND _ns IS NOT NULL)"""
"""Whether the usage can be: no part larger than its whole, nothing below 0."""

_REASONED = "least(n_reasoning_tokens, n_output_tokens - _spoken)"
_TOKENS = " + ".join(
    (
        _cost("_audio - _cached_audio", "p_input_audio_tokens"),
        _cost("_cached_audio", "p_cache_read_audio_tokens"),
        _cost(
            "n_input_tokens - n_cache_read_tokens - n_cache_write_tokens - (_audio - _cached_audio)", "p_input_tokens"
        ),
        _cost("n_cache_read_tokens - _cached_audio", "p_cache_read_tokens"),
        _cost("n_cache_write_tokens - n_cache_write_1h_tokens", "p_cache_write_tokens"),
        _cost("n_cache_write_1h_tokens", "p_cache_write_1h_tokens"),
        _cost("_spoken", "p_output_audio_tokens"),
        _cost(_REASONED, "coalesce(p_reasoning_tokens, p_output_tokens)"),
        _cost(f"n_output_tokens - _spoken - {_REASONED}", "p_output_tokens"),
    )
)
_IS_HEARD = "coalesce(audio_seconds, 0) > 0"
_MONEY = f"""CASE WHEN _is_whole AND _source IS NOT NULL THEN
    CASE WHEN {_IS_HEARD} AND p_audio_seconds IS NOT NULL AND p_input_tokens IS NULL THEN 0 ELSE {_TOKENS} END
    + {_cost("n_searches", "p_searches")} + {_cost("n_images", "p_images")}
    + CASE WHEN p_requests IS NULL THEN 0 ELSE greatest(1, n_requests)::HUGEINT * p_requests END
END"""
_TIME = f"""CASE WHEN {_IS_HEARD} AND (p_audio_seconds IS NOT NULL OR n_input_tokens + n_output_tokens = 0)
    THEN _ns * p_audio_seconds ELSE 0::HUGEINT END"""
_QUOTIENT = """CASE WHEN _n < 9000000000000000000 THEN _n::BIGINT // _d::BIGINT
    WHEN _n < _d * 1000000000000000000 THEN (_n // _d)::BIGINT END"""
"""BIGINT where it will do: DuckDB divides HUGEINT twenty times as slowly. From 100 million dollars on, none."""
_LEFT = "(_n - _q::HUGEINT * _d) * 2"
_ROUNDED = f"""CASE WHEN price_source = 'not billed' THEN 0::DECIMAL(18, 10)
    WHEN _q IS NOT NULL THEN
        ((_q + CASE WHEN {_LEFT} > _d OR ({_LEFT} = _d AND _q % 2 = 1) THEN 1 ELSE 0 END)::DECIMAL(18, 0)
         * 0.0000000001::DECIMAL(10, 10))::DECIMAL(18, 10)
END"""
