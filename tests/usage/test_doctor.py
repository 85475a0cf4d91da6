"""The doctor: what it finds, and that a ledger can be made anew from what is left of it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from llm_core import Cost, Usage
from llm_core.errors import LedgerDamaged, StoreError
from llm_core.store.home import Home, open_home
from llm_core.usage import rebuild as rebuild_module
from llm_core.usage.doctor import verify
from llm_core.usage.drain import drain
from llm_core.usage.locks import hold
from llm_core.usage.manifest import load_newest, numbers, path_of
from llm_core.usage.merge import Merger
from llm_core.usage.rebuild import rebuild
from llm_core.usage.spool import list_spools

from .found import ids, rows, write


@pytest.fixture
def ledger(home: Path) -> Home:
    return open_home(home)


def merged(ledger: Home, each: int = 5) -> list[str]:
    """A merged segment with its inputs in the trash, one more segment, and records not drained."""
    made: list[str] = []
    for _ in range(8):
        made += write(ledger, each, user="ann", usage=Usage(input_tokens=3))
        drain(ledger)
    assert Merger(ledger).merge()
    made += write(ledger, each)
    drain(ledger)
    return made + write(ledger, each)


def lose_manifests(ledger: Home) -> None:
    for number in numbers(ledger):
        path_of(ledger, number).unlink()


def lose_spools(ledger: Home) -> None:
    for spool in list_spools(ledger):
        spool.path.unlink()


def flip_a_bit(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 16
    path.write_bytes(content)


def test_a_healthy_ledger_has_no_findings(ledger: Home) -> None:
    merged(ledger)
    report = verify(ledger)
    assert (report.findings, report.quarantined, report.is_damaged) == ((), (), False)
    assert (report.segments, report.rows) == (2, 45)
    assert report.waiting > 0


def test_an_empty_ledger_is_healthy(ledger: Home) -> None:
    assert verify(ledger).findings == ()


@pytest.mark.parametrize("at", [0.02, 0.3, 0.5, 0.7, 0.98])
def test_a_flipped_bit_anywhere_in_a_segment_is_found(ledger: Home, at: float) -> None:
    write(ledger, 200)
    drain(ledger)
    flip_a_bit(ledger.segments / load_newest(ledger).segments[0].name, at)
    report = verify(ledger)
    assert report.is_damaged
    assert "200 records" in report.findings[0].message


def test_a_change_that_no_query_would_notice_is_found(ledger: Home) -> None:
    write(ledger, 3)
    drain(ledger)
    with (ledger.segments / load_newest(ledger).segments[0].name).open("ab") as file:
        file.write(b"x")
    assert "does not match its checksum" in verify(ledger).findings[0].message


def test_a_missing_segment_is_found_with_its_rows_and_period(ledger: Home) -> None:
    write(ledger, 3)
    drain(ledger)
    (ledger.segments / load_newest(ledger).segments[0].name).unlink()
    (finding,) = verify(ledger).findings
    assert "3 records, 2026-03-10 to 2026-03-10) is missing" in finding.message
    assert "doctor --rebuild" in finding.hint


def test_a_damaged_manifest_and_a_cut_spool_are_warnings(ledger: Home) -> None:
    write(ledger, 3)
    drain(ledger)
    path_of(ledger, 1).write_bytes(b"junk")
    list_spools(ledger)[0].path.write_bytes(b"")
    report = verify(ledger)
    assert [finding.severity for finding in report.findings] == ["warning", "warning"]
    assert not report.is_damaged


def test_lines_in_quarantine_are_reported(ledger: Home) -> None:
    (ledger.spool / "host-1-ab.jsonl").write_bytes(b"\njunk\n")
    drain(ledger)
    report = verify(ledger)
    assert [bad.content for bad in report.quarantined] == [b"junk"]
    assert "no usage records" in report.findings[0].message


@pytest.mark.parametrize("spools", ["with spools", "without spools"])
def test_with_all_manifests_gone_a_rebuild_finds_each_record_once(ledger: Home, spools: str) -> None:
    made = merged(ledger)
    if spools == "without spools":
        drain(ledger)
        lose_spools(ledger)
    lose_manifests(ledger)
    with pytest.raises(LedgerDamaged):
        load_newest(ledger)
    assert verify(ledger).is_damaged
    done = rebuild(ledger)
    assert done.rows == 50
    assert ids(ledger) == Counter(made)
    assert verify(ledger).findings == ()


def test_after_a_rebuild_nothing_is_drained_twice(ledger: Home) -> None:
    made = merged(ledger)
    lose_manifests(ledger)
    rebuild(ledger)
    made += write(ledger, 2)
    assert drain(ledger).rows == 2
    assert Counter(row["id"] for row in rows(ledger)) == Counter(made)


def test_a_rebuild_with_damaged_manifests_makes_a_number_nobody_had(ledger: Home) -> None:
    made = merged(ledger)
    highest = numbers(ledger)[0]
    for number in numbers(ledger):
        path_of(ledger, number).write_bytes(b"junk")
    rebuild(ledger)
    assert load_newest(ledger).generation == highest + 1
    assert ids(ledger) == Counter(made)


@pytest.mark.parametrize("source", ["its inputs", "the spools"])
def test_records_of_a_damaged_segment_come_back_from(ledger: Home, source: str) -> None:
    made = merged(ledger)
    largest = max(load_newest(ledger).segments, key=lambda segment: segment.rows)
    drain(ledger)
    if source == "its inputs":
        lose_spools(ledger)
    else:
        for name in load_newest(ledger).trash:
            (ledger.segments / name).unlink()
    flip_a_bit(ledger.segments / largest.name, 0.3)
    done = rebuild(ledger)
    assert done.damaged == (largest.name,)
    assert (ledger.quarantine / largest.name).exists(), "evidence is kept"
    assert ids(ledger) == Counter(made)
    assert not verify(ledger).is_damaged


def test_a_file_that_repeats_some_records_is_written_anew_without_them(ledger: Home) -> None:
    first = write(ledger, 5)
    drain(ledger)
    before = load_newest(ledger)
    second = write(ledger, 3)
    drain(ledger)
    # The fallback to an older manifest, whose offsets lag, drains the same lines into a second segment with new ones.
    path_of(ledger, load_newest(ledger).generation).unlink()
    assert load_newest(ledger) == before
    third = write(ledger, 6)
    drain(ledger)
    lose_manifests(ledger)
    lose_spools(ledger)
    assert rebuild(ledger).rows == 14
    assert ids(ledger) == Counter(first + second + third)


def test_a_rebuild_prices_what_it_takes_from_spools(ledger: Home) -> None:
    write(ledger, 2, usage=Usage(input_tokens=3))
    rebuild(ledger, price=lambda model, usage, at, mode: Cost(Decimal(2)))
    assert [row["cost_usd"] for row in rows(ledger)] == [2, 2]


def test_a_rebuild_does_not_start_while_the_ledger_is_in_use(ledger: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild_module, "_LOCK_WAIT", 0.01)
    with hold(ledger.commit_lock), pytest.raises(StoreError, match="in use"):
        rebuild(ledger)
