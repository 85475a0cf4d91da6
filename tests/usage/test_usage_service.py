"""UsageService as the rest of the program uses it, over a real ledger."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_core import Usage, Workspace
from llm_core.errors import StoreError, UnknownModel
from llm_core.store.home import open_home
from llm_core.types import Cost
from llm_core.usage import UsageService
from llm_core.usage import service as service_module
from llm_core.usage.locks import hold
from llm_core.usage.manifest import load_newest
from llm_core.usage.spool import undrained_bytes
from tests.waiting import PATIENCE_S, until

from .rows import record


def price(model_id: str, usage: Usage, **_: Any) -> Cost:
    """A dollar for each output token of openai:gpt-6-luna; nothing else has a price."""
    if model_id != "openai:gpt-6-luna":
        raise UnknownModel(f"{model_id} has no price.")
    return Cost(Decimal(usage.output_tokens), source="test list", effective_from=date(2026, 1, 1))


@pytest.fixture
def usage(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home), price=price)
    yield service
    service.close()


def waiting(usage: UsageService) -> int:
    return undrained_bytes(usage._home, load_newest(usage._home).spools)


def records(usage: UsageService) -> int:
    return int(usage.summary()["records"][0])


def test_flush_moves_everything_into_segments_and_keeps_it_visible(usage: UsageService) -> None:
    for _ in range(10):
        usage.record(record())
    assert waiting(usage) > 0
    usage.flush()
    assert waiting(usage) == 0
    assert load_newest(usage._home).rows == records(usage) == 10
    usage.flush()
    assert records(usage) == 10


def test_flush_prices_what_came_without_a_cost(usage: UsageService) -> None:
    usage.record(record(usage=Usage(output_tokens=3)))
    usage.record(record(usage=Usage(output_tokens=3), model="unknown"))
    usage.record(record(usage=Usage(output_tokens=3), cost_usd=Decimal("0.5")))
    usage.record(record())
    assert usage.summary()["cost_usd"][0] == Decimal("0.5")
    usage.flush()
    found = usage.summary()
    assert found["cost_usd"][0] == Decimal("3.5")
    assert (found["priced"][0], found["unpriced"][0]) == (0.5, 2)
    assert usage.history(price_source="test list")["price_from"][0].date() == date(2026, 1, 1)


def test_flush_says_when_another_program_does_not_let_it(usage: UsageService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_FLUSH_SECONDS", 0.05)
    usage.record(record())
    with hold(usage._home.commit_lock), pytest.raises(StoreError, match="draining"):
        usage.flush()
    assert records(usage) == 1


def test_flush_says_when_the_disk_refuses(usage: UsageService, monkeypatch: pytest.MonkeyPatch) -> None:
    usage.record(record())

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llm_core.usage.segments.write_segment", full)
    with pytest.raises(StoreError, match="No space left"):
        usage.flush()
    assert records(usage) == 1


def test_the_token_follows_what_is_visible(usage: UsageService) -> None:
    seen = [usage.token()]
    usage.record(record())
    seen.append(usage.token())
    usage.flush()
    seen.append(usage.token())
    assert len(set(seen)) == 3
    assert usage.token() == seen[-1]
    assert isinstance(hash(seen[-1]), int)


def test_answers_within_one_snapshot_agree(usage: UsageService) -> None:
    usage.record(record())
    with usage.snapshot():
        usage.record(record())
        usage.flush()
        assert records(usage) == 1
        with usage.snapshot():
            assert len(usage.history()) == 1
        assert usage.series()["records"].tolist() == [1]
    assert records(usage) == 2


def test_a_snapshot_is_its_thread_s_own(usage: UsageService) -> None:
    usage.record(record())
    found = []
    with usage.snapshot():
        usage.record(record())
        thread = threading.Thread(target=lambda: found.append(records(usage)))
        thread.start()
        thread.join()
        assert records(usage) == 1
    assert found == [2]


def test_questions_side_by_side_are_about_the_same_records(usage: UsageService) -> None:
    recorded = threading.Event()
    usage.record(record())

    def count() -> int:
        recorded.wait(PATIENCE_S)
        return len(usage.history())

    def record_another() -> int:
        usage.record(record())
        recorded.set()
        return len(usage.history())

    assert usage.side_by_side(count, record_another) == [1, 1]
    assert usage.side_by_side(count) == [2]
    with usage.snapshot():
        assert usage.side_by_side(count, record_another, count) == [2, 2, 2]


def test_a_snapshot_ends_with_an_error_too(usage: UsageService) -> None:
    with pytest.raises(ZeroDivisionError), usage.snapshot():
        raise ZeroDivisionError
    usage.record(record())
    assert records(usage) == 1


def test_keep_draining_drains_in_the_background(usage: UsageService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_core.usage.drainer.DRAIN_SECONDS", 0.0)
    usage.keep_draining()
    usage.keep_draining()
    assert sum(thread.name == "usage-drainer" for thread in threading.enumerate()) == 1
    usage.record(record())
    until(lambda: waiting(usage) == 0)
    assert records(usage) == 1
    usage.close()
    assert all(thread.name != "usage-drainer" for thread in threading.enumerate())


def test_the_drainer_keeps_spools_as_long_as_the_settings_say(ws: Workspace) -> None:
    ws.settings.set("usage.keep_spool_days", 3)
    assert ws.usage._keep_spool_days() == 3.0


def test_what_was_never_drained_is_drained_before_it_is_queried(
    usage: UsageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "_BACKLOG", 2000)
    monkeypatch.setattr(service_module, "_BACKLOG_SECONDS", 0.0)
    usage.record(record())
    assert records(usage) == 1
    assert waiting(usage) > 0
    for _ in range(10):
        usage.record(record())
    assert records(usage) == 11
    assert waiting(usage) == 0


def test_a_backlog_that_cannot_be_drained_is_queried_all_the_same(
    usage: UsageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "_BACKLOG", 0)
    monkeypatch.setattr(service_module, "_BACKLOG_SECONDS", 0.0)
    usage.record(record())
    with hold(usage._home.commit_lock):
        assert records(usage) == 1
    monkeypatch.setattr(
        "llm_core.usage.segments.write_segment", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
    )
    assert records(usage) == 1


def test_problems_name_what_cannot_be_shown(usage: UsageService) -> None:
    usage.record(record())
    usage.flush()
    assert usage.problems() == []
    (segment,) = usage._home.segments.iterdir()
    usage.close()
    segment.unlink()
    (problem,) = usage.problems()
    assert problem.rows == 1
    assert records(usage) == 0


def test_a_closed_service_works_again(usage: UsageService) -> None:
    usage.record(record())
    assert records(usage) == 1
    assert usage.sql("SELECT count(*) AS n FROM usage")["n"][0] == 1
    usage.close()
    usage.record(record())
    assert records(usage) == 2
    assert usage.sql("SELECT count(*) AS n FROM usage")["n"][0] == 2


def test_threads_share_one_service(usage: UsageService) -> None:
    found: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            usage.record(record(app=f"app {number}"))
            found.append(int(usage.summary(app=f"app {number}")["records"][0]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([1, 2, 3, 4, 5] * 4)


def test_recording_loads_no_database_prices_or_settings(home: Path) -> None:
    script = """
import sys
from llm_core import UsageRecord, Workspace
ws = Workspace.open()
ws.usage.record(UsageRecord(provider="openai", connection="openai", model="m"))
heavy = {"duckdb", "pandas", "pyarrow", "numpy", "sqlalchemy", "genai_prices", "filelock", "streamlit"}
print(sorted(heavy & set(sys.modules)))
"""
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_forked_child_reads_and_records_on_its_own(ws: Workspace) -> None:
    import os
    import warnings

    if not hasattr(os, "fork"):
        return
    ws.usage.record(record())
    assert records(ws.usage) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is delicate is the point
        child = os.fork()
    if child == 0:
        try:
            ws.usage.record(record())
            os._exit(0 if records(ws.usage) == 2 else 1)
        except BaseException:  # noqa: BLE001  # a child must never return into pytest
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert records(ws.usage) == 2
