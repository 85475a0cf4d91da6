"""What models are called where people read of them: as published, and the id with it where that could be another."""

from __future__ import annotations

from collections.abc import Iterable

from ..types import LLMModel
from .names import undated


def title(model: LLMModel, others: Iterable[LLMModel]) -> str:
    """`GPT-6 Luna`; `GPT-6 Luna (work:gpt-6-luna)` where one of the others has the same name; the id where it has none.

    A dated form has the name of its model. There the model keeps it for itself, and the dated form has its id too.
    """
    if not model.display_name:
        return model.id
    same = any(
        other.display_name == model.display_name and other.id != model.id and not _is_dated_form(other, model)
        for other in others
    )
    return f"{model.display_name} ({model.id})" if same else model.display_name


def _is_dated_form(other: LLMModel, model: LLMModel) -> bool:
    return other.connection == model.connection and undated(model.provider, other.name) == model.name
