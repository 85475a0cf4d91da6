"""`llm-manager keys ...`: the vault and its audit log from a terminal. It never prints a provider's key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidInput, LLMManagerError
from ..store.home import open_home
from .manager import APIKeyManager
from .status import KeyEntry, VaultStatus

app = typer.Typer(help="Look after the keys: where they are, how old, who changed them.", no_args_is_help=True)

_WELL = ("ok", "absent")
_WHEN = "%Y-%m-%d %H:%M"


@app.command()
def status() -> None:
    """Show the vault's state and its keys. Ends with 1 when it cannot be opened or a key is damaged."""
    with _keys() as keys:
        found = keys.status()
        _print_status(found)
        if found.entries:
            _print_entries(found.entries)
        well = found.state in _WELL and all(entry.state != "damaged" for entry in found.entries)
    raise typer.Exit(0 if well else 1)


@app.command()
def audit(last: Annotated[int, typer.Option(help="How many lines to show.", min=0)] = 50) -> None:
    """Show who changed which key when, and check that the log was not changed. Ends with 1 when it was."""
    with _keys() as keys:
        for event in keys.audit_log()[-last:] if last else ():
            parts = (
                f"{event.at.astimezone():{_WHEN}}",
                event.who,
                event.what,
                event.connection or "",
                f"v{event.version}" if event.version else "",
                f"key {event.fingerprint}" if event.fingerprint else "",
                event.note,
            )
            typer.echo("  ".join(part for part in parts if part))
        report = keys.verify_audit()
        for problem in report.problems:
            typer.echo(f"PROBLEM: {problem}", err=True)
        torn = f", {report.recovered} torn by a crash and explained" if report.recovered else ""
        lines = f"{report.lines} line{'' if report.lines == 1 else 's'}{torn}"
        typer.echo(f"{lines}. The log {'is whole' if report.ok else 'was changed'}.")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def sources() -> None:
    """Show what could keep the vault's master key on this machine."""
    with _keys() as keys:
        for choice in keys.sources():
            typer.echo(f"{choice.kind:12} {'' if choice.available else 'not here: '}{choice.explanation}")


@app.command()
def use(
    source: Annotated[str, typer.Argument(help="keyring, key_file, environment or passphrase.")],
    key_file: Annotated[Path | None, typer.Option(help="Where the key file is, or is to be made.")] = None,
) -> None:
    """Choose what keeps the vault's master key. Keys that are stored already are kept."""
    with _keys(unlocked=True) as keys:
        new = _new_passphrase() if source == "passphrase" else None
        _print_status(keys.choose_source(source, passphrase=new, key_file=key_file))


@app.command()
def rotate_master(
    key_from: Annotated[
        Path | None, typer.Option(help="A file with the new value of LLM_MANAGER_KEY, where that is the source.")
    ] = None,
) -> None:
    """Replace the master key. Provider keys are not touched."""
    with _keys(unlocked=True) as keys:
        passphrase = _new_passphrase() if keys.status().source == "passphrase" else None
        new_key = key_from.read_text().strip() if key_from else None
        _print_status(keys.rotate_master(passphrase=passphrase, new_key=new_key))


@app.command()
def rotate_data_key() -> None:
    """Encrypt all keys anew, as after a suspected leak. Then rotate the keys at their providers too."""
    with _keys(unlocked=True) as keys:
        _print_status(keys.rotate_data_key())


@app.command()
def new_key(file: Annotated[Path | None, typer.Argument(help="A file to make, readable by you alone.")] = None) -> None:
    """Make a master key for LLM_MANAGER_KEY_FILE, or print one for LLM_MANAGER_KEY."""
    from . import key_text

    with _told():
        if file is None:
            typer.echo(key_text.new_key())
            return
        if file.exists():
            raise InvalidInput(f"{file} is there already.", "Choose another name: a key is never overwritten.")
        key_text.write_file(file, key_text.new_key())
        typer.echo(f"Made {file}. Name it in {key_text.FILE_VARIABLE}, and keep a copy in a safe place.")


@app.command()
def delete(connection: str) -> None:
    """Remove the keys of a connection from the vault."""
    with _keys(unlocked=True) as keys:
        typer.echo(keys.delete(connection).text)


@app.command()
def restore() -> None:
    """Put the vault's copy in the place of a damaged vault, which is kept beside it."""
    with _keys() as keys:
        _print_status(keys.restore())


@app.command()
def set_aside() -> None:
    """Rename a vault that cannot be opened any more, so that a new one can be made. Nothing is deleted."""
    with _keys() as keys:
        _print_status(keys.set_aside())


@contextmanager
def _keys(*, unlocked: bool = False) -> Iterator[APIKeyManager]:
    """The keys of the home. `unlocked`: ask for the passphrase, where the vault opens with one."""
    from .process import harden

    harden()
    with _told():
        keys = APIKeyManager(open_home())
        try:
            if unlocked and (found := keys.status()).state == "locked" and found.source == "passphrase":
                keys.unlock(_asked("Passphrase"))
            yield keys
        finally:
            keys.close()


@contextmanager
def _told() -> Iterator[None]:
    """Our own errors in a sentence; they end the program with 1."""
    try:
        yield
    except LLMManagerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _asked(what: str) -> str:
    """Typed without being shown; a line of standard input where that is no terminal."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\n")


def _new_passphrase() -> str:
    first = _asked("New passphrase")
    if sys.stdin.isatty() and _asked("The same again") != first:
        raise InvalidInput("The two differ.", "Type the same passphrase twice.")
    return first


def _print_status(found: VaultStatus) -> None:
    where = f" ({found.where})" if found.where else ""
    typer.echo(f"{found.state}: {found.message}{where} {found.hint}".rstrip())
    for warning in found.warnings:
        typer.echo(f"Note: {warning}")


def _print_entries(entries: tuple[KeyEntry, ...]) -> None:
    for entry in entries:
        used = f"used {entry.reads:,} times, last {entry.last_used:{_WHEN}}" if entry.last_used else "never used"
        parts = (
            f"{entry.connection:16}",
            f"{entry.state:8}",
            f"v{entry.version}" if entry.version else "",
            f"…{entry.last4}" if entry.last4 else "",
            f"{entry.age.days} days old" if entry.age is not None else "",
            used if entry.state == "active" else "",
            f"for {entry.host}" if entry.host else "",
        )
        typer.echo("  ".join(part for part in parts if part))
