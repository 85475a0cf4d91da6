"""Files of records: read back they are the records, to the last digit, and no cell is a formula."""

from __future__ import annotations

import csv
import json
import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_core import Usage, UsageRecord
from llm_core.errors import ExportStopped, InvalidInput, StoreError, UnknownColumn
from llm_core.store.home import open_home
from llm_core.types import USAGE_FIELDS
from llm_core.usage import UsageService
from llm_core.usage import export as export_module
from llm_core.usage.csv_cells import unquoted_sql
from llm_core.usage.schema import COLUMNS

from .rows import NOON, keep, record

FORMATS = ("csv", "parquet", "jsonl")
_NUMBERS = frozenset(
    name for name, kind in COLUMNS.items() if kind in ("INTEGER", "BIGINT", "DOUBLE", "DECIMAL(18,10)")
)


@pytest.fixture
def fresh(home: Path) -> Iterator[UsageService]:
    service = UsageService(open_home(home))
    yield service
    service.close()


def odd(count: int) -> list[UsageRecord]:
    """Records with every field, texts that break naive files, and money with ten decimals."""
    chance = random.Random(3)
    texts = [
        "",
        "a,b",
        'say "hi"',
        "line\nend\r\n",
        "tab\t",
        "é 漢字 🙂",
        "a\x00b",
        "NULL",
        "null",
        "'",
        "''x",
        "=1+1",
        "1e5",
        " ",
    ]
    made = []
    for number in range(count):
        text = chance.choice(texts)
        made.append(
            record(
                id=f"id {number:03d}",
                started_at=NOON + timedelta(minutes=number, microseconds=number % 3),
                user=text,
                app=None if number % 4 else chance.choice(texts),
                tags={text: chance.choice(texts), "team": "=x"} if number % 3 else {},
                usage=Usage(input_tokens=2**62 - number, output_tokens=number, audio_seconds=number / 3)
                if number % 5
                else None,
                cost_usd=None if number % 7 == 0 else Decimal(chance.randrange(10**17)).scaleb(-10),
                latency_ms=chance.uniform(0, 1e6),
                price_from=date(2026, 1, 1),
                preset_version=number,
                raw_usage={"n": number, "text": text},
            )
        )
    return made


def read_back(path: Path, format: str) -> list[dict[str, Any]]:  # noqa: A002
    """The rows of a file as they were in the ledger, by the rules that `export` states."""
    source = str(path).replace("'", "''")
    if format == "parquet":
        select = f"SELECT * FROM read_parquet('{source}')"
    elif format == "jsonl":
        kinds = {name: "VARCHAR" if kind.startswith("DECIMAL") else kind for name, kind in COLUMNS.items()}
        select = (
            "SELECT * REPLACE (cost_usd::DECIMAL(18,10) AS cost_usd, raw_usage::VARCHAR AS raw_usage) "
            f"FROM read_json('{source}', format='newline_delimited', columns={kinds})"
        )
    else:
        texts = [name for name, kind in COLUMNS.items() if kind in ("VARCHAR", "JSON") or name == "tags"]
        kinds = {name: "VARCHAR" if name in texts else kind for name, kind in COLUMNS.items()}
        plain = [f'{unquoted_sql(chr(34) + name + chr(34))} AS "{name}"' for name in texts if name != "tags"]
        plain.append(f"{unquoted_sql('tags')}::JSON::MAP(VARCHAR, VARCHAR) AS tags")
        select = (
            f"SELECT * REPLACE ({', '.join(plain)}) FROM read_csv('{source}', columns={kinds}, header=true, delim=',', "
            "quote='\"', escape='\"', allow_quoted_nulls=false, nullstr='', strict_mode=true, auto_detect=false)"
        )
    with duckdb.connect() as connection:
        cursor = connection.execute(select)
        names = [name for name, *_ in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_kept(row: UsageRecord) -> dict[str, Any]:
    used = {name: getattr(row.usage, name) if row.usage else None for name in USAGE_FIELDS}
    kept = {name: getattr(row, name) for name in COLUMNS if name not in USAGE_FIELDS} | used
    kept["started_at"] = row.started_at.astimezone(UTC).replace(tzinfo=None)
    kept["raw_usage"] = json.loads(json.dumps(row.raw_usage))
    return kept


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    if isinstance(row["raw_usage"], str):
        row["raw_usage"] = json.loads(row["raw_usage"])
    return row | {"tags": row["tags"] or None}


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_read_back_is_what_was_recorded(
    fresh: UsageService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format: str,  # noqa: A002
) -> None:
    monkeypatch.setattr(export_module, "SLICE_ROWS", 100)
    rows = odd(300)
    keep(fresh, rows[:200], drained=True)
    keep(fresh, rows[200:])
    path = tmp_path / f"it's all.{format}"
    told: list[tuple[int, int]] = []
    assert getattr(fresh, f"export_{format}")(path, progress=lambda *at: told.append(at)) == 300
    found = read_back(path, format)
    assert [comparable(row) for row in found] == [comparable(as_kept(row)) for row in rows]
    assert told[-1] == (300, 300)
    assert len(told) > 2
    assert list(tmp_path.glob(".*.tmp")) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_filtered_view_is_exported_with_chosen_columns(
    asked: UsageService,
    tmp_path: Path,
    format: str,  # noqa: A002
) -> None:
    path = tmp_path / "some"
    filters: dict[str, Any] = {
        "user": "ann",
        "priced": True,
        "cost_usd": {"above": 0.01},
        "start": NOON - timedelta(days=400),
    }
    expected = asked.history(1000, descending=False, **filters)
    count = getattr(asked, f"export_{format}")(path, columns=["started_at", "cost_usd", "model"], **filters)
    assert count == len(expected) > 10
    source = str(path)
    reader = {"csv": "read_csv", "parquet": "read_parquet", "jsonl": "read_json"}[format]
    options = ", format='newline_delimited'" if format == "jsonl" else ""
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT started_at::TIMESTAMP, cost_usd::DECIMAL(18,10) FROM {reader}('{source}'{options})"
        ).fetchall()
    assert [cost for _, cost in found] == expected["cost_usd"].tolist()
    assert [at for at, _ in found] == [at.tz_localize(None).to_pydatetime() for at in expected["started_at"]]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_to_export_is_a_file_without_rows(asked: UsageService, tmp_path: Path, format: str) -> None:  # noqa: A002
    path = tmp_path / "nothing"
    assert getattr(asked, f"export_{format}")(path, model="nobody's") == 0
    assert path.exists()
    if format == "csv":
        assert len(path.read_text().splitlines()) == 1
    assert read_back(path, format) == []


def hostile(count: int) -> list[str]:
    """Cells that a spreadsheet would run, or might after dropping what it does not show."""
    chance = random.Random(9)
    signs = [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "＝",
        "＋",
        "－",
        "＠",
        "﹢",
        "﹣",
        "﹦",
        "﹫",
        "−",
        "'=",
        "\x00=",
        "\x0b=",
    ]
    blanks = ["", "", "", " ", "  ", "\u00a0", "\u200b", "\ufeff", "\u3000", "\u2003", "\x1f", "\u00ad", "\u202e"]
    ends = [
        'HYPERLINK("http://x.example";"y")',
        "cmd|' /C calc'!A0",
        "1+1",
        "SUM(A1:A9)",
        "2",
        '"',
        "",
        "x,=1",
        "x\n=1",
    ]
    made: dict[str, None] = {}
    while len(made) < count:
        made[chance.choice(blanks) + chance.choice(signs) + chance.choice(blanks) + chance.choice(ends)] = None
    return list(made)


def is_live(cell: str) -> bool:
    """Whether a program that drops invisible characters, or folds wide ones, could take the cell for a formula.

    The rule is stated here anew: the first thing in it, after whatever is blank, invisible or a control character, is
    one of the signs in some width; or it begins with a tab or a line end.
    """
    if cell[:1] in ("\t", "\r", "\n"):
        return True
    first = next((character for character in cell if not _is_blank(character)), "")
    return unicodedata.normalize("NFKC", first).replace("\N{MINUS SIGN}", "-") in ("=", "+", "-", "@")


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def test_of_five_hundred_hostile_cells_none_is_a_formula_and_all_come_back(fresh: UsageService, tmp_path: Path) -> None:
    texts = hostile(500)
    assert sum(is_live(text) for text in texts) > 400
    keep(
        fresh,
        [
            record(id=f"{number:03d}", user=text, tags={text: text}, project=text, error_kind=text, started_at=NOON)
            for number, text in enumerate(texts)
        ],
    )
    path = tmp_path / "hostile.csv"
    fresh.export_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(texts)
    live = [cell for row in rows for column, cell in row.items() if column not in _NUMBERS and is_live(cell)]
    assert live == []
    back = {row["id"]: row for row in read_back(path, "csv")}
    for number, text in enumerate(texts):
        row = back[f"{number:03d}"]
        assert (row["user"], row["project"], row["error_kind"], row["tags"]) == (text, text, text, {text: text})


def test_numbers_stay_numbers(fresh: UsageService, tmp_path: Path) -> None:
    keep(fresh, [record(cost_usd=Decimal("1e-10"), model="-5", latency_ms=0.25)])
    path = tmp_path / "numbers.csv"
    fresh.export_csv(path, columns=["cost_usd", "model", "latency_ms"])
    assert path.read_text() == 'cost_usd,"model",latency_ms\n0.0000000001,"\'-5",0.25\n'


def test_a_file_that_is_there_is_kept_unless_told_otherwise(asked: UsageService, tmp_path: Path) -> None:
    path = tmp_path / "there.csv"
    path.write_text("mine")
    with pytest.raises(InvalidInput, match="exists"):
        asked.export_csv(path)
    assert path.read_text() == "mine"
    assert asked.export_csv(path, overwrite=True, columns=["id"]) == 400
    assert len(path.read_text().splitlines()) == 401
    late = tmp_path / "late.csv"
    with pytest.raises(InvalidInput, match="exists"):
        asked.export_csv(late, progress=lambda *_: late.write_text("another's") and None)
    assert late.read_text() == "another's"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["late.csv", "there.csv"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_stopped_export_leaves_nothing(
    asked: UsageService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format: str,  # noqa: A002
) -> None:
    monkeypatch.setattr(export_module, "SLICE_ROWS", 50)
    path, told = tmp_path / "stopped", []
    path.write_text("before")
    with pytest.raises(ExportStopped):
        getattr(asked, f"export_{format}")(
            path, overwrite=True, progress=lambda *at: told.append(at), stop=lambda: len(told) >= 2
        )
    assert len(told) == 2
    assert path.read_text() == "before"

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        getattr(asked, f"export_{format}")(path, overwrite=True, progress=broken)
    assert [entry.name for entry in tmp_path.iterdir()] == ["stopped"]


def test_what_cannot_be_written_is_told(asked: UsageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "no folder" / "x.csv"):
        with pytest.raises(InvalidInput):
            asked.export_csv(path)
    with pytest.raises(UnknownColumn):
        asked.export_csv(tmp_path / "x", columns=["id", "nope"])
    with pytest.raises(InvalidInput):
        asked.export_csv(tmp_path / "x", columns=[])

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module.shutil, "copyfileobj", full)
    with pytest.raises(StoreError, match="No space left"):
        asked.export_csv(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
