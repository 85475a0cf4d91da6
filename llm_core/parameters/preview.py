"""The request that a call would send, made in full and not sent, with its tokens and what the answer may cost.

It goes the way of a call: the same merging of preset and parameters, the same request, the same adapter and SDK. Only
the key is a placeholder and the transport hands the request over (`providers/drafts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..chat_request import chat_request
from ..errors import (
    InvalidConnection,
    InvalidInput,
    InvalidParameters,
    LLMManagerError,
    NotConfigured,
    ProviderError,
)
from ..messages import Prompt, as_messages
from ..providers import estimate
from ..providers.drafts import PLACEHOLDER_KEY
from ..providers.protocol import Adapter, ChatRequest, Deadline
from ..providers.registry import find
from ..structured import as_json_schema
from ..types import MODES, PROVIDERS, Cost, LLMModel, LLMProvider, Message, Parameters, TokenCount, Usage
from .call_checks import check_messages, check_room, check_tools
from .families import specs_for
from .fitting import Change, fit
from .preset import Preset
from .validate import Finding, Validation, validate
from .wire import CostRange, WireRequest
from .wire_notes import notes_of

STAND_IN = "…"
"""The prompt of a preview that was given none."""
ESTIMATED_BY = "an estimate: a token for every four bytes"


class Connections(Protocol):
    """What this room asks of ProviderService."""

    def get(self, name: str) -> LLMProvider: ...

    def adapter(self, name: str) -> Adapter: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a preview is of: the arguments of a call."""

    model: LLMModel
    parameters: Any = None
    messages: Prompt = ""
    tools: Any = None
    tool_choice: Any = None
    schema: Any = None
    preset: Preset | None = None
    stream: bool = False


def connection_of(model: LLMModel, connections: Connections) -> LLMProvider:
    """The model's connection, or its provider alone where there is none yet."""
    try:
        return connections.get(model.connection)
    except NotConfigured:
        if model.connection not in PROVIDERS:
            raise
        return LLMProvider(name=model.connection, provider=model.provider)


class Preview:
    """One preview, on its way from the arguments of a call to a WireRequest."""

    def __init__(self, asked: Asked, connection: LLMProvider, price: Callable[..., Cost]) -> None:
        self._asked = asked
        self._connection = connection
        self._price = price
        self._specs = specs_for(asked.model)
        self._shown = WireRequest(asked.model.id)

    def made(self) -> WireRequest:
        """Never raises for what cannot be sent: `validation` says what is wrong."""
        asked = self._asked
        validation = validate(self._specs, asked.parameters)
        if not validation:
            return self._with(validation)
        own = Parameters.of(asked.parameters)
        fitted, changes = fit(self._specs, asked.preset.parameters, own) if asked.preset else (Parameters(), ())
        parameters = own.over(fitted)
        validation = validate(self._specs, parameters) + check_tools(
            asked.model,
            parameters,
            asked.tools,
            asked.tool_choice,
            chat_only=goes_to_chat(self._connection, parameters),
        )
        if not validation:
            return self._with(validation)
        try:
            request = self._request(parameters)
            made = self._drafted(request, parameters, changes)
        except (InvalidInput, NotConfigured) as error:
            return self._with(validation + _refused(error))
        validation += check_messages(asked.model, request.messages) + made.validation
        return replace(made, validation=validation) if validation else self._with(validation)

    def _with(self, validation: Validation) -> WireRequest:
        return replace(self._shown, validation=validation)

    def _request(self, parameters: Parameters) -> ChatRequest:
        asked = self._asked
        return chat_request(
            asked.model.name,
            messages_of(asked.messages),
            parameters,
            Deadline(None),
            tools=asked.tools,
            tool_choice=asked.tool_choice,
            schema=as_json_schema(asked.schema),
        )

    def _drafted(self, request: ChatRequest, parameters: Parameters, changes: Sequence[Change]) -> WireRequest:
        import orjson

        model, stream = self._asked.model, self._asked.stream
        row = find(self._connection.provider)
        has_key = row.capabilities.needs_key or self._connection.key_source is not None
        adapter = row.factory()(self._connection, PLACEHOLDER_KEY if has_key else None)
        try:
            draft = adapter.draft(request, stream)
            body: dict[str, Any] = orjson.loads(draft.body)
            tokens = count_at_hand(adapter, request)
            return WireRequest(
                model=model.id,
                method=draft.method,
                url=draft.url,
                headers=draft.headers,
                body=body,
                notes=notes_of(adapter, request, parameters, changes, row.label, stream),
                prompt_tokens=tokens,
                cost=cost_range(model, parameters, body, tokens, self._price),
                validation=check_room(model, tokens, parameters),
            )
        finally:
            adapter.close()


def count_at_hand(adapter: Adapter, request: ChatRequest) -> TokenCount:
    """By a tokeniser in this process where there is one, else an estimate. Asks nobody."""
    try:
        found = adapter.tokens_at_hand(request)
    except ProviderError:
        found = None  # the model is being stopped
    return found or TokenCount(estimate.prompt_tokens(request), "estimate", ESTIMATED_BY)


def counted(adapter: Adapter, request: ChatRequest) -> TokenCount:
    """By whoever counts it exactly, else an estimate. Raises ProviderError."""
    return adapter.count_tokens(request) or TokenCount(estimate.prompt_tokens(request), "estimate", ESTIMATED_BY)


def cost_range(
    model: LLMModel, parameters: Parameters, body: Mapping[str, Any], prompt: TokenCount, price: Callable[..., Cost]
) -> CostRange:
    """One token is the shortest answer. The longest is what the request allows, else what the model can write."""
    answers = parameters.n or 1
    longest, note = _longest(model, parameters, body, prompt)
    mode = parameters.service_tier if parameters.service_tier in MODES else "standard"

    def cost(output: int) -> Cost:
        return price(model.id, Usage(input_tokens=prompt.count, output_tokens=output), mode=mode)

    most = None if longest is None else longest * answers
    return CostRange(cost(answers), None if most is None else cost(most), answers, most, note)


def _longest(
    model: LLMModel, parameters: Parameters, body: Mapping[str, Any], prompt: TokenCount
) -> tuple[int | None, str]:
    sent = parameters.max_tokens or body.get("max_tokens")
    if isinstance(sent, int):
        return sent, "The longest answer is as long as max_tokens allows."
    if model.max_output_tokens is not None:
        return model.max_output_tokens, "The longest answer is the longest that the model can write."
    if model.context_window is not None:
        room = max(1, model.context_window - prompt.count)
        return room, "The longest answer fills what the prompt leaves of the context window."
    return None, "How long an answer can be is not known of this model: set max_tokens."


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """With a stand-in for a prompt that is not there yet. Raises InvalidMessage."""
    if isinstance(prompt, str) and not prompt.strip():
        return (Message("user", STAND_IN),)
    return as_messages(prompt)


def goes_to_chat(connection: LLMProvider, parameters: Parameters) -> bool:
    """Whether OpenAI would get it through Chat Completions: by the connection's option, or for want of a place."""
    if connection.provider != "openai":
        return False
    from ..providers.openai_responses import LEAST_TOKENS, PARAMETERS

    short = (parameters.max_tokens or LEAST_TOKENS) < LEAST_TOKENS
    api = connection.options.get("api")
    return api == "chat" or (api is None and (short or not PARAMETERS.issuperset(parameters.given())))


def _refused(error: LLMManagerError) -> Validation:
    """What stopped the making of the request, as a finding."""
    field = "parameters" if isinstance(error, InvalidParameters) else "messages"
    if isinstance(error, (NotConfigured, InvalidConnection)):
        field = "model"
    return Validation((Finding(field, error.message, error.hint),))
