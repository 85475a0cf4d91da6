"""Typed SQL: what it answers, and that hostile statements are refused and harm nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from llm_core import Usage
from llm_core.errors import QueryError, QueryFailed, QueryRefused, QueryTooLong
from llm_core.store.home import open_home
from llm_core.usage import UsageService, sql_worker
from llm_core.usage.manifest import commit, load_newest
from llm_core.usage.schema import COLUMNS
from llm_core.usage.sql_console import SqlConsole
from llm_core.usage.sql_guard import check
from llm_core.usage.sql_worker import Limits
from tests.waiting import PATIENCE_S, until

from .rows import NOON, record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sql")


@pytest.fixture(scope="module")
def usage(folder: Path) -> Iterator[UsageService]:
    """Nine records of three users, six of them drained, three in the tail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_MANAGER_CACHE", str(folder / "cache"))
        service = UsageService(open_home(folder / "a b'c é"))
        for number in range(9):
            service.record(
                record(
                    id=f"id-{number}",
                    user=("ann", "bo", "o'hara")[number % 3],
                    started_at=NOON + timedelta(minutes=number),
                    usage=Usage(input_tokens=100, output_tokens=number) if number else None,
                    cost_usd=Decimal("0.0000000001") if number else None,
                    tags={"team": "search"},
                    raw_usage={"prompt_tokens": number},
                )
            )
            if number == 5:
                service.flush()
        yield service
        service.close()


@pytest.fixture(scope="module")
def strict(usage: UsageService) -> Iterator[SqlConsole]:
    """A console on the same home that loses patience soon."""
    console = SqlConsole(usage._home, Limits(seconds=1.0, rows=1000, result_mb=4, memory_mb=100, process_mb=400))
    yield console
    console.close()


def one(frame: pd.DataFrame) -> Any:
    assert frame.shape == (1, 1)
    return frame.iloc[0, 0]


def counted(console: SqlConsole) -> int | None:
    """How many records it counts; None where a busy machine did not let it do so in time."""
    try:
        return int(one(console.run("SELECT count(*) FROM usage")))
    except QueryTooLong:
        return None


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


HOSTILE = [
    "COPY usage TO '{out}'",
    "COPY (SELECT 1) TO '{out}' (FORMAT parquet)",
    "WITH a AS (COPY usage TO '{out}') SELECT * FROM a",
    "WITH a AS (COPY (SELECT 1) TO '{manifest}') SELECT * FROM usage",
    "WITH a AS (INSERT INTO usage (id) VALUES ('x') RETURNING id) SELECT * FROM a",
    "WITH a AS (DELETE FROM tail_1 RETURNING id) SELECT * FROM a",
    "SELECT * FROM (WITH a AS (COPY usage TO '{out}') SELECT * FROM a)",
    "SELECT (WITH a AS (COPY usage TO '{out}') SELECT count(*) FROM a)",
    "ATTACH '{out}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH s1",
    "USE s1",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{manifest}')",
    "SELECT * FROM read_json('{manifest}')",
    "SELECT * FROM read_ndjson_objects('{manifest}')",
    "SELECT * FROM read_parquet('{out}')",
    "SELECT * FROM read_duckdb('{out}')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('{out}')",
    "SELECT * FROM glob('/*')",
    "FROM '/etc/passwd'",
    "FROM '{manifest}'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM usage UNION ALL SELECT * FROM '/etc/passwd'",
    "SELECT (SELECT count(*) FROM read_text('/etc/passwd'))",
    "SELECT * FROM usage WHERE id IN (SELECT content FROM read_text('/etc/passwd'))",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{out}'",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{out}'",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW usage AS SELECT 1",
    "CREATE TEMP VIEW usage AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET (TYPE s3)",
    "CREATE FUNCTION f() AS TABLE SELECT 1",
    "DROP VIEW usage",
    "DROP TABLE tail_1",
    "ALTER VIEW usage RENAME TO other",
    "INSERT INTO usage (id) VALUES ('x')",
    "UPDATE usage SET cost_usd = 0",
    "DELETE FROM usage",
    "TRUNCATE usage",
    "MERGE INTO usage USING (SELECT 1 AS id) n ON usage.id = n.id WHEN MATCHED THEN DELETE",
    "COMMENT ON VIEW usage IS 'x'",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "CALL pragma_version()",
    "CALL enable_logging()",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN ANALYZE SELECT * FROM usage",
    "SELECT getenv('HOME')",
    "SELECT current_setting('secret_directory')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT \"CURRENT_SETTING\"('home_directory')",
    "SELECT getvariable('x')",
    "SELECT write_log('x')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_settings",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pragma_database_size()",
    "SELECT * FROM pragma_storage_info('usage')",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM query('COPY usage TO ''{out}''')",
    "SELECT * FROM query_table('tail_1')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM s1.usage",
    "SELECT * FROM memory.main.tail_1",
    "SELECT * FROM tail_1",
    "WITH x AS (SELECT * FROM duckdb_databases), duckdb_databases AS (SELECT 1) SELECT * FROM x",
    "WITH duckdb_databases AS (SELECT * FROM duckdb_databases) SELECT * FROM duckdb_databases",
    "SELECT * FROM (WITH tail_1 AS (SELECT 1) SELECT * FROM tail_1), tail_1",
    "SHOW TABLES",
    "SHOW DATABASES",
    "SELECT * FROM (SHOW ALL TABLES)",
    "DESCRIBE duckdb_settings",
    "SUMMARIZE tail_1",
    "PIVOT usage ON model USING count(*)",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW usage",
    "SELECT 1; COPY usage TO '{out}'",
    "/* SELECT */ COPY usage TO '{out}'",
    "-- SELECT 1\nCOPY usage TO '{out}'",
    "SELECT 1 /* */ ; /* */ COPY usage TO '{out}' --",
    "SELECT $$a$$; COPY usage TO '{out}'",
    "",
    " ; ",
    "--",
    "SELECT " + "abs(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "1 + " * 20_000 + "1",
    "SELECT '" + "x" * 200_000 + "'",
    "SELECT * FROM " + "(SELECT * FROM " * 2000 + "usage" + ")" * 2000,
]

BOMBS = [
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r(n) AS (SELECT 'x' UNION ALL SELECT n || n FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r, range(10)) SELECT count(*) FROM r",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 3",
    "SELECT * FROM usage a, usage b, usage c, usage d, usage e, usage f, usage g ORDER BY random()",
    "SELECT len(range(2000000000))",
    "SELECT len(repeat('x', 4000000000))",
    "SELECT len(lpad('x', 2000000000, 'y'))",
    "SELECT len(list_resize([1], 1000000000))",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)",
    "SELECT DISTINCT hash(range) FROM range(1000000000)",
    "SELECT sum(len(range(range))) FROM range(1000000)",
    "SELECT * FROM range(1000000)",
    "SELECT repeat('x', 100000) FROM range(900)",
]


@pytest.mark.parametrize("statement", HOSTILE, ids=lambda statement: statement[:60])
def test_a_hostile_statement_is_refused_writes_nothing_and_harms_nothing(
    usage: UsageService, folder: Path, statement: str
) -> None:
    before = content(folder)
    places = {"out": folder / "out.file", "manifest": next(usage._home.manifests.iterdir())}
    query = statement.format(**{name: str(path).replace("'", "''") for name, path in places.items()})
    with pytest.raises((QueryRefused, QueryFailed)) as refused:
        usage.sql(query)
    assert refused.value.message
    assert content(folder) == before
    assert one(usage.sql("SELECT count(*) FROM usage")) == 9


@pytest.mark.parametrize("statement", BOMBS, ids=lambda statement: statement[:60])
def test_a_statement_that_takes_too_much_is_ended_and_the_next_one_is_answered(
    usage: UsageService, strict: SqlConsole, folder: Path, statement: str
) -> None:
    before = content(folder)
    with pytest.raises(QueryTooLong) as ended:
        strict.run(statement)
    assert ended.value.hint
    assert content(folder) == before
    until(lambda: counted(strict) == 9)
    assert usage.summary()["records"][0] == 9


@pytest.mark.parametrize(
    "part", ["COPY usage TO 'x'", "INSERT INTO usage VALUES (1)", "DELETE FROM usage", "UPDATE usage SET id = 1"]
)
def test_a_part_that_writes_is_refused_before_it_runs(part: str) -> None:
    """The first fence alone. DuckDB 1.5 does not even parse it."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE usage (id INTEGER)")
        for query in (
            f"WITH a AS ({part}) SELECT * FROM usage",
            f"SELECT (WITH a AS ({part}) SELECT max(id) FROM usage)",
        ):
            with pytest.raises(QueryError, match=r"would write|CTE needs a SELECT"):
                check(connection, query)


def test_writing_a_file_fails_even_without_the_check_and_the_lock(usage: UsageService, folder: Path) -> None:
    """The third fence alone: the system's own limit on the worker's process."""
    if os.name == "nt":
        return
    script = """
import sys
from pathlib import Path
from llm_core.usage.sql_worker import _forbid_writing
_forbid_writing()
Path(sys.argv[1]).write_text("x")
"""
    target = folder / "forbidden"
    ended = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "File too large" in ended.stderr
    assert target.read_bytes() == b""
    target.unlink()


def test_the_locked_connection_refuses_files_without_the_check(
    usage: UsageService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second fence alone: DuckDB's own locks, on the very connection that statements get."""
    monkeypatch.setattr(sql_worker, "_forbid_writing", lambda: None)
    worker = sql_worker.Worker(usage._home, Limits())
    connection, _ = worker._current()
    before = content(folder)
    for statement in (
        f"COPY (SELECT 1) TO '{folder / 'out'}'",
        "SELECT * FROM read_text('/etc/passwd')",
        f"ATTACH '{folder / 'out'}' AS other",
        "SET enable_external_access = true",
        "SET memory_limit = '10GB'",
        "INSTALL httpfs",
        "INSERT INTO usage (id) VALUES ('x')",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
    assert content(folder) == before
    connection.close()
    worker._reader.close()


def test_a_worker_gets_none_of_the_keys_in_the_environment(
    usage: UsageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    console = SqlConsole(usage._home)
    assert one(console.run("SELECT count(*) FROM usage")) == 9
    (worker,) = console._free
    if sys.platform == "linux":
        environment = Path(f"/proc/{worker._process.pid}/environ").read_bytes()
        assert b"canary" not in environment
    console.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT count(*) FROM usage", 9),
        ("select count(*) from USAGE", 9),
        ("SELECT count(*) FROM usage;", 9),
        ("-- how many?\nSELECT count(*) /* all */ FROM usage -- done", 9),
        ("FROM usage SELECT count(*)", 9),
        ("SELECT count(*) FROM main.usage", 9),
        ("SELECT sum(input_tokens) FROM usage", 800),
        ("SELECT sum(cost_usd) FROM usage", Decimal("0.0000000008")),
        ("SELECT max(cost_usd) FROM usage", Decimal("0.0000000001")),
        ("SELECT sum(cost_usd) FROM usage WHERE id = 'id-0'", None),
        ("SELECT count(*) FROM usage WHERE user = 'ann'", 3),
        ("SELECT max(user) FROM usage", "o'hara"),
        ("SELECT u.user FROM usage u WHERE u.id = 'id-1'", "bo"),
        ("SELECT count(DISTINCT user) FROM usage", 3),
        ("SELECT string_agg(user ORDER BY user) FROM (SELECT user FROM usage GROUP BY user)", "ann,bo,o'hara"),
        ("SELECT tags['team'] FROM usage LIMIT 1", "search"),
        ("SELECT max((raw_usage->>'prompt_tokens')::INT) FROM usage", 8),
        ("SELECT max(started_at) FROM usage", pd.Timestamp("2026-03-10 12:08")),
        (
            "SELECT strftime(max(started_at) AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata', '%H:%M') FROM usage",
            "17:38",
        ),
        ("WITH a AS (SELECT * FROM usage), b AS (SELECT * FROM a) SELECT count(*) FROM b", 9),
        ("WITH usage AS (SELECT * FROM usage LIMIT 2) SELECT count(*) FROM usage", 2),
        ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r", 15),
        ("SELECT sum(r) FROM range(5) t(r)", 10),
        ("SELECT count(*) FROM usage a JOIN usage b USING (id)", 9),
        ("SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 2)", 1),
        ("SELECT list_sum([x * 2 FOR x IN [1, 2]])", 6),
        ("SELECT rank FROM (SELECT id, rank() OVER (ORDER BY started_at) AS rank FROM usage) WHERE id = 'id-3'", 4),
        ("SELECT 'COPY x; DROP TABLE y'", "COPY x; DROP TABLE y"),
        ("SELECT a FROM (PIVOT usage ON user IN ('ann' AS a) USING count(*) GROUP BY provider)", 3),
        ("SELECT count(*) FROM (DESCRIBE usage)", len(COLUMNS)),
        ("SELECT count(*) FROM (SUMMARIZE usage)", len(COLUMNS)),
        ("SELECT 1 WHERE EXISTS (FROM usage)", 1),
        ("SELECT count(*) FROM usage WHERE started_at > now()::TIMESTAMP - INTERVAL 1000 DAY", 9),
    ],
)
def test_what_people_ask(usage: UsageService, statement: str, expected: Any) -> None:
    found = one(usage.sql(statement))
    assert (None if pd.isna(found) else found) == expected
    assert type(found) is not float


def test_all_columns_come_in_order_with_money_exact(usage: UsageService) -> None:
    frame = usage.sql("SELECT * FROM usage ORDER BY id")
    assert frame.columns.tolist() == list(COLUMNS)
    assert frame["cost_usd"].tolist() == [None] + [Decimal("0.0000000001")] * 8
    assert frame["input_tokens"].isna().tolist() == [True] + [False] * 8
    assert str(frame["input_tokens"].dtype) == "Int64"
    assert frame["tags"][0] == {"team": "search"}
    assert usage.sql("DESCRIBE usage")["column_name"].tolist() == list(COLUMNS)


@pytest.mark.parametrize(
    ("query", "params", "expected"),
    [
        ("SELECT count(*) FROM usage WHERE user = $who", {"who": "o'hara"}, 3),
        ("SELECT count(*) FROM usage WHERE user = ? AND id = ?", ["ann", "id-3"], 1),
        ("SELECT count(*) FROM usage WHERE user = $who", {"who": "' OR 1=1 --"}, 0),
        ("SELECT count(*) FROM usage WHERE started_at >= $at", {"at": datetime(2026, 3, 10, 12, 5)}, 4),
        ("SELECT count(*) FROM usage WHERE started_at >= $at", {"at": datetime(2026, 3, 10, 12, 5, tzinfo=UTC)}, 4),
        ("SELECT count(*) FROM usage WHERE started_at::DATE = $day", {"day": date(2026, 3, 10)}, 9),
        ("SELECT $cost + 0", {"cost": Decimal("0.1")}, Decimal("0.1")),
        ("SELECT count(*) FROM usage WHERE user IN (SELECT unnest($users))", {"users": ["ann", "bo"]}, 6),
        ("SELECT count(*) FROM usage WHERE $nothing IS NULL", {"nothing": None}, 9),
    ],
)
def test_parameters_are_bound(usage: UsageService, query: str, params: Any, expected: Any) -> None:
    assert one(usage.sql(query, params)) == expected


@pytest.mark.parametrize(
    ("query", "params", "says"),
    [
        ("SELEC 1", None, "syntax error"),
        ("SELECT nope FROM usage", None, "nope"),
        ("SELECT nope(1)", None, "nope"),
        ("SELECT 1/0 + 'a'", None, "a"),
        ("SELECT 'x'::INT", None, "Could not convert"),
        ("SELECT $a", None, "a"),
        ("SELECT $a", {"b": 1}, "parameters: a"),
        ("SELECT ?", [], "parameter"),
        ("SELECT $a", {"a": object()}, "object"),
        ("SELECT $a", {"a": lambda: 1}, "parameter"),
        ("SELECT sum(user) FROM usage", None, "sum"),
    ],
)
def test_a_mistake_is_explained_without_a_traceback(usage: UsageService, query: str, params: Any, says: str) -> None:
    with pytest.raises(QueryFailed, match=says) as failed:
        usage.sql(query, params)
    assert "Traceback" not in str(failed.value)
    assert one(usage.sql("SELECT count(*) FROM usage")) == 9


def test_a_refusal_says_what_may_be_written(usage: UsageService) -> None:
    with pytest.raises(QueryRefused, match="SELECT model, sum"):
        usage.sql("DROP VIEW usage")
    with pytest.raises(QueryError, match="DESCRIBE usage"):
        usage.sql("SHOW TABLES")


def test_a_record_is_in_the_next_statement_s_answer(home: Path) -> None:
    service = UsageService(open_home(home))
    for recorded in range(1, 4):
        service.record(record())
        assert one(service.sql("SELECT count(*) FROM usage")) == recorded
        if recorded == 2:
            service.flush()
            assert one(service.sql("SELECT count(*) FROM usage")) == recorded
    service.close()


def test_hidden_records_stay_hidden(home: Path) -> None:
    service = UsageService(open_home(home))
    for user in ("ann", "bo"):
        service.record(record(user=user))
    service.flush()
    service.record(record(user="ann"))
    assert commit(service._home, load_newest(service._home).next(hidden=[{"user": "ann"}]))
    assert service.sql("SELECT user FROM usage")["user"].tolist() == ["bo"]
    service.close()


def test_a_damaged_segment_is_left_out_of_the_answer(home: Path) -> None:
    service = UsageService(open_home(home))
    for number in range(2000):
        service.record(record(request_id=f"request {number}", model="lost"))
    service.flush()
    service.record(record(model="kept"))
    (segment,) = service._home.segments.iterdir()
    content = bytearray(segment.read_bytes())
    for place in range(20_000, len(content) - 20_000, 3000):
        content[place] ^= 255
    segment.write_bytes(content)
    assert service.sql("SELECT model, max(request_id), max(id) FROM usage GROUP BY 1")["model"].tolist() == ["kept"]
    service.close()


def test_two_processes_and_an_open_reader_ask_at_once(usage: UsageService, folder: Path) -> None:
    script = """
import sys
from llm_core import Workspace
with Workspace.open(sys.argv[1]) as ws:
    for _ in range(5):
        assert ws.usage.sql("SELECT count(*) AS n FROM usage")["n"][0] == 9
    print("done")
"""
    other = subprocess.Popen([sys.executable, "-c", script, str(usage._home.path)], stdout=subprocess.PIPE, text=True)
    with usage.snapshot():
        for _ in range(5):
            assert one(usage.sql("SELECT count(*) FROM usage")) == 9
            assert usage.summary()["records"][0] == 9
        output, _ = other.communicate(timeout=PATIENCE_S)
    assert output == "done\n"


def test_several_threads_ask_at_once(usage: UsageService) -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.append(int(one(usage.sql("SELECT count(*) + $number FROM usage", {"number": number}))))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(9, 17))


def test_a_worker_that_was_killed_is_replaced(usage: UsageService) -> None:
    console = SqlConsole(usage._home)
    assert one(console.run("SELECT count(*) FROM usage")) == 9
    (worker,) = console._free
    worker._process.kill()
    worker._process.wait()
    assert one(console.run("SELECT count(*) FROM usage")) == 9
    console.close()


def test_the_worker_ends_with_the_program_that_started_it(usage: UsageService) -> None:
    script = """
import os, sys
from llm_core import Workspace
ws = Workspace.open(sys.argv[1])
ws.usage.sql("SELECT 1")
(worker,) = ws.usage._console_made._free
print(worker._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    program = subprocess.run(
        [sys.executable, "-c", script, str(usage._home.path)], stdout=subprocess.PIPE, text=True, check=False
    )
    pid = int(program.stdout)
    until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    """Whether the process is there and not only waiting to be collected by its parent."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
