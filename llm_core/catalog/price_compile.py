"""Compiles the price list of genai-prices, once for each version, into our own dated table with our corrections in it.

The list's rules for dates are kept: the last one in force counts, before all of them the first. Where it has no rate
for a class in a mode, none is taken from another class or another mode, except where the vendor says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from ..errors import StoreError
from .corrections import corrected
from .cost import UNITS, Rate
from .ids import Match
from .price_table import FORMAT, PriceTable, as_json

_CLASSES: dict[str, str] = {
    "input_mtok": "input_tokens",
    "cache_read_mtok": "cache_read_tokens",
    "cache_write_mtok": "cache_write_tokens",
    "cache_write_1h_mtok": "cache_write_1h_tokens",
    "input_audio_mtok": "input_audio_tokens",
    "cache_audio_read_mtok": "cache_read_audio_tokens",
    "output_mtok": "output_tokens",
    "output_reasoning_mtok": "reasoning_tokens",
    "output_audio_mtok": "output_audio_tokens",
    "audio_hours": "audio_seconds",
    "web_searches_kcount": "searches",
    "requests_kcount": "requests",
}
"""The list's name of a price -> our class of usage. Its units are those of UNITS."""

_CONTEXTS: dict[str, dict[str, str]] = {
    "standard": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
_TEXT_OF_A_RULE = ("equals", "starts_with", "ends_with", "contains", "regex")
_DRAWN = ("output_image_mtok", "output_video_mtok")
_LEAST = Decimal("1e-12")
"""What is below this in a price is noise of binary fractions: 0.18000000000000002 is 0.18."""
_DAY = 86_400


def compiled(providers: Sequence[Any], source: str) -> PriceTable:
    """The table of genai-prices' `providers`; `source` names the list and its version in every cost."""
    return PriceTable({"format": FORMAT, "source": source, "sellers": corrected([_seller(each) for each in providers])})


def _seller(provider: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"id": provider.id, "url": provider.api_pattern}
    if provider.fallback_model_providers:
        content["resells"] = list(provider.fallback_model_providers)
    if provider.id == "google":
        content["one_price_for_all_media"] = True
    content["models"] = [_model(provider.id, info) for info in provider.models]
    return content


def _model(seller: str, info: Any) -> dict[str, Any]:
    facts = {"name": info.name, "context_window": info.context_window, "deprecated": info.deprecated}
    modes = {mode: periods for mode in _CONTEXTS if (periods := _periods(seller, info, mode))}
    return {
        "id": info.id,
        "match": _rule(info.match),
        **{name: value for name, value in facts.items() if value is not None},
        "modes": modes,
    }


def _rule(match: Any) -> Match:
    for kind, several in (("any", "or_"), ("all", "and_")):
        if (inner := getattr(match, several, None)) is not None:
            return [kind, *(_rule(each) for each in inner)]
    for kind in _TEXT_OF_A_RULE:
        text = getattr(match, kind, None)
        if text is not None:
            return [kind, text if kind == "regex" else text.lower()]
    raise StoreError(f"The price list names models by a rule that is not known here: {match!r}.")


def _periods(seller: str, info: Any, mode: str) -> list[dict[str, Any]]:
    """The rates of each span between two changes, spans with the same rates joined."""
    if mode != "standard" and not any(variant.when == _CONTEXTS[mode] for variant in info.price_variants or ()):
        return []
    days, hours = _changes(info)
    found: list[dict[str, Any]] = []
    for start, end in pairwise((None, *days, None)):
        spans: list[dict[str, Any]] = []
        for first, last in pairwise((0, *hours, _DAY)):
            moment = datetime.combine(start or date.min, time(), UTC).replace(
                hour=first // 3600, minute=first // 60 % 60, second=first % 60
            )
            since, rates = _rates(seller, info, mode, moment)
            if spans and (spans[-1]["since"], spans[-1]["rates"]) == (since, rates):
                spans[-1]["hours"][1] = last
            else:
                spans.append({"from": start, "to": end, "since": since, "hours": [first, last], "rates": rates})
        found += spans
    return [_plain(each) for each in _joined(found) if each["rates"]]


def _joined(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A span that only continues the one before belongs to it."""
    joined: list[dict[str, Any]] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last["to"] == span["from"] and all(last[k] == span[k] for k in ("since", "hours", "rates")):
            last["to"] = span["to"]
        else:
            joined.append(span)
    return joined


def _plain(span: dict[str, Any]) -> dict[str, Any]:
    """The span as in the table's JSON, without what says nothing."""
    days = {name: span[name].isoformat() for name in ("from", "to", "since") if span[name] is not None}
    hours = {} if span["hours"] == [0, _DAY] else {"hours": span["hours"]}
    return {**days, **hours, "rates": span["rates"]}


def _changes(info: Any) -> tuple[list[date], list[int]]:
    """The days, and the seconds of a day, at which some rule begins or ends."""
    days: set[date] = set()
    hours: set[int] = set()
    for rule in _constraints(info):
        if hasattr(rule, "start_date"):
            days.add(rule.start_date)
        else:
            hours |= {_second_of_day(rule.start_time), _second_of_day(rule.end_time)}
    return sorted(days), sorted(hours - {0})


def _second_of_day(at: time) -> int:
    moment = datetime.combine(date(2000, 1, 2), at)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _constraints(info: Any) -> Iterator[Any]:
    dated = info.prices if isinstance(info.prices, list) else []
    for rule in (*dated, *(info.price_variants or ())):
        if rule.constraint is not None:
            yield rule.constraint


def _rates(seller: str, info: Any, mode: str, moment: datetime) -> tuple[date | None, dict[str, Any]]:
    """The day the rates of a moment began (None: not told), and the rates as in the table's JSON."""
    since, standard = _standard(info, moment)
    flat = seller == "google"
    if seller == "cohere" and "input_mtok" in standard:
        # Its bill does not tell cached tokens from others: each costs the same.
        standard = {"cache_read_mtok": standard["input_mtok"]} | standard
    if mode == "standard":
        return since, _as_rates(standard)
    special: dict[str, Any] = {}
    for start, prices in _variants(info, mode, moment):
        special = prices | special
        since = max(filter(None, (since, start)), default=None)
    if special:
        # The discount is on tokens: a search costs the same in each mode. Google's batch keeps its cache prices.
        kept = ["web_searches_kcount", "requests_kcount"]
        if flat and mode == "batch":
            kept += ["cache_read_mtok", "cache_audio_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"]
        special = {name: standard[name] for name in kept if name in standard} | special
    return since, _as_rates(special)


def _standard(info: Any, moment: datetime) -> tuple[date | None, dict[str, Any]]:
    if not isinstance(info.prices, list):
        return None, _given(info.prices)
    for dated in reversed(info.prices):
        if dated.constraint is None or dated.constraint.active(moment):
            return getattr(dated.constraint, "start_date", None), _given(dated.prices)
    return None, _given(info.prices[0].prices)


def _variants(info: Any, mode: str, moment: datetime) -> Iterator[tuple[date | None, dict[str, Any]]]:
    """The rates for a mode that are in force, the first ones counting most."""
    for variant in info.price_variants or ():
        if variant.when == _CONTEXTS[mode] and (variant.constraint is None or variant.constraint.active(moment)):
            yield getattr(variant.constraint, "start_date", None), _given(variant.prices)


def _given(prices: Any) -> dict[str, Any]:
    """The prices there are. Output that may be images or films, billed at a rate of their own, has none: usage does not
    tell them from text, and a picture at the rate of text would cost a tenth of what is billed."""
    given = {name: price for name, price in vars(prices).items() if price is not None}
    if any(given.get(name, given.get("output_mtok")) != given.get("output_mtok") for name in _DRAWN):
        given.pop("output_mtok", None)
    return given


def _as_rates(prices: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: as_json(_rate(prices[theirs], ours)) for theirs, ours in _CLASSES.items() if theirs in prices}


def _rate(price: Any, name: str) -> Rate:
    per = UNITS[name].per
    if isinstance(price, Decimal):
        return Rate(_clean(price), per)
    return Rate(_clean(price.base), per, tuple((tier.start, _clean(tier.price)) for tier in reversed(price.tiers)))


def _clean(usd: Decimal) -> Decimal:
    exponent = usd.as_tuple().exponent
    return usd if isinstance(exponent, int) and exponent >= -12 else usd.quantize(_LEAST).normalize()
