"""A person's login session with a real keyring: a message bus of its own, ended with the program that runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import needs

from .vaults import ROOT

PASSWORD = "the login password"
_UNLOCKED = 'gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@" </dev/null'
_LOCKED = 'exec "$@" </dev/null'


@dataclass(frozen=True, slots=True)
class Desktop:
    """`folder` is the person's home folder, where the keyring's files lie; it outlives the sessions."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Desktop:
        """Skips the test, or fails it in CI, where the machine has no keyring."""
        needs.program("gnome-keyring-daemon", "Debian: apt-get install gnome-keyring")
        needs.program("dbus-run-session", "Debian: apt-get install dbus")
        (folder / "run").mkdir(parents=True, mode=0o700)
        return cls(folder)

    def run(
        self, module: str, *arguments: object, password: str | None = PASSWORD, bus: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a module in a new session. `password` None: nobody unlocks the keyring. `bus` False: there is none."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_"))}
        environment.pop("PYTHON_KEYRING_BACKEND", None)
        environment |= {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder / "run")}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        if bus:
            command = ["dbus-run-session", "--", "sh", "-c", _UNLOCKED if password else _LOCKED, "sh", *command]
        return subprocess.run(
            command, cwd=ROOT, env=environment, input=password or "", capture_output=True, text=True, check=False
        )
