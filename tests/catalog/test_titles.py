"""What a model is called in a text: by its name alone where that is enough to tell which is meant."""

from __future__ import annotations

import pytest

from llm_core.catalog import ModelService
from llm_core.types import LLMModel


def named(name: str, shown: str, connection: str = "openai") -> LLMModel:
    return LLMModel(connection, "openai", name, display_name=shown)


@pytest.mark.parametrize(
    ("id", "title"),
    [
        ("openai:gpt-6-luna", "GPT-6 Luna"),
        ("openai:gpt-4.1", "GPT-4.1"),
        ("openai:gpt-4.1-2025-04-14", "GPT-4.1 (openai:gpt-4.1-2025-04-14)"),
        ("openai:one", "Twin (openai:one)"),
        ("openai:two", "Twin (openai:two)"),
        ("openai:gpt-5", "GPT-5 (openai:gpt-5)"),
        ("work:gpt-5", "GPT-5 (work:gpt-5)"),
        ("openai:never-heard-of", "openai:never-heard-of"),
        ("gone:gpt-6-luna", "gone:gpt-6-luna"),
        ("no id", "no id"),
    ],
)
def test_a_name_alone_stands_for_one_model(
    models: ModelService,
    offer,
    connect,
    id: str,  # noqa: A002
    title: str,
) -> None:
    connect("openai")
    connect("work", "openai")
    offer(named("gpt-5", "GPT-5", "work"), connection="work")
    offer(
        named("gpt-6-luna", ""),
        named("gpt-4.1", "GPT-4.1"),
        named("gpt-4.1-2025-04-14", "GPT-4.1"),
        named("gpt-5", "GPT-5"),
        named("one", "Twin"),
        named("two", "Twin"),
    )
    assert models.title(id) == title
