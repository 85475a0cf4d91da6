"""`ws.usage.budgets`: make and change budgets, see how they stand, and hold what a call may take before it is sent."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from ...errors import StoreError
from ...store.home import Home
from ...types import UsageRecord
from .budget import Amounts, Budget, in_units, scope_of
from .definitions import Definitions
from .holds_file import HoldsFile
from .keeper import Keeper
from .owners import this_owner
from .refresh import Ledger, Refresh
from .transaction import Hold, Settlement
from .verdict import verdict

if TYPE_CHECKING:
    import pandas as pd

    from ...settings import SettingsService
    from ...store.state import State

_log = logging.getLogger(__name__)

FRESH_SECONDS = 10.0
"""Age from which what the ledger holds is counted anew while calls are made."""
_LOOK_AGAIN_SECONDS = 1.0
"""A call is refused only by counts younger than this."""
_TRIES = 8


class Budgets:
    """The budgets of one home. Safe to share between threads, not across a fork.

    Changes are seen by every process at its next call. Calls that were under way when a budget was made count in it.
    """

    def __init__(
        self,
        home: Home,
        *,
        state: Callable[[], State],
        settings: Callable[[], SettingsService] | None,
        ledger: Ledger,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._definitions = Definitions(state)
        self._file = HoldsFile(home.holds, clock)
        self._refresh = Refresh(self._file, self._definitions, ledger)
        self._keeper = Keeper(self._file.settle_all, self._keep_fresh)

    def add(
        self,
        scope: str | Mapping[str, str],
        limit: Decimal | int | str,
        period: str = "month",
        *,
        unit: str = "money",
        name: str | None = None,
        thresholds: Sequence[float] = (0.8,),
        hard: bool = True,
        tz: str | None = None,
        unpriced: str = "refuse",
    ) -> Budget:
        """Make a budget: at most `limit` US dollars, tokens or calls (`unit`) in each day, week, month, or in total.

        `scope` is "all", "connection:openai", "model:openai:gpt-6-luna", "task:chat", "app:x", "user:x", "project:x",
        "tag:team:search", or a mapping of several of these, all of which must match. `hard` refuses calls that could
        pass the limit; else the budget is only watched. Days begin at midnight in `tz`, a zone's name; the setting
        usage.time_zone, else UTC, when None. `unpriced` "allow" lets calls of unknown price pass a hard limit on money.
        Raises InvalidBudget.
        """
        return self._definitions.add(
            {
                "scope": scope,
                "limit": limit,
                "period": period,
                "unit": unit,
                "name": name,
                "thresholds": thresholds,
                "hard": hard,
                "tz": tz or self._usual_zone(),
                "unpriced": unpriced,
            }
        )

    def list(self) -> list[Budget]:
        return list(self._definitions.all())

    def get(self, name: str) -> Budget:
        """By name or id. Raises UnknownBudget."""
        return self._definitions.get(name)

    def change(self, budget: str, /, **fields: Any) -> Budget:
        """Change fields of a budget, by name or id; they are those of `add`. What was spent stays spent.

        Raises UnknownBudget, InvalidBudget.
        """
        return self._definitions.change(budget, fields)

    def remove(self, name: str) -> None:
        """Raises UnknownBudget."""
        self._definitions.remove(name)

    def status(self) -> pd.DataFrame:
        """One row for each budget, as of now: what every process recorded and holds is in it.

        `limit`, `spent`, `held`, `left` and `projection` are Decimal US dollars or whole numbers. `held` is what calls
        under way may take (`in_flight`), and what calls of unknown cost were held at. `used` is the share of the limit
        that both are, `threshold` the highest one reached. `projection` is where the pace so far leads by the period's
        end; None early in it, and in total. `priced` is the share of its records whose cost is known, None without any.
        """
        from .status import as_frame, status_frame

        budgets = self._definitions.all()
        self.refresh()
        if not budgets:
            return as_frame([])
        with self._file.transaction() as transaction:
            return status_frame(budgets, transaction)

    def matching(self, labels: Mapping[str, Any]) -> Sequence[Budget]:
        """The budgets that a call with these columns of its record counts in: some microseconds."""
        return self._definitions.matching(labels)

    def hold(self, labels: Mapping[str, Any], amounts: Amounts, bundle: Bundle | None = None) -> Held | None:
        """Hold what a request may take, in all budgets that it counts in, at once or not at all. None where it counts
        in none. `labels` are the columns of its record. Blocks on the disk: not for an event loop.

        Raises BudgetExceeded, BudgetCannotBound; StoreError where it cannot be kept: then nothing may be sent.
        """
        return self._hold("call", _clean(labels), amounts, bundle)

    def bundle(self, *, usd: Decimal | int | str = 0, tokens: int = 0, calls: int = 0, **labels: Any) -> Bundle:
        """Hold once for a run of calls: what each of them may take comes out of this before more is asked for.

        Give what the whole run may take, and what its calls have in common: model (an id), app, project, tags ... Use
        it as a context manager and name it in each call, `ws.llm.complete(..., bundle=bundle)`. What a call leaves over
        flows back into it, and at its end to the budgets. Raises BudgetExceeded.
        """
        common = scope_of({name: value for name, value in labels.items() if name != "tags" and value is not None})
        amounts = Amounts(in_units(Decimal(usd)), tokens, calls)
        return Bundle(self._hold("bundle", _clean({**common, "tags": labels.get("tags")}), amounts, None))

    def refresh(self) -> None:
        """Count anew what the ledger holds, and recover the holds of processes that ended. Nothing is done where there
        are neither budgets nor holds. Raises StoreError, LedgerDamaged."""
        if self._definitions.all() or self._file.exists():
            self._refresh.run()

    def close(self) -> None:
        """Settle what ended. Everything works again afterwards."""
        self._keeper.close()
        try:
            self._file.close()
        except StoreError as error:  # a refresh finds the records, and settles by them
            _log.warning("%s", error)

    def _keep_fresh(self) -> None:
        """Unless another process did so meanwhile."""
        with self._file.transaction() as transaction:
            is_fresh = 0 <= transaction.age < FRESH_SECONDS
        if not is_fresh:
            self._refresh.run()

    def _usual_zone(self) -> str:
        return (self._settings().get("usage.time_zone") if self._settings else "") or "UTC"

    def _hold(self, kind: str, labels: Mapping[str, Any], amounts: Amounts, bundle: Bundle | None) -> Held | None:
        for _ in range(_TRIES):
            budgets = self.matching(labels)
            if not budgets:
                return None
            with self._file.transaction() as transaction:
                age = transaction.age
                hold = Hold(
                    id=os.urandom(16).hex(),
                    at=transaction.at,
                    labels=labels,
                    amounts=amounts,
                    owner=this_owner(),
                    kind=kind,
                    bundle=bundle.id if bundle else None,
                )
                found = verdict(transaction, hold, budgets)
                if found.is_counted and found.refusal is None:
                    transaction.insert(hold)
                    if not 0 <= age < FRESH_SECONDS:
                        self._keeper.wake(refresh=True)
                    return Held(hold.id, hold.at, self._file, self._keeper)
            if found.refusal is not None and 0 <= age < _LOOK_AGAIN_SECONDS:
                raise found.refusal
            try:
                self._refresh.run()
            except StoreError as error:
                raise found.refusal or error from None
        raise StoreError("What budgets have spent changes too fast to hold anything.", "Try again.")


class Held:
    """The hold of one request: `id` is that of its record, `at` when it began. To be ended once, by either way."""

    def __init__(self, id: str, at: datetime, file: HoldsFile, keeper: Keeper) -> None:  # noqa: A002
        self.id = id
        self.at = at
        self._file = file
        self._keeper = keeper

    def settle(self, amounts: Amounts, further: Sequence[UsageRecord] = ()) -> None:
        """Once it is recorded: what it took, None where not known. `further` are records of parts beside it."""
        self._end(Settlement(self.id, amounts, tuple(_settled(record) for record in further)))

    def release(self) -> None:
        """Nothing was sent, or recorded."""
        self._end(Settlement(self.id, None))

    def _end(self, settlement: Settlement) -> None:
        self._file.settle(settlement)
        self._keeper.wake()


class Bundle:
    """One hold for a run of calls; see `Budgets.bundle`. Without a budget that they count in, it does nothing."""

    def __init__(self, held: Held | None) -> None:
        self._held = held

    @property
    def id(self) -> str | None:
        return self._held.id if self._held else None

    def close(self) -> None:
        """Give back what is left."""
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


def _settled(record: UsageRecord) -> Hold:
    """What a record of a further model takes, until it is counted."""
    usage = record.usage
    amounts = Amounts(
        None if record.cost_usd is None else in_units(record.cost_usd), usage.total_tokens if usage else None
    )
    columns = ("provider", "connection", "model", "task", "app", "user", "project", "tags")
    labels = _clean({name: getattr(record, name) for name in columns})
    return Hold(record.id, record.started_at, labels, amounts, this_owner(), state="settled")


def _clean(labels: Mapping[str, Any]) -> dict[str, Any]:
    """As the recorder keeps them: text that UTF-8 can hold."""
    return {name: _plain(value) for name, value in labels.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    return {_plain(key): _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value
