"""The vault against a dictionary: whatever is done, in whatever order, by two managers, by other processes, and by
processes that are killed in the middle, both hold the same keys. Used by a test (short) and by a drill (long)."""

from __future__ import annotations

import copy
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llm_core.errors import MissingKey
from llm_core.keys import APIKeyManager
from llm_core.store.home import open_home

from .vaults import connection, with_key_file

IN_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
NAMES = ("a", "b", "c")
WRITING = {"disk.py", "vault.py", "key_text.py", "audit.py"}
LINES = 700
"""So many lines of these a change runs, more or less."""

Versions = list[tuple[int, str, str]]
"""Of one connection: version, state, key."""

names = st.sampled_from(NAMES)
changes = st.one_of(
    st.tuples(st.sampled_from(("store", "rotate")), names, st.integers(0, 9)),
    st.tuples(st.sampled_from(("release", "undo_rotation", "revoke", "delete")), names, st.just(0)),
    st.tuples(st.sampled_from(("rotate_master", "rotate_data_key")), st.just(""), st.just(0)),
)
Change = tuple[str, str, int]


class VaultModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(dir=IN_MEMORY)
        self.home = open_home(Path(self.folder.name, "a b'c é"))
        with_key_file(self.home)
        self.managers = [APIKeyManager(self.home), APIKeyManager(self.home)]
        self.model: dict[str, Versions] = {}

    def teardown(self) -> None:
        report = self.managers[0].verify_audit()
        self.folder.cleanup()
        assert report.ok, report

    @rule(change=changes, which=st.integers(0, 1))
    def change_it(self, change: Change, which: int) -> None:
        applied(self.managers[which], change)
        self.model = expected(self.model, change)

    @rule(which=st.integers(0, 1))
    def open_anew(self, which: int) -> None:
        self.managers[which].close()
        self.managers[which] = APIKeyManager(self.home)

    @rule(change=changes)
    def change_it_in_another_process(self, change: Change) -> None:
        assert in_a_fork(lambda: applied(APIKeyManager(self.home), change)) == 0
        self.model = expected(self.model, change)

    @rule(change=changes, line=st.integers(0, LINES))
    def kill_a_process_that_changes_it(self, change: Change, line: int) -> None:
        """Before its so-manyeth line of what writes. Either all of the change is there after that, or nothing."""
        ended = in_a_fork(lambda: applied(APIKeyManager(self.home), change), kill_at=line)
        assert ended in (0, -signal.SIGKILL)
        after = expected(self.model, change)
        if ended == 0 or found(APIKeyManager(self.home)) == after:
            self.model = after

    @invariant()
    def both_managers_hold_what_the_model_holds(self) -> None:
        for manager in self.managers:
            assert found(manager) == self.model
        status = self.managers[0].status()
        assert status.state == "ok"
        told = {name: [(v, state) for v, state, _ in versions] for name, versions in self.model.items()}
        listed: dict[str, list[tuple[int | None, str]]] = {}
        for entry in status.entries:
            listed.setdefault(entry.connection, []).append((entry.version, entry.state))
        assert listed == told


def key(number: int) -> str:
    return f"sk-model-{number}-0123456789abcdef"


def applied(manager: APIKeyManager, change: Change) -> None:
    what, name, number = change
    try:
        if what in ("store", "rotate"):
            getattr(manager, what)(connection(name), key(number))
        elif name:
            getattr(manager, what)(name)
        else:
            getattr(manager, what)()
    except MissingKey:
        assert what == "undo_rotation"
    finally:
        manager.close()


def expected(model: dict[str, Versions], change: Change) -> dict[str, Versions]:
    """What the change makes of a model."""
    what, name, number = change
    model = copy.deepcopy(model)
    versions = model.get(name, [])
    had_grace = any(state == "grace" for _, state, _ in versions)
    states: dict[str, dict[str, str]] = {
        "store": {"active": "revoked", "grace": "revoked"},
        "rotate": {"active": "grace", "grace": "revoked"},
        "release": {"grace": "revoked"},
        "undo_rotation": {"active": "revoked", "grace": "active"} if had_grace else {},
        "revoke": {"active": "revoked", "grace": "revoked"},
    }
    versions = [(version, states.get(what, {}).get(state, state), its) for version, state, its in versions]
    if what in ("store", "rotate"):
        newest = max((version for version, _, _ in versions), default=0) + 1
        versions.append((newest, "active", key(number)))
    revoked = [version for version, state, _ in versions if state == "revoked"]
    versions = [one for one in versions if one[0] not in revoked[:-10]]
    model[name] = [(version, state, "" if state == "revoked" else its) for version, state, its in versions]
    if what == "delete" or not model[name]:
        del model[name]
    return model


def found(manager: APIKeyManager) -> dict[str, Versions]:
    """What the vault holds, decrypted."""
    from llm_core.keys import entries
    from llm_core.keys.document import Entry

    opened = manager._vault().open()
    result: dict[str, Versions] = {}
    for entry in opened.document.entries:
        assert isinstance(entry, Entry)
        result.setdefault(entry.connection, []).append((entry.version, entry.state, entries.reveal(entry, opened.data)))
    for name in NAMES:
        active = [its for _, state, its in result.get(name, []) if state == "active"]
        assert manager.key_for(connection(name)) == (active[0] if active else None)
    return result


def in_a_fork(step: Callable[[], object], kill_at: int | None = None) -> int:
    """Run it in a child. With `kill_at` the child is killed -9 before that line of what it runs of WRITING.

    Returns the child's exit code, negative for the signal that ended it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: the child uses none of theirs
        child = os.fork()
    if child == 0:
        code = 1
        try:
            if kill_at is not None:
                sys.settrace(_killer(kill_at))
            step()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _killer(kill_at: int) -> Any:
    """A trace function: counts the lines of the modules that touch files, and ends its own process at one of them."""
    left = kill_at

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if Path(frame.f_code.co_filename).name not in WRITING:
            return None
        left -= event == "line"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace
