"""Whether a request may be sent: what it could take must be left in every budget that it counts in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ...errors import BudgetCannotBound, BudgetExceeded
from .budget import Budget
from .transaction import Count, Hold, Transaction

_SMALLER = {
    "money": ", or make the call smaller: set max_tokens lower, choose a cheaper model",
    "tokens": ", or make the call smaller: set max_tokens lower",
}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refusal` is None where nothing stands in the way. `is_counted` is false where a count has to be made first."""

    refusal: BudgetExceeded | None = None
    is_counted: bool = True


def verdict(transaction: Transaction, hold: Hold, budgets: Sequence[Budget]) -> Verdict:
    """Of several budgets in the way, the one that begins anew last is named: until then the call cannot be made."""
    bundle = transaction.find(hold.bundle) if hold.bundle else None
    refusals: list[BudgetExceeded] = []
    for budget in budgets:
        if not budget.hard:
            continue
        if budget.unit == "money" and hold.amounts.money is None:
            if budget.unpriced == "refuse":
                refusals.append(_cannot_bound(budget, hold))
            continue
        count = transaction.count(budget.meter)
        if count is None:
            return Verdict(is_counted=False)
        needed = hold.amounts.of(budget.unit)
        from_bundle = bundle.amounts.of(budget.unit) if bundle is not None and count.covers(bundle) else 0
        more = needed - from_bundle
        if more > 0 and count.spent + count.held + more > budget.most:
            refusals.append(_exceeded(budget, count, needed, from_bundle))
    return Verdict(max(refusals, key=lambda refusal: refusal.resets_at or _NEVER, default=None))


def _exceeded(budget: Budget, count: Count, needed: int, from_bundle: int) -> BudgetExceeded:
    left = max(0, budget.most - count.spent - count.held + from_bundle)
    limit = budget.in_words(budget.most)
    each = "in all" if budget.period == "total" else f"a {budget.period}"
    return BudgetExceeded(
        f'The budget "{budget.name}" stands in the way. Of {limit} {each}, {budget.in_words(count.spent)} is spent and '
        f"{budget.in_words(count.held - from_bundle)} is held for other calls, so {budget.in_words(left)} is left; "
        f"this call could take {budget.in_words(needed)}. Nothing was sent.",
        f"{_resets(budget, count.span.end)} Raise the budget{_SMALLER.get(budget.unit, '')}.",
        budget=budget.name,
        unit=budget.unit,
        limit=budget.limit,
        left=budget.told(left),
        needed=budget.told(needed),
        resets_at=count.span.end,
    )


def _cannot_bound(budget: Budget, hold: Hold) -> BudgetCannotBound:
    model = f"{hold.labels.get('connection')}:{hold.labels.get('model')}"
    end = budget.meter.span(hold.at).end
    return BudgetCannotBound(
        f'The price of {model} is not known, so the budget "{budget.name}" of {budget.in_words(budget.most)} cannot '
        "hold what the call may cost. Nothing was sent.",
        "Enter the model's price on the Models page, choose another model, or let calls without a price pass this "
        'budget with unpriced="allow".',
        budget=budget.name,
        unit=budget.unit,
        limit=budget.limit,
        left=budget.told(budget.most),
        needed=None,
        resets_at=end,
    )


def _resets(budget: Budget, end: datetime | None) -> str:
    if end is None:
        return "It never begins anew."
    return f"It begins anew on {end.astimezone(ZoneInfo(budget.tz)):%d %B %Y at %H:%M} ({budget.tz})."
