"""How each family of models narrows the parameters, with the document that says so.

Only what a vendor documents is refused here. Of a model that is in no family we know, its provider's widest ranges are
allowed and the spec says that they may not fit. What the catalogue knows of one model sharpens what its family says.
"""

from __future__ import annotations

from functools import lru_cache

from ..providers.registry import REGISTRY
from ..types import LLMModel
from .families_anthropic import anthropic
from .families_google import google
from .families_open import cohere, compatible, hugging_face, local
from .families_openai import openai
from .narrowing import Specs, doubt, narrow, refuse
from .specs import WIDEST, ParameterSpec

_PROVIDERS = {
    "openai": openai,
    "anthropic": anthropic,
    "google": google,
    "cohere": cohere,
    "huggingface": hugging_face,
    "local": local,
    "compatible": compatible,
}
_SAMPLING = ("temperature", "top_p", "top_k", "min_p")


def specs_for(model: LLMModel | None) -> tuple[ParameterSpec, ...]:
    """One for each parameter, in the order pages show. None is a model of which not even the provider is known."""
    if model is None:
        specs = dict(WIDEST)
        doubt(specs, "This model is not known here; what it takes may differ.")
        return tuple(specs.values())
    longest = model.max_output_tokens or model.context_window
    return _specs(model.provider, model.name.lower(), longest, model.reasoning_efforts, model.takes_temperature)


@lru_cache(maxsize=1024)
def _specs(
    provider: str, name: str, longest: int | None, efforts: tuple[str, ...], takes_temperature: bool | None
) -> tuple[ParameterSpec, ...]:
    specs = dict(WIDEST)
    family = _PROVIDERS.get(provider)
    if family is not None:
        family(specs, name)
    if longest and specs["max_tokens"].supported:
        specs["max_tokens"] = specs["max_tokens"].but(max=longest)
    _leave_out_what_the_adapter_lacks(specs, provider)
    _sharpen(specs, provider, efforts, takes_temperature)
    return tuple(specs.values())


def _sharpen(specs: Specs, provider: str, efforts: tuple[str, ...], takes_temperature: bool | None) -> None:
    """By what the catalogue knows of this one model. A family's rule of when a value is taken knows more than "no".

    "none" stays where its family has it: but for OpenAI it is our word for what a vendor writes otherwise.
    """
    effort = specs["reasoning_effort"]
    if efforts and effort.supported:
        own = ("none",) if provider != "openai" and "none" in effort.choices and "none" not in efforts else ()
        default = effort.default if effort.default in efforts else None
        narrow(specs, effort.source, reasoning_effort={"choices": own + efforts, "default": default})
    if takes_temperature is False:
        told = tuple(name for name in _SAMPLING if specs[name].supported and not _has_its_own_rule(specs[name]))
        refuse(specs, "This model takes no sampling values, the catalogue says.", "", *told)


def _has_its_own_rule(spec: ParameterSpec) -> bool:
    return bool(spec.caution) or any(each.other == "reasoning_effort" for each in spec.interactions)


def _leave_out_what_the_adapter_lacks(specs: Specs, provider: str) -> None:
    """What the provider's adapter has no place for on the wire. Where there is no adapter yet, nothing is left out."""
    row = REGISTRY.get(provider)
    for name, spec in specs.items():
        if row is not None and spec.supported and name not in row.capabilities.parameters:
            specs[name] = spec.refused(f"{row.label} has no such parameter.")
