"""What each task needs of a model, and what a model lacks of it: the warning before it is made active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..store.listings import ListingCheck
from ..types import LLMModel, LLMProvider
from .tasks import can_do

NEEDS: Mapping[str, frozenset[str]] = {
    "chat": frozenset({"chat"}),
    "summarize": frozenset({"chat"}),
    "code": frozenset({"chat"}),
    "judge": frozenset({"chat"}),
    "extract": frozenset({"chat", "schema"}),
    "transcribe": frozenset({"transcription"}),
}
"""Task -> words of CAPABILITIES."""

_IN_WORDS = {
    "chat": "chat",
    "schema": "keep to a schema",
    "transcription": "transcribe",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a model is not fit for a task now. `need` is a word of CAPABILITIES, `connection`, `state` or `future`."""

    need: str
    message: str
    hint: str


def lacks(task: str, model: LLMModel, connection: LLMProvider | None, check: ListingCheck | None) -> list[Lack]:
    """What stands against `model` for `task`, the worst first; empty where nothing known does."""
    return [*_lacks_of_state(model, connection, check), *_lacks_of_ability(task, model)]


def _lacks_of_state(model: LLMModel, connection: LLMProvider | None, check: ListingCheck | None) -> list[Lack]:
    instead = f"Its provider recommends {model.replacement}." if model.replacement else "Choose another model."
    if connection is None:
        told = Lack("connection", f"No connection to {model.provider} is there.", "Connect it on the Providers page.")
        return [told, *([_ended(model, instead)] if model.state == "shut_down" else [])]
    if not connection.enabled:
        return [Lack("connection", f"The connection {connection.name} is switched off.", "Switch it on, on Providers.")]
    if model.state == "shut_down":
        return [_ended(model, instead)]
    if model.state == "not_on_key":
        return [
            Lack(
                "state",
                f"The last list of {connection.name} does not name {model.name}.",
                "Its key may lack it, or its name is another; refresh the list or choose another model.",
            )
        ]
    if model.state == "unreachable":
        why = check.error if check is not None else ""
        return [Lack("state", f"{connection.name} could not be reached at the last check. {why}".strip(), "Test it.")]
    if model.state == "deprecated":
        end = f"is shut down on {_day(model.retires_at)}" if model.retires_at else "will be shut down"
        return [Lack("future", f"{model.name} is deprecated and {end}.", instead)]
    return []


def _ended(model: LLMModel, instead: str) -> Lack:
    when = f" on {_day(model.retires_at)}" if model.retires_at else ""
    return Lack("state", f"{model.name} was shut down{when}.", instead)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _lacks_of_ability(task: str, model: LLMModel) -> list[Lack]:
    """Nothing is said against a model that nothing is known of, but what its name gives away."""
    if not model.capabilities:
        if can_do(model, task):
            return []
        work = "to transcribe" if task == "transcribe" else "to chat"
        need = "transcription" if task == "transcribe" else "chat"
        return [Lack(need, f"{model.name} does not look like a model {work}.", f"Choose one made {work}.")]
    return [_lack(task, model, need) for need in sorted(NEEDS[task] - model.capabilities)]


def _lack(task: str, model: LLMModel, need: str) -> Lack:
    if need in model.lacks:
        return Lack(need, f"{model.name} does not {_IN_WORDS[need]}, which {task} needs.", "Choose a model that does.")
    return Lack(
        need,
        f"No source says that {model.name} can {_IN_WORDS[need]}, which {task} needs.",
        "Choose a model that can. Where you know that it does, say so in the model's facts.",
    )
