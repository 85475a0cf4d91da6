"""Channels of alerts, against a webhook on loopback: what arrives, what a dead one does, and what is never seen."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llm_core import UsageRecord, Workspace
from llm_core.errors import ChannelFailed, InvalidAlert, UnknownAlert
from llm_core.usage.alerts.channels import shown
from llm_core.usage.alerts.sender import WAITS, Sender
from tests.waiting import PATIENCE_S, until

from .rows import record

TOKEN = "hook-7f3c9a51e2d84b60"
MINUTE = timedelta(minutes=1)


class Webhook:
    """Takes messages, or answers with an error, or not before it may."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.append(self.path)
                outer.may_answer.wait(PATIENCE_S)
                if outer.status == 200:
                    outer.received.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_port}/{TOKEN}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]

    def close(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


@pytest.fixture
def ws(home: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open() as workspace:
        workspace.keys.choose_source("key_file", key_file=tmp_path / "master.key")
        yield workspace


def fails(count: int, at: datetime, kind: str = "request_refused") -> list[UsageRecord]:
    return [
        record(started_at=at - number * MINUTE, status="error", error_kind=kind, cost_usd=Decimal(0))
        for number in range(count)
    ]


def plant(ws: Workspace, at: datetime | None = None) -> None:
    """An error rate that is worth an alert."""
    for one in fails(30, (at or datetime.now(UTC)) - MINUTE):
        ws.usage.record(one)


def test_a_webhook_is_told_once_of_what_began(ws: Workspace, webhook: Webhook) -> None:
    channel = ws.usage.alerts.channels.add("Ops", webhook.address)
    ws.usage.alerts.channels.test("Ops")
    assert webhook.titles == ["A test of LLM Manager"]
    plant(ws)
    made = ws.usage.alerts.watch_once()
    assert made is not None
    assert [alert.kind for alert in made.told] == ["errors"]
    ws.usage.alerts.watch_once()
    assert webhook.titles == ["A test of LLM Manager", "100 % of the requests to openai fail"]
    assert "30 of 30 requests failed" in webhook.received[1]["message"]
    (kept,) = ws.usage.alerts.channels.list()
    assert (kept.id, kept.error, kept.waiting, kept.failing_since) == (channel.id, "", 0, None)
    assert kept.sent_at is not None


def test_one_look_leaves_the_watch_as_it_was(ws: Workspace) -> None:
    alerts = ws.usage.alerts
    assert alerts.watch_once() is not None
    assert not alerts.is_watching
    alerts.keep_watching()
    alerts._monitor.take()
    assert alerts.watch_once() is not None
    assert alerts.is_watching


def test_the_watch_is_left_to_others_once_what_is_being_sent_has_arrived(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.open() as other:
        taken: list[bool] = []
        sender = ws.usage.alerts._sender
        monkeypatch.setattr(sender, "wait", lambda seconds: taken.append(other.usage.alerts._monitor.take()))
        assert ws.usage.alerts._monitor.take()
        ws.usage.alerts.close()
        assert taken == [False]
        assert other.usage.alerts._monitor.take()


def test_an_address_is_kept_in_the_vault_and_seen_nowhere(
    ws: Workspace, webhook: Webhook, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channels = ws.usage.alerts.channels
    channel = channels.add("Ops", webhook.address)
    assert channel.shown == "json://127.0.0.1/***"
    webhook.status = 500
    with pytest.raises(ChannelFailed) as caught:
        channels.test("Ops")
    plant(ws)
    ws.usage.alerts.watch_once()
    ws.usage.flush()
    told = [str(caught.value), repr(channels.list()), caplog.text, repr(ws.keys.status())]
    assert not any(TOKEN in text for text in told)
    assert ws.keys.status().entries == (), "it is no key of a connection"
    for path in home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path.name
    with Workspace.open() as other:
        webhook.status = 200
        other.usage.alerts.channels.test("Ops")
    assert webhook.titles == ["A test of LLM Manager"]
    channels.remove("Ops")
    assert channels.list() == []
    with pytest.raises(UnknownAlert):
        channels.test("Ops")


def test_a_redirect_is_not_followed(ws: Workspace, webhook: Webhook) -> None:
    ws.usage.alerts.channels.add("Ops", webhook.address)
    webhook.status = 307
    with pytest.raises(ChannelFailed):
        ws.usage.alerts.channels.test("Ops")
    assert webhook.paths == [f"/{TOKEN}/"] or webhook.paths == [f"/{TOKEN}"]


def test_what_arrives_while_is_looked_for_what_is_due_is_not_sent_again(
    ws: Workspace, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = ws.usage.alerts._sender
    ws.usage.alerts.channels.add("Ops", webhook.address)
    plant(ws)
    (alert,) = ws.usage.alerts.evaluate()
    webhook.may_answer.clear()
    sender.start()
    (sending,) = sender._busy.values()
    look = sender._due

    def slowly() -> object:
        found = look()
        webhook.may_answer.set()
        sending.join(PATIENCE_S)
        return found

    monkeypatch.setattr(sender, "_due", slowly)
    sender.start()
    sender.wait(PATIENCE_S)
    assert webhook.titles == [alert.title]


@pytest.fixture
def dead() -> Iterator[Webhook]:
    """Takes no message before its end."""
    made = Webhook()
    made.may_answer.clear()
    yield made
    made.close()


def test_a_dead_channel_is_shown_and_delays_nothing(ws: Workspace, webhook: Webhook, dead: Webhook) -> None:
    channels = ws.usage.alerts.channels
    channels.add("Dead", dead.address)
    channels.add("Ops", webhook.address)
    sender = ws.usage.alerts._sender
    sender._seconds = 2.0  # of the other channel as well: it may need a while on a busy machine
    plant(ws)
    (alert,) = ws.usage.alerts.evaluate()
    sender.start()
    until(lambda: webhook.titles == [alert.title])
    until(lambda: channels.get("Dead").error != "")
    found = channels.get("Dead")
    assert "no answer" in found.error
    assert found.failing_since is not None
    assert found.waiting == 1
    assert channels.get("Ops").waiting == 0


def test_a_message_is_tried_a_few_times_and_then_given_up(ws: Workspace, webhook: Webhook) -> None:
    clock = [datetime.now(UTC) + MINUTE]
    sender = Sender(lambda: ws.state, ws.usage.alerts._secrets, clock=lambda: clock[0])
    ws.usage.alerts.channels.add("Ops", webhook.address)
    webhook.status = 503
    plant(ws)
    ws.usage.alerts.evaluate()
    since = None
    for tries, wait in enumerate((*WAITS, None), start=1):
        sender.start()
        sender.wait(PATIENCE_S)
        found = ws.usage.alerts.channels.get("Ops")
        since = since or found.failing_since
        assert found.failing_since == since, "since the first failure"
        assert found.waiting == (1 if wait else 0), tries
        clock[0] += wait or MINUTE
    webhook.status = 200
    sender.start()
    sender.wait(PATIENCE_S)
    assert webhook.received == []


def test_in_quiet_hours_nothing_is_sent_before_their_end(ws: Workspace, webhook: Webhook) -> None:
    ws.settings.set("alerts.quiet_hours", "22:00-07:00")
    ws.settings.set("usage.time_zone", "Asia/Kolkata")
    night = (datetime.now(UTC) + timedelta(days=1)).replace(hour=20, minute=0)  # 01:30 there
    clock = [night + MINUTE]
    sender = Sender(lambda: ws.state, ws.usage.alerts._secrets, clock=lambda: clock[0])
    ws.usage.alerts.channels.add("Ops", webhook.address)
    plant(ws, night)
    assert len(ws.usage.alerts.evaluate(night)) == 1
    sender.start()
    sender.wait(PATIENCE_S)
    assert (webhook.received, ws.usage.alerts.channels.get("Ops").waiting) == ([], 1)
    clock[0] = night.replace(hour=1, minute=30, second=0, microsecond=0) + timedelta(days=1)  # 07:00 there
    sender.start()
    sender.wait(PATIENCE_S)
    assert len(webhook.received) == 1


def test_without_a_place_for_secrets_a_channel_lasts_as_long_as_its_program(home: Path, webhook: Webhook) -> None:
    with Workspace.open() as ws:
        ws.usage.alerts.channels.add("Ops", webhook.address)
        ws.usage.alerts.channels.test("Ops")
    with Workspace.open() as other, pytest.raises(ChannelFailed, match="not known to this program"):
        other.usage.alerts.channels.test("Ops")


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("slack://xoxb-1234-1234-abcdef/#general", "slack://***"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV", "discord://***"),
        ("mailto://joe:secret@example.com?to=ann@example.com", "mailto://example.com/***"),
        ("jsons://user:secret@example.com:8443/hook?token=x", "jsons://example.com/***"),
        ("msteams://TokenA/TokenB/TokenC/", "msteams://***"),
    ],
)
def test_of_an_address_no_token_is_seen(address: str, seen: str) -> None:
    assert shown(address) == seen


@pytest.mark.parametrize(
    "address", ["", "example.com", "nonsense://example.com", "json://", "ftp://host/x", "file:///x"]
)
def test_what_is_no_address_is_refused(address: str, ws: Workspace) -> None:
    with pytest.raises(InvalidAlert):
        ws.usage.alerts.channels.add("Ops", address)
    assert ws.usage.alerts.channels.list() == []


WATCHES = """
import sys, threading
from llm_core import Workspace
with Workspace.open() as ws:
    ws.usage.alerts._monitor._tick = ws.usage.alerts._monitor._first_look = 0.05
    ws.usage.alerts.keep_watching()
    ws.usage.alerts.keep_watching()
    was = None
    while True:
        if (now := ws.usage.alerts.is_watching) != was:
            print("watching" if now else "waiting", flush=True)
            was = now
        threading.Event().wait(0.02)
"""


def test_one_process_of_a_home_watches_and_another_takes_over(ws: Workspace, webhook: Webhook) -> None:
    ws.settings.set("alerts.check_minutes", 0.01)
    ws.usage.alerts.channels.add("Ops", webhook.address)
    start = [sys.executable, "-c", WATCHES]
    first = subprocess.Popen(start, stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        until(lambda: first.stdout.readline() == "watching\n")
        second = subprocess.Popen(start, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert second.stdout.readline() == "waiting\n"
        assert ws.usage.alerts.watch_once() is None
        plant(ws)
        until(lambda: bool(webhook.received) and ws.usage.alerts.channels.get("Ops").waiting == 0)
        assert len(webhook.titles) == 1, webhook.titles
        first.kill()
        assert second.stdout.readline() == "watching\n"
        for one in fails(20, datetime.now(UTC), "unreachable"):
            ws.usage.record(one)
        ws.usage.budgets.add("all", 10, "total", unit="calls", name="Calls", hard=False)
        until(lambda: any("budget" in title for title in webhook.titles))
        assert webhook.titles.count("100 % of the requests to openai fail") == 1
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
            process.stdout.close()


def test_the_command_watches_until_ctrl_c(ws: Workspace, webhook: Webhook) -> None:
    ws.usage.alerts.channels.add("Ops", webhook.address)
    plant(ws)
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job of a shell ignores it
    command = [sys.executable, "-c", f"{listening}; from llm_core.cli import app; app()", "monitor"]
    once = subprocess.run([*command, "--once"], capture_output=True, text=True, check=True, env=os.environ)
    assert "warning: 100 % of the requests to openai fail" in once.stdout
    assert len(webhook.received) == 1
    ws.settings.set("alerts.check_minutes", 0.01)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "Watching. Ctrl+C ends it.\n"
            assert "100 % of the requests to openai fail" in running.stdout.readline()
            ws.usage.budgets.add("all", 10, "total", unit="calls", name="Calls", hard=False)
            assert "The budget Calls is used up" in running.stdout.readline()
            running.send_signal(signal.SIGINT)
            rest, wrong = running.communicate(timeout=PATIENCE_S)
        finally:
            running.kill()
    assert (running.returncode, rest) == (0, "Ended.\n"), wrong
    assert "Traceback" not in wrong  # DuckDB at times counts there, at the end of a program, what it did not free
