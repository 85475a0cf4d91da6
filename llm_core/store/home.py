"""Where everything of one workspace lies: finds or makes the home folder, private to one OS user; names its parts."""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..errors import UnsafeFolder
from .network import network_kind

_log = logging.getLogger(__name__)
_looked_at: set[Path] = set()

ENVIRONMENT = "LLM_MANAGER_HOME"
SAMPLE_MARKER = "SAMPLE"
"""A file of this name in a home says that everything in it is made up."""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one workspace. All of them are made by `open_home`, except the files."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / "state.sqlite"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def holds(self) -> Path:
        """What budgets hold for calls under way, and what they last found spent."""
        return self.path / "holds.sqlite"

    @property
    def vault(self) -> Path:
        return self.path / "vault.json"

    @property
    def vault_copy(self) -> Path:
        """The vault's previous generation; after a deletion, a copy of the present one."""
        return self.path / "vault.previous.json"

    @property
    def vault_pending(self) -> Path:
        """Names the master keys that a change under way may leave behind in the system keyring."""
        return self.path / "vault.pending.json"

    @property
    def vault_lock(self) -> Path:
        return self.path / "vault.lock"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    @property
    def audit_lock(self) -> Path:
        return self.path / "audit.lock"

    @property
    def key_reads(self) -> Path:
        return self.path / "key-reads.json"

    @property
    def key_reads_lock(self) -> Path:
        return self.path / "key-reads.lock"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger"

    @property
    def spool(self) -> Path:
        return self.ledger / "spool"

    @property
    def segments(self) -> Path:
        return self.ledger / "segments"

    @property
    def manifests(self) -> Path:
        return self.ledger / "manifest"

    @property
    def quarantine(self) -> Path:
        return self.ledger / "quarantine"

    @property
    def commit_lock(self) -> Path:
        return self.ledger / "commit.lock"

    @property
    def merge_lock(self) -> Path:
        return self.ledger / "merge.lock"

    @property
    def listing_lock(self) -> Path:
        """Held by the process that asks connections for their models in the background."""
        return self.path / "listing.lock"

    @property
    def alerts_lock(self) -> Path:
        """Held by the process that watches for alerts, as long as it does."""
        return self.path / "alerts.lock"


def open_home(path: str | os.PathLike[str] | None = None, *, sample: bool = False) -> Home:
    """The home at `path`, else $LLM_MANAGER_HOME, else the platform's user data folder; made 0700 where it is new.

    `sample`: the home of made-up data is wanted. Raises UnsafeFolder when the place is a file, cannot be written,
    belongs to another user, or holds made-up data where real is wanted, or the other way round.
    """
    chosen = path or os.environ.get(ENVIRONMENT)
    home = Home(Path(chosen).expanduser().absolute() if chosen else _default_home())
    _require_kind(home.path, sample)
    folders = (home.path, home.ledger, home.spool, home.segments, home.manifests, home.quarantine, home.backups)
    try:
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnsafeFolder(
            f"The home folder {home.path} cannot be used: {error.strerror}.",
            f"Name another with {ENVIRONMENT}, or free that path.",
        ) from None
    _require_private(home.path)
    _warn_of_network(home)
    return home


def network_warning(home: Home) -> tuple[str, str] | None:
    """What goes wrong where it lies and what to do about it, if it or its database is on a network file system."""
    for path in (home.path, home.state, home.ledger):  # each may be a link to elsewhere
        kind = network_kind(path)
        if kind is not None:
            return (
                f"{path} lies on a network file system ({kind}).",
                "Locks between programs cannot be trusted there: settings, budgets and keys can be damaged or lost "
                "when two programs use it at a time, most of all on two machines. "
                f"Name a folder on a local disk with {ENVIRONMENT}.",
            )
    return None


def _warn_of_network(home: Home) -> None:
    """Once for each home and process: a program may open it often."""
    if home.path not in _looked_at:
        _looked_at.add(home.path)
        told = network_warning(home)
        if told is not None:
            _log.warning("%s %s", *told)


def cache_folder(*parts: str) -> Path:
    """A folder for what can be fetched again (model files), in the platform's user cache; made when missing."""
    import platformdirs

    chosen = os.environ.get("LLM_MANAGER_CACHE")
    folder = (Path(chosen) if chosen else platformdirs.user_cache_path("llm-manager", appauthor=False)).joinpath(*parts)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _default_home() -> Path:
    import platformdirs

    return platformdirs.user_data_path("llm-manager", appauthor=False)


def _require_kind(folder: Path, sample: bool) -> None:
    is_sample = os.path.lexists(folder / SAMPLE_MARKER)  # False, too, where the folder cannot be entered
    if is_sample and not sample:
        raise UnsafeFolder(
            f"The folder {folder} holds made-up sample data.",
            f"Open that by Workspace.open_sample(), and name another home with {ENVIRONMENT}.",
        )
    if sample and not is_sample:
        raise UnsafeFolder(f"The folder {folder} is not the sample's.", "Remove it, and the sample is made anew.")


def _require_private(folder: Path) -> None:
    """Modes mean nothing on Windows; elsewhere the folder must be ours, and is closed to others."""
    if os.name == "nt":
        return
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise UnsafeFolder(
            f"The home folder {folder} belongs to another user.", f"Name one of your own with {ENVIRONMENT}."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
