"""What OpenAI's models take, by family: those that chat, and those that reason.

Read on 2026-11-24: the types of the openai package 3.54.0, which are made from OpenAI's API description, and the pages
named with each rule. OpenAI documents temperature, top_p and logprobs at effort none for GPT-5.1 to GPT-5.4 alone; for
later models it does not, and calls with them are reported to fail (github.com/BerriAI/litellm/pull/34599).
"""

from __future__ import annotations

import re

from .interactions import Interaction, Values
from .narrowing import Specs, bind, doubt, narrow, refuse

API = "https://developers.openai.com/api/reference/resources/chat"
REASONING = "https://developers.openai.com/api/docs/guides/reasoning"
LATEST = "https://developers.openai.com/api/docs/guides/latest-model?model=gpt-5.4"
TIERS = ("auto", "default", "flex", "priority", "fast", "scale")

_CHATS = re.compile(r"^(ft:)?(gpt-3|gpt-4|chatgpt-4|chat-latest|gpt-5(\.\d)?-chat)")
_O_SERIES = re.compile(r"^(ft:)?o\d")
_GPT = re.compile(r"^(?:ft:)?gpt-(\d+)(?:\.(\d+))?(?:-(.*))?$")
_SAMPLING_WITHOUT_EFFORT = ("temperature", "top_p", "logprobs", "top_logprobs")


def openai(specs: Specs, name: str) -> None:
    narrow(specs, API, temperature={"default": 1.0}, top_p={"default": 1.0}, stop={"max": 4}, n={"max": 128})
    narrow(specs, API, service_tier={"choices": TIERS, "default": "auto"}, max_tokens={}, seed={}, logprobs={})
    narrow(specs, API, frequency_penalty={}, presence_penalty={}, top_logprobs={}, response_format={}, system={})
    narrow(specs, API, verbosity={"default": "medium"}, reasoning_effort={})
    if _CHATS.match(name):
        refuse(specs, "Only OpenAI's reasoning models take it.", REASONING, "reasoning_effort")
        if not name.startswith("gpt-5"):
            refuse(specs, "Only models from gpt-5 on take it.", API, "verbosity")
    elif _O_SERIES.match(name):
        _reasoning(specs, ("low", "medium", "high"), "medium")
        refuse(specs, "Only models from gpt-5 on take it.", API, "verbosity")
    elif (found := _GPT.match(name)) and int(found[1]) >= 5:
        _gpt(specs, (int(found[1]), int(found[2] or 0)), found[3] or "")
    else:
        doubt(specs, "This model's name is not known here; what it takes may differ.")


def tools_go_without_reasoning(name: str) -> bool:
    """Whether Chat Completions takes tools only at the reasoning_effort none: from GPT-5.6 on, as its refusal says
    (github.com/itzcrazykns/vane/issues/1173)."""
    found = _GPT.match(name)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= (5, 6)


def _gpt(specs: Specs, version: tuple[int, int], variant: str) -> None:
    efforts, default = _efforts(version, variant)
    plain = variant == "" or variant[0].isdigit() or variant.startswith(("mini", "nano"))
    if (5, 1) <= version <= (5, 4) and plain:
        _reasoning(specs, efforts, default, but_takes=_SAMPLING_WITHOUT_EFFORT)
        for name in _SAMPLING_WITHOUT_EFFORT:
            reason = "Only at the reasoning_effort none."
            specs[name] = specs[name].but(reason=reason, source=LATEST).binding(_ONLY_WITHOUT_EFFORT)
    else:
        _reasoning(specs, efforts, default)


_ONLY_WITHOUT_EFFORT = Interaction(
    "reasoning_effort",
    "This model takes it only at the reasoning_effort none.",
    "Set reasoning_effort to none, or leave it out.",
    Values(("none",)),
    needed=True,
)


def _efforts(version: tuple[int, int], variant: str) -> tuple[tuple[str, ...], str]:
    """The words a model takes, and the one it follows without any. From OpenAI's guides to GPT-5, 5.1, 5.2, 5.4, 5.5,
    5.6 and GPT-6, and for the variants from community.openai.com/t/1371738."""
    levels: tuple[str, ...] = ("low", "medium", "high")
    if version >= (5, 2):
        levels += ("xhigh",)
    if version >= (5, 6):
        levels += ("max",)
    if variant.startswith("pro"):
        return (("high",), "high") if version < (5, 2) else (levels[1:], "medium")
    if variant.startswith("codex"):
        xhigh = ("xhigh",) if variant.startswith("codex-max") and "xhigh" not in levels else ()
        return levels + xhigh, "medium"
    if version == (5, 0):
        return ("minimal", *levels), "medium"
    return ("none", *levels), "none" if version <= (5, 4) else "medium"


def _reasoning(specs: Specs, efforts: tuple[str, ...], default: str, but_takes: tuple[str, ...] = ()) -> None:
    fixed = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs")
    refused = (name for name in fixed if name not in but_takes)
    refuse(specs, "OpenAI's reasoning models refuse it: their sampling is fixed.", REASONING, *refused)
    refuse(specs, "OpenAI's reasoning models refuse it.", REASONING, "stop")
    narrow(specs, REASONING, reasoning_effort={"choices": efforts, "default": default})
    narrow(specs, REASONING, max_tokens={"reason": "Reasoning counts in it: leave room for the answer."})
    bind(specs, "max_tokens", *_short_answer(efforts))


def _short_answer(efforts: tuple[str, ...]) -> tuple[Interaction, ...]:
    """Without reasoning a short limit is a short answer; with it, it may be no answer."""
    return (
        Interaction(
            "reasoning_effort",
            "Reasoning can use all of it and leave no answer.",
            "Allow some thousand tokens, or none set.",
            Values(("none",) if "none" in efforts else ()),
            when=Values(low=1, high=999),
            needed=True,
            refused=False,
        ),
    )
