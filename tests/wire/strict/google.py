"""Gemini's generateContent.

Fields and types: the classes of the google-genai package 3.4.0. Ranges: ai.google.dev/api/generate-content (temperature
0 to 2, stop sequences up to 5, candidateCount 1 to 8, logprobs 0 to 20), docs.cloud.google.com (penalties from -2 up
to, but not including, 2), the API's description (seed: 32 bits). Budgets and levels: ai.google.dev/gemini-api/docs/
thinking. What Gemini 4 refuses: ai.google.dev/gemini-api/docs/generate-content/latest-model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .shape import Shape, Test, filled, flag, form, misfit, number, one_of, text, texts, whole


@dataclass(frozen=True)
class Facts:
    levels: tuple[str, ...] = ()
    budget: Test | None = None
    penalties: bool = True
    candidates: int = 8


def _budget(low: int, high: int, *besides: int) -> Test:
    return lambda v: v in besides or whole(low, high)(v)


_FLASH = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
_OLD_WAY = _budget(0, 10**9, -1)
MODELS = {
    "gemini-2.0-flash": Facts(),
    "gemini-2.5-pro": Facts(budget=_budget(128, 32_768, -1)),
    "gemini-2.5-flash": Facts(budget=_budget(0, 24_576, -1)),
    "gemini-2.5-flash-lite": Facts(budget=_budget(512, 24_576, 0, -1)),
    "gemini-3-flash-preview": Facts(_FLASH, _OLD_WAY),
    "gemini-3-pro-preview": Facts(("LOW", "HIGH"), _OLD_WAY),
    "gemini-3.1-pro-preview": Facts(("LOW", "MEDIUM", "HIGH"), _OLD_WAY),
    "gemini-3.6-flash": Facts(_FLASH, _OLD_WAY),
    "gemini-3.8-flash": Facts(_FLASH, _OLD_WAY),
    "gemini-4-argon": Facts(("LOW", "MEDIUM", "HIGH"), penalties=False, candidates=1),
}

_HARMS = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY", "JAILBREAK")
_SAFETY = form(
    {
        "category": one_of(*(f"HARM_CATEGORY_{harm}" for harm in _HARMS)),
        "threshold": one_of("BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"),
    },
    ("category", "threshold"),
)
_SHAPE: Shape = {
    "contents": filled,
    "systemInstruction": filled,
    "tools": filled,
    "toolConfig": filled,
    "safetySettings": lambda v: isinstance(v, list) and all(map(_SAFETY, v)),
    "store": flag,
    "serviceTier": one_of("standard", "flex", "priority"),
    "generationConfig": filled,
}
_CONFIG: Shape = {
    "temperature": number(0, 2),
    "topP": number(0, 1),
    "topK": whole(1),
    "maxOutputTokens": whole(1),
    "frequencyPenalty": lambda v: number(-2, 2)(v) and v < 2,
    "presencePenalty": lambda v: number(-2, 2)(v) and v < 2,
    "seed": whole(-(2**31), 2**31 - 1),
    "candidateCount": whole(1, 8),
    "stopSequences": texts(5),
    "responseLogprobs": flag,
    "logprobs": whole(0, 20),
    "responseMimeType": one_of("text/plain", "application/json"),
    "responseJsonSchema": filled,
    "thinkingConfig": form({"thinkingBudget": whole(-1), "thinkingLevel": text, "includeThoughts": flag}),
}


def generate(model: str, body: Mapping[str, Any]) -> str | None:
    facts = MODELS[model]
    config = body.get("generationConfig", {})
    if found := misfit(body, _SHAPE, ("contents",)) or misfit(config, _CONFIG):
        return found
    if "responseJsonSchema" in config and config.get("responseMimeType") != "application/json":
        return "responseJsonSchema needs the response mime type application/json"
    if config.get("logprobs") and not config.get("responseLogprobs"):
        return "logprobs needs responseLogprobs"
    if config.get("candidateCount", 1) > facts.candidates:
        return "Only one candidate is possible with this model."
    if not facts.penalties and {"frequencyPenalty", "presencePenalty"} & set(config):
        return "Penalty is not enabled for this model."
    thinking = config.get("thinkingConfig", {})
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if budget is not None and level is not None:
        return "thinking_budget and thinking_level are not supported together."
    if budget is not None and (facts.budget is None or not facts.budget(budget)):
        return f"The thinking budget {budget} is invalid for this model."
    if level is not None and level not in facts.levels:
        return f"The thinking level {level} is not supported for this model."
    return None
