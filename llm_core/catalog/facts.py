"""What is published of a model: limits, modalities, capabilities, dates, its end, with the source of each.

Read from the data files that ship with the package (`llm_core.catalog.building` makes them), at the first question.

An id resolves by these rules and no others; anything else is None:

1. the id as it stands, without regard to upper case; of Google, without `models/`;
2. another spelling of the version, `gpt-4-1` is `gpt-4.1`, and an alias, `claude-opus-4` is `claude-opus-4-0`;
3. a dated or `-latest` form is its model, where it has no row of its own (see `names.undated`); when it ends does not
   follow from its model, and stays unknown. A model of which only the `-latest` form is known is that;
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
from .names import fine_tuned_from, spelled, undated

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
_AZURE = ("openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com")
_POLICIES = ("fastest", "cheapest", "preferred")
"""Hugging Face chooses the route by these."""
_ABOUT_THE_ROW = {"source", "other", "of", "unlisted"}
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
    """The ids that a vendor offers or has offered, in order; none for `local` and `compatible`."""
    return _data().listed.get(provider, ())


@dataclass(frozen=True, slots=True)
class _Data:
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    sources: Mapping[str, Source]
    spellings: Mapping[str, Mapping[str, str]]
    """Provider -> id as `spelled` -> the row's name."""
    routes: frozenset[str]
    listed: Mapping[str, tuple[str, ...]]


@cache
def _data() -> _Data:
    import orjson

    content = orjson.loads((files(__package__) / "data" / "models.json").read_bytes())
    rows = content["models"]
    routes = {name.rpartition(":")[2] for name in rows["huggingface"] if ":" in name}
    spellings = {provider: {spelled(name): name for name in models} for provider, models in rows.items()}
    listed = {
        provider: tuple(name for name, row in models.items() if "unlisted" not in row and "same_as" not in row)
        for provider, models in rows.items()
    }
    return _Data(rows, sources_of(content["sources"]), spellings, frozenset(routes), listed)


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
    if provider == "openai" and (base := fine_tuned_from(name)):
        found = _row(provider, f"ft:{base}")
        return (provider, found, False) if found else _vendors_own(provider, base)
    if (base := undated(provider, name)) and (found := _row(provider, base)):
        return provider, found, True
    if undated(provider, f"{name}-latest") and (found := _row(provider, f"{name}-latest")):
        return provider, found, False
    return None


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
    if _is_of(host, _GATEWAYS):
        vendor, slash, own = name.partition("/")
        return _vendors_own(vendor, own) if slash and vendor in _DIRECT and not own.startswith("ft:") else None
    if _is_of(host, _AZURE):
        return _vendors_own("openai", name.replace("gpt-35", "gpt-3.5"))
    return None


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    return any(f".{host}".endswith(f".{domain}") for domain in domains)


def _row(provider: str, name: str) -> str | None:
    found = _data().spellings[provider].get(spelled(name))
    return found and str(_data().rows[provider][found].get("same_as", found))


@cache
def _known(provider: str, name: str, dated: bool) -> KnownFacts:
    """The row and what it inherits. Where it stands in for a dated id, it passes on what does not hang on the date."""
    rows = _data().rows[provider]
    fields: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    row, own = rows.get(name), not dated
    while row is not None:
        has |= frozenset(row.get("capabilities", ())) - lacks
        lacks |= frozenset(row.get("lacks", ())) - has
        for key in set(row) - _ABOUT_THE_ROW:
            field_name = "retires_at" if key == "retires_on" else key
            if field_name not in fields and (own or key in _INHERITED) and not (dated and key == "released_on"):
                fields[field_name] = _as_type(key, row[key])
                sources[field_name] = _data().sources[row.get("other", {}).get(key, row["source"])]
        row, own = rows.get(row.get("of", "")), False
    return KnownFacts(provider, name, **(fields | {"capabilities": has, "lacks": lacks}), sources=sources)


def _as_type(key: str, value: Any) -> Any:
    if key in ("inputs", "outputs", "capabilities", "lacks"):
        return frozenset(value)
    if key == "reasoning_efforts":
        return tuple(value)
    if key in ("released_on", "deprecated_on"):
        return date.fromisoformat(value)
    if key == "retires_on":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value
