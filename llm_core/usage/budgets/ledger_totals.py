"""What budgets ask of the ledger: what each meter has spent in a period, and which holds have their record there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..filters import quoted
from .budget import MONEY_UNITS, TAG, Meter
from .periods import Span
from .transaction import Count

if TYPE_CHECKING:
    from ..reader import Snapshot

_MEASURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "money": ("sum(cost_usd)", ()),
    "tokens": ("sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))", ("input_tokens", "output_tokens")),
    # a call counts where it began, however many attempts it took
    "calls": ("count(*) FILTER (attempt = 1 AND part = 0)", ("attempt", "part")),
}
"""Unit -> what is counted, and the columns that have to be read for it. Only those of the units wanted are read."""


def spent(snapshot: Snapshot, wanted: Iterable[tuple[Meter, Span]]) -> list[Count]:
    """Each meter's count in its period, nothing held.

    One question to the ledger for all meters of one period and unit whose scopes name the same columns: a budget for
    each of a thousand users is one of them.
    """
    alike: dict[tuple[Span, str, tuple[str, ...]], list[Meter]] = defaultdict(list)
    for meter, span in wanted:
        alike[span, meter.unit, tuple(name for name, _ in meter.scope)].append(meter)
    return [count for (span, _, names), meters in alike.items() for count in _spent_in(snapshot, span, names, meters)]


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


def _spent_in(snapshot: Snapshot, span: Span, names: Sequence[str], meters: Sequence[Meter]) -> Iterator[Count]:
    values: dict[str, Any] = {}
    columns = [_column(name, values) for name in names]
    terms = ["true"]
    for at, column in enumerate(columns):
        values[f"only_{at}"] = list({meter.scope[at][1] for meter in meters})
        terms.append(f"{column} IN (SELECT unnest($only_{at}::VARCHAR[]))")
    for bound, comparison, moment in (("first", ">=", span.start), ("after", "<", span.end)):
        if moment is not None:
            values[bound] = _naive(moment)
            terms.append(f"started_at {comparison} ${bound}")
    unit = meters[0].unit
    measure, read = _MEASURES[unit]
    usage = snapshot.usage(
        "started_at", "cost_usd", *read, *("tags" if name.startswith(TAG) else name for name in names)
    )
    rows = snapshot.rows(
        f"SELECT {', '.join((*columns, f'coalesce({measure}, 0)', 'count(*)', 'count(cost_usd)'))} "
        f"FROM {usage} WHERE {' AND '.join(terms)}" + (f" GROUP BY {', '.join(columns)}" if columns else ""),
        values,
    )
    found = {row[: len(names)]: row[len(names) :] for row in rows}
    for meter in meters:
        amount, records, priced = found.get(tuple(value for _, value in meter.scope), (0, 0, 0))
        yield Count(meter, span, int(amount * MONEY_UNITS) if unit == "money" else int(amount), 0, records, priced)


def _column(name: str, values: dict[str, Any]) -> str:
    """A scope's column in SQL, with the name of a tag bound in `values`."""
    if not name.startswith(TAG):
        return quoted(name)
    bound = f"tag_{len(values)}"
    values[bound] = name.removeprefix(TAG)
    return f"tags[${bound}]"


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
