"""What Anthropic's models take, by generation.

Read on 2026-11-24: the types of the anthropic package 2.12.0 and the pages named with each rule. From Claude Opus 4.7
on every model refuses sampling values and a budget for thinking, and takes an effort instead. Which of them can be kept
from thinking, and by what word, differs: `_can_rest`.
"""

from __future__ import annotations

import re

from .interactions import UNSET, Interaction, Values
from .narrowing import Specs, bind, doubt, narrow, refuse

API = "https://platform.claude.com/docs/en/api/messages"
THINKING = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking"
EFFORT = "https://platform.claude.com/docs/en/build-with-claude/effort"
MIGRATION = "https://platform.claude.com/docs/en/about-claude/models/migration-guide"
SCHEMAS = "https://platform.claude.com/docs/en/build-with-claude/structured-outputs"

_NAMED = re.compile(r"claude-(opus|sonnet|haiku|fable|mythos)-(\d+)(?:-(\d{1,2}))?(?!\d)")
_LACKING = (
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "n",
    "logprobs",
    "top_logprobs",
    "verbosity",
)
_ALL_EFFORTS = ("low", "medium", "high", "xhigh", "max")


def anthropic(specs: Specs, name: str) -> None:
    narrow(specs, API, temperature={"max": 1, "default": 1.0}, top_p={}, top_k={}, system={}, max_tokens={})
    narrow(specs, API, stop={"not_blank": True, "reason": "Each must hold more than white space."})
    narrow(specs, API, service_tier={"choices": ("auto", "standard_only"), "default": "auto"})
    narrow(specs, SCHEMAS, response_format={"choices": ("text",), "reason": "JSON needs a JSON Schema: schema=..."})
    refuse(specs, "Anthropic's API has no such parameter.", API, *_LACKING)
    refuse(specs, "It belongs to Google's API.", API, "safety_settings")
    found = _NAMED.search(name)
    version = (int(found[2]), int(found[3] or 0)) if found else None
    if "claude-mythos-preview" in name:
        _decides_itself(specs, ("low", "medium", "high", "max"))
    elif found and version and version >= ((5, 0) if found[1] != "opus" else (4, 7)):
        rests = ("none",) if _can_rest(found[1], version) else ()
        _decides_itself(specs, rests + _ALL_EFFORTS)
    elif found and version and version >= (4, 0):
        _takes_a_budget(specs, found[1], version)
    elif "claude-3-7" in name:
        _takes_a_budget(specs, "sonnet", (3, 7))
    elif "claude-3" in name or "claude-2" in name:
        refuse(specs, "This model does not think.", THINKING, "thinking_budget", "reasoning_effort")
    else:
        doubt(specs, "This model's name is not known here; what it takes may differ.")
        doubt(specs, "Whether this model thinks is not known here.", "thinking_budget", "reasoning_effort")


def can_be_made_to_use_a_tool(name: str) -> bool:
    """Whether a call may demand a tool (`required`, or one by name). Claude Opus 5.5, Sonnet 5.5, Fable 5.1, Mythos 5.1
    and later refuse it: platform.claude.com/docs/en/models/opus-5-5/migration-guide."""
    found = _NAMED.search(name)
    if not found:
        return True
    line, version = found[1], (int(found[2]), int(found[3] or 0))
    since = {"opus": (5, 5), "sonnet": (5, 5), "fable": (5, 1), "mythos": (5, 1)}.get(line)
    return since is None or version < since


def continues_an_answer(name: str) -> bool:
    """Whether the last message may be the beginning of the answer. No model from Claude Opus 4.6 on takes that."""
    found = _NAMED.search(name)
    return not found or (int(found[2]), int(found[3] or 0)) < (4, 6)


def _can_rest(line: str, version: tuple[int, int]) -> bool:
    """Fable and Mythos always think, and so does Opus from 5.5 on."""
    return line in ("sonnet", "haiku") or (line == "opus" and version < (5, 5))


def _decides_itself(specs: Specs, efforts: tuple[str, ...]) -> None:
    refuse(specs, "This model takes only the default.", MIGRATION, "temperature", "top_p", "top_k")
    refuse(specs, "This model decides itself; use reasoning_effort.", MIGRATION, "thinking_budget")
    narrow(specs, EFFORT, reasoning_effort={"choices": efforts})
    narrow(specs, API, max_tokens={"reason": "Thinking counts in it: leave room for the answer."})
    bind(specs, "max_tokens", _short_answer("none" in efforts))


def _takes_a_budget(specs: Specs, line: str, version: tuple[int, int]) -> None:
    decides_too = version == (4, 6)
    ways = "0 turns thinking off" + (", -1 lets the model decide." if decides_too else ".")
    reason = f"At least 1024, and less than max_tokens. {ways}"
    besides = (0, -1) if decides_too else (0,)
    narrow(specs, THINKING, thinking_budget={"min": 1024, "besides": besides, "reason": reason})
    bind(specs, "thinking_budget", _BELOW_LIMIT, *_while_thinking(Values(low=1024, one_of=(-1,))))
    if version >= (4, 1) and not (line == "haiku" and version < (4, 5)):
        bind(specs, "top_p", _ONE_OF_TWO)
    if version == (4, 6):
        narrow(specs, EFFORT, reasoning_effort={"choices": ("none", "low", "medium", "high", "max")})
        bind(specs, "reasoning_effort", *_while_thinking(Values(("low", "medium", "high", "max"))))
    elif line == "opus" and version == (4, 5):
        narrow(specs, EFFORT, reasoning_effort={"choices": ("none", "low", "medium", "high"), "default": "high"})
    else:
        refuse(specs, "This model takes no effort; give it a thinking_budget.", EFFORT, "reasoning_effort")


_BELOW_LIMIT = Interaction(
    "max_tokens",
    "A thinking_budget must be less than max_tokens.",
    "Make it less than max_tokens, or leave max_tokens out.",
    below=True,
)
_ONE_OF_TWO = Interaction(
    "temperature", "This model takes temperature or top_p, not both.", "Leave one of the two out."
)


def _while_thinking(when: Values) -> tuple[Interaction, ...]:
    return (
        Interaction(
            "temperature", "A Claude that thinks takes no temperature.", "Leave it out.", Values((1,)), when=when
        ),
        Interaction("top_k", "A Claude that thinks takes no top_k.", "Leave it out.", UNSET, when=when),
        Interaction(
            "top_p", "A Claude that thinks takes a top_p from 0.95 to 1.", "Leave it out.", Values(low=0.95), when=when
        ),
    )


def _short_answer(can_rest: bool) -> Interaction:
    return Interaction(
        "reasoning_effort",
        "Thinking can use all of it and leave no answer.",
        "Allow some thousand tokens, or none set.",
        Values(("none",)) if can_rest else UNSET,
        when=Values(low=1, high=999),
        needed=True,
        refused=False,
    )
