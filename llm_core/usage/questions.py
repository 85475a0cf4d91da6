"""What can be asked of the ledger: what was used, by whom and what, what it cost, how long it took.

Every answer is a DataFrame unless it says otherwise; money is in `cost_usd`, as `Decimal`, None where unknown, beside
`priced`, the share of records whose cost is known. Times given must know their zone, spans include `start` and exclude
`end`, and filters are columns of the view by name: `model="gpt-6-luna"`, several values as a list, None for records
without one, `tags={"team": "search"}`, `priced=False` for those of unknown cost, `latency_ms={"above": 5000}`,
`search="some words"`; `filters.condition` says it all. What a question is grouped `by` is a column, a tag as
`tag:team`, or several of these. All of them raise UnknownColumn, InvalidInput, QueryFailed and LedgerDamaged.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import InvalidInput
from .reprice import Repricing

if TYPE_CHECKING:
    import pandas as pd

    from .export import Progress, Stop
    from .forecast import Forecast, NotEnoughData
    from .pricing import Price
    from .question import Question
    from .spans import Span

T = TypeVar("T")

EXPLAINED: tuple[str, ...] = (
    *("summary", "series", "groups", "latency", "percentiles", "distribution", "heatmap"),
    *("history", "values", "performance", "unpriced", "reprice", "forecast"),
)
"""The questions whose SQL can be shown."""


class Questions(Repricing):
    """What `UsageService` answers; it says what the answers come from."""

    def summary(self, start: datetime | None = None, end: datetime | None = None, **filters: Any) -> pd.DataFrame:
        """One row: cost_usd with priced (0 to 1) and unpriced, calls, attempts, errors, sums of all fields of `Usage`,
        and latency_p50_ms, latency_p95_ms, ttft_p50_ms, ttft_p95_ms (off by 0.8 % at most).

        A call with several attempts is one call; `queries` says what each measure is.
        """
        from .filters import condition
        from .queries import summary

        return self._answer(summary(condition(start, end, filters)))

    def series(
        self,
        by: str | Sequence[str] | None = None,
        bucket: str = "day",
        tz: str = "UTC",
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        sort: str = "cost_usd",
        limit: int | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """The measures of `summary`, without latency, for each bucket of time and each value of the columns `by`.

        `bucket` is hour, day, week (from Monday) or month; the column `bucket` is its beginning, aware, in `tz`. Days
        begin at midnight there, so one with a clock change has 23 or 25 hours, and the sum over buckets is the total.
        Buckets without records are absent. With `limit` only the groups with the largest `sort` over the whole span
        are kept apart, largest first in each bucket; the rest is one group, named Other.
        """
        from .filters import condition
        from .queries import series

        return self._answer(series(condition(start, end, filters), by, bucket, tz, sort=sort, limit=limit))

    def groups(
        self,
        by: str | Sequence[str],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        sort: str = "cost_usd",
        limit: int | None = None,
        other: bool = False,
        **filters: Any,
    ) -> pd.DataFrame:
        """The measures of `summary`, without latency, by the columns `by`: largest `sort` first, up to `limit` rows.

        With `other` the groups after those are added up in a last row, named Other, so that rows add up to the total;
        its column `others` says how many they are, and is 0 in all other rows.
        """
        from .filters import condition
        from .queries import groups

        return self._answer(groups(condition(start, end, filters), by, sort=sort, limit=limit, other=other))

    def latency(
        self,
        by: str | Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        column: str = "latency_ms",
        bucket: str | None = None,
        tz: str = "UTC",
        **filters: Any,
    ) -> pd.DataFrame:
        """p50_ms and p95_ms of latency_ms or ttft_ms by the columns `by`, off by 0.8 % at most; NaN where unknown.

        With `bucket`, for each bucket of time too, as in `series`.
        """
        from .filters import condition
        from .ranks import latency

        return self._answer(latency(condition(start, end, filters), by, column=column, bucket=bucket, tz=tz))

    def percentiles(
        self,
        column: str,
        by: str | Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        bucket: str | None = None,
        tz: str = "UTC",
        **filters: Any,
    ) -> pd.DataFrame:
        """p50, p90, p95 and p99 of latency_ms, ttft_ms, input_tokens, output_tokens or cost_usd of a record, and their
        number; otherwise as `latency`.
        """
        from .filters import condition
        from .ranks import percentiles

        return self._answer(percentiles(condition(start, end, filters), column, by, bucket=bucket, tz=tz))

    def distribution(
        self,
        column: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        per_decade: int = 10,
        **filters: Any,
    ) -> pd.DataFrame:
        """How many records have a value from `low` up to `high`: latency_ms, ttft_ms, input_tokens, output_tokens or
        cost_usd.

        Bins are equally wide on a log scale, `per_decade` from 1 to 10; values of 0 are a bin from 0 to 0, bins without
        records are absent. `percentiles` tells where the middle and the tail of the same records lie.
        """
        from .filters import condition
        from .ranks import distribution

        return self._answer(distribution(condition(start, end, filters), column, per_decade=per_decade))

    def heatmap(
        self,
        value: str = "cost_usd",
        tz: str = "UTC",
        start: datetime | None = None,
        end: datetime | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """A measure by hour of the day and day of the week in `tz`: cost_usd, calls, attempts, errors, input_tokens or
        output_tokens.

        One row for each hour of the week that occurred: weekday (0 is Monday), hour, hours (how long it was, in all),
        records, the measure, its average in an hour (a float), priced. An hour that clocks repeat or skip counts as
        long as it was. Without `start` the span begins with the first record; it ends now if not before.
        """
        from .filters import condition
        from .heatmap import heatmap

        return self._answer(heatmap(condition(start, end, filters), value, tz, datetime.now(UTC)))

    def history(
        self,
        limit: int = 200,
        before: Sequence[Any] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        sort: str = "started_at",
        descending: bool = True,
        **filters: Any,
    ) -> pd.DataFrame:
        """The newest records, one row each, newest first; all columns but raw_usage unless `columns` names others.

        The next page comes after the last row of this one: `before=(row.started_at, row.id)`. Records that arrive
        meanwhile do not shift it. `started_at` is aware, in UTC. With `sort` the records come by another column, those
        without a value last and equal ones newest first; the next page is `before=(row[sort], row.started_at, row.id)`.
        """
        from .filters import condition
        from .history import DEFAULT_COLUMNS, Page

        names = DEFAULT_COLUMNS if columns is None else columns
        where = condition(start, end, filters)
        return self._answer(Page.of(where, limit, before, columns=names, sort=sort, descending=descending))

    def values(
        self,
        column: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        limit: int = 1000,
        **filters: Any,
    ) -> list[Any]:
        """The values that a column has, those with most records first: what a filter can be set to.

        `tag:team` is for the values of a tag, `tags` for the names of tags.
        """
        from .filters import condition
        from .queries import values

        return self._answer(values(condition(start, end, filters), column, limit))

    def performance(
        self,
        by: str | Sequence[str] = ("connection", "model"),
        start: datetime | None = None,
        end: datetime | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """How models did here, one row each: calls, attempts, error_rate, latency_p50_ms, latency_p95_ms, ttft_p50_ms,
        tokens_per_second, cost_usd, priced, and sums of tokens; `performance` says what each is.
        """
        from .filters import condition
        from .performance import performance

        return self._answer(performance(condition(start, end, filters), by))

    def unpriced(self, start: datetime | None = None, end: datetime | None = None, **filters: Any) -> pd.DataFrame:
        """The records whose cost is unknown, by connection, provider, model, mode and whether usage was `reported`.

        Most first: calls, records, sums of all fields of `Usage`, first_at and last_at; `missing` says what is not
        known: `usage`, the `model`'s price, or the classes of usage without a rate, and "" where it has become known.
        """
        from .filters import condition
        from .unpriced import unpriced

        return self._answer(unpriced(condition(start, end, filters), self._price))

    def forecast(
        self, tz: str = "UTC", *, value: str = "cost_usd", now: datetime | None = None, **filters: Any
    ) -> Forecast | NotEnoughData:
        """What this month will come to in `tz`: cost_usd, calls, attempts, tokens, input_tokens or output_tokens.

        Expected and an interval, from the last half year at most, with how wrong the same forecast was on it. Where
        that is too little to say, NotEnoughData tells why.
        """
        from .forecast import forecast

        return self._answer(forecast(filters, value, tz, now or datetime.now(UTC)))

    def span(self, name: str, tz: str = "UTC") -> Span:
        """`today`, `this month`, `last week`, `last 30 days` and so on: its `start` and `end`, to ask about."""
        from .spans import span

        return span(name, tz)

    def explain(self, question: str, *args: Any, **kwargs: Any) -> str:
        """The SQL of a question, one of EXPLAINED, with its arguments: `explain("series", by="model", bucket="month")`.

        It reads `FROM usage` and has its values in it, so it can be given to `sql`, which gives the same numbers.
        Buckets of time are without a zone there: days, weeks and months in `tz`, hours in UTC.
        """
        if question not in EXPLAINED:
            raise InvalidInput(f"There is no question {question!r}.", f"Use one of {', '.join(EXPLAINED)}.")
        return cast("str", getattr(_Shown(self._price), question)(*args, **kwargs))

    def export_csv(
        self,
        path: str | os.PathLike[str],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
        stop: Stop | None = None,
        **filters: Any,
    ) -> int:
        """Write records to a CSV file that is safe to open in a spreadsheet; returns their number.

        Oldest first, all columns of the view unless `columns` names some, every digit of money; `export` says how each
        kind of value is written. After each 50,000 records or so `progress` is told (done, all), and before each `stop`
        is asked whether to end. A file that is there is refused unless `overwrite`; a stop leaves it as it was.
        Raises InvalidInput, UnknownColumn, ExportStopped, StoreError, LedgerDamaged.
        """
        return self._export("csv", path, (start, end), filters, columns, overwrite, progress, stop)

    def export_parquet(
        self,
        path: str | os.PathLike[str],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
        stop: Stop | None = None,
        **filters: Any,
    ) -> int:
        """As `export_csv`, as a Parquet file."""
        return self._export("parquet", path, (start, end), filters, columns, overwrite, progress, stop)

    def export_jsonl(
        self,
        path: str | os.PathLike[str],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
        stop: Stop | None = None,
        **filters: Any,
    ) -> int:
        """As `export_csv`, as a file with a JSON object in each line."""
        return self._export("jsonl", path, (start, end), filters, columns, overwrite, progress, stop)

    def _export(
        self,
        form: str,
        path: str | os.PathLike[str],
        span: tuple[datetime | None, datetime | None],
        filters: Mapping[str, Any],
        columns: Sequence[str] | None,
        overwrite: bool,
        progress: Progress | None,
        stop: Stop | None,
    ) -> int:
        from .export import Export
        from .filters import condition
        from .schema import COLUMNS

        target = Path(path).expanduser().absolute()
        names = tuple(COLUMNS if columns is None else dict.fromkeys(columns))
        export = Export(condition(*span, filters), target, form, names, overwrite, progress, stop)
        return self._ask(export.run)


class _Shown(Questions):
    """Gives each question's SQL in place of its answer."""

    def __init__(self, price: Price | None) -> None:
        self._price = price

    def _answer(self, question: Question[T]) -> T:
        return cast("T", question.shown())
