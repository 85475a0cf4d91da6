"""What budgets ask of the ledger: what each meter has spent in a period, and which holds have their record there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..filters import quoted
from .budget import MONEY_UNITS, TAG, Meter
from .holds_file import Count
from .periods import Span

if TYPE_CHECKING:
    from ..reader import Snapshot

_SPENT = {
    "money": "sum(cost_usd)",
    "tokens": "sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))",
    "calls": "count(*)",
}
_FIRST = "attempt = 1 AND part = 0"
"""A call counts where it began, however many attempts it took."""

_READ = ("started_at", "cost_usd", "input_tokens", "output_tokens", "attempt", "part")


def spent(snapshot: Snapshot, wanted: Iterable[tuple[Meter, Span]]) -> list[Count]:
    """Each meter's count in its period, nothing held. One question to the ledger for each beginning of a period."""
    by_span: dict[Span, list[Meter]] = defaultdict(list)
    for meter, span in wanted:
        by_span[span].append(meter)
    return [count for span, meters in by_span.items() for count in _spent_in(snapshot, span, meters)]


def recorded(snapshot: Snapshot, ids: Sequence[str], oldest: datetime) -> dict[str, tuple[bool, bool]]:
    """Those of the ids that are in the ledger, and whether the record's cost and its tokens are known.

    A request that was not billed took no tokens, though its provider named none.
    """
    if not ids:
        return {}
    rows = snapshot.rows(
        "SELECT id, cost_usd IS NOT NULL, "
        "(input_tokens IS NOT NULL AND output_tokens IS NOT NULL) OR coalesce(price_source, '') = 'not billed' "
        f"FROM {snapshot.usage('id', 'started_at', 'cost_usd', 'input_tokens', 'output_tokens', 'price_source')} "
        "WHERE started_at >= $oldest AND id IN (SELECT unnest($ids::VARCHAR[]))",
        {"oldest": _naive(oldest), "ids": list(ids)},
    )
    return {id: (priced, counted) for id, priced, counted in rows}  # noqa: A001


def _spent_in(snapshot: Snapshot, span: Span, meters: Sequence[Meter]) -> list[Count]:
    values: dict[str, Any] = {}
    columns = dict.fromkeys(_READ)
    items = []
    for meter in meters:
        terms = ["true"]
        for name, value in meter.scope:
            bound = f"v{len(values)}"
            values[bound] = value
            if name.startswith(TAG):
                values[f"{bound}_tag"] = name.removeprefix(TAG)
                columns["tags"] = None
                terms.append(f"tags[${bound}_tag] = ${bound}")
            else:
                columns[name] = None
                terms.append(f"{quoted(name)} = ${bound}")
        scope = " AND ".join(terms)
        counted = f"{scope} AND {_FIRST}" if meter.unit == "calls" else scope
        items += [
            f"coalesce({_SPENT[meter.unit]} FILTER ({counted}), 0)",
            f"count(*) FILTER ({scope})",
            f"count(cost_usd) FILTER ({scope})",
        ]
    where = ["true"]
    for bound, comparison, moment in (("start", ">=", span.start), ("end_", "<", span.end)):
        if moment is not None:
            values[bound] = _naive(moment)
            where.append(f"started_at {comparison} ${bound}")
    sql = f"SELECT {', '.join(items)} FROM {snapshot.usage(*columns)} WHERE {' AND '.join(where)}"
    (row,) = snapshot.rows(sql, values)
    found = [row[at : at + 3] for at in range(0, len(row), 3)]
    return [
        Count(meter, span, int(amount * MONEY_UNITS) if meter.unit == "money" else int(amount), 0, records, priced)
        for meter, (amount, records, priced) in zip(meters, found, strict=True)
    ]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
