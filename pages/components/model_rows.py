"""All models as one prepared table: made anew only when models, prices, the ledger or the day change.

A rerun of the page filters, sorts and draws columns of it; nothing is worked out row by row then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from llm_core import LLMModel, Workspace
from llm_core.catalog import Workload
from llm_core.errors import UnknownConnection, UnknownModel
from llm_core.types import CAPABILITIES, MODALITIES
from pages.components import model_words

DAYS = 30
"""How far back the page looks at own records."""
HERE = ["calls", "error_rate", "latency_p50_ms", "latency_p95_ms", "ttft_p50_ms", "tokens_per_second", "cost_usd"]


def rows(ws: Workspace, *, everything: bool) -> pd.DataFrame:
    """One row a model, index its id: facts, prices as floats, and how it did here in the last 30 days.

    `everything`: also models that are known but that no connection offers. `text` is what a search looks in; there is
    a column of truth for each capability (`can tools`), modality taken (`takes image`) and given (`gives audio`).
    """
    return _rows(ws, *_key(ws), everything)


def here(ws: Workspace) -> pd.DataFrame:
    """`usage.performance` of the last 30 days, index the model's id."""
    home, _, token, day = _key(ws)
    return _here(ws, home, token, _since(day))


def costs(ws: Workspace, load: Workload, *, everything: bool) -> pd.Series:
    """Dollars a month of this workload on each row's model, as floats: for sorting. Unknown is not-a-number."""
    home, version, _, day = _key(ws)
    return _costs(ws, home, version, day, load, everything)


def radar(ws: Workspace) -> pd.DataFrame:
    """`models.radar` of the own calls of the last 30 days."""
    return _radar(ws, *_key(ws))


def models(ws: Workspace, ids: Sequence[str]) -> list[LLMModel]:
    """Those of these ids that there are: a link can be old."""
    found = []
    for one in ids:
        with contextlib.suppress(UnknownModel, UnknownConnection):
            found.append(ws.models.get(one))
    return found


def listed(ws: Workspace, *, everything: bool) -> list[LLMModel]:
    return ws.models.known() if everything else ws.models.list()


def _key(ws: Workspace) -> tuple[str, int, Any, str]:
    return str(ws.home.path), ws.state.version(), ws.usage.token(), f"{datetime.now(UTC):%Y-%m-%d}"


def _since(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=DAYS)


@st.cache_data(max_entries=8, ttl="1h", show_spinner=False)
def _rows(_ws: Workspace, home: str, version: int, token: Any, day: str, everything: bool) -> pd.DataFrame:
    models = listed(_ws, everything=everything)
    flags = {f"can {word}": [word in model.capabilities for model in models] for word in CAPABILITIES}
    for word in MODALITIES:
        flags[f"takes {word}"] = [word in model.inputs for model in models]
        flags[f"gives {word}"] = [word in model.outputs for model in models]
    frame = pd.DataFrame(
        {
            "model": [model_words.title(model) for model in models],
            "connection": [model.connection for model in models],
            "state": [model.state for model in models],
            "context": pd.array([model.context_window for model in models], dtype="Int64"),
            "input_price": _floats([model.input_price for model in models]),
            "output_price": _floats([model.output_price for model in models]),
            "ends": pd.to_datetime([model.retires_at for model in models], utc=True).tz_localize(None),
            "released": pd.to_datetime([model.released_on for model in models]),
            "text": [f"{model.name} {model.display_name} {model.connection}".lower() for model in models],
            **flags,
        },
        index=pd.Index([model.id for model in models], name="id"),
    )
    return frame.join(_here(_ws, home, token, _since(day))[HERE].astype(float))


@st.cache_data(max_entries=8, ttl="1h", show_spinner=False)
def _here(_ws: Workspace, home: str, token: Any, since: datetime) -> pd.DataFrame:
    found = _ws.usage.performance(("connection", "model"), start=since)
    found.index = pd.Index(found["connection"] + ":" + found["model"], name="id")
    return found


@st.cache_data(max_entries=16, ttl="1h", show_spinner=False)
def _costs(_ws: Workspace, home: str, version: int, day: str, load: Workload, everything: bool) -> pd.Series:
    found = _ws.models.workload_costs(load, [model.id for model in listed(_ws, everything=everything)])
    return pd.Series(_floats([cost.usd for cost in found.values()]), index=pd.Index(found, name="id"))


@st.cache_data(max_entries=4, ttl="1h", show_spinner=False)
def _radar(_ws: Workspace, home: str, version: int, token: Any, day: str) -> pd.DataFrame:
    return _ws.models.radar(_here(_ws, home, token, _since(day)))


def _floats(values: Sequence[object]) -> list[float]:
    return [float("nan") if value is None else float(str(value)) for value in values]
