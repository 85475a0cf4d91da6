"""What `UsageService` can price anew: records at other prices, and the rates that typed SQL may need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import UnknownModel

if TYPE_CHECKING:
    import pandas as pd

    from .pricing import Price
    from .question import Question
    from .reader import Snapshot
    from .repricing import Bands

T = TypeVar("T")


class Repricing:
    """A part of `Questions`."""

    _price: Price | None = None

    def reprice(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        at: datetime | None = None,
        model: str | None = None,
        by: str | Sequence[str] | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """What records would cost now that prices are as they are: at their own time or `at` another, on their own
        model or on the one with the id `model`. Each keeps its mode; what was not billed stays free.

        In one row, or one for each group of the columns `by`: calls, records, cost_usd as recorded and priced, the
        share of records that have one, repriced_usd and repriced, the same of the new cost; cost_usd_of_both and
        repriced_usd_of_both are the sums over records that have both: those can be compared. What was recorded is not
        changed. Raises UnknownModel for a model whose prices are not known, and as other questions.
        """
        from .filters import GROUPABLE, condition, known, naive_utc
        from .what_if import Repriced

        where, bands = condition(start, end, filters), self._bands()
        names = () if by is None else (by,) if isinstance(by, str) else by
        groups = tuple(known(name, GROUPABLE) for name in names)
        if model is not None and bands(model) is None:
            raise UnknownModel(f"The prices of {model} are not known.", "Set your own with ws.models.prices.set_own.")
        return self._answer(Repriced(where, groups, None if at is None else naive_utc(at), model, bands))

    def _rates_for(self, query: str, params: Mapping[str, Any] | Sequence[Any] | None) -> list[tuple[Any, ...]] | None:
        """The rates that a typed statement may need: of all models in the ledger, and of the ids it names."""
        from .repricing import ids_in, mentions_prices, rate_rows

        if not mentions_prices(query):
            return None
        names = "connection", "provider", "model"
        keys = self._ask(
            lambda snapshot: snapshot.rows(f"SELECT DISTINCT {', '.join(names)} FROM {snapshot.usage(*names)}")
        )
        return rate_rows(self._bands(), keys, ids_in(query, params))

    def _bands(self) -> Bands:
        """What models cost. Nothing is known where the service was built without prices."""
        from .pricing import HasBands, careful

        price: Any = self._price
        return careful(price.bands, []) if isinstance(price, HasBands) else lambda _: None

    def _answer(self, question: Question[T]) -> T:
        return self._ask(question.run)

    def _ask(self, question: Callable[[Snapshot], T]) -> T:
        """What the question says of the records that there are now."""
        raise NotImplementedError
