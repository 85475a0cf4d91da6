"""Tables to choose a model by: two to four side by side, the best for a task, and those whose end is announced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..types import CAPABILITIES, MODALITIES, Cost, LLMModel
from .needs import NEEDS
from .tasks import can_do

if TYPE_CHECKING:
    import pandas as pd

MOST_COMPARED = 4
RADAR = timedelta(days=365)

_FACTS: tuple[tuple[str, str, Callable[[LLMModel], Any]], ...] = (
    ("Model", "Provider", lambda m: m.provider),
    ("Model", "Connection", lambda m: m.connection),
    ("Model", "State", lambda m: m.state),
    ("Model", "Released", lambda m: m.released_on),
    ("Model", "Knowledge until", lambda m: m.knowledge_until),
    ("Model", "Licence", lambda m: m.licence),
    ("Limits", "Context window", lambda m: m.context_window),
    ("Limits", "Maximum output", lambda m: m.max_output_tokens),
    ("Price per million", "Input", lambda m: m.input_price),
    ("Price per million", "Cache read", lambda m: m.cache_read_price),
    ("Price per million", "Output", lambda m: m.output_price),
    ("Price per million", "Price list", lambda m: m.price_source),
    *(("Takes in", word, lambda m, word=word: _has(m.inputs, word)) for word in MODALITIES if word != "file"),
    *(("Gives", word, lambda m, word=word: _has(m.outputs, word)) for word in MODALITIES if word != "file"),
    *(("Abilities", word, lambda m, word=word: _can(m, word)) for word in CAPABILITIES),
    ("Parameters", "Reasoning levels", lambda m: m.reasoning_efforts or None),
    ("Parameters", "Temperature", lambda m: m.takes_temperature),
    ("Life", "Deprecated on", lambda m: m.deprecated_on),
    ("Life", "Ends on", lambda m: m.retires_at.date() if m.retires_at else None),
    ("Life", "Replacement", lambda m: m.replacement),
)
"""(group, fact, value), in the order of reading. None is unknown."""


def _has(words: frozenset[str], word: str) -> bool | None:
    """An empty set says that nothing is known, not that there is nothing."""
    return word in words if words else None


def _can(model: LLMModel, word: str) -> bool | None:
    return True if word in model.capabilities else False if word in model.lacks else None


def compare(models: Sequence[LLMModel]) -> pd.DataFrame:
    """Facts by (group, fact), one column for each model's id, and `differs`: whether two known values are not the same.

    Abilities that none of them is known to have are left out. Raises InvalidInput.
    """
    import pandas as pd

    ids = [model.id for model in models]
    if not 2 <= len(ids) <= MOST_COMPARED or len(set(ids)) < len(ids):
        raise InvalidInput(f"{len(ids)} models cannot be compared.", f"Choose two to {MOST_COMPARED} different ones.")
    rows = []
    for group, fact, value in _FACTS:
        values = [value(model) for model in models]
        if group in ("Takes in", "Gives", "Abilities") and True not in values:
            continue
        known = [one for one in values if one is not None]
        rows.append(((group, fact), values, any(one != known[0] for one in known)))
    frame = pd.DataFrame(
        [values for _, values, _ in rows],
        index=pd.MultiIndex.from_tuples([place for place, _, _ in rows], names=["group", "fact"]),
        columns=ids,
        dtype=object,
    )
    frame["differs"] = [differs for _, _, differs in rows]
    return frame


def suggest(
    task: str,
    costs: Mapping[str, Cost],
    models: Collection[LLMModel],
    *,
    needs: Collection[str],
    min_context: int | None,
    max_price: Decimal | float | None,
    limit: int,
) -> pd.DataFrame:
    """See `ModelService.suggest`. `costs` are those of a thousand typical calls, by id."""
    import pandas as pd

    unknown = set(needs) - set(CAPABILITIES)
    if unknown:
        raise InvalidInput(
            f"{', '.join(sorted(unknown))} is nothing a model can do.", f"Words are {', '.join(CAPABILITIES)}."
        )
    wanted = frozenset(needs)
    most = None if max_price is None else Decimal(str(max_price))
    found = []
    for model in models:
        usd = costs[model.id].usd
        if model.state != "available" or not can_do(model, task) or not (wanted | _certain(task)) <= model.capabilities:
            continue
        if min_context is not None and (model.context_window is None or model.context_window < min_context):
            continue
        if most is not None and (usd is None or usd > most):
            continue
        found.append((usd is None, usd or Decimal(0), -(model.context_window or 0), model.id, usd, model))
    rows = [
        {
            "id": model.id,
            "model": model.display_name or model.name,
            "connection": model.connection,
            "usd_per_1k_calls": usd,
            "input_price": model.input_price,
            "output_price": model.output_price,
            "context_window": model.context_window,
            "why": _why(rank, task, usd, costs[model.id], model, wanted),
        }
        for rank, (*_, usd, model) in enumerate(sorted(found, key=lambda row: row[:4])[:limit])
    ]
    columns = (
        "id", "model", "connection", "usd_per_1k_calls", "input_price", "output_price", "context_window", "why",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def _certain(task: str) -> frozenset[str]:
    """What a suggested model must be known to have. Chatting can be told from its name."""
    return NEEDS[task] - {"chat", "transcription"}


def _why(rank: int, task: str, usd: Decimal | None, cost: Cost, model: LLMModel, wanted: frozenset[str]) -> str:
    if usd is None:
        price = f"its price for {task} is not known ({', '.join(cost.missing)})"
    elif rank == 0:
        price = f"the lowest known price: ${usd:,.2f} for a thousand typical {task} calls"
    else:
        price = f"${usd:,.2f} for a thousand typical {task} calls"
    parts = [price]
    have = sorted((wanted | _certain(task)) & model.capabilities, key=CAPABILITIES.index)
    if have:
        parts.append(f"offers {', '.join(have)}")
    if model.context_window:
        parts.append(f"reads up to {model.context_window:,} tokens")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def radar(
    models: Mapping[str, LLMModel],
    spent: Mapping[str, tuple[Decimal | None, int]],
    active: Mapping[str, Sequence[str]],
    now: datetime,
) -> pd.DataFrame:
    """See `ModelService.radar`. `spent` maps an id to (US dollars, calls), `active` to the tasks it is active for."""
    import pandas as pd

    rows = []
    for id, model in models.items():  # noqa: A001
        end = model.retires_at
        if model.state not in ("deprecated", "shut_down") and (end is None or model.lifecycle == "active"):
            continue
        if end is not None and end - now > RADAR:
            continue
        usd, calls = spent.get(id, (Decimal(0), 0))
        rows.append(
            {
                "id": id,
                "state": model.state,
                "ends_on": None if end is None else end.astimezone(UTC).date(),
                "days_left": None if end is None else (end.astimezone(UTC).date() - now.date()).days,
                "spend_30d": usd,
                "calls_30d": calls,
                "replacement": f"{model.connection}:{model.replacement}" if model.replacement else None,
                "tasks": tuple(active.get(id, ())),
            }
        )
    rows.sort(key=lambda row: (row["ends_on"] is None, row["ends_on"] or now.date(), row["id"]))
    columns = ("id", "state", "ends_on", "days_left", "spend_30d", "calls_30d", "replacement", "tasks")
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def spent_by_id(spend: pd.DataFrame | None) -> dict[str, tuple[Decimal | None, int]]:
    """Model id -> (US dollars, None where no call was priced; calls). See `ModelService.radar` for the columns."""
    if spend is None:
        return {}
    return {
        f"{connection}:{model}": (None if usd is None or usd != usd else Decimal(str(usd)), int(calls))
        for connection, model, usd, calls in zip(
            spend["connection"], spend["model"], spend["cost_usd"], spend["calls"], strict=True
        )
    }
