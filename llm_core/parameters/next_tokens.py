"""What a model would say next, with how likely it holds each token: asked for by a call, or recorded once.

Recorded ones are shipped, so that what parameters do can be shown where no model is at hand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, UnreadableAnswer
from ..types import Message, Parameters, Reply
from .specs import ParameterSpec

if TYPE_CHECKING:
    from .distribution import Distribution

Ask = Callable[..., Reply]
"""`LLMService.complete`: this room must not know it."""


@dataclass(frozen=True, slots=True)
class NextToken:
    text: str
    logprob: float
    """Natural logarithm of its probability, before any parameter reshapes it."""


@dataclass(frozen=True, slots=True)
class NextTokens:
    """The likeliest first. `prompt` is what came before, `recorded` says that a model was asked long ago."""

    model: str
    prompt: str
    tokens: tuple[NextToken, ...]
    recorded: bool = False
    reply: Reply | None = None

    @property
    def own(self) -> Distribution:
        """Their chances as the model has them, reshaped by nothing."""
        from .distribution import reshape

        return reshape([token.logprob for token in self.tokens], Parameters())

    @property
    def told(self) -> float:
        """The part of all probability that these tokens have together."""
        return min(1.0, sum(math.exp(token.logprob) for token in self.tokens))


def of_model(
    ask: Ask, model: str, specs: Iterable[ParameterSpec], messages: Any, top: int, options: Mapping[str, Any]
) -> NextTokens:
    """One call for one token, recorded like any other, with the source "parameters".

    Raises InvalidInput where the model tells no log probabilities, and what a call raises.
    """
    by_name = {spec.name: spec for spec in specs}
    for name in ("logprobs", "top_logprobs"):
        if not by_name[name].supported:
            raise InvalidInput(f"{model} does not tell how likely its words are.", by_name[name].reason)
    most = by_name["top_logprobs"].max
    shortest = by_name["max_tokens"].min
    parameters = Parameters(
        max_tokens=int(shortest or 1), logprobs=True, top_logprobs=top if most is None else min(top, int(most))
    )
    reply = ask(messages, model=model, preset="", parameters=parameters, source="parameters", **options)
    return NextTokens(model, _last_text(messages), _tokens(reply), reply=reply)


def _last_text(messages: Any) -> str:
    if isinstance(messages, str):
        return messages
    last = list(messages)[-1]
    if isinstance(last, Message):
        return last.text
    content = last.get("content") if isinstance(last, Mapping) else None
    return content if isinstance(content, str) else ""


def _tokens(reply: Reply) -> tuple[NextToken, ...]:
    """Of the first place of the answer, in whichever of the two forms the provider writes it."""
    first = reply.logprobs[0] if reply.logprobs else {}
    listed = first.get("top_logprobs") or first.get("topCandidates") or ()
    found: dict[str, float] = {}
    for one in listed or (first,):
        text, logprob = one.get("token"), one.get("logprob", one.get("logProbability"))
        if isinstance(text, str) and isinstance(logprob, (int, float)) and math.isfinite(logprob):
            found.setdefault(text, min(float(logprob), 0.0))
    if not found:
        raise UnreadableAnswer(
            "The answer came without log probabilities.", "Choose another model to see its next words."
        )
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(NextToken(text, logprob) for text, logprob in ordered)


@cache
def recorded() -> tuple[NextTokens, ...]:
    """Real ones of a small open model, each after another text."""
    data = json.loads((files(__package__) / "data" / "next_tokens.json").read_text(encoding="utf-8"))
    return tuple(
        NextTokens(
            data["model"],
            one["prompt"],
            tuple(NextToken(text, logprob) for text, logprob in one["tokens"]),
            recorded=True,
        )
        for one in data["texts"]
    )
