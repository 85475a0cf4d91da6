"""Query results as DataFrames, without turning money into floats.

DuckDB makes float64 of DECIMAL on its way to pandas. So our own queries give money out as text, which becomes `Decimal`
here (under 1 µs a value), and typed SQL comes as Arrow, where DECIMAL stays exact. Unknown money is None.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

MONEY = "cost_usd"
_TEXT = frozenset(("VARCHAR", "JSON"))
_WHOLE = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"))


def to_frame(cursor: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The cursor's result, whose column `cost_usd` is text.

    Money is objects of `Decimal`, texts and MAPs are objects too, all with None where there is none. Whole numbers are
    nullable Int64, so that one unknown does not make floats of them all.
    """
    kinds = {name: str(kind) for name, kind, *_ in cursor.description or ()}
    frame = cursor.df()
    for name, kind in kinds.items():
        if kind in _WHOLE:
            frame[name] = frame[name].astype("Int64")
        elif name == MONEY:
            frame[name] = _objects(frame[name], str, Decimal)
        elif kind in _TEXT:
            frame[name] = _objects(frame[name], str)
        elif kind.startswith("MAP"):
            frame[name] = _objects(frame[name], dict)
    return frame


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a DataFrame: DECIMAL as objects of `Decimal`, whole numbers as Int64, MAP as dicts."""
    import pandas as pd
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and (field.type.precision, field.type.scale) == (38, 0):
            try:  # how DuckDB gives the sum of whole numbers; those that fit become whole numbers again
                table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
            except pa.ArrowInvalid:
                continue
    kinds = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())
    whole: dict[Any, Any] = {kind: pd.Int64Dtype() for kind in kinds}
    frame: pd.DataFrame = table.to_pandas(types_mapper=whole.get, maps_as_pydicts="lossy")
    return frame


def _objects(column: pd.Series[Any], kind: type, convert: Callable[[Any], Any] | None = None) -> pd.Series[Any]:
    """Values of that kind as they are, or converted; None for the several marks of a missing value."""
    import pandas as pd

    values = [(convert(value) if convert else value) if isinstance(value, kind) else None for value in column]
    return pd.Series(values, index=column.index, dtype=object)
