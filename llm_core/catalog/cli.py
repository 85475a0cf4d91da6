"""`llm-manager prices`: what a model costs, which update of the price list waits, and using it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from .price_changes import PriceUpdate
    from .price_lists import Prices

Opened = Callable[[], AbstractContextManager[tuple["Console", "Prices"]]]
"""Opens the home's prices, and tells our errors in a sentence."""

_SHOWN = 200
_HISTORY = ("rate", "usd", "per", "over_tokens", "hours", "effective_from", "effective_to", "source")


def prices_app(opened: Opened) -> typer.Typer:
    """The commands, over prices that the caller knows how to open."""
    app = typer.Typer(help="Show prices of models, and updates of the price list.", no_args_is_help=True)

    @app.command()
    def show(
        model: Annotated[str, typer.Argument(help="As openai:gpt-6-luna.")],
        mode: Annotated[str, typer.Option(help="standard, batch, flex or priority.")] = "standard",
    ) -> None:
        """Print every price of a model over time, announced ones too. Ends with 1 where none is known."""
        with opened() as (console, prices):
            found = prices.history(model, mode)
            known = len(found) > 0
            _print(console, f"{model}, {mode}" if known else f"No {mode} price of {model} is known.", found, _HISTORY)
        raise typer.Exit(0 if known else 1)

    @app.command()
    def check(
        fetch: Annotated[bool, typer.Option(help="First get the newest list from genai-prices' repository.")] = False,
    ) -> None:
        """Print what a newer price list would change. It is not used before it is accepted."""
        with opened() as (console, prices):
            update = prices.check(fetch)
            if update is None:
                console.print(f"No update waits. In use: {prices.source}.", markup=False)
            else:
                _print_update(console, update)

    @app.command()
    def accept(digest: Annotated[str, typer.Argument(help="As `llm-manager prices check` prints it.")]) -> None:
        """Use a price list from now on. Costs that were recorded stay as they are."""
        with opened() as (console, prices):
            prices.accept(digest)
            console.print(f"In use: {prices.source}.", markup=False)

    return app


def _print_update(console: Console, update: PriceUpdate) -> None:
    changes = update.changes
    title = f"{update.source}, found on {update.made_on}; rates that differ: {len(changes):,}"
    _print(console, title, changes.head(_SHOWN), tuple(changes.columns))
    if len(changes) > _SHOWN:
        console.print(f"... and {len(changes) - _SHOWN:,} more.")
    console.print(f"To use it: llm-manager prices accept {update.digest}", markup=False)


def _print(console: Console, title: str, frame: Any, columns: tuple[str, ...]) -> None:
    from rich.markup import escape
    from rich.table import Table

    shown = [name for name in columns if name not in ("over_tokens", "hours") or frame[name].notna().any()]
    table = Table(title=escape(title))
    for name in shown:
        is_money = name in ("usd", "old", "new")
        table.add_column("US$" if name == "usd" else name.replace("_", " "), justify="right" if is_money else "left")
    for row in frame[shown].itertuples(index=False, name=None):
        table.add_row(*("" if value is None else escape(f"{value}") for value in row))
    console.print(table if len(frame) else escape(title))
