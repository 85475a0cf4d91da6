"""Brings a state file to the schema of this program: makes it when new, moves it forward when old, refuses a newer one.

A new file is made whole from `tables.py`. An old one takes every later step, each in a transaction of its own that also
writes the new version, so that a program killed in between is taken up where it stood. A copy is made first.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, select, update

from ..errors import StateTooNew
from . import tables
from .faults import busy, damaged
from .home import Home

Step = Callable[[Connection], None]


def _note_kept_keys(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE connections ADD COLUMN key_kept BOOLEAN NOT NULL DEFAULT 0")


def _keep_own_models_and_prices(connection: Connection) -> None:
    for statement in (
        "CREATE TABLE preset_defaults (scope VARCHAR NOT NULL, preset VARCHAR NOT NULL, PRIMARY KEY (scope))",
        "CREATE TABLE own_models (connection VARCHAR NOT NULL, name VARCHAR NOT NULL, data JSON NOT NULL, "
        "changed_at DATETIME NOT NULL, PRIMARY KEY (connection, name), "
        "FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE)",
        "CREATE TABLE own_prices (id VARCHAR NOT NULL, model VARCHAR NOT NULL, mode VARCHAR NOT NULL, "
        "effective_from DATE, effective_to DATE, rates JSON NOT NULL, note VARCHAR NOT NULL, "
        "changed_at DATETIME NOT NULL, PRIMARY KEY (id))",
        "CREATE INDEX ix_own_prices_model ON own_prices (model)",
        "CREATE TABLE price_lists (digest VARCHAR NOT NULL, source VARCHAR NOT NULL, made_on DATE NOT NULL, "
        "found_at DATETIME NOT NULL, accepted_at DATETIME, data BLOB NOT NULL, PRIMARY KEY (digest))",
        "CREATE TABLE listing_checks (connection VARCHAR NOT NULL, checked_at DATETIME NOT NULL, "
        "error VARCHAR NOT NULL, PRIMARY KEY (connection), "
        "FOREIGN KEY(connection) REFERENCES connections (name) ON DELETE CASCADE)",
    ):
        connection.exec_driver_sql(statement)


def _keep_budgets(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE budgets (id VARCHAR NOT NULL, name VARCHAR NOT NULL, scope JSON NOT NULL, unit VARCHAR NOT NULL, "
        "amount VARCHAR NOT NULL, period VARCHAR NOT NULL, tz VARCHAR NOT NULL, hard BOOLEAN NOT NULL, "
        "thresholds JSON NOT NULL, unpriced VARCHAR NOT NULL, created_at DATETIME NOT NULL, "
        "changed_at DATETIME NOT NULL, PRIMARY KEY (id), UNIQUE (name))"
    )


def _keep_alerts_and_advice(connection: Connection) -> None:
    for statement in (
        "CREATE TABLE alert_rules (kind VARCHAR NOT NULL, enabled BOOLEAN NOT NULL, options JSON NOT NULL, "
        "changed_at DATETIME NOT NULL, PRIMARY KEY (kind))",
        'CREATE TABLE alert_events (id VARCHAR NOT NULL, kind VARCHAR NOT NULL, "key" VARCHAR NOT NULL, '
        "level FLOAT NOT NULL, subject VARCHAR NOT NULL, severity VARCHAR NOT NULL, title VARCHAR NOT NULL, "
        "text VARCHAR NOT NULL, opened_at DATETIME NOT NULL, closed_at DATETIME, seen_at DATETIME, PRIMARY KEY (id))",
        "CREATE INDEX ix_alert_events_opened_at ON alert_events (opened_at)",
        "CREATE TABLE alert_channels (id VARCHAR NOT NULL, name VARCHAR NOT NULL, service VARCHAR NOT NULL, "
        "shown VARCHAR NOT NULL, enabled BOOLEAN NOT NULL, created_at DATETIME NOT NULL, sent_at DATETIME, "
        "failing_since DATETIME, error VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (name))",
        "CREATE TABLE alert_sends (event VARCHAR NOT NULL, channel VARCHAR NOT NULL, due_at DATETIME NOT NULL, "
        "tries INTEGER NOT NULL, PRIMARY KEY (event, channel), "
        "FOREIGN KEY(event) REFERENCES alert_events (id) ON DELETE CASCADE, "
        "FOREIGN KEY(channel) REFERENCES alert_channels (id) ON DELETE CASCADE)",
        'CREATE TABLE advice_marks ("key" VARCHAR NOT NULL, mark VARCHAR NOT NULL, marked_at DATETIME NOT NULL, '
        'PRIMARY KEY ("key"))',
    ):
        connection.exec_driver_sql(statement)


STEPS: tuple[Step, ...] = (
    _note_kept_keys,
    _keep_own_models_and_prices,
    _keep_budgets,
    _keep_alerts_and_advice,
)
"""The first step leads from version 1 to 2, and so on. Never change one that was released; append the next.

A step writes its changes in SQL as of its time (not from `tables.py`, which moves on), with foreign keys switched off
and checked at its end.
"""

LOCK_SECONDS = 60.0
BACKUPS_KEPT = 5


def schema_version() -> int:
    return 1 + len(STEPS)


def bring_up_to_date(engine: Engine, home: Home) -> None:
    """Raises StateTooNew and StateDamaged with the file unchanged, and StateBusy."""
    if _size(home.state) and _found_version(engine, home) == schema_version():
        return
    try:
        with FileLock(home.path / "state.lock", timeout=LOCK_SECONDS):
            _make_or_migrate(engine, home)
    except Timeout:
        raise busy(home) from None


def _make_or_migrate(engine: Engine, home: Home) -> None:
    if not _size(home.state):
        if _size(Path(f"{home.state}-wal")):
            raise damaged(home, "is missing or empty, though a log of its last changes is there")
        home.state.touch(mode=0o600)
    version = _found_version(engine, home)
    if version == schema_version():
        return
    if version is None:
        _make(engine)
    else:
        _require_whole(engine, home)
        _back_up(home, version)
        for step in range(version - 1, len(STEPS)):
            _take(STEPS[step], engine, home, to_version=step + 2)


def _found_version(engine: Engine, home: Home) -> int | None:
    """The file's schema version; None for an empty database. Raises StateTooNew, StateDamaged."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        if not names:
            return None
        text = None
        if "meta" in names:
            text = connection.scalar(select(tables.meta.c.value).where(tables.meta.c.name == "schema_version"))
    if text is None or not text.isdigit() or int(text) < 1:
        raise damaged(home, "is not a state of LLM Manager")
    if int(text) > schema_version():
        raise StateTooNew(
            f"The state file {home.state} was written by a newer LLM Manager (schema {text}; this one knows "
            f"{schema_version()}). Nothing was changed.",
            "Update this program (pip install -U llm-manager), or name another home with LLM_MANAGER_HOME.",
        )
    return int(text)


def _make(engine: Engine) -> None:
    with engine.connect() as connection:
        # WAL stays with the file from here on. It cannot be set inside a transaction.
        _driver(connection).execute("PRAGMA journal_mode=WAL")
        with connection.execution_options(write=True).begin():
            tables.metadata.create_all(connection)
            facts = {"schema_version": str(schema_version()), "made_at": datetime.now(UTC).isoformat()}
            connection.execute(tables.meta.insert(), [{"name": n, "value": v} for n, v in facts.items()])


def _take(step: Step, engine: Engine, home: Home, *, to_version: int) -> None:
    with engine.connect() as connection:
        # Rebuilding a table would otherwise fire its references. It cannot be switched inside a transaction.
        _driver(connection).execute("PRAGMA foreign_keys=OFF")
        connection.detach()
        with connection.execution_options(write=True).begin():
            step(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise damaged(home, f"holds references to rows that do not exist (found going to schema {to_version})")
            connection.execute(
                update(tables.meta).where(tables.meta.c.name == "schema_version").values(value=str(to_version))
            )


def _require_whole(engine: Engine, home: Home) -> None:
    with engine.connect() as connection:
        if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            raise damaged(home, "is damaged")


def _back_up(home: Home, version: int) -> None:
    """A copy of the whole state in `backups`, complete under its final name; the newest few are kept."""
    for unfinished in home.backups.glob("state-*.part"):
        unfinished.unlink(missing_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    final = home.backups / f"state-{stamp}-schema{version}.sqlite"
    part = final.with_suffix(".part")
    part.touch(mode=0o600)
    source, copy = sqlite3.connect(home.state), sqlite3.connect(part)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.rename(final)
    for old in sorted(home.backups.glob("state-*.sqlite"))[:-BACKUPS_KEPT]:
        try:
            old.unlink(missing_ok=True)
        except PermissionError:
            pass  # open in another program on Windows; the next backup tries again


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
