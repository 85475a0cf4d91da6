from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from llm_core.errors import StateDamaged, StateTooNew
from llm_core.store import migrations, tables
from llm_core.store.home import Home
from llm_core.store.state import State

OLD_SCHEMAS = Path(__file__).parent / "schemas"
STEPS, TODAY = migrations.STEPS, migrations.schema_version()


def later(*steps: migrations.Step) -> tuple[migrations.Step, ...]:
    """The steps of a later program."""
    return (*STEPS, *steps)


def add_table(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE prompts (name TEXT PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO prompts VALUES ('first')")


def add_column(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE prompts ADD COLUMN text TEXT")


def orphan_a_row(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO active_models VALUES ('chat', 'gone', 'm', '2026-11-24 00:00:00')")


KILLED_IN_A_STEP = """
import sys, time
from llm_core.store import migrations
from llm_core.store.home import open_home
from llm_core.store.state import State
from tests.store.test_migrations import add_table, add_column

def stop_within(connection):
    add_column(connection)
    print("within", flush=True)
    time.sleep(600)

migrations.STEPS = (*migrations.STEPS, add_table, stop_within)
State(open_home(sys.argv[1]))
"""


def ask(file: Path, sql: str) -> list[tuple]:
    connection = sqlite3.connect(f"file:{file.as_posix()}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def version_of(file: Path) -> str:
    return ask(file, "SELECT value FROM meta WHERE name = 'schema_version'")[0][0]


def test_steps_run_in_order_after_a_copy_was_made(state: State, opened_home: Home, monkeypatch) -> None:
    state.close()
    monkeypatch.setattr(migrations, "STEPS", later(add_table, add_column))
    State(opened_home).close()
    assert version_of(opened_home.state) == str(TODAY + 2)
    assert ask(opened_home.state, "SELECT name, text FROM prompts") == [("first", None)]
    (copy,) = opened_home.backups.iterdir()
    assert version_of(copy) == str(TODAY)
    assert copy.name.endswith(f"schema{TODAY}.sqlite")


def test_a_state_that_is_up_to_date_is_left_alone(state: State, opened_home: Home) -> None:
    state.close()
    before = opened_home.state.read_bytes()
    State(opened_home).close()
    assert opened_home.state.read_bytes() == before
    assert list(opened_home.backups.iterdir()) == []


def test_the_newest_five_copies_are_kept_and_unfinished_ones_go(state: State, opened_home: Home, monkeypatch) -> None:
    state.close()
    old = [f"state-2020010{day}T000000000000Z-schema1.sqlite" for day in range(1, 8)]
    for name in (*old, "state-20200109T000000000000Z-schema1.part"):
        (opened_home.backups / name).touch()
    monkeypatch.setattr(migrations, "STEPS", later(add_table))
    State(opened_home).close()
    kept = sorted(path.name for path in opened_home.backups.iterdir())
    assert kept[:4] == old[3:]
    assert len(kept) == 5


@pytest.mark.parametrize("broken", [lambda connection: 1 / 0, orphan_a_row], ids=["raises", "leaves an orphan"])
def test_a_step_that_fails_changes_nothing(broken, state: State, opened_home: Home, monkeypatch) -> None:
    state.close()
    monkeypatch.setattr(migrations, "STEPS", later(lambda connection: (add_table(connection), broken(connection))))
    with pytest.raises((ZeroDivisionError, StateDamaged)):
        State(opened_home)
    assert version_of(opened_home.state) == str(TODAY)
    assert ask(opened_home.state, "SELECT name FROM sqlite_master WHERE name = 'prompts'") == []
    monkeypatch.setattr(migrations, "STEPS", later(add_table))
    State(opened_home).close()
    assert version_of(opened_home.state) == str(TODAY + 1)


def test_a_program_killed_in_a_step_is_taken_up_where_it_stood(state: State, opened_home: Home, monkeypatch) -> None:
    state.close()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED_IN_A_STEP, str(opened_home.path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "within\n"
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    monkeypatch.setattr(migrations, "STEPS", later(add_table, add_column))
    State(opened_home).close()
    assert version_of(opened_home.state) == str(TODAY + 2)
    assert ask(opened_home.state, "SELECT name, text FROM prompts") == [("first", None)]


def test_an_older_program_refuses_a_newer_state_and_changes_nothing(
    state: State, opened_home: Home, monkeypatch
) -> None:
    state.close()
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "STEPS", later(add_table))
        State(opened_home).close()
    before = opened_home.state.read_bytes()
    copies = list(opened_home.backups.iterdir())
    with pytest.raises(StateTooNew, match="newer LLM Manager") as caught:
        State(opened_home)
    assert "pip install -U llm-manager" in caught.value.hint
    assert opened_home.state.read_bytes() == before
    assert list(opened_home.backups.iterdir()) == copies


def overwrite(path: Path) -> None:
    path.write_bytes(b"not a database, but somebody's letter\n" * 300)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6_000])


def spoil_a_late_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 6 : 4096 * 7] = b"\xff" * 4096
    path.write_bytes(content)


def put_another_programs_database(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()


def forget_the_version(path: Path) -> None:
    file = sqlite3.connect(path)
    file.execute("DELETE FROM meta")
    file.commit()
    file.close()


@pytest.mark.parametrize(
    "damage", [overwrite, cut_short, spoil_a_late_page, put_another_programs_database, forget_the_version]
)
def test_a_damaged_file_is_refused_and_left_as_it_is(damage, state: State, opened_home: Home, monkeypatch) -> None:
    state.close()
    damage(opened_home.state)
    before = opened_home.state.read_bytes()
    monkeypatch.setattr(migrations, "STEPS", later(add_table))
    with pytest.raises(StateDamaged) as caught:
        State(opened_home)
    assert str(opened_home.backups) in caught.value.hint
    assert opened_home.state.read_bytes() == before


def test_a_lost_file_whose_log_of_changes_is_left_is_not_made_anew(
    state: State, opened_home: Home, tmp_path: Path
) -> None:
    with state.write() as connection:
        connection.execute(tables.meta.insert().values(name="precious", value="yes"))
    log = Path(f"{opened_home.state}-wal")
    shutil.copy(log, tmp_path / "log")
    state.close()
    opened_home.state.unlink()
    shutil.copy(tmp_path / "log", log)
    with pytest.raises(StateDamaged, match="missing or empty"):
        State(opened_home)
    assert log.read_bytes() == (tmp_path / "log").read_bytes()
    assert not opened_home.state.exists()


def columns_of(state: State) -> dict[str, object]:
    found = inspect(state.engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((f["constrained_columns"], f["referred_table"]) for f in found.get_foreign_keys(table)),
            sorted(i["column_names"] for i in found.get_indexes(table)),
        )
        for table in found.get_table_names()
    }


@pytest.mark.parametrize("old", sorted(OLD_SCHEMAS.glob("*.sql")), ids=lambda path: path.stem)
def test_every_schema_ever_released_is_led_to_todays(old: Path, state: State, tmp_path: Path) -> None:
    """Fails when tables.py changed without a step in migrations.py: add the step, and the schema it leads to here."""
    from llm_core.store.home import open_home

    home = open_home(tmp_path / "old")
    file = sqlite3.connect(home.state)
    file.executescript(old.read_text())
    file.close()
    migrated = State(home)
    assert columns_of(migrated) == columns_of(state)
    migrated.close()


def test_todays_schema_is_among_the_kept_ones() -> None:
    assert (OLD_SCHEMAS / f"schema{migrations.schema_version()}.sql").exists()
