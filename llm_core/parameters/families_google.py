"""What Google's Gemini models take, by generation.

Read on 2026-11-24: the types of the google-genai package 3.4.0 and the pages named with each rule.
"""

from __future__ import annotations

import re

from .interactions import UNSET, Interaction, Values
from .narrowing import Specs, bind, doubt, narrow, refuse

API = "https://ai.google.dev/api/generate-content"
CONTENT = "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/content-generation-parameters"
THINKING = "https://ai.google.dev/gemini-api/docs/thinking"
LATEST = "https://ai.google.dev/gemini-api/docs/generate-content/latest-model"
SAFETY = "https://ai.google.dev/api/generate-content#v1beta.HarmCategory"
INT32 = 2**31

_GEMINI = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?:-([a-z-]+))?")
_BUDGETS: dict[str, tuple[int, int, tuple[float, ...], str]] = {
    "pro": (128, 32_768, (-1,), "128 to 32,768 tokens; -1 lets the model decide. It cannot be turned off."),
    "flash-lite": (512, 24_576, (0, -1), "512 to 24,576 tokens; 0 turns thinking off, -1 lets the model decide."),
    "flash": (1, 24_576, (0, -1), "1 to 24,576 tokens; 0 turns thinking off, -1 lets the model decide."),
}
"""Of Gemini 2.5: least, most, what else, in words."""


def google(specs: Specs, name: str) -> None:
    narrow(specs, API, temperature={"default": 1.0}, top_p={"default": 0.95}, top_k={"min": 1}, max_tokens={})
    narrow(specs, API, stop={"max": 5}, n={"max": 8}, seed={"min": -INT32, "max": INT32 - 1}, system={})
    narrow(specs, API, logprobs={}, top_logprobs={}, response_format={})
    below_two = {"max": 1.99, "reason": "Up to, but not including, 2. Not each Gemini takes it."}
    narrow(specs, CONTENT, frequency_penalty=below_two, presence_penalty=below_two)
    tiers = {"choices": ("standard", "flex", "priority"), "default": "standard"}
    narrow(specs, API, service_tier=tiers)
    narrow(specs, SAFETY, safety_settings={"choices": THRESHOLDS, "kinds": CATEGORIES})
    refuse(specs, "Google's API has no such parameter.", API, "min_p", "repetition_penalty", "verbosity")
    bind(specs, "reasoning_effort", _EFFORT_OR_BUDGET)
    found = _GEMINI.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else None
    kind = (found[3] or "") if found else ""
    if version is None:
        doubt(specs, "Whether this model thinks is not known here.", "thinking_budget", "reasoning_effort")
    elif version < (2, 5):
        refuse(specs, "This model does not think.", THINKING, "thinking_budget", "reasoning_effort")
    elif version < (3, 0):
        _thinks_by_budget(specs, kind)
    else:
        _thinks_by_level(specs, version, kind)


THRESHOLDS = ("BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF")
CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY", "JAILBREAK")

_EFFORT_OR_BUDGET = Interaction(
    "thinking_budget", "Google takes a reasoning_effort or a thinking_budget, not both.", "Set one of the two.", UNSET
)


def _thinks_by_budget(specs: Specs, kind: str) -> None:
    low, high, besides, reason = next(
        (row for word, row in _BUDGETS.items() if kind.startswith(word)), _BUDGETS["flash"]
    )
    narrow(specs, THINKING, thinking_budget={"min": low, "max": high, "besides": besides, "reason": reason})
    off = () if kind.startswith("pro") else ("none",)
    choices = (*off, "minimal", "low", "medium", "high")
    told = "Sent as a thinking_budget, which is what this model takes."
    narrow(specs, THINKING, reasoning_effort={"choices": choices, "reason": told})


def _thinks_by_level(specs: Specs, version: tuple[int, int], kind: str) -> None:
    choices, default = _levels(version, kind)
    old = "Google deprecated it on 2026-07-21 for current models; it may be without effect."
    if version >= (4, 0):
        old = "Gemini 4 ignores it."
    caution = {"caution": old}
    narrow(specs, LATEST, temperature=caution, top_p=caution, top_k=caution)
    if version >= (4, 0):
        refuse(specs, "This model refuses it.", LATEST, "frequency_penalty", "presence_penalty")
        refuse(specs, "This model takes levels of reasoning_effort and no budget.", LATEST, "thinking_budget")
        narrow(specs, LATEST, n={"max": 1})
    else:
        levelled = {"min": 0, "besides": (-1,), "caution": "Gemini 3 works better with levels of reasoning_effort."}
        narrow(specs, THINKING, thinking_budget=levelled)
    narrow(specs, THINKING, reasoning_effort={"choices": choices, "default": default})
    narrow(specs, LATEST, max_tokens={"reason": "Thinking counts in it: leave room for the answer."})
    bind(specs, "max_tokens", _SHORT_ANSWER)


def _levels(version: tuple[int, int], kind: str) -> tuple[tuple[str, ...], str]:
    """Those a model takes, and the one it follows without any."""
    if version >= (4, 0):
        return ("low", "medium", "high"), "high" if kind.startswith("neon") else "medium"
    if kind.startswith("pro"):
        return (("low", "high") if version == (3, 0) else ("low", "medium", "high")), "high"
    default = "minimal" if kind.startswith("flash-lite") else "high" if version < (3, 5) else "medium"
    return ("minimal", "low", "medium", "high"), default


_SHORT_ANSWER = Interaction(
    "reasoning_effort",
    "Thinking can use all of it and leave no answer.",
    "Allow some thousand tokens, or none set.",
    UNSET,
    when=Values(low=1, high=999),
    needed=True,
    refused=False,
)
