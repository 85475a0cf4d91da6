"""Text in CSV files that a spreadsheet must not run.

A cell that begins with a sign of a formula is a program to Excel, LibreOffice and Google Sheets, and the names and tags
of calls may come from anybody. So text that such a program might read as one gets an apostrophe in front, and so does
text that begins with an apostrophe: taking one away from each text that begins with one gives the text back. Columns of
numbers and times are left as they are, so negative numbers stay numbers.
"""

from __future__ import annotations

_SIGNS = r"=+\-@\x{2212}\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}"
"""Also the minus sign, and the small and full-width forms of all."""

_BLANKS = (
    r"\s\x00-\x20\x{85}\x{A0}\x{AD}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}-\x{202F}\x{205F}-\x{206F}\x{3000}\x{FEFF}"
)
"""What some programs drop before they look at a cell, or do not show."""

_LIVE = f"^(?:['\\x00-\\x1f\\x7f]|[{_BLANKS}]*[{_SIGNS}])"
"""An apostrophe, a tab, a line end or another control character at the start, or a sign after nothing but blanks."""


def quoted_sql(text: str) -> str:
    """A text column, for SQL, as it goes into a CSV file."""
    pattern = _LIVE.replace("'", "''")
    return f"CASE WHEN regexp_matches({text}, '{pattern}') THEN '''' || {text} ELSE {text} END"


def unquoted_sql(text: str) -> str:
    """A text column, for SQL, as it was before `quoted_sql`."""
    return f"CASE WHEN starts_with({text}, '''') THEN substr({text}, 2) ELSE {text} END"
