"""What a provider would refuse of a call beside its parameters: its tools, its messages, and their length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..types import LLMModel, Message, Parameters, TokenCount
from .families_anthropic import can_be_made_to_use_a_tool, continues_an_answer
from .families_openai import tools_go_without_reasoning
from .specs import ParameterSpec
from .validate import Finding, Validation, shown

CHOICES = ("auto", "none", "required")


def option_specs(model: LLMModel | None) -> tuple[ParameterSpec, ...]:
    """`tools`, `tool_choice` and `schema`: options of a call, not fields of Parameters, in the same words."""
    choice = ParameterSpec(
        "tool_choice",
        "tools",
        "choice",
        "Whether the model may, must or must not call a tool: auto, none, required, or the name of one.",
        choices=CHOICES,
        default="auto",
        reason="A tool's name demands that one.",
    )
    if model is not None and model.provider == "anthropic" and not can_be_made_to_use_a_tool(model.name.lower()):
        choice = choice.but(choices=("auto", "none"), reason="This model cannot be made to call a tool.")
    tools = ParameterSpec("tools", "tools", "object", "Functions that the model may ask to be called.")
    schema = ParameterSpec("schema", "output", "object", "JSON Schema that the answer has to fit.")
    return tools, choice, schema


def check_tools(
    model: LLMModel | None, parameters: Parameters, tools: Any, tool_choice: Any, *, chat_only: bool = False
) -> Validation:
    """`chat_only`: at OpenAI the call goes to Chat Completions."""
    return Validation(tuple(_tool_errors(model, parameters, tools, tool_choice, chat_only)))


def check_messages(model: LLMModel | None, messages: Sequence[Message]) -> Validation:
    if model is None or model.provider != "anthropic" or not messages or messages[-1].role != "assistant":
        return Validation()
    if continues_an_answer(model.name.lower()):
        return Validation()
    told = "This model does not go on with an answer that is begun."
    return Validation((Finding("messages", told, "Let the last message be the user's."),))


def check_room(model: LLMModel | None, prompt: TokenCount, parameters: Parameters) -> Validation:
    """Prompt and answer against the context window. An estimate may be off, so that it only warns."""
    window = model.context_window if model is not None else None
    if window is None:
        return Validation()
    counted = f"{prompt.count:,} tokens" if prompt.how != "estimate" else f"about {prompt.count:,} tokens"
    if prompt.count > window:
        found = Finding(
            "messages", f"The prompt of {counted} is longer than the context window.", "Shorten it.", f"{window:,}"
        )
        return Validation(warnings=(found,)) if prompt.how == "estimate" else Validation((found,))
    limit = parameters.max_tokens
    if limit is None or prompt.count + limit <= window:
        return Validation()
    told = f"The prompt of {counted} and max_tokens are more than the context window of {window:,}."
    hint = f"Make it {max(1, window - prompt.count):,} or less: the answer may be refused, or end early."
    return Validation(warnings=(Finding("max_tokens", told, hint, value=f"{limit:,}"),))


def _tool_errors(
    model: LLMModel | None, parameters: Parameters, tools: Any, choice: Any, chat_only: bool
) -> Iterable[Finding]:
    if problem := _shape_of(tools):
        yield Finding("tools", problem, 'As {"type": "function", "function": {"name": "weather"}}.')
        return
    if choice is not None and not isinstance(choice, (str, Mapping)):
        yield Finding("tool_choice", f"It cannot be {shown(choice)}.", f"Give one of {', '.join(CHOICES)}, or a name.")
        return
    if choice is not None and not tools:
        yield Finding("tool_choice", "There are no tools to choose from.", "Give tools, or leave it out.")
        return
    demands = choice is not None and choice not in ("auto", "none") and not _leaves_open(choice)
    name = model.name.lower() if model is not None else ""
    provider = model.provider if model is not None else ""
    if provider == "anthropic" and demands:
        if not can_be_made_to_use_a_tool(name):
            yield Finding("tool_choice", "This model cannot be made to call a tool.", "Use auto.", value=shown(choice))
        elif parameters.thinking_budget not in (None, 0):
            yield Finding("tool_choice", "A Claude that thinks cannot be made to call a tool.", "Use auto.")
    reasons = parameters.reasoning_effort != "none"
    if provider == "openai" and tools and chat_only and reasons and tools_go_without_reasoning(name):
        told = "With tools this model reasons in the Responses API alone, which has no place for one of these."
        yield Finding("tools", told, "Set reasoning_effort to none, or leave out n, stop, seed and penalties.")


def _shape_of(tools: Any) -> str:
    """What is wrong with them, if anything."""
    if tools is None:
        return ""
    if isinstance(tools, (str, bytes, Mapping)) or not isinstance(tools, Sequence):
        return "These are no tools."
    for tool in tools:
        if not isinstance(tool, Mapping):
            return f"A tool cannot be {shown(tool)}."
        function = tool.get("function")
        if function is not None and not (isinstance(function, Mapping) and isinstance(function.get("name"), str)):
            return "A tool's function has no name."
    return ""


def _leaves_open(choice: str | Mapping[str, Any]) -> bool:
    return isinstance(choice, Mapping) and choice.get("type") in ("auto", "none")
