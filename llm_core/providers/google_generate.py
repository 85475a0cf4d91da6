"""What is sent to Gemini's generateContent, and to its streaming form. No I/O.

Google is told to keep neither prompt nor answer (`store` is false) unless the connection's options say so: paid
projects made since 2026-10-26 log both for 55 days by themselves (https://ai.google.dev/gemini-api/docs/logs-datasets).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..errors import InvalidParameters
from ..types import Parameters
from .google_answer import AnswerReader, read_whole
from .google_content import declared_tools, system_and_turns, tool_config
from .openai_wire import require_known
from .protocol import Answer, ChatRequest

_NAMES = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
    "n": "candidateCount",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
"""Our names -> Google's, in its generationConfig."""
_TIERS = {"default": "standard", "auto": "standard"}
_THINKS_BY_BUDGET = re.compile(r"gemini-2\.5")
_BUDGETS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
"""An effort in tokens, for models that know budgets alone: the figures of Google's own OpenAI-compatible endpoint."""


def model_path(model: str) -> str:
    """As models/gemini-4-argon; a name that says what it is of (models/..., tunedModels/...) stays."""
    named = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return quote(named, safe="/")


class GenerateContent:
    path = "models/gemini-flash-latest:generateContent"
    """Only asked whether it takes calls at all; each call goes to the path of its model."""

    def __init__(self, parameters: frozenset[str], *, store: bool = False) -> None:
        self._parameters = parameters
        self._store = store

    def body(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        """Raises InvalidMessage, InvalidParameters."""
        given = request.parameters
        require_known(given, self._parameters, "Google's API")
        system, turns = system_and_turns(request.messages, request.model)
        if given.system is not None:
            system.insert(0, given.system)
        body: dict[str, Any] = {"contents": turns, "store": self._store}
        if system:
            body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        if request.tools:
            body["tools"] = declared_tools(request.tools)
        if request.tool_choice is not None:
            body["toolConfig"] = tool_config(request.tool_choice)
        if given.safety_settings is not None:
            body["safetySettings"] = _safety_settings(given.safety_settings)
        if given.service_tier is not None:
            body["serviceTier"] = _TIERS.get(given.service_tier, given.service_tier)
        if config := _config(request):
            body["generationConfig"] = config
        return body

    def read(self, data: Any, into: Answer) -> None:
        read_whole(data, into)

    def reader(self, into: Answer) -> AnswerReader:
        return AnswerReader(into)


def _config(request: ChatRequest) -> dict[str, Any]:
    given = request.parameters
    config = {theirs: value for ours, theirs in _NAMES.items() if (value := getattr(given, ours)) is not None}
    if given.stop is not None:
        config["stopSequences"] = list(given.stop)
    if (thinking := _thinking(given, request.model)) is not None:
        config["thinkingConfig"] = thinking
    schema = request.schema if request.schema is not None else _schema_of(given.response_format)
    if schema is not None:
        config["responseMimeType"] = "application/json"
    if schema:
        config["responseJsonSchema"] = dict(schema)
    return config


def _thinking(given: Parameters, model: str) -> dict[str, Any] | None:
    """A budget, or a level for models from the third generation on. Where it thinks, what it thought is asked for."""
    budget, effort = given.thinking_budget, given.reasoning_effort
    if budget is not None and effort is not None:
        raise InvalidParameters("Google's API takes a thinking_budget or a reasoning_effort.", "Set one of the two.")
    if effort is not None and _THINKS_BY_BUDGET.search(model):
        if effort not in _BUDGETS:
            raise InvalidParameters(f"{model} has no effort {effort!r}.", "Set its thinking_budget, in tokens.")
        budget = _BUDGETS[effort]
    if budget is not None:
        return {"thinkingBudget": budget} | ({"includeThoughts": True} if budget else {})
    if effort == "none":
        raise InvalidParameters(f"{model} cannot be kept from thinking.", "Its least effort is minimal.")
    return None if effort is None else {"thinkingLevel": effort.upper(), "includeThoughts": True}


def _schema_of(form: str | Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The schema of a response_format in OpenAI's shape; empty for JSON of any shape, None for text."""
    kind = form.get("type") if isinstance(form, Mapping) else form
    if kind in (None, "text"):
        return None
    if kind == "json_object":
        return {}
    if isinstance(form, Mapping) and kind == "json_schema":
        schema = form.get("schema") or (form.get("json_schema") or {}).get("schema")
        if isinstance(schema, Mapping):
            return schema
    raise InvalidParameters(f"Google's API has no response_format {kind!r}.", "Give a JSON Schema: schema=...")


def _safety_settings(given: Mapping[str, Any] | Sequence[Any]) -> list[dict[str, Any]]:
    """Taken as {"harassment": "BLOCK_NONE"}, or as the API's own list of categories and thresholds."""
    if isinstance(given, Mapping) and "category" not in given:
        return [{"category": _category(name), "threshold": threshold} for name, threshold in given.items()]
    listed = [given] if isinstance(given, Mapping) else list(given)
    if not all(isinstance(entry, Mapping) and {"category", "threshold"} <= set(entry) for entry in listed):
        raise InvalidParameters(
            "Each of the safety_settings needs a category and a threshold.", 'As {"harassment": "BLOCK_ONLY_HIGH"}.'
        )
    return [{**entry, "category": _category(entry["category"])} for entry in listed]


def _category(name: Any) -> str:
    """As HARM_CATEGORY_HARASSMENT, also where only its last word is given."""
    word = str(name).upper()
    return word if word.startswith("HARM_CATEGORY_") else f"HARM_CATEGORY_{word}"
