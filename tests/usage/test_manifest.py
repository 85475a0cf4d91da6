"""The manifest: creating the next number is the commit, and damage to the newest costs nothing."""

from __future__ import annotations

import errno
import os
import threading
import zlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core.errors import LedgerDamaged, LedgerTooNew
from llm_core.store.home import Home, open_home
from llm_core.usage.manifest import (
    Manifest,
    SegmentInfo,
    SpoolMark,
    commit,
    load,
    load_newest,
    numbers,
    path_of,
)

from .found import commit_next

SEGMENT = SegmentInfo("a.duckdb", 7, 900, datetime(2026, 1, 1), datetime(2026, 2, 1, 3, 4, 5, 6), 1, "ab" * 16)


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


def full(ledger: Home) -> Manifest:
    return load_newest(ledger).next(
        segments=[SEGMENT],
        spools={"h-1-ab.jsonl": SpoolMark(12, 1.5)},
        trash={"old.duckdb": 3.25},
        hidden=[{"user": "ann o'hara"}],
    )


def test_a_new_ledger_has_an_empty_first_generation(ledger: Home) -> None:
    assert load_newest(ledger).generation == 1
    assert load_newest(ledger).rows == 0
    assert numbers(ledger) == [1]


def test_what_is_committed_is_loaded(ledger: Home) -> None:
    manifest = full(ledger)
    assert commit(ledger, manifest)
    assert load_newest(ledger) == manifest
    assert manifest.generation == 2


def test_the_first_to_create_a_number_wins_and_the_other_changes_nothing(ledger: Home) -> None:
    first = full(ledger)
    second = replace(first, made_by="another")
    assert commit(ledger, first)
    assert not commit(ledger, second)
    assert load_newest(ledger) == first
    assert sorted(path.name for path in ledger.manifests.iterdir()) == ["000000001.json", "000000002.json"]


def test_of_many_that_commit_at_once_one_wins(ledger: Home) -> None:
    base = load_newest(ledger)
    start = threading.Barrier(8)
    won: list[str] = []

    def work(name: str) -> None:
        start.wait()
        if commit(ledger, replace(base.next(), made_by=name)):
            won.append(name)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [load_newest(ledger).made_by]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6))
def test_after_any_flipped_bit_the_manifest_before_is_used(ledger: Home, number: int) -> None:
    before = load_newest(ledger)
    after = commit_next(ledger, segments=[SEGMENT], spools={"h-1-ab.jsonl": SpoolMark(12, 1.5)})
    path = path_of(ledger, after.generation)
    content = bytearray(path.read_bytes())
    bit = number % (8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    assert load_newest(ledger) == before
    path.unlink()


def test_after_a_cut_anywhere_the_manifest_before_is_used(ledger: Home) -> None:
    before = load_newest(ledger)
    path = path_of(ledger, commit_next(ledger, segments=[SEGMENT]).generation)
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        assert load_newest(ledger) == before


def test_the_commit_after_damage_takes_a_number_nobody_had(ledger: Home) -> None:
    path_of(ledger, commit_next(ledger).generation).write_bytes(b"")
    after = commit_next(ledger, segments=[SEGMENT])
    assert after.generation == 3
    assert load_newest(ledger) == after


def test_a_commit_on_an_older_base_loses_to_the_one_made_meanwhile(ledger: Home) -> None:
    base = load_newest(ledger)
    commit_next(ledger, segments=[SEGMENT])
    assert not commit(ledger, base.next())


def test_a_renamed_manifest_is_not_believed(ledger: Home) -> None:
    commit_next(ledger)
    path_of(ledger, 2).rename(path_of(ledger, 9))
    assert load_newest(ledger).generation == 1


@pytest.mark.parametrize("left", ["damaged manifests", "no manifest"])
def test_segments_without_a_readable_manifest_are_refused_not_shown_as_empty(ledger: Home, left: str) -> None:
    commit_next(ledger, segments=[SEGMENT])
    (ledger.segments / SEGMENT.name).touch()
    for number in numbers(ledger):
        if left == "no manifest":
            path_of(ledger, number).unlink()
        else:
            path_of(ledger, number).write_bytes(b"junk")
    with pytest.raises(LedgerDamaged) as caught:
        load_newest(ledger)
    assert "doctor --rebuild" in caught.value.hint


def test_a_manifest_of_a_newer_program_is_refused_not_skipped(ledger: Home) -> None:
    path = path_of(ledger, commit_next(ledger).generation)
    document = orjson.loads(path.read_bytes().partition(b"\n")[2]) | {"format": 2}
    body = orjson.dumps(document)
    path.write_bytes(b"%08x\n" % zlib.crc32(body) + body)
    with pytest.raises(LedgerTooNew):
        load_newest(ledger)


def test_it_commits_where_there_are_no_hard_links(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    manifest = full(ledger)
    assert commit(ledger, manifest)
    assert not commit(ledger, replace(manifest, made_by="another"))
    assert load_newest(ledger) == manifest


def test_an_unreadable_manifest_is_told_apart_from_a_missing_one(ledger: Home) -> None:
    with pytest.raises(FileNotFoundError):
        load(ledger, 5)
    path_of(ledger, 5).mkdir()
    with pytest.raises(LedgerDamaged):
        load(ledger, 5)
