"""What the price list has wrong or lacks, and we know better from the vendor's page: `data/price_corrections.json`.

Each row names a provider, model names, a mode, a period (`from` up to, without, `to`; null is open), all rates of it in
the units of `cost.UNITS`, and the source with its address and the day it was read. It replaces what the list says for
that period, and adds the model where the list has none of that name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

_FILE = Path(__file__).parent / "data" / "price_corrections.json"

Content = dict[str, Any]


def corrections_digest() -> str:
    """Changes with the file: a list compiled with other corrections is another list."""
    return hashlib.blake2b(_FILE.read_bytes(), digest_size=4).hexdigest()


@cache
def correction_rows() -> tuple[Mapping[str, Any], ...]:
    return tuple(orjson.loads(_FILE.read_bytes())["rows"])


def corrected(sellers: list[Content]) -> list[Content]:
    """The sellers of a table with every correction put in; they are changed in place."""
    by_id = {seller["id"]: seller for seller in sellers}
    for row in correction_rows():
        models = by_id[row["provider"]]["models"]
        model = next((each for each in models if each["id"] == row["model"]), None)
        if model is None:
            rules = [["equals", name] for name in (row["model"], *row.get("also", ()))]
            model = {"id": row["model"], "match": ["any", *rules], "modes": {}}
            models.insert(0, model)  # before open rules that would take its name
        mode = row.get("mode", "standard")
        model["modes"][mode] = _laid_over(model["modes"].get(mode, []), _period(row))
    return sellers


def _period(row: Mapping[str, Any]) -> Content:
    days = {name: row[name] for name in ("from", "to") if row.get(name)}
    since = {"since": row["from"]} if row.get("from") else {}
    return {**days, **since, "rates": row["rates"], "source": f"{row['source']}, read {row['read_on']}"}


def _laid_over(periods: list[Content], new: Content) -> list[Content]:
    """The periods with `new` in place of what they say of its days. Days are text: as such they sort rightly."""
    kept: list[Content] = []
    start, end = new.get("from", ""), new.get("to", "9999")
    for period in periods:
        first, last = period.get("from", ""), period.get("to", "9999")
        if first < start:
            kept.append(_cut(period, first, min(last, start)))
        if last > end:
            kept.append(_cut(period, max(first, end), last))
    return sorted([*kept, new], key=lambda period: period.get("from", ""))


def _cut(period: Content, start: str, end: str) -> Content:
    cut = {name: value for name, value in period.items() if name not in ("from", "to")}
    return cut | ({"from": start} if start else {}) | ({"to": end} if end < "9999" else {})
