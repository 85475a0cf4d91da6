"""What sampling parameters do to the chances of the next token: pure functions on log probabilities.

A model gives each token of its vocabulary a score; the softmax of the scores is its own distribution, which is what log
probabilities tell. Parameters reshape it before a token is drawn. The order matters, and there are two:

- llama.cpp: penalties, top_k, top_p, min_p, temperature
  (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, `--samplers`);
- penalties, temperature, top_k, top_p, min_p, as Hugging Face's transformers does
  (https://github.com/huggingface/transformers, `GenerationMixin._get_logits_processor`). The vendors of closed models
  do not document theirs; this one is the usual.

Providers tell the likeliest tokens only. What they do not tell is held as one pool of tokens, each as likely as the
least likely one told: exact while nothing is reshaped, the most it can be where the distribution is sharpened, the
least where it is flattened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..types import Parameters
from .specs import ParameterSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Order = Literal["llama.cpp", "temperature first"]
SHAPING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
)
"""The parameters that reshape the distribution."""
_COLDEST = 1e-6
"""Below it the likeliest token alone is left, as at 0."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Probabilities of the tokens that were told, in their order, and of all others together (`rest`): in all 1."""

    probabilities: Floats
    rest: float

    @property
    def choices(self) -> float:
        """To how many equally likely tokens it comes: the exponential of its entropy in nats, 1 where one is certain.

        The rest counts as one token, so that it is a lower bound.
        """
        all_of_it = np.append(self.probabilities, self.rest)
        kept = all_of_it[all_of_it > 0]
        return float(np.exp(-np.sum(kept * np.log(kept))))


def shaping(specs: Iterable[ParameterSpec], parameters: Parameters) -> Parameters:
    """Those of the parameters that reshape the distribution, with the model's defaults for what is not set."""
    found: dict[str, Any] = {}
    for spec in specs:
        if spec.name in SHAPING and spec.supported:
            given = getattr(parameters, spec.name)
            found[spec.name] = spec.default if given is None else given
    return Parameters(**found)


def reshape(
    logprobs: Sequence[float] | Floats,
    parameters: Parameters,
    *,
    counts: Sequence[int] | None = None,
    order: Order = "temperature first",
) -> Distribution:
    """The distribution that a token is drawn from.

    `logprobs` are natural logarithms, of tokens that are all different; what they lack of 1 is the pool of others.
    `counts` says how often each was used before, for the penalties. Of `parameters` the fields of SHAPING count; None
    changes nothing. Temperature 0 takes the likeliest.

    Penalties are made for scores; log probabilities are scores less a constant. So frequency and presence penalties are
    exact, and the repetition penalty, which multiplies, is exact only where the scores are negative too.
    """
    scores, many = _with_pool(np.asarray(logprobs, dtype=np.float64))
    used = np.zeros_like(scores)
    if counts is not None:
        used[: len(counts)] = counts
    scores = _penalized(scores, used, parameters)
    if order == "temperature first":
        scores, many = _heated(scores, many, parameters.temperature)
    many = _cut(scores, many, parameters)
    if order == "llama.cpp":
        scores, many = _heated(scores, many, parameters.temperature)
    chances = _chances(scores, many)
    return Distribution(chances[:-1], float(chances[-1]))


def _with_pool(logprobs: Floats) -> tuple[Floats, Floats]:
    """Scores, and of how many tokens each is: one, and as many for the pool at the end as fill up to 1."""
    if not len(logprobs):
        raise ValueError("There are no tokens.")
    least = float(np.min(logprobs))
    rest = max(0.0, 1.0 - float(np.sum(np.exp(logprobs))))
    pool = rest / math.exp(least) if math.isfinite(least) else 0.0
    return np.append(logprobs, least if pool else -np.inf), np.append(np.ones_like(logprobs), pool)


def _penalized(scores: Floats, used: Floats, given: Parameters) -> Floats:
    repetition = given.repetition_penalty or 1.0
    repeated = np.where(scores > 0, scores / repetition, scores * repetition)
    scores = np.where(used > 0, repeated, scores)
    return scores - used * (given.frequency_penalty or 0.0) - (used > 0) * (given.presence_penalty or 0.0)


def _heated(scores: Floats, many: Floats, temperature: float | None) -> tuple[Floats, Floats]:
    if temperature is None or temperature == 1:
        return scores, many
    if temperature > _COLDEST:
        return scores / temperature, many
    likeliest = int(np.argmax(np.where(many > 0, scores, -np.inf)))
    return scores, np.where(np.arange(len(scores)) == likeliest, np.minimum(many, 1.0), 0.0)


def _cut(scores: Floats, many: Floats, given: Parameters) -> Floats:
    """How many tokens of each score may still be drawn."""
    if given.top_k:
        falling = np.argsort(-scores, kind="stable")
        before = np.cumsum(many[falling]) - many[falling]
        many = _kept(many, falling, given.top_k - before)
    if given.top_p is not None and given.top_p < 1:
        falling = np.argsort(-scores, kind="stable")
        each = _chances(scores, many)[falling]
        one = np.divide(each, many[falling], out=np.zeros_like(each), where=many[falling] > 0)
        missing = given.top_p - (np.cumsum(each) - each)
        needed = np.ceil(np.divide(missing, one, out=np.zeros_like(each), where=one > 0))
        needed[0] = max(needed[0], 1.0)
        many = _kept(many, falling, needed)
    if given.min_p:
        top = np.max(np.where(many > 0, scores, -np.inf))
        many = np.where(scores >= top + math.log(given.min_p), many, 0.0)
    return many


def _kept(many: Floats, falling: NDArray[np.intp], allowed: Floats) -> Floats:
    """At most so many of each; `allowed` is in the order of `falling`."""
    kept = np.empty_like(many)
    kept[falling] = np.clip(allowed, 0.0, many[falling])
    return kept


def _chances(scores: Floats, many: Floats) -> Floats:
    finite = np.where(many > 0, scores, -np.inf)
    weights = many * np.exp(finite - np.max(finite))
    chances: Floats = weights / np.sum(weights)
    return chances
