"""How long a vault of 20 keys takes to open and to hand one out, with a key file and with a real keyring."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

from llm_core import LLMProvider
from llm_core.keys import APIKeyManager, entries
from llm_core.store.home import Home, open_home

from .figure import Figure

KEYS = 20
OPENINGS = 40
KEY_FILE_MS, KEYRING_MS, DECRYPT_US, HAND_OUT_US = 20.0, 60.0, 10.0, 100.0


def run(rows: int) -> list[Figure]:
    """`rows` is not used: the figures do not depend on how much is stored."""
    del rows
    with tempfile.TemporaryDirectory() as folder:
        home = _filled(Path(folder, "home"), "key_file", key_file=Path(folder, "master.key"))
        opened_ms = _opening_ms(home)
        keys = APIKeyManager(home)
        key_for_us = _each_us(lambda: keys.key_for(_connection(KEYS - 1)))
        opened = keys._vault().open()
        entry = opened.document.entries[-1]
        decrypt_us = _each_us(lambda: entries.reveal(entry, opened.data))
        keys.close()
    return [
        _figure("vault: open and unlock, key file (p50)", opened_ms, "ms", KEY_FILE_MS),
        *([] if (with_keyring := _with_keyring_ms()) is None else [_keyring_figure(with_keyring)]),
        _figure("vault: decrypt a key", decrypt_us, "us", DECRYPT_US),
        _figure("vault: key_for, the whole way", key_for_us, "us", HAND_OUT_US),
    ]


def _figure(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, None, None, f"<= {limit:g} {unit}", value <= limit)


def _keyring_figure(value: float) -> Figure:
    return _figure("vault: open and unlock, gnome-keyring (p50)", value, "ms", KEYRING_MS)


def _with_keyring_ms() -> float | None:
    """None where this machine has no keyring to measure with."""
    if not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")):
        return None
    from tests.keys.desktop import Desktop

    with tempfile.TemporaryDirectory() as folder:
        done = Desktop.at(Path(folder, "person")).run(__name__, Path(folder, "home"))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def _filled(path: Path, source: str, **how: Path) -> Home:
    home = open_home(path)
    keys = APIKeyManager(home)
    keys.choose_source(source, **how)
    for number in range(KEYS):
        keys.store(_connection(number), f"sk-bench-{number:04d}-0123456789abcdef0123456789abcdef")
    keys.close()
    return home


def _connection(number: int) -> LLMProvider:
    return LLMProvider(name=f"connection-{number}", provider="openai")


def _opening_ms(home: Home) -> float:
    """From a manager that knows nothing to the first key, the libraries being loaded."""
    taken = []
    for _ in range(OPENINGS):
        keys = APIKeyManager(home)
        begin = time.perf_counter()
        keys.unlock()
        taken.append((time.perf_counter() - begin) * 1000)
        keys.lock()
    return statistics.median(taken)


def _each_us(step: Callable[[], object], times: int = 2_000) -> float:
    step()
    return min(timeit.repeat(step, number=times, repeat=5)) / times * 1e6


if __name__ == "__main__":
    sys.stdout.write(str(_opening_ms(_filled(Path(sys.argv[1]), "keyring"))))
