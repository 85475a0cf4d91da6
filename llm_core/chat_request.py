"""What a call asks for, as its adapter gets it. Calls and previews make it here, so that the one is the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .messages import with_system
from .providers.protocol import ChatRequest, Deadline
from .types import Message, Parameters


def chat_request(
    model: str,
    messages: tuple[Message, ...],
    parameters: Parameters,
    deadline: Deadline,
    *,
    tools: Sequence[Mapping[str, Any]] | None = None,
    tool_choice: str | Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> ChatRequest:
    """`model` is the provider's own name. The system text leads the messages, unless they bring one of their own."""
    return ChatRequest(
        model=model,
        messages=with_system(messages, parameters.system),
        parameters=dataclasses.replace(parameters, system=None),
        deadline=deadline,
        tools=tuple(tools or ()),
        tool_choice=tool_choice,
        schema=schema,
    )
