"""What is published of a model: limits, modalities, capabilities, dates, its end, with the source of each.

Read from the data files that ship with the package (`llm_core.catalog.building` makes them), at the first question.

An id resolves by these rules and no others; anything else is None:

1. the id as it stands, without regard to upper case; of Google, without `models/`;
2. another spelling of the version: `gpt-4-1` is `gpt-4.1`;
3. a dated or `-latest` form is its model, where it has no row of its own (see `names.undated`). What ends such an id is
   not known from its model: its dates stay unknown;
4. a fine-tuned model of OpenAI, `ft:gpt-4.1-mini:org::id`, is the model it was made from, and ends with it;
5. of Hugging Face, `org/model:route` is the row of that route, else `org/model` where the route is one that exists;
6. on an OpenAI-compatible connection, only what its host makes sure: `vendor/model` at a gateway, the vendor's own ids
   at the vendor's host and as a deployment's name at Azure, routed ids at Hugging Face. Never for other hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from ..types import Source
from .names import spelled, undated

_DIRECT = ("openai", "anthropic", "google", "cohere")
_VENDOR_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "router.huggingface.co": "huggingface",
}
_GATEWAYS = ("openrouter.ai", "ai-gateway.vercel.sh")
"""Their ids are `vendor/model`."""
_AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_POLICIES = ("fastest", "cheapest", "preferred")
"""Hugging Face chooses the route by these."""
_INHERITED = (
    "display_name",
    "context_window",
    "max_output_tokens",
    "inputs",
    "outputs",
    "capabilities",
    "lacks",
    "reasoning_efforts",
    "takes_temperature",
    "knowledge_until",
    "released_on",
    "licence",
)
"""What a dated form has from its model. When it ends is its own affair."""


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """Published facts of one model. None, "" and empty are unknown. The fields are those of LLMModel.

    `name` is the row the id resolved to. `lacks` holds the capabilities it is known not to have: a word in neither set
    is unknown. `retires_at` is the first moment of the day it is shut down, in UTC. `lifecycle` is `deprecated` where a
    source says so, else None.
    """

    provider: str
    name: str
    display_name: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    reasoning_efforts: tuple[str, ...] = ()
    takes_temperature: bool | None = None
    knowledge_until: str | None = None
    released_on: date | None = None
    deprecated_on: date | None = None
    retires_at: datetime | None = None
    replacement: str | None = None
    lifecycle: str | None = None
    licence: str | None = None
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False, repr=False)
    """Field -> where its value comes from."""


@lru_cache(maxsize=16384)
def facts(provider: str, name: str, base_url: str | None = None) -> KnownFacts | None:
    """What is known of the model, by the rules above; None for an id that is none of ours."""
    found = _resolved(provider, name.lower(), base_url)
    return _known(*found) if found else None


def all_known(provider: str) -> tuple[str, ...]:
    """The ids that have a row, in order; empty for a provider that publishes none (`local`, `compatible`)."""
    return tuple(_data().rows.get(provider, ()))


@dataclass(frozen=True, slots=True)
class _Data:
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    sources: Mapping[str, Source]
    spellings: Mapping[str, Mapping[str, str]]
    """Provider -> id as `spelled` -> the row's name."""
    routes: frozenset[str]


@cache
def _data() -> _Data:
    import orjson

    content = orjson.loads((files(__package__) / "data" / "models.json").read_bytes())
    rows = content["models"]
    routes = {name.rpartition(":")[2] for name in rows["huggingface"] if ":" in name}
    spellings = {provider: {spelled(name): name for name in models} for provider, models in rows.items()}
    return _Data(rows, sources_of(content["sources"]), spellings, frozenset(routes))


def sources_of(table: Mapping[str, Mapping[str, str]]) -> dict[str, Source]:
    """The sources of a data file, by key."""
    return {
        key: Source(each["name"], each.get("url"), date.fromisoformat(each["read_on"]) if "read_on" in each else None)
        for key, each in table.items()
    }


_Found = tuple[str, str, bool]
"""Provider, the row's name, and whether the id is a dated form that has no row of its own."""


def _resolved(provider: str, name: str, base_url: str | None) -> _Found | None:
    if provider in _DIRECT:
        return _vendors_own(provider, name)
    if provider == "huggingface":
        return _routed(name)
    if provider == "compatible" and base_url:
        return _at_host(urlsplit(base_url).hostname or "", name)
    return None


def _vendors_own(provider: str, name: str) -> _Found | None:
    if provider == "google":
        name = name.removeprefix("models/")
    if found := _row(provider, name):
        return provider, found, False
    if provider == "openai" and name.startswith("ft:"):
        return _vendors_own(provider, name.split(":")[1].rstrip("-"))
    base = undated(provider, name)
    found = _row(provider, base) if base else None
    return (provider, found, True) if found else None


def _routed(name: str) -> _Found | None:
    if found := _row("huggingface", name):
        return "huggingface", found, False
    weights, _, route = name.rpartition(":")
    if weights and (route in _POLICIES or route in _data().routes):
        found = _row("huggingface", weights)
        return ("huggingface", found, False) if found else None
    return None


def _at_host(host: str, name: str) -> _Found | None:
    if vendor := _VENDOR_HOSTS.get(host):
        return _resolved(vendor, name, None)
    if host.endswith(_GATEWAYS):
        vendor, slash, own = name.partition("/")
        return _vendors_own(vendor, own) if slash and vendor in _DIRECT and not own.startswith("ft:") else None
    if host.endswith(_AZURE):
        return _vendors_own("openai", name.replace("gpt-35", "gpt-3.5"))
    return None


def _row(provider: str, name: str) -> str | None:
    return _data().spellings[provider].get(spelled(name))


@cache
def _known(provider: str, name: str, dated: bool) -> KnownFacts:
    rows = _data().rows[provider]
    row = rows[name]
    base = rows.get(row.get("of", ""), {})
    told = [(row, set(_INHERITED) if dated else set(row)), (base, set(_INHERITED))]
    fields: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for said, taken in told:
        for key in (taken & set(said)) - set(fields) - {"source", "other", "of"}:
            fields[key] = _as_types(key, said[key])
            sources[_NAME_IN_MODEL.get(key, key)] = _data().sources[said.get("other", {}).get(key, said["source"])]
    has = fields.get("capabilities", frozenset()) | frozenset(base.get("capabilities", ()))
    lacks = (fields.get("lacks", frozenset()) | frozenset(base.get("lacks", ()))) - has
    named = {_NAME_IN_MODEL.get(key, key): value for key, value in fields.items()}
    return KnownFacts(provider, name, **(named | {"capabilities": has, "lacks": lacks}), sources=sources)


_NAME_IN_MODEL = {"retires_on": "retires_at"}


def _as_types(key: str, value: Any) -> Any:
    if key in ("inputs", "outputs", "capabilities", "lacks"):
        return frozenset(value)
    if key == "reasoning_efforts":
        return tuple(value)
    if key in ("released_on", "deprecated_on"):
        return date.fromisoformat(value)
    if key == "retires_on":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value
