"""The sample workspace: whole, priced, recent, apart from everything real, and made once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from llm_core import Usage, Workspace, errors
from llm_core.sample import VERSION, open_sample_home
from llm_core.sample_data.work import DAYS
from llm_core.store.home import SAMPLE_MARKER, open_home
from llm_core.types import TOKEN_CLASSES
from tests.conftest import ODD_NAME
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def sample(made_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        cache = shutil.copytree(made_sample, tmp_path_factory.mktemp("sample") / ODD_NAME)
        patch.setenv("LLM_MANAGER_CACHE", str(cache))
        patch.setenv("LLM_MANAGER_HOME", str(cache / "real home"))
        with Workspace.open_sample() as workspace:
            yield workspace
        assert not (cache / "real home").exists()


@pytest.fixture(scope="module")
def rows(sample: Workspace) -> pd.DataFrame:
    return sample.usage.sql("SELECT * FROM usage")


def test_it_shows_a_third_of_a_year_up_to_now(sample: Workspace, rows: pd.DataFrame) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    assert sample.is_sample
    assert 50_000 < len(rows) < 80_000
    assert rows.id.is_unique
    assert rows.started_at.min() < now - timedelta(days=DAYS - 2)
    assert now - timedelta(hours=12) < rows.started_at.max() < now
    assert sample.usage.problems() == []


def test_every_page_has_something_to_show(sample: Workspace, rows: pd.DataFrame) -> None:
    assert {connection.name for connection in sample.providers.list()} == set(rows.connection)
    assert set(rows.model) <= {model.name for model in sample.models.list()}
    assert sample.models.active("chat") == "anthropic:claude-haiku-5-5"
    assert set(rows.status) == {"ok", "error", "cancelled", "partial"}
    assert rows[["app", "user", "project", "task"]].notna().all(axis=None)
    assert rows.attempt.max() == 3
    assert rows.cache_read_tokens.sum() > 0.2 * rows.input_tokens.sum()


def test_costs_are_those_of_the_price_list(sample: Workspace, rows: pd.DataFrame) -> None:
    known = rows[rows.usage_source != "unknown"].sample(400, random_state=1)
    for row in known.itertuples():
        counts = {name: getattr(row, name) for name in TOKEN_CLASSES}
        usage = Usage(**{name: int(count) for name, count in counts.items() if not pd.isna(count)})
        at = row.started_at.to_pydatetime().replace(tzinfo=UTC)
        cost = sample.models.price(f"{row.connection}:{row.model}", usage, at=at, mode=row.mode)
        source = None if pd.isna(row.price_source) else row.price_source
        assert (row.cost_usd, source) == (cost.usd, cost.source), row.model


def test_some_of_it_is_unpriced_and_what_was_refused_costs_nothing(rows: pd.DataFrame) -> None:
    assert rows[rows.model == "command-a-plus-05-2026"].query("status == 'ok'").cost_usd.isna().all()
    assert (rows[rows.error_kind == "rate_limited"].cost_usd == 0).all()
    assert rows[rows.error_kind == "timeout"].cost_usd.isna().all()
    assert rows[rows.status == "error"].input_tokens.isna().all()


def test_weeks_have_a_shape_and_one_day_stands_out(sample: Workspace) -> None:
    days = sample.usage.series(bucket="day").set_index("bucket")
    weekend = days.index.day_of_week >= 5
    assert days.calls[weekend].mean() < 0.7 * days.calls[~weekend].mean()
    spend = days.cost_usd.astype(float)
    assert spend.max() > 4 * spend.median()


def test_its_troubles_are_alerts_and_its_spend_brings_advice(sample: Workspace) -> None:
    assert {"down", "shutdown", "budget"} <= set(sample.usage.alerts().kind)
    assert sample.usage.alerts.unseen() > 0
    past = sample.usage.alerts.history()
    assert {"spike", "errors"} <= set(past[past.closed_at.notna()].kind)
    assert "latency" in set(past.kind)
    assert sample.usage.alerts.channels.list() == []
    sample.usage.alerts.keep_watching()
    assert not sample.usage.alerts.is_watching
    advice = sample.usage.advice()
    assert {"cheaper", "batch", "ending"} <= {each.kind for each in advice}
    assert all(each.saved_usd is None or each.saved_usd >= 1 for each in advice)


def test_attempts_of_a_call_follow_each_other(rows: pd.DataFrame) -> None:
    again = rows[rows.call_id.isin(rows[rows.attempt > 1].call_id)].sort_values(["call_id", "attempt"])
    for _, call in again.groupby("call_id"):
        assert list(call.attempt) == list(range(1, len(call) + 1))
        assert call.started_at.is_monotonic_increasing
        assert set(call.status[:-1]) == {"error"}
        assert call.model.nunique() == 1


@pytest.mark.parametrize(
    "step",
    [
        lambda ws: ws.llm.complete("Hello", model="openai:gpt-6-luna"),
        lambda ws: ws.providers.test("local"),
        lambda ws: ws.providers.connect("openai", "sk-of-a-person"),
        lambda ws: ws.providers.rotate("openai", "sk-of-a-person"),
        lambda ws: ws.providers.enable("openai", False),
        lambda ws: ws.providers.disconnect("openai"),
        lambda ws: ws.providers.adapter("openai"),
        lambda ws: ws.usage.alerts.change_rule("spike", enabled=False),
        lambda ws: ws.usage.alerts.channels.add("Ops", "json://127.0.0.1/hook"),
        lambda ws: ws.usage.alerts.watch_once(),
        lambda ws: ws.models.refresh("openai"),
        lambda ws: ws.models.refresh_all(),
        lambda ws: ws.models.add_own("openai", "mine"),
        lambda ws: ws.models.edit_own("openai:gpt-6-luna", context_window=1),
        lambda ws: ws.models.remove_own("openai:gpt-6-luna"),
        lambda ws: ws.keys.hold("openai", "sk-of-a-person"),
        lambda ws: ws.keys.key_for(ws.providers.get("openai")),
    ],
)
def test_nothing_in_it_calls_or_changes(
    sample: Workspace, step: Callable[[Workspace], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    before = sample.providers.list()
    models = sample.models.list()
    sample.models.keep_checking()
    with pytest.raises(errors.SampleWorkspace):
        step(sample)
    assert sample.providers.list() == before
    assert sample.models.list() == models
    assert not [thread for thread in threading.enumerate() if thread.name == "llm-manager-models"]
    assert "7Kq2" in {connection.key_hint for connection in before}, "the key of the environment is not looked at"


def test_real_and_made_up_homes_are_never_taken_for_each_other(
    sample: Workspace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.UnsafeFolder, match="made-up sample data"):
        Workspace.open(sample.home.path)
    monkeypatch.setenv("LLM_MANAGER_HOME", str(sample.home.path))
    with pytest.raises(errors.UnsafeFolder, match="made-up sample data"):
        Workspace.open()
    with Workspace.open(home) as real, pytest.raises(errors.UnsafeFolder, match="not the sample's"):
        open_home(real.home.path, sample=True)


def made_before(path: Path, **changes: object) -> None:
    marker = json.loads((path / SAMPLE_MARKER).read_text())
    (path / SAMPLE_MARKER).write_text(json.dumps(marker | changes))


def test_it_is_made_anew_when_it_is_old_of_another_version_or_unreadable(home: Path, made_sample: Path) -> None:
    shutil.copytree(made_sample, os.environ["LLM_MANAGER_CACHE"])
    first = open_sample_home().path
    assert open_sample_home().path == first

    made_before(first, made_at=(datetime.now(UTC) - timedelta(hours=25)).isoformat())
    second = open_sample_home().path
    assert second != first
    assert first.exists(), "another process may have it open"

    made_before(second, version=VERSION + 1)
    (second.parent / "making-1").mkdir()
    third = open_sample_home().path
    assert sorted(path.name for path in second.parent.glob("ma*-*")) == [second.name, third.name]


def test_two_processes_at_once_make_it_once(home: Path) -> None:
    script = (
        "from llm_core import Workspace; ws = Workspace.open_sample(); print(ws.home.path, ws.usage.summary().calls[0])"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for _ in range(2)
    ]
    said = [process.communicate(timeout=2 * PATIENCE_S)[0] for process in running]
    assert said[0] == said[1] != ""
    assert len(list(Path(os.environ["LLM_MANAGER_CACHE"], "sample").glob("made-*"))) == 1
