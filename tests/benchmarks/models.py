"""How long 3,000 models take: to list, to list again, beside all that is known, and to price a workload on each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from llm_core import LLMModel, Workspace
from llm_core.catalog import Workload
from llm_core.catalog.facts import all_known
from llm_core.store import tables
from llm_core.store.listings import keep_listing

from .figure import Figure

MODELS = 3_000
PROVIDERS = ("openai", "anthropic", "google", "cohere", "huggingface", "compatible")
LOAD = Workload(1_000, 2_000, 500)
FIRST_MS, AGAIN_MS, CHANGED_MS, PRICED_MS = 300.0, 5.0, 20.0, 150.0


def run(rows: int) -> list[Figure]:
    """`rows` is not used: the figures do not depend on how much is stored."""
    del rows
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        with Workspace.open(home) as ws:
            _fill(ws)
        with Workspace.open(home) as ws:
            ws.models.price("openai:gpt-4.1", None)  # the price list is loaded
            first = _ms(ws.models.list)
            assert len(ws.models.list()) == MODELS
            return [
                _figure("models: list of 3,000, the first time", first, FIRST_MS),
                _figure("models: list of 3,000, again", min(_ms(ws.models.list) for _ in range(20)), AGAIN_MS),
                _figure("models: after a change of other state", _after_a_change(ws), CHANGED_MS),
                _figure("models: beside all that is known, first", _ms(ws.models.known), FIRST_MS),
                _figure("models: a workload on 3,000", min(_priced_ms(ws) for _ in range(5)), PRICED_MS),
            ]


def _fill(ws: Workspace) -> None:
    """All that is known of each provider, and made-up names up to 3,000."""
    now, made = datetime.now(UTC), 0
    with ws.state.write() as transaction:
        for provider in PROVIDERS:
            row = {"name": provider, "provider": provider, "options": {}, "enabled": True, "version": 1}
            row |= {"state": "connected", "message": "", "created_at": now}
            row["base_url"] = "http://127.0.0.1:9/v1" if provider == "compatible" else None
            transaction.execute(insert(tables.connections).values(row))
            names = list(all_known(provider))
            made += len(names)
            if provider == PROVIDERS[-1]:
                names = [f"maker/model-{number}" for number in range(MODELS - made)]
            able, media = frozenset({"chat", "tools"}), frozenset({"text"})
            listed = [LLMModel(provider, provider, name, capabilities=able, modalities=media) for name in names]
            keep_listing(transaction, provider, listed, now)


def _after_a_change(ws: Workspace) -> float:
    ws.settings.set("ui.model", "a:b")
    return _ms(ws.models.list)


def _priced_ms(ws: Workspace) -> float:
    return _ms(lambda: ws.models.workload_costs(LOAD))


def _ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _figure(name: str, value: float, limit: float) -> Figure:
    return Figure(name, value, "ms", None, None, f"<= {limit:g} ms", value <= limit)
