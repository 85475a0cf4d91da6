"""The parameters there are: meaning, unit and the widest range that any provider takes. `families.py` narrows them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .interactions import Interaction, Values

GROUPS = ("sampling", "length", "reasoning", "output", "advanced")
KINDS = ("number", "integer", "choice", "flag", "text", "texts", "object")


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter as one model takes it. `min` and `max` are both allowed; None is no limit, or not known.

    `default` is what the model does without it; None where the vendor does not say. `choices` are the words a `choice`
    takes; none named means that any may be tried. For `texts` `max` is how many there may be.
    """

    name: str
    group: str
    kind: str
    meaning: str
    unit: str = ""
    min: float | None = None
    max: float | None = None
    step: float | None = None
    default: Any = None
    choices: tuple[str, ...] = ()
    supported: bool = True
    reason: str = ""
    """Why it is not supported, or what else to know of it with this model."""
    caution: str = ""
    """Not refused, but unwise or without effect: shown when a value is given."""
    source: str = ""
    """Where the limits are documented."""
    besides: tuple[float, ...] = ()
    """Values outside of `min` to `max` with a meaning of their own, which `reason` tells: -1, 0."""
    not_blank: bool = False
    """Of `texts`: each must hold more than white space."""
    kinds: tuple[str, ...] = ()
    """Of `safety_settings`: the kinds of harm there are; `choices` are the thresholds."""
    interactions: tuple[Interaction, ...] = ()
    """What it binds other parameters to while it is set."""

    def but(self, **changes: Any) -> ParameterSpec:
        return dataclasses.replace(self, **changes)

    def binding(self, *interactions: Interaction) -> ParameterSpec:
        """With further interactions; one on the same parameter replaces the one before it."""
        named = {interaction.other for interaction in interactions}
        kept = tuple(old for old in self.interactions if old.other not in named)
        return self.but(interactions=kept + interactions)

    def refused(self, reason: str, source: str = "") -> ParameterSpec:
        return self.but(supported=False, reason=reason, source=source or self.source)


_ONE_OF_TWO = Interaction(
    "temperature",
    "temperature and top_p both narrow the drawing.",
    "Change one of them and leave the other.",
    refused=False,
)
_TOLD_TOGETHER = Interaction(
    "logprobs",
    "top_logprobs needs logprobs.",
    "Set logprobs to true, or leave top_logprobs out.",
    Values((True,)),
    when=Values(low=1),
    needed=True,
)
_ROOM_TO_ANSWER = Interaction(
    "max_tokens",
    "A thinking_budget of max_tokens or more leaves no room for an answer.",
    "Make it less than max_tokens.",
    below=True,
    refused=False,
)
_SHORT_ANSWER = Interaction(
    "reasoning_effort",
    "Reasoning can use all of it and leave no answer.",
    "Allow some thousand tokens, or none set.",
    Values(("none",)),
    when=Values(low=1, high=999),
    refused=False,
)

_ALL = (
    ParameterSpec(
        "temperature",
        "sampling",
        "number",
        "How freely the next word is drawn: 0 takes the likeliest each time, higher values vary more.",
        min=0,
        max=2,
        step=0.05,
    ),
    ParameterSpec(
        "top_p",
        "sampling",
        "number",
        "Draws only from the likeliest words that together have this probability.",
        unit="share",
        min=0,
        max=1,
        step=0.01,
        interactions=(_ONE_OF_TWO,),
    ),
    ParameterSpec(
        "top_k", "sampling", "integer", "Draws only from this many of the likeliest words.", "words", min=0, step=1
    ),
    ParameterSpec(
        "min_p",
        "sampling",
        "number",
        "Leaves out words less likely than this share of the likeliest one.",
        unit="share",
        min=0,
        max=1,
        step=0.01,
    ),
    ParameterSpec(
        "frequency_penalty",
        "sampling",
        "number",
        "Makes a word less likely for each time it was used.",
        min=-2,
        max=2,
        step=0.1,
        default=0.0,
    ),
    ParameterSpec(
        "presence_penalty",
        "sampling",
        "number",
        "Makes every word that was used once less likely, so that new subjects come up.",
        min=-2,
        max=2,
        step=0.1,
        default=0.0,
    ),
    ParameterSpec(
        "repetition_penalty",
        "sampling",
        "number",
        "Divides the likelihood of words that were used; 1 changes nothing.",
        min=0,
        max=2,
        step=0.05,
        default=1.0,
    ),
    ParameterSpec(
        "seed",
        "sampling",
        "integer",
        "Starts the drawing from this number, so that equal requests tend to give equal answers.",
        min=-(2**63),
        max=2**63 - 1,
        step=1,
    ),
    ParameterSpec(
        "max_tokens",
        "length",
        "integer",
        "Ends the answer after this many.",
        "tokens",
        min=1,
        step=1,
        interactions=(_SHORT_ANSWER,),
    ),
    ParameterSpec("stop", "length", "texts", "Ends the answer where the model would write one of these.", min=1),
    ParameterSpec(
        "n", "output", "integer", "How many answers to give; each is billed.", "answers", min=1, step=1, default=1
    ),
    ParameterSpec(
        "response_format",
        "output",
        "object",
        "Text, JSON of any shape (json_object), or what the provider takes as a mapping.",
        choices=("text", "json_object"),
        default="text",
    ),
    ParameterSpec("verbosity", "output", "choice", "How much the model writes.", choices=("low", "medium", "high")),
    ParameterSpec("reasoning_effort", "reasoning", "choice", "How long the model thinks before it answers."),
    ParameterSpec(
        "thinking_budget",
        "reasoning",
        "integer",
        "The most it may think before it answers.",
        "tokens",
        min=-1,
        step=1,
        interactions=(_ROOM_TO_ANSWER,),
    ),
    ParameterSpec("system", "advanced", "text", "Instructions that come before the conversation."),
    ParameterSpec("service_tier", "advanced", "choice", "Which queue serves the call; it changes price and speed."),
    ParameterSpec("logprobs", "advanced", "flag", "Tell how likely each word of the answer was.", default=False),
    ParameterSpec(
        "top_logprobs",
        "advanced",
        "integer",
        "How many other words to tell at each place; needs logprobs.",
        "words",
        min=0,
        max=20,
        step=1,
        interactions=(_TOLD_TOGETHER,),
    ),
    ParameterSpec("safety_settings", "advanced", "object", "Google's thresholds for each kind of harmful content."),
)

WIDEST: dict[str, ParameterSpec] = {spec.name: spec for spec in _ALL}
"""Every field of Parameters, in the order that pages show."""
