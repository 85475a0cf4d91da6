"""A call's way through budgets: what each of its requests may take at most, held before it is sent, settled after it.

Nothing is held, and nothing but a look at the cached budgets is paid, where the call counts in none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import InvalidInput, LLMManagerError
from .providers import bounds
from .providers.protocol import ChatRequest
from .types import Cost, LLMModel, Usage, UsageRecord

if TYPE_CHECKING:
    from .attempt import Plan
    from .usage.budgets import Budgets, Bundle
    from .usage.budgets.service import Held


@dataclass(frozen=True, slots=True)
class Guard:
    """`facts` tells what is known of a model, by its id; `bundle` is the run of calls that this one belongs to."""

    budgets: Budgets
    facts: Callable[[str], LLMModel]
    bundle: Bundle | None = None

    def is_needed(self, plan: Plan[Any]) -> bool:
        """Whether the call counts in any budget. Cheap, and fit for an event loop."""
        return bool(self.budgets.matching(_labels(plan, 1)))

    def hold(self, plan: Plan[Any], number: int) -> Held | None:
        """Hold what the request `number` of the call may take. Raises BudgetExceeded, StoreError: then send nothing."""
        from .usage.budgets.budget import Amounts, in_units

        usages = self._at_most(plan)
        usd = [cost.usd for usage in usages if (cost := _cost(plan, usage)).usd is not None]
        amounts = Amounts(
            money=in_units(max(usd)) if usd else None, tokens=usages[0].total_tokens, calls=int(number == 1)
        )
        return self.budgets.hold(_labels(plan, number), amounts, self.bundle)

    def _at_most(self, plan: Plan[Any]) -> Sequence[Usage]:
        request = plan.request
        longest = None
        if isinstance(request, ChatRequest) and request.parameters.max_tokens is None:
            longest = _asked_for(plan)
        writes_cache = plan.connection.options.get("cache") is not None
        return bounds.at_most(request, self.facts(plan.model_id), longest=longest, writes_cache=writes_cache)


def settle(held: Held, record: UsageRecord, cost: Cost, further: Sequence[UsageRecord], *, is_billed: bool) -> None:
    """A request is over and recorded: hold what it took. What nobody knows stays held at its bound."""
    from .usage.budgets.budget import Amounts, in_units

    usage = record.usage
    tokens = usage.total_tokens if usage is not None else None if is_billed else 0
    held.settle(Amounts(None if cost.usd is None else in_units(cost.usd), tokens), further)


def _asked_for(plan: Plan[Any]) -> int | None:
    """The longest answer that the adapter asks for of its own accord, as Anthropic's API wants to be told one."""
    try:
        asked = plan.adapter.body(plan.request)[1].get("max_tokens")
    except InvalidInput:  # the call will tell
        return None
    return asked if isinstance(asked, int) else None


def _cost(plan: Plan[Any], usage: Usage) -> Cost:
    try:
        return plan.price(plan.model_id, usage, None, plan.mode)
    except LLMManagerError:
        return Cost(None)


def _labels(plan: Plan[Any], number: int) -> dict[str, Any]:
    """The columns of the request's record that are known before it is sent."""
    labels = plan.labels
    return {
        "provider": plan.connection.provider,
        "connection": plan.connection.name,
        "model": plan.request.model,
        "call_id": plan.call_id,
        "attempt": number,
        "mode": plan.mode,
        "task": labels.task,
        "app": labels.app,
        "user": labels.user,
        "project": labels.project,
        "preset": labels.preset,
        "preset_version": labels.preset_version,
        "source": labels.source,
        "source_id": labels.source_id,
        "tags": labels.tags,
    }
