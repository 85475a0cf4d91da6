from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, inspect, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from llm_core.errors import StateBusy, StateDamaged, StoreError
from llm_core.store import state as state_module
from llm_core.store import tables
from llm_core.store.home import Home
from llm_core.store.state import State

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)

ROUNDS = 10
OPEN_EACH_HOME_AT_ONCE = """
import sys
from llm_core.store.home import open_home
from llm_core.store.state import State
print("ready", flush=True)
for line in sys.stdin:
    state = State(open_home(line.rstrip("\\n")))
    print(state.version() > 0, flush=True)
    state.close()
"""


def put(state: State, name: str, value: object) -> None:
    with state.write() as connection:
        connection.execute(tables.settings.insert().values(name=name, value=value, changed_at=NOON))


def names(state: State) -> list[str]:
    with state.read() as connection:
        return list(connection.scalars(select(tables.settings.c.name).order_by(tables.settings.c.name)))


def test_a_new_home_gets_every_table_in_wal_mode_for_its_owner_alone(state: State, opened_home: Home) -> None:
    assert set(inspect(state.engine).get_table_names()) == set(tables.metadata.tables)
    with state.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert stat.S_IMODE(opened_home.state.stat().st_mode) == 0o600


def test_eight_processes_that_open_a_new_home_at_once_share_one_schema(home) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_EACH_HOME_AT_ONCE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 8
    for turn in range(ROUNDS):
        for child in children:
            child.stdin.write(f"{home}/{turn}\n")
            child.stdin.flush()
        assert [child.stdout.readline() for child in children] == ["True\n"] * 8
    ends = [child.communicate() for child in children]
    assert [err for _, err in ends] == [""] * 8
    for turn in range(ROUNDS):
        with sqlite3.connect(home / str(turn) / "state.sqlite") as file:
            assert file.execute("SELECT count(*) FROM meta WHERE name = 'schema_version'").fetchone() == (1,)
        file.close()


def test_what_a_failed_block_wrote_is_undone(state: State) -> None:
    values = {"name": "a", "value": 1, "changed_at": NOON}
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(tables.settings.insert(), values), connection.execute(tables.settings.insert(), values)
    assert names(state) == []


def test_a_read_keeps_its_view_while_others_write(state: State) -> None:
    put(state, "a", 1)
    count = select(func.count()).select_from(tables.settings)
    with state.read() as connection:
        assert connection.scalar(count) == 1
        put(state, "b", 2)
        assert connection.scalar(count) == 1
    assert names(state) == ["a", "b"]


def test_writers_that_read_first_lose_no_step_of_each_other(state: State, opened_home: Home) -> None:
    put(state, "count", 0)
    this = tables.settings.c.name == "count"
    states = [State(opened_home) for _ in range(4)]

    def add(state: State) -> None:
        for _ in range(25):
            with state.write() as connection:
                value = connection.scalar(select(tables.settings.c.value).where(this))
                connection.execute(update(tables.settings).where(this).values(value=value + 1))

    threads = [threading.Thread(target=add, args=(each,)) for each in states * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with state.read() as connection:
        assert connection.scalar(select(tables.settings.c.value).where(this)) == 200
    for each in states:
        each.close()


def test_a_writer_gives_up_when_another_program_holds_the_file(opened_home, monkeypatch) -> None:
    monkeypatch.setattr(state_module, "BUSY_SECONDS", 0.1)
    state = State(opened_home)
    other = sqlite3.connect(opened_home.state, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateBusy, match="another program"):
        put(state, "a", 1)
    assert names(state) == []
    other.execute("ROLLBACK")
    other.close()
    put(state, "a", 1)
    state.close()


def test_the_version_changes_with_every_commit_of_any_process_and_only_then(state: State, opened_home: Home) -> None:
    first = state.version()
    assert names(state) == []
    assert state.version() == first
    put(state, "a", 1)
    second = state.version()
    assert second != first
    change = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM settings'); c.commit()"
    subprocess.run([sys.executable, "-c", change, str(opened_home.state)], check=True)
    assert state.version() != second


def test_a_closed_state_says_so(opened_home: Home) -> None:
    state = State(opened_home)
    state.close()
    with pytest.raises(StoreError, match="closed"):
        state.version()


def test_what_a_statement_was_given_stays_out_of_its_error(state: State) -> None:
    put(state, "a", 1)
    with pytest.raises(IntegrityError) as caught:
        put(state, "a", "something private")
    assert "something private" not in str(caught.value)


def test_a_removed_connection_takes_its_models_along(state: State) -> None:
    with state.write() as connection:
        connection.execute(
            tables.connections.insert().values(
                name="c",
                provider="openai",
                options={},
                enabled=True,
                state="untested",
                message="",
                version=1,
                created_at=NOON,
            )
        )
        connection.execute(
            tables.listed_models.insert().values(
                connection="c", name="m", data={}, first_seen=NOON, last_seen=NOON, listed=True
            )
        )
        connection.execute(tables.active_models.insert().values(task="chat", connection="c", model="m", chosen_at=NOON))
        connection.execute(tables.connections.delete())
    with state.read() as connection:
        for table in (tables.listed_models, tables.active_models):
            assert connection.execute(select(table)).all() == []


def test_times_come_back_in_utc_and_a_time_without_a_zone_is_refused(state: State) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with state.write() as connection:
        connection.execute(tables.settings.insert().values(name="a", value=1, changed_at=local))
    with state.read() as connection:
        kept = connection.scalar(select(tables.settings.c.changed_at))
    assert kept == NOON
    assert kept.tzinfo is UTC
    with pytest.raises(StatementError, match="without a zone"), state.write() as connection:
        connection.execute(tables.settings.insert().values(name="b", value=1, changed_at=NOON.replace(tzinfo=None)))


def test_damage_found_while_reading_is_told_plainly(opened_home: Home) -> None:
    state = State(opened_home)
    for number in range(50):
        put(state, f"name {number}", "x" * 3_000)
    state.close()
    content = bytearray(opened_home.state.read_bytes())
    content[4096 * 40 :] = b"\xff" * (len(content) - 4096 * 40)
    opened_home.state.write_bytes(content)
    state = State(opened_home)
    with pytest.raises(StateDamaged) as caught, state.read() as connection:
        connection.execute(select(tables.settings)).all()
    assert str(opened_home.backups) in caught.value.hint
    state.close()
    assert opened_home.state.read_bytes() == content
