"""What to expect of an answer with these parameters, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..types import Parameters
from .specs import ParameterSpec

WORDS_PER_TOKEN = 0.75
"""Of English prose, as OpenAI's help says (https://help.openai.com/en/articles/4936856)."""


def expectation(specs: Iterable[ParameterSpec], parameters: Parameters) -> str:
    """A few sentences. Values that the model does not take are left out; what is not set is the model's default."""
    by_name = {spec.name: spec for spec in specs}
    given = {name: value for name, value in parameters.given().items() if by_name[name].supported}
    told = [*_drawing(by_name, given), *_repeating(given), *_thinking(given), *_shape(given), *_length(given)]
    return " ".join(filter(None, told))


def _drawing(specs: Mapping[str, ParameterSpec], given: Mapping[str, Any]) -> Iterator[str]:
    if not specs["temperature"].supported:
        yield "How freely words are drawn is fixed by the model."
    else:
        yield _freedom(given.get("temperature"), specs["temperature"].default)
    cuts = []
    if given.get("top_k"):
        cuts.append(f"the {given['top_k']} likeliest words")
    if (top_p := given.get("top_p")) is not None and top_p < 1:
        cuts.append(f"those that together have {top_p * 100:.0f} % of the chance")
    if given.get("min_p"):
        cuts.append(f"those at least {given['min_p'] * 100:.0f} % as likely as the likeliest")
    if cuts and given.get("temperature") != 0:
        yield f"Only {', of these '.join(cuts)} can come next."
    if given.get("seed") is not None and given.get("temperature") != 0:
        yield "With the seed, equal requests tend to give equal answers."


def _freedom(temperature: float | None, default: Any) -> str:
    if temperature is None:
        usual = f" ({default:g})" if isinstance(default, (int, float)) else ""
        return f"Varies as the model does by default{usual}."
    if temperature == 0:
        return "Takes the likeliest word each time: the same prompt gives nearly the same answer."
    if temperature <= 0.35:
        return "Stays with the likeliest words: focused, with little variation."
    if temperature < 0.85:
        return "Varies its words, and mostly keeps to likely ones."
    if temperature <= 1.15:
        return "Varies about as much as the model's own chances do: each answer differs."
    if temperature <= 1.5:
        return "Takes unlikely words more often: original, less reliable."
    return "Takes unlikely words so often that answers may fall apart."


def _repeating(given: Mapping[str, Any]) -> Iterator[str]:
    more = given.get("frequency_penalty", 0) + given.get("presence_penalty", 0)
    more += given.get("repetition_penalty", 1) - 1
    if more > 0:
        yield "Avoids words it has used."
    elif more < 0:
        yield "Comes back to words it has used."


def _thinking(given: Mapping[str, Any]) -> Iterator[str]:
    effort, budget = given.get("reasoning_effort"), given.get("thinking_budget")
    if effort == "none" or budget == 0:
        yield "Answers at once, without thinking."
    elif budget is not None and budget > 0:
        yield f"Thinks for up to {budget:,} tokens first, which are billed as output."
    elif effort is not None:
        yield f"Thinks first, with {effort} effort: more effort is slower and dearer."


def _shape(given: Mapping[str, Any]) -> Iterator[str]:
    form = given.get("response_format")
    if isinstance(form, Mapping) or form == "json_object":
        yield "Answers in JSON."
    if given.get("verbosity"):
        yield {"low": "Writes little.", "high": "Writes at length."}.get(given["verbosity"], "")
    if given.get("n", 1) > 1:
        yield f"Gives {given['n']} answers to each call, each billed."


def _length(given: Mapping[str, Any]) -> Iterator[str]:
    limit = given.get("max_tokens")
    if limit is not None:
        words = limit * WORDS_PER_TOKEN
        shown = f"{words:,.0f}" if words < 100 else f"{round(words, -1):,.0f}"
        yield f"Ends after {limit:,} tokens at the latest, about {shown} words, even in mid-sentence."
    stop = given.get("stop")
    if stop:
        yield "Ends before it would write " + " or ".join(repr(text) for text in stop) + "."
