"""`llm-manager monitor`: watches a home on a server, where no app runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from .events import Alert
    from .service import Alerts

Opened = Callable[[], AbstractContextManager[tuple["Console", "Alerts"]]]


def monitor_command(opened: Opened) -> Callable[..., None]:
    def monitor(
        once: Annotated[bool, typer.Option("--once", help="Look once, send, and end.")] = False,
    ) -> None:
        """Watch spend, errors and keys, print what is the matter, and send it to the channels, until Ctrl+C."""
        with opened() as (console, alerts):
            if once:
                _look_once(console, alerts)
                return
            console.print("Watching. Ctrl+C ends it.")
            _print(console, alerts.open())
            try:
                alerts.watch(lambda begun: _print(console, begun))
            except KeyboardInterrupt:
                console.print("Ended.")

    return monitor


def _look_once(console: Console, alerts: Alerts) -> None:
    made = alerts.watch_once()
    if made is None:
        console.print("Another program watches this home. What is open:")
    _print(console, alerts.open())
    for alert in made.closed if made else ():
        console.print(f"over: {alert.title}", markup=False, soft_wrap=True)
    if not alerts.open():
        console.print("Nothing is the matter.")
    for channel in alerts.channels.list():
        if channel.error:
            console.print(f"The channel {channel.name} fails: {channel.error}", markup=False, soft_wrap=True)


def _print(console: Console, alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        console.print(
            f"{alert.opened_at.astimezone():%Y-%m-%d %H:%M} {alert.severity}: {alert.title}. {alert.text}",
            markup=False,
            soft_wrap=True,
        )
