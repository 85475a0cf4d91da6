"""Which typed statements are run at all: one SELECT that reads nothing but the view `usage` and its own CTEs.

DuckDB's own parser decides what a statement is; nothing here looks at its text. This check is for clear answers and is
the first of three fences: the connection that runs the statement has no access to files and settings, and its process
has a limit on memory, time and file size.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import QueryFailed, QueryRefused
from .repricing import MACROS

if TYPE_CHECKING:
    import duckdb

MAX_LENGTH = 100_000
"""Characters of a statement."""

TABLE_FUNCTIONS = frozenset(("generate_series", "range", "unnest", "json_each", "json_tree", *MACROS))

_READ_SETTINGS = frozenset(
    ("current_setting", "getenv", "getvariable", "write_log", "nextval", "currval", "add_parquet_key", "query")
)
_QUERY_NODES = frozenset(("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"))
_HINT = "Write one SELECT over usage, as: SELECT model, sum(cost_usd) FROM usage GROUP BY model"


def check(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The one statement of `query`. Raises QueryRefused unless it is a SELECT over usage, QueryFailed for a typo."""
    import duckdb

    if len(query) > MAX_LENGTH:
        raise QueryRefused(f"The statement is longer than {MAX_LENGTH:,} characters.", _HINT)
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise QueryFailed(first_line(error), "Check the statement near the place named.") from None
    if len(statements) != 1:
        raise QueryRefused("One statement is run at a time." if statements else "There is no statement.", _HINT)
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryRefused(f"{statements[0].type.name} is not allowed: typed SQL only reads.", _HINT)
    text = statements[0].query
    document: Any = json.loads(connection.execute("SELECT json_serialize_sql($text)", {"text": text}).fetchall()[0][0])
    if document["error"] or len(document["statements"]) != 1:
        raise QueryRefused("This kind of statement is not allowed: typed SQL only reads.", _HINT)
    _visit(document["statements"][0]["node"], frozenset(("usage",)))
    return text


def _visit(node: Any, tables: frozenset[str]) -> None:
    """Walk the parsed statement. `tables` are the names that FROM may use here: usage and the CTEs in scope."""
    if isinstance(node, list):
        for item in node:
            _visit(item, tables)
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if "cte_map" in node:
        if kind not in _QUERY_NODES:
            raise QueryRefused("A part of this statement would write: typed SQL only reads.", _HINT)
        for entry in node["cte_map"]["map"]:
            _visit(entry["value"], tables)
            tables |= {entry["key"].casefold()}
    if kind == "RECURSIVE_CTE_NODE":
        tables |= {node["cte_name"].casefold()}
    elif kind == "BASE_TABLE":
        _check_table(node, tables)
    elif kind == "TABLE_FUNCTION":
        _check_table_function(node["function"])
    elif kind == "SHOW_REF" and node.get("query") is None:
        raise QueryRefused("There is only one table here, usage.", "DESCRIBE usage lists its columns.")
    elif node.get("class") == "FUNCTION" and node["function_name"].casefold() in _READ_SETTINGS:
        raise QueryRefused(f"The function {node['function_name']} is not allowed here.", _HINT)
    for key, value in node.items():
        if key != "cte_map":
            _visit(value, tables)


def _check_table(node: dict[str, Any], tables: frozenset[str]) -> None:
    name = node["table_name"]
    schema, catalog = node["schema_name"].casefold(), node["catalog_name"].casefold()
    is_main = not catalog and schema == "main" and name.casefold() == "usage"
    if not is_main and (schema or catalog or name.casefold() not in tables):
        shown = ".".join(part for part in (node["catalog_name"], node["schema_name"], name) if part)
        raise QueryRefused(f"There is no table {shown!r} here: typed SQL reads usage.", _HINT)


def _check_table_function(function: dict[str, Any]) -> None:
    name = function["function_name"]
    if function["schema"] or function["catalog"] or name.casefold() not in TABLE_FUNCTIONS:
        raise QueryRefused(f"The function {name} is not allowed in FROM.", _HINT)


def first_line(error: Exception) -> str:
    """DuckDB's message without the lines that point into the statement."""
    return str(error).split("\n\n", 1)[0]
