"""Which calls have no cost, and what is missing to know it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import LLMManagerError
from ..types import USAGE_FIELDS, Usage
from .filters import Condition
from .pricing import Price
from .queries import SUMMED, measures
from .question import Query, Writer, select

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("connection", "provider", "model", "mode")
_REPORTED = "input_tokens IS NOT NULL AND output_tokens IS NOT NULL AND usage_source IS DISTINCT FROM 'unknown'"
"""Usage that can be priced at all, as in `pricing`."""


def unpriced(where: Condition, price: Price | None) -> Query[pd.DataFrame]:
    """Records whose cost is unknown, by connection, provider, model and mode, and by whether usage was reported; most
    first: `reported`, calls, records, the sums of all fields of `Usage`, first_at and last_at (aware, in UTC).

    `missing` says why, by `price` as it is now: `usage` where the provider told none, `model` for one without a price,
    else the classes of usage without a rate, and "" where the cost would be known today. Without `price` it is None
    for all records with usage.
    """

    def write(writer: Writer) -> str:
        matching = writer.where(where)
        return select(
            [
                *(*_KEYS, f"{_REPORTED} AS reported"),
                *measures("calls", "records", *USAGE_FIELDS),
                *("min(started_at) AS first_at", "max(started_at) AS last_at"),
            ],
            writer.usage(where, "started_at", "usage_source", *_KEYS, *SUMMED),
            "cost_usd IS NULL" if matching == "true" else f"cost_usd IS NULL AND {matching}",
            group="ALL",
            order=f"records DESC, {', '.join(_KEYS)}, reported",
        )

    def finish(frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        rows: list[dict[Any, Any]] = frame.to_dict("records")
        frame["missing"] = pd.Series([_missing(row, price) for row in rows], dtype="object")
        for name in ("first_at", "last_at"):
            frame[name] = frame[name].dt.tz_localize("UTC")
        return frame

    return Query(write, finish)


def _missing(row: dict[Any, Any], price: Price | None) -> str | None:
    if not row["reported"]:
        return "usage"
    if price is None:
        return None
    at: datetime = row["last_at"].to_pydatetime().replace(tzinfo=UTC)
    found = "model"
    for way in dict.fromkeys((row["connection"], row["provider"])):
        try:
            cost = price(f"{way}:{row['model']}", _like(row), at=at, mode=row["mode"] or "standard")
        except LLMManagerError:  # the model, or the mode, is not known here
            continue
        if cost.usd is not None:
            return ""
        found = found if cost.missing == ("model",) else ", ".join(cost.missing)
    return found


def _like(row: dict[Any, Any]) -> Usage:
    """Usage with a little of each class that these records have: which rates it needs is all that matters."""
    some = {name: int(bool(row[name])) for name in USAGE_FIELDS}
    some["cache_write_tokens"] = max(some["cache_write_tokens"], 2 * some["cache_write_1h_tokens"])
    inside = some["cache_read_tokens"] + some["cache_write_tokens"] + some["input_audio_tokens"]
    some["input_tokens"] += inside
    some["output_tokens"] += some["reasoning_tokens"] + some["output_audio_tokens"]
    return Usage(**some)
