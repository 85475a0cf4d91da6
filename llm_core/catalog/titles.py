"""What models are called where people read of them: as published, and the id with it where that could be another."""

from __future__ import annotations

from collections.abc import Iterable

from ..types import LLMModel
from .names import undated


def by_title(models: Iterable[LLMModel]) -> dict[str, list[LLMModel]]:
    """Those of each published name."""
    found: dict[str, list[LLMModel]] = {}
    for model in models:
        found.setdefault(model.display_name, []).append(model)
    return found


def title(model: LLMModel, namesakes: Iterable[LLMModel]) -> str:
    """`GPT-6 Luna`; `GPT-6 Luna (work:gpt-6-luna)` where it has namesakes; the id where it has no name.

    A dated form has the name of its model. There the model keeps it for itself, and the dated form has its id too.
    """
    if not model.display_name:
        return model.id
    others = any(other.id != model.id and not _is_dated_form(other, model) for other in namesakes)
    return f"{model.display_name} ({model.id})" if others else model.display_name


def _is_dated_form(other: LLMModel, model: LLMModel) -> bool:
    return other.connection == model.connection and undated(model.provider, other.name) == model.name
