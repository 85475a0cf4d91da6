"""The vault under kill -9, eight first runs at once, and a changed byte at every place of its file.

python -m tests.drills.keys kills|first_runs|flips|keyring|model
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_core import LLMProvider
from llm_core.errors import KeyBoundElsewhere, VaultError
from llm_core.keys import APIKeyManager
from llm_core.store.home import Home, open_home
from tests import needs

from .outcome import Outcome

ROOT = Path(__file__).parents[2]
KILLS, SHORT_KILLS = 60, 6
ROTATIONS_PER_KILL = 4
ROUNDS, SHORT_ROUNDS = 50, 4
PROCESSES = 8
CONNECTIONS = 3
EXAMPLES, SHORT_EXAMPLES = 2_000, 20
STEPS, SHORT_STEPS = 50, 20


def kills(count: int = KILLS, source: str = "key_file") -> Outcome:
    """Kill -9 a program that rotates provider keys, the master key and the data key, at random moments."""
    faults: list[str] = []
    others = _in_keyring(source)
    with TemporaryDirectory() as folder:
        home = open_home(Path(folder, "a b'c é"))
        _choose(home, source)
        for number in range(CONNECTIONS):
            APIKeyManager(home).store(_connection(number), _key(-1))
        acknowledged = Path(folder, "acknowledged")
        acknowledged.touch()
        for number in range(count):
            before = _last(acknowledged)
            with _start("rotate", home.path, acknowledged) as child:
                assert child.stdout is not None
                for _ in range(random.randint(1, 2 * ROTATIONS_PER_KILL - 1)):
                    child.stdout.readline()
                try:
                    child.wait(random.random() * 0.02)
                    faults.append(f"the program ended by itself with {child.returncode}")
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
            faults += [f"kill {number}: {fault}" for fault in _look(home, acknowledged)]
            if _last(acknowledged) <= before:
                faults.append(f"kill {number}: nothing was rotated before it")
        done = _last(acknowledged) + 1
        report = APIKeyManager(home).verify_audit()
        faults += list(report.problems)
        faults += _left_behind(home, source, others)
    return Outcome("vault: kill -9", f"{count} kills over {done} rotations, {CONNECTIONS} keys", tuple(faults))


def first_runs(rounds: int = ROUNDS, source: str = "key_file") -> Outcome:
    """Eight processes store their first key at once: one vault with one master key comes of it, and all keys are in."""
    faults: list[str] = []
    children = [_start("store", source, number) for number in range(PROCESSES)]
    try:
        for number in range(rounds):
            others = _in_keyring(source)
            with TemporaryDirectory() as folder:
                path = Path(folder, "a b'c é")
                told = _at_once(children, path)
                found = APIKeyManager(open_home(path)).status()
                if set(told) != {"ok"} or len(found.entries) != PROCESSES or found.generation != PROCESSES + 1:
                    in_words = f"{len(found.entries)} keys, generation {found.generation}, {found.message}"
                    faults.append(f"round {number}: {sorted(set(told))}, {in_words}")
                faults += [f"round {number}: {fault}" for fault in _left_behind(open_home(path), source, others)]
    finally:
        for child in children:
            child.communicate()
    return Outcome("vault: first runs", f"{rounds} times {PROCESSES} processes, one master key each", tuple(faults))


def flips(every: int = 1) -> Outcome:
    """Change every byte of a vault in every bit."""
    with TemporaryDirectory() as folder:
        home = open_home(Path(folder, "a b'c é"))
        _choose(home, "key_file")
        stored = {f"c{number}": _key(number) for number in range(CONNECTIONS)}
        for number in range(CONNECTIONS):
            APIKeyManager(home).store(_connection(number), stored[f"c{number}"])
        return flip_bytes(home, stored, every, bits=range(8))


def flip_bytes(home: Home, stored: Mapping[str, str], every: int, bits: range | None = None) -> Outcome:
    """Each changed file must give the same keys or one of our errors, with nothing written over it.

    `every`: each so many bytes. `bits`: which bits of each byte; one, in turn, when None.
    """
    whole = home.vault.read_bytes()
    faults: list[str] = []
    answers: dict[str, int] = {}
    for at in range(0, len(whole), every):
        for bit in bits or (at // every % 8,):
            changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            home.vault.write_bytes(changed)
            for answer in _ask(home, stored):
                answers[answer] = answers.get(answer, 0) + 1
                if answer.startswith(("WRONG", "NOT OURS")):
                    faults.append(f"byte {at}, bit {bit}: {answer}")
            if home.vault.read_bytes() != changed:
                faults.append(f"byte {at}, bit {bit}: the changed file was written over")
    home.vault.write_bytes(whole)
    figures = ", ".join(f"{count:,} {answer}" for answer, count in sorted(answers.items()))
    return Outcome("vault: changed bytes", figures, tuple(faults))


def keyring(count: int = KILLS, rounds: int = ROUNDS) -> Outcome:
    """`kills` and `first_runs` with the master key in a real gnome-keyring, in a session of its own."""
    from tests.keys.desktop import Desktop

    with TemporaryDirectory() as folder:
        done = Desktop.at(Path(folder, "person")).run("tests.drills.keys", "in_session", count, rounds)
    faults = [line.removeprefix("FAULT ") for line in done.stdout.splitlines() if line.startswith("FAULT ")]
    if done.returncode:
        faults.append(done.stderr[-2000:])
    figures = "; ".join(line for line in done.stdout.splitlines() if not line.startswith("FAULT "))
    return Outcome("vault: keyring", figures, tuple(faults))


def _in_session(count: str, rounds: str) -> None:
    for outcome in (kills(int(count), "keyring"), first_runs(int(rounds), "keyring")):
        print(outcome.figures)
        for fault in outcome.faults:
            print(f"FAULT {fault}")


def model(examples: int = EXAMPLES, steps: int = STEPS) -> Outcome:
    """The vault against a dictionary, in random order, with other processes and kills in the middle of a change."""
    from hypothesis import HealthCheck, settings
    from hypothesis.stateful import run_state_machine_as_test

    from tests.keys.model import VaultModel

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    faults: tuple[str, ...] = ()
    try:
        run_state_machine_as_test(VaultModel, settings=chosen)
    except Exception:  # noqa: BLE001  # hypothesis tells the steps that lead there
        faults = (traceback.format_exc()[-4000:],)
    return Outcome("vault: model", f"{examples:,} examples of {steps} steps", faults)


@contextmanager
def small_disk(folder: Path, kib: int = 256) -> Iterator[Path]:
    """A disk in memory that is soon full."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        needs.lacking("no right to mount a small disk (run as root)")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _ask(home: Home, stored: Mapping[str, str]) -> list[str]:
    keys = APIKeyManager(home)
    found = []
    for name, key in stored.items():
        try:
            answer = keys.key_for(LLMProvider(name=name, provider="openai"))
        except (VaultError, KeyBoundElsewhere) as error:
            found.append(error.kind if error.hint else f"NOT OURS: no hint in {error}")
        except Exception as error:  # noqa: BLE001  # what a page would show as a traceback
            found.append(f"NOT OURS: {error!r}")
        else:
            found.append("right key" if answer == key else f"WRONG: {answer}")
    try:
        keys.status(), keys.describe(LLMProvider(name="c0", provider="openai"))
    except Exception as error:  # noqa: BLE001
        found.append(f"NOT OURS: status {error!r}")
    return found


def _look(home: Home, acknowledged: Path) -> list[str]:
    """Every key is the one last acknowledged, or the one that was being written."""
    last = _last(acknowledged)
    keys = APIKeyManager(home)
    faults = []
    for number in range(CONNECTIONS):
        allowed = {_key(_of_connection(number, last)), _key(_of_connection(number, last + 1))}
        try:
            if keys.key_for(_connection(number)) not in allowed:
                faults.append(f"key {number} is not the one that was acknowledged")
        except VaultError as error:
            faults.append(f"key {number}: {error.kind} {error.message}")
    return faults


def _left_behind(home: Home, source: str, others: set[str]) -> list[str]:
    """After the next opening and change nothing may be left: temporary files, unused keys in the keyring."""
    keys = APIKeyManager(home)
    keys.rotate_data_key()
    left = [path.name for path in home.path.glob(".*.tmp")]
    if home.vault_pending.exists():
        left.append(home.vault_pending.name)
    document = keys._vault().look()
    if unused := _in_keyring(source) - others - set(document.data_keys):
        left.append(f"{len(unused)} master keys in the keyring")
    if len(document.data_keys) != 1:
        left.append("two wrapped data keys")
    return [f"left behind: {name}" for name in left]


def _in_keyring(source: str) -> set[str]:
    """The names of the master keys that the Secret Service holds for us."""
    if source != "keyring":
        return set()
    import secretstorage

    from llm_core.keys.os_keyring import SERVICE

    bus = secretstorage.dbus_init()
    try:
        found = secretstorage.get_default_collection(bus).search_items({"service": SERVICE})
        return {item.get_attributes()["username"] for item in found}
    finally:
        bus.close()


def _of_connection(number: int, last: int) -> int:
    """The last rotation up to `last` that gave this connection a key."""
    return max((step for step in range(last + 1) if _rotated(step) == number), default=-1)


def _rotated(step: int) -> int | None:
    """Which connection a step gives a new key; None for the steps that change the vault's own keys."""
    return step % CONNECTIONS if step % 4 < 2 else None


def _rotate(path: str, acknowledged: str) -> None:
    """Rotate without end. What is done is written down, and told, after it is done."""
    keys = APIKeyManager(open_home(path))
    done = os.open(acknowledged, os.O_WRONLY | os.O_APPEND)
    step = _last(Path(acknowledged)) + 1
    while True:
        number = _rotated(step)
        if number is not None:
            keys.rotate(_connection(number), _key(step))
        elif step % 4 == 2:
            keys.rotate_master()
        else:
            keys.rotate_data_key()
        os.write(done, f"{step}\n".encode())
        print(step, flush=True)
        step += 1


def _store(source: str, number: str) -> None:
    """For each home named on standard input: store the first key there, with all the others."""
    for line in sys.stdin:
        home = open_home(line.rstrip("\n"))
        try:
            keys = APIKeyManager(home)
            if source == "key_file":
                keys.choose_source(source, key_file=home.path.parent / "master.key")
            keys.store(_connection(int(number)), _key(int(number)))
            right = APIKeyManager(home).key_for(_connection(int(number))) == _key(int(number))
            print("ok" if right else "another key came back", flush=True)
        except Exception as error:  # noqa: BLE001  # told to the drill
            print(repr(error), flush=True)


def _at_once(children: list[subprocess.Popen[str]], path: Path) -> list[str]:
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{path}\n")
    for child in children:
        assert child.stdin is not None
        child.stdin.flush()
    return [(child.stdout.readline() if child.stdout else "").strip() for child in children]


def _start(role: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.drills.keys", role, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _choose(home: Home, source: str) -> None:
    key_file = home.path.parent / "master.key" if source == "key_file" else None
    APIKeyManager(home).choose_source(source, key_file=key_file)


def _last(acknowledged: Path) -> int:
    lines = acknowledged.read_text().split()
    return int(lines[-1]) if lines else -1


def _connection(number: int) -> LLMProvider:
    return LLMProvider(name=f"c{number}", provider="openai")


def _key(step: int) -> str:
    return f"sk-drill-{step:06d}-0123456789abcdef"


ROLES: dict[str, Callable[..., None]] = {"rotate": _rotate, "store": _store, "in_session": _in_session}
DRILLS: dict[str, Callable[..., Outcome]] = {
    "kills": kills,
    "first_runs": first_runs,
    "flips": flips,
    "keyring": keyring,
    "model": model,
}

if __name__ == "__main__":
    if sys.argv[1] in ROLES:
        ROLES[sys.argv[1]](*sys.argv[2:])
    else:
        outcome = DRILLS[sys.argv[1]](*map(int, sys.argv[2:]))
        print(f"{outcome.name}: {outcome.figures}")
        print("\n".join(outcome.faults) or "passed")
        sys.exit(not outcome.ok)
