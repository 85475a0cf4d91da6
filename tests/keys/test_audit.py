"""The audit log: who, when, what; the chain; and how a crash differs from a hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from llm_core.keys import APIKeyManager
from llm_core.keys.audit import AuditLog

from .vaults import KEY, OTHER, connection, in_child


@pytest.fixture
def log(opened_home) -> AuditLog:
    """Five lines of nothing in particular."""
    log = AuditLog(opened_home.audit, opened_home.audit_lock)
    for number in range(5):
        log.append("stored", connection=f"c{number}", version=1, fingerprint="ab", generation=number + 1)
    return log


def lines_of(log: AuditLog) -> list[bytes]:
    return log._path.read_bytes().splitlines(keepends=True)


def test_every_change_is_written_down_with_who_when_and_which_key(vault, opened_home, monkeypatch) -> None:
    vault.store(connection(), KEY)
    with vault.acting_as("anna@example.com"):
        vault.rotate(connection(), OTHER)
        vault.undo_rotation("openai")
    vault.rotate(connection(), OTHER)
    vault.release("openai")
    vault.rotate_data_key()
    vault.revoke("openai")
    vault.delete("openai")
    events = vault.audit_log()
    assert [event.what for event in events] == [
        *("created", "stored", "rotated", "undone", "rotated", "released", "data_key_rotated", "revoked", "deleted"),
    ]
    assert [event.line for event in events] == list(range(1, 10))
    assert [event.generation for event in events] == list(range(1, 10))
    stored, rotated, undone = events[1:4]
    assert stored.who == rotated.who.replace("anna@example.com", stored.who) != "anna@example.com"
    assert (rotated.who, rotated.connection, rotated.version) == ("anna@example.com", "openai", 2)
    assert undone.fingerprint == stored.fingerprint != rotated.fingerprint
    assert datetime.now(UTC) - stored.at < timedelta(minutes=5)
    content = opened_home.audit.read_bytes()
    for key in (KEY, OTHER):
        assert key.encode() not in content
        assert key[-4:].encode() not in content
    assert vault.verify_audit().ok


def test_reading_a_key_writes_no_line(vault) -> None:
    vault.store(connection(), KEY)
    before = len(vault.audit_log())
    for _ in range(20):
        vault.key_for(connection())
    assert len(vault.audit_log()) == before


def test_a_whole_log_is_well(log) -> None:
    report = log.verify()
    assert (report.ok, report.lines, report.recovered) == (True, 5, 0)
    assert report.head == log.head()
    assert AuditLog(log._path.with_name("none"), log._lock).verify().ok


@pytest.mark.parametrize("at", range(5))
def test_a_changed_line_is_found(log, at) -> None:
    lines = lines_of(log)
    lines[at] = lines[at].replace(b'"fingerprint":"ab"', b'"fingerprint":"cd"')
    log._path.write_bytes(b"".join(lines))
    assert not log.verify().ok


@pytest.mark.parametrize("at", range(4))
def test_a_line_taken_out_is_found(log, at) -> None:
    lines = lines_of(log)
    del lines[at]
    log._path.write_bytes(b"".join(lines))
    assert not log.verify().ok


def test_lines_in_another_order_or_twice_are_found(log) -> None:
    lines = lines_of(log)
    for wrong in (lines[::-1], [*lines[:2], lines[3], lines[2], lines[4]], [*lines, lines[-1]]):
        log._path.write_bytes(b"".join(wrong))
        assert not log.verify().ok


def test_a_line_that_was_forged_with_its_own_hash_does_not_fit_the_chain(log) -> None:
    from llm_core.keys.audit import _hash

    lines = lines_of(log)
    forged = json.loads(lines[2])
    del forged["hash"]
    forged["fingerprint"] = "cd"
    lines[2] = json.dumps({**forged, "hash": _hash(forged)}).encode() + b"\n"
    log._path.write_bytes(b"".join(lines))
    assert log.verify().problems == ("Line 4 does not follow from the line before it.",)


def test_a_cut_end_is_found_by_what_the_vault_remembers(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    vault.store(connection("b"), OTHER)
    lines = opened_home.audit.read_bytes().splitlines(keepends=True)
    opened_home.audit.write_bytes(b"".join(lines[:-2]))
    again = APIKeyManager(opened_home)
    assert not again.verify_audit().ok
    assert "audit log" in again.status().warnings[0]
    again.store(connection(), OTHER)
    assert "log_damaged" in [event.what for event in again.audit_log()]
    assert not again.verify_audit().ok, "writing on must not hide it"


def test_a_log_that_was_removed_is_noticed(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    opened_home.audit.unlink()
    assert not APIKeyManager(opened_home).verify_audit().ok


@pytest.mark.parametrize("length", [1, 20, 150, -1])
def test_a_torn_line_is_repaired_and_not_taken_for_a_changed_one(log, length) -> None:
    whole = log._path.read_bytes()
    lines = lines_of(log)
    log._path.write_bytes(whole + lines[-1][:length])
    assert log.verify().ok or length == -1  # a whole line without its end is one line twice
    if length == -1:
        log._path.write_bytes(whole[:-1])
    log.append("stored", connection="next")
    report = log.verify()
    assert report.ok, report
    assert report.recovered == (0 if length == -1 else 1)
    assert log.events()[-1].connection == "next"
    assert len(lines_of(log)) == (6 if length == -1 else 8)


def test_a_repair_that_was_torn_itself_is_repaired(log) -> None:
    whole = log._path.read_bytes()
    log._path.write_bytes(whole + b'{"line":6,"at"')
    log.append("stored", connection="next")
    repaired = log._path.read_bytes()
    for cut in range(len(whole) + 15, len(repaired), 29):
        log._path.write_bytes(repaired[:cut])
        log.append("stored", connection="after")
        report = log.verify()
        assert report.ok, (cut, report)
        assert log.events()[-1].connection == "after"


def test_a_repair_does_not_excuse_a_changed_line(log) -> None:
    log._path.write_bytes(log._path.read_bytes() + b'{"line":6,"at"')
    log.append("stored", connection="next")
    log._path.write_bytes(log._path.read_bytes().replace(b'{"line":6,"at"\x1e', b'{"line":6,"AT"\x1e'))
    assert not log.verify().ok


def test_garbage_with_a_line_end_is_no_torn_line(log) -> None:
    log._path.write_bytes(log._path.read_bytes() + b"garbage\n")
    assert not log.verify().ok
    log.append("stored", connection="next")
    assert not log.verify().ok


def test_a_change_whose_line_a_crash_kept_out_is_written_down_later(vault, opened_home) -> None:
    vault.store(connection(), KEY)
    before = opened_home.audit.read_bytes()
    vault.store(connection("b"), OTHER)
    opened_home.audit.write_bytes(before)
    again = APIKeyManager(opened_home)
    assert again.verify_audit().ok
    again.store(connection("c"), KEY)
    events = again.audit_log()
    assert [event.what for event in events][-2:] == ["recovered", "stored"]
    assert "Generation 3" in events[-2].note
    assert again.verify_audit().ok


def test_processes_that_write_at_once_make_one_chain(opened_home) -> None:
    code = """
import sys
from llm_core.keys.audit import AuditLog
from llm_core.store.home import open_home
home = open_home(sys.argv[1])
log = AuditLog(home.audit, home.audit_lock)
for number in range(30):
    log.append("stored", connection=f"{sys.argv[2]}-{number}")
"""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: in_child(code, opened_home.path, name), "abc"))
    log = AuditLog(opened_home.audit, opened_home.audit_lock)
    assert (log.verify().ok, log.verify().lines) == (True, 90)
    assert len({event.connection for event in log.events()}) == 90


def test_a_long_line_at_the_end_is_found_too(log) -> None:
    log.append("stored", connection="x" * 300_000)
    log.append("stored", connection="y")
    assert (log.head().line, log.verify().ok) == (7, True)
    assert log.holds(6, json.loads(lines_of(log)[5])["hash"])
    assert log.holds(2, json.loads(lines_of(log)[1])["hash"])
    assert not log.holds(2, "other")
    assert not log.holds(8, "")


def test_a_log_that_cannot_be_written_does_not_stop_the_change(vault, opened_home, caplog) -> None:
    opened_home.audit.unlink()
    opened_home.audit.mkdir()
    vault.store(connection(), KEY)
    assert "audit log could not be written" in caplog.text
    assert vault.key_for(connection()) == KEY
    assert not vault.verify_audit().ok
