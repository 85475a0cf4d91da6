"""The program `llm-manager`: what it prints and how it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest
from typer.testing import CliRunner

from llm_core import Usage, Workspace
from llm_core.catalog import ModelService
from llm_core.cli import app
from llm_core.usage.filter_words import filters_of
from llm_core.usage.manifest import load_newest, numbers, path_of
from tests.ports import free_port
from tests.usage.rows import record
from tests.waiting import PATIENCE_S

COMMAND = [sys.executable, "-c", "from llm_core.cli import app; app()"]


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # wraps no line, however long the path of the home in it


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def test_usage_shows_calls_tokens_and_cost_by_model(ws: Workspace) -> None:
    now = datetime.now(UTC)
    usage = Usage(input_tokens=1234, output_tokens=5)
    ws.usage.record(record(started_at=now, usage=usage, cost_usd=Decimal("0.25")))
    ws.usage.record(record(started_at=now, usage=usage, cost_usd=Decimal("0.5")))
    ws.usage.record(record(started_at=now, model="[bold]odd[/bold]"))
    ws.usage.record(record(started_at=datetime(2020, 1, 1, tzinfo=UTC), model="too-old"))
    code, output = run("usage", "--days", "7")
    assert code == 0
    lines = [line.replace("│", " ").split() for line in output.splitlines()]
    assert ["openai:gpt-6-luna", "2", "2,468", "10", "0.7500"] in lines
    assert ["openai:[bold]odd[/bold]", "1", "0", "0", "unknown", "1"] in lines
    assert "too-old" not in output


def test_usage_of_an_empty_ledger_says_so(ws: Workspace) -> None:
    assert run("usage") == (0, "No calls in the last 30 days.\n")


def test_export_writes_the_records_asked_for(ws: Workspace, tmp_path: Path) -> None:
    for day, model, cost in ((1, "luna", "0.25"), (2, "sol", "0.5"), (3, "luna", "2"), (30, "luna", "4")):
        at = datetime(2026, 3, day, 23, 30, tzinfo=UTC)
        ws.usage.record(record(started_at=at, model=model, cost_usd=Decimal(cost), tags={"team": "=a"}))
    path = tmp_path / "out.csv"
    days = ("--from", "2026-03-02", "--to", "2026-03-04", "--tz", "Europe/Berlin")
    code, output = run("export", str(path), "cost_usd>0.1", "tag:team==a", *days, "--columns", "model,cost_usd")
    assert (code, output.strip()) == (0, f"Wrote 3 records to {path}.")
    assert path.read_text() == '"model",cost_usd\n"luna",0.2500000000\n"sol",0.5000000000\n"luna",2.0000000000\n'
    code, output = run("export", str(path))
    assert code == 1
    assert "exists" in output
    code, output = run("export", str(path), "model=sol", "--overwrite")
    assert (code, len(path.read_text().splitlines())) == (0, 2)
    for name in ("all.parquet", "all.jsonl"):
        assert run("export", str(tmp_path / name))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("x.txt",), "tells no format"),
        (("x.csv", "model"), "not a filter"),
        (("x.csv", "nope=1"), "no column"),
        (("x.csv", "cost_usd>much"), "Give a number"),
        (("x.csv", "attempt=1", "attempt>1"), "both values and a range"),
        (("x.csv", "attempt>1", "attempt=1"), "both values and a range"),
        (("x.csv", "priced=maybe"), "yes or no"),
        (("x.csv", "--span", "next month"), "no span"),
        (("x.csv", "--span", "today", "--from", "2026-01-01"), "cannot be combined"),
        (("x.csv", "--from", "2026-01-02", "--to", "2026-01-01"), "before the first"),
    ],
)
def test_export_says_what_it_cannot_do(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run("export", *arguments)
    assert (code, why in output) == (1, True)
    assert list(tmp_path.glob("x*")) == []


def test_filters_are_read_from_words() -> None:
    words = ("user=ann", "user=", "attempt=2", "cost_usd>=0.5", "cost_usd<3", "tag:a=b=c", "priced=no", "search=a b")
    assert filters_of(words) == {
        "user": ["ann", None],
        "attempt": [2],
        "cost_usd": {"at_least": 0.5, "below": 3},
        "tag:a": ["b=c"],
        "priced": False,
        "search": "a b",
    }


def test_doctor_says_that_all_is_well(ws: Workspace) -> None:
    ws.usage.record(record())
    ws.usage.flush()
    code, output = run("doctor")
    assert (code, "1 records in 1 files" in output, "All is well." in output) == (0, True, True)
    assert "nothing to make anew" in run("doctor", "--rebuild")[1]


def test_doctor_finds_damage_and_makes_the_ledger_anew(ws: Workspace) -> None:
    ws.usage.record(record())
    ws.usage.flush()
    for number in numbers(ws.home):
        path_of(ws.home, number).unlink()
    code, output = run("doctor")
    assert code == 1
    assert "llm-manager doctor --rebuild" in output
    code, output = run("doctor", "--rebuild")
    assert (code, "Made anew: 1 records" in output) == (0, True)
    assert load_newest(ws.home).rows == 1


def test_doctor_prices_what_it_makes_anew_in_one(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_by_one(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a million records would take minutes")

    for _ in range(2):
        ws.usage.record(record(usage=Usage(input_tokens=1000, output_tokens=10)))
    ws.usage.flush()
    for segment in ws.home.segments.glob("*.duckdb"):
        segment.unlink()
    monkeypatch.setattr(ModelService, "price", one_by_one)
    code, output = run("doctor", "--rebuild")
    assert (code, "2 of them from spools" in output) == (0, True)
    assert ws.usage.summary()["unpriced"][0] == 0


def test_an_error_is_a_sentence_not_a_traceback(home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    home.write_text("a file where the home should be")
    done = subprocess.run([*COMMAND, "usage"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_serves_the_app_on_loopback_from_any_folder(home: Path, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen([*COMMAND, "run", "--port", str(port)], cwd=tmp_path, stdout=output, stderr=output)
    try:
        end = time.monotonic() + PATIENCE_S
        while not _answers(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            threading.Event().wait(0.1)
        assert _listens_on_loopback_only(port)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def test_what_the_first_page_needs_is_imported_ahead_without_a_word() -> None:
    code = """
import sys
from llm_core import cli
cli._import_ahead()
missing = [name for name in (*cli._FIRST_PAGE, "sqlalchemy") if name not in sys.modules]
print(missing, "streamlit" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]
    assert not done.stderr


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def _listens_on_loopback_only(port: int) -> bool:
    import psutil

    listening = [each.laddr for each in psutil.net_connections() if each.status == "LISTEN"]
    return {address.ip for address in listening if address.port == port} == {"127.0.0.1"}
