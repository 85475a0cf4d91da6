"""The disk fills up while records are written, drained and merged, and is freed again.

A caller whose record cannot be kept is told so at once; old records stay readable; once there is space the next record
is whole and found, and everything acknowledged is there once. Runs on a small disk in memory (tmpfs) where that may be
mounted, else under a limit on the size of files.

    python -m tests.drills.disk_full [rounds]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from llm_core.errors import LLMManagerError, RecordNotKept
from llm_core.store.home import Home, open_home
from llm_core.usage.drain import drain_all
from llm_core.usage.merge import Merger
from llm_core.usage.recorder import Recorder
from llm_core.usage.spool import list_spools
from tests.usage.found import ids
from tests.usage.rows import record

from .outcome import Outcome, compare

ROUNDS = 30
SHORT_ROUNDS = 3
ROUND_BYTES = 3 * 2**20
FREE_KB = (0, 4, 20, 60, 120, 250, 500, 1000, 2000)
ROOT = Path(__file__).parents[2]


def run(rounds: int = ROUNDS) -> Outcome:
    """In a process of its own: one that may mount the disk where nobody else sees it, or that may be limited."""
    command = [sys.executable, "-m", __name__, str(rounds)]
    done = subprocess.run([*_private_mounts(), *command], cwd=ROOT, capture_output=True, text=True, check=False)
    faults = tuple(line.removeprefix("FAULT ") for line in done.stdout.splitlines() if line.startswith("FAULT "))
    figures = next((line for line in done.stdout.splitlines() if not line.startswith("FAULT ")), "")
    if done.returncode and not faults:
        faults = (done.stderr[-800:],)
    return Outcome("disk full", figures, faults)


def _private_mounts() -> list[str]:
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if shutil.which("unshare"):
            mounts = ["mount", "-t", "tmpfs", "none", "/mnt"]
            if subprocess.run([*command, *mounts], capture_output=True, check=False).returncode == 0:
                return command
    return []


@dataclass
class _Disk:
    """A place for a home, and a way to leave so many bytes free on it, or as many as there are."""

    home: Home
    kind: str
    leave: Callable[[int | None], None]


@contextmanager
def _small_disk(rounds: int) -> Iterator[_Disk]:
    with TemporaryDirectory() as name:
        os.environ["LLM_MANAGER_CACHE"] = str(Path(name) / "cache")
        disk = Path(name) / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={(4 + rounds) * ROUND_BYTES}", "none", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            try:
                yield _Disk(open_home(disk / "a b'c é"), "tmpfs", lambda free: _fill(disk / "filler", free))
            finally:
                subprocess.run(["umount", "--lazy", str(disk)], check=True)
        else:
            yield _Disk(open_home(disk / "a b'c é"), "limit on files", _limit)


def _fill(filler: Path, free: int | None) -> None:
    filler.unlink(missing_ok=True)
    if free is not None:
        with filler.open("wb", buffering=0) as file:
            left = shutil.disk_usage(filler.parent).free - free
            while left > 0:
                left -= file.write(bytes(min(left, 2**20)))


def _limit(free: int | None) -> None:
    import resource

    most = resource.RLIM_INFINITY if free is None else max(1, free)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@dataclass
class _Drill:
    disk: _Disk
    acknowledged: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refused: int = 0
    failed_drains: int = 0

    def run(self, rounds: int) -> None:
        self.recorder = Recorder(self.disk.home)
        for number in range(rounds):
            self._record(300)
            drain_all(self.disk.home)
            Merger(self.disk.home).merge()
            self._record(100)
            self.disk.leave(0 if self.disk.kind == "tmpfs" else 700)
            self._record_on_full_disk()
            for free in FREE_KB:
                self.disk.leave(free * 1024)
                self._drain_on_full_disk()
            self._look(f"full, round {number}")
            self.disk.leave(None)
            self._record(1)
            self._look(f"space again, round {number}")
            drain_all(self.disk.home)
            self._look(f"drained, round {number}")

    def _record(self, count: int) -> None:
        for _ in range(count):
            made = record(raw_usage={"note": "x" * 400})
            self.recorder.record(made)
            self.acknowledged.append(made.id)

    def _record_on_full_disk(self) -> None:
        """Go on like a program that does not care: a few are kept (a block had space left), the rest refused."""
        files = len(list_spools(self.disk.home))
        refused = 0
        for _ in range(200):
            try:
                self._record(1)
            except RecordNotKept as error:
                refused += 1
                if not error.hint:
                    self.faults.append("the refusal says nothing of what to do")
        if not refused:
            self.faults.append("a full disk refused nothing")
        if self.disk.kind == "tmpfs" and len(list_spools(self.disk.home)) > files + 3:
            self.faults.append(f"{len(list_spools(self.disk.home)) - files} files were made on a full disk")
        self.refused += refused

    def _drain_on_full_disk(self) -> None:
        try:
            drain_all(self.disk.home)
            Merger(self.disk.home).merge()
        except (OSError, duckdb.Error, LLMManagerError):
            self.failed_drains += 1
        left = [path.name for path in self.disk.home.segments.iterdir() if path.name.endswith(".tmp")]
        if left:
            self.faults.append(f"left behind on a full disk: {left}")

    def _look(self, when: str) -> None:
        self.faults += [f"{when}: {fault}" for fault in compare(self.acknowledged, ids(self.disk.home))]
        unknown = ids(self.disk.home).total() - len(self.acknowledged)
        if unknown:
            self.faults.append(f"{when}: {unknown} refused records are there")


def main(rounds: int) -> int:
    with _small_disk(rounds) as disk:
        drill = _Drill(disk)
        drill.run(rounds)
    print(
        f"{rounds} times full ({disk.kind}), {len(drill.acknowledged):,} acknowledged and found, "
        f"{drill.refused:,} refused, {drill.failed_drains} drains failed"
    )
    for fault in drill.faults:
        print(f"FAULT {fault}")
    return 1 if drill.faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
