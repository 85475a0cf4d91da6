"""The program `llm-manager`: starts the app, looks after the ledger, prints what was spent. Thin over the services."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .catalog.cli import prices_app
from .errors import InvalidInput, LLMManagerError
from .keys.cli import app as keys_app
from .usage.alerts.cli import monitor_command

if TYPE_CHECKING:
    from rich.console import Console

    from .catalog.price_lists import Prices
    from .usage.alerts import Alerts
    from .usage.doctor import Report

_FIRST_PAGE = (
    "pandas",
    "plotly.graph_objs",
    "duckdb",
    "llm_core.store.state",
    "llm_core.catalog",
    "llm_core.usage.alerts",
)
"""What takes long to import, with all that these import."""

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys_app, name="keys")


@app.command()
def run(port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8501) -> None:
    """Run the app in this terminal, until Ctrl+C."""
    from streamlit.web.cli import main

    script = _app_script()
    if home := os.environ.get("LLM_MANAGER_HOME"):
        os.environ["LLM_MANAGER_HOME"] = str(Path(home).expanduser().absolute())
    os.chdir(script.parent)  # where Streamlit looks for .streamlit/config.toml
    threading.Thread(target=_import_ahead, name="llm-manager-import", daemon=True).start()
    main(["run", str(script), "--server.port", str(port)], prog_name="streamlit")


def _import_ahead() -> None:
    """What the first page needs, while the browser is being opened: it takes over a second."""
    for name in _FIRST_PAGE:
        with suppress(ImportError):  # the page says what is missing
            import_module(name)


@app.command()
def doctor(
    rebuild: Annotated[bool, typer.Option(help="Make a damaged ledger anew from all that is left of it.")] = False,
) -> None:
    """Check every byte of the usage ledger. Ends with 1 when records cannot be shown."""
    from .usage.doctor import verify
    from .usage.rebuild import rebuild as rebuild_ledger
    from .workspace import Pricing, Workspace

    with _errors() as console, Workspace.open() as workspace:
        report = verify(workspace.home)
        _print_report(console, report)
        if rebuild and report.is_damaged:
            made = rebuild_ledger(workspace.home, price=Pricing(workspace))
            console.print(
                f"Made anew: {made.rows:,} records in {made.segments} files, {made.from_spools:,} of them from spools."
            )
            report = verify(workspace.home)
            _print_report(console, report)
        elif rebuild:
            console.print("There is nothing to make anew.")
    raise typer.Exit(1 if report.is_damaged else 0)


@app.command()
def usage(days: Annotated[int, typer.Option(help="How far back, in days.", min=1, max=3650)] = 30) -> None:
    """Print calls, tokens and cost by model."""
    from rich.markup import escape
    from rich.table import Table

    from .workspace import Workspace

    with _errors() as console, Workspace.open() as workspace:
        found = workspace.usage.sql(
            """
            SELECT connection || ':' || model AS model, count(DISTINCT call_id) AS calls,
                   coalesce(sum(input_tokens), 0)::BIGINT AS tokens_in,
                   coalesce(sum(output_tokens), 0)::BIGINT AS tokens_out,
                   sum(cost_usd) AS cost, count(*) FILTER (cost_usd IS NULL) AS unpriced
            FROM usage WHERE started_at >= $since GROUP BY ALL ORDER BY cost DESC NULLS LAST, calls DESC
            """,
            {"since": (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None)},
        )
    table = Table("model", title=f"The last {days} days")
    for name in ("calls", "tokens in", "tokens out", "cost, US$", "unpriced"):
        table.add_column(name, justify="right")
    for model, calls, tokens_in, tokens_out, cost, unpriced in found.itertuples(index=False, name=None):
        money = "unknown" if cost is None else f"{cost:,.4f}"
        table.add_row(
            escape(model), f"{calls:,}", f"{tokens_in:,}", f"{tokens_out:,}", money, f"{unpriced:,}" if unpriced else ""
        )
    console.print(table if len(found) else f"No calls in the last {days} days.")


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="The file to write: .csv, .parquet or .jsonl.")],
    where: Annotated[
        list[str] | None,
        typer.Argument(
            help="Filters: model=gpt-6-luna 'cost_usd>0.5' tag:team=search user= priced=no 'search=some words'"
        ),
    ] = None,
    span: Annotated[
        str, typer.Option(help="today, this month, last month, last 30 days ...; all time if not given.")
    ] = "",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")] = None,
    tz: Annotated[str, typer.Option(help="The time zone that days are of.")] = "UTC",
    columns: Annotated[str, typer.Option(help="Columns, with commas between; all if not given.")] = "",
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write records to a file: every digit of money, safe to open in a spreadsheet."""
    from rich.progress import Progress

    from .usage.filter_words import filters_of
    from .workspace import Workspace

    with _errors() as console, Workspace.open() as workspace:
        usage = workspace.usage
        write = {".csv": usage.export_csv, ".parquet": usage.export_parquet, ".jsonl": usage.export_jsonl}.get(
            path.suffix
        )
        if write is None:
            raise InvalidInput(f"{path.name} tells no format.", "End the name in .csv, .parquet or .jsonl.")
        start, end = _span(span, first, last, tz)
        names = [name.strip() for name in columns.split(",")] if columns else None
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("Writing", total=None)
            rows = write(
                path,
                start,
                end,
                columns=names,
                overwrite=overwrite,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                **filters_of(where or ()),
            )
        console.print(f"Wrote {rows:,} record{'' if rows == 1 else 's'} to {path}.", markup=False, soft_wrap=True)


def _span(name: str, first: datetime | None, last: datetime | None, tz: str) -> tuple[datetime | None, datetime | None]:
    """From the start of a day to the end of one, in the zone; None where it is open."""
    from .usage.spans import between, span

    if name and (first or last):
        raise InvalidInput("--span cannot be combined with --from and --to.", "Give one or the other.")
    if name:
        found = span(name, tz)
        return found.start, found.end
    if first and last and last < first:
        raise InvalidInput("The last day is before the first.", "Give --from the earlier one.")
    start = between(first.date(), first.date(), tz).start if first else None
    return start, between(last.date(), last.date(), tz).end if last else None


def _app_script() -> Path:
    """`app.py` of the checkout this package lies in, else the copy that an installed package carries."""
    package = Path(__file__).parent
    checkout = package.parent / "app.py"
    return checkout if checkout.is_file() else package / "dashboard" / "app.py"


def _print_report(console: Console, report: Report) -> None:
    console.print(
        f"Generation {report.generation}: {report.rows:,} records in {report.segments} files, "
        f"{report.waiting:,} bytes wait to be drained."
    )
    for finding in report.findings:
        console.print(f"{finding.severity}: {finding.message} {finding.hint}", markup=False)
    if not report.findings:
        console.print("All is well.")


@contextmanager
def _errors() -> Iterator[Console]:
    """The console to print to; our own errors are told in a sentence, and end the program with 1."""
    from rich.console import Console

    try:
        yield Console(highlight=False)
    except LLMManagerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@contextmanager
def _prices() -> Iterator[tuple[Console, Prices]]:
    from .workspace import Workspace

    with _errors() as console, Workspace.open() as workspace:
        yield console, workspace.models.prices


app.add_typer(prices_app(_prices), name="prices")


@contextmanager
def _alerts() -> Iterator[tuple[Console, Alerts]]:
    from .workspace import Workspace

    with _errors() as console, Workspace.open() as workspace:
        workspace.usage.keep_draining()
        yield console, workspace.usage.alerts


app.command("monitor")(monitor_command(_alerts))
