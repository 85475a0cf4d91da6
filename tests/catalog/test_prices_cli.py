"""`llm-manager prices` from a terminal."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from llm_core import Workspace
from llm_core.catalog import price_lists
from llm_core.cli import app
from tests.catalog.test_price_lists import MODEL, changed, install


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["prices", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def test_show_prints_each_price_with_its_days_and_tiers(ws: Workspace) -> None:
    code, text = run("show", "google:gemini-4-argon")
    assert code == 0
    assert "2026-12-01" in text
    assert "million tokens" in text
    assert "over tokens" not in text
    assert "100000" in run("show", "anthropic:claude-haiku-5-5")[1]
    assert run("show", "openai:no-such-model") == (1, "No standard price of openai:no-such-model is known.\n")
    assert run("show", MODEL, "--mode", "slow")[0] == 1


def test_check_shows_what_waits_and_accept_uses_it(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No update waits" in run("check")[1]
    newer = changed({"output_tokens": "9"})
    install(newer, monkeypatch)
    code, text = run("check")
    assert code == 0
    assert "rates that differ: 1" in text
    assert MODEL in text
    assert run("accept", "nothing")[0] == 1
    assert run("accept", newer.digest) == (0, "In use: genai-prices 9.9.9.\n")
    assert "No update waits. In use: genai-prices 9.9.9." in run("check")[1]


def test_check_fetches_only_when_told(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def fetched() -> object:
        asked.append(True)
        return changed({"input_tokens": "7"})

    monkeypatch.setattr(price_lists, "fetched", fetched)
    run("check")
    assert asked == []
    assert "rates that differ: 1" in run("check", "--fetch")[1]
