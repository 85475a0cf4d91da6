"""Closes the ledger at the very end of the program, after the threads that are stopped then and still ask it something.

Python runs what is registered last first: so whoever stops a thread of the ledger's at the end imports this module.
"""

from __future__ import annotations

import atexit
import gc
import os
import weakref
from typing import Protocol


class Ending(Protocol):
    def end(self) -> None: ...


_open: weakref.WeakSet[Ending] = weakref.WeakSet()


def end_with_program(one: Ending) -> None:
    """Have its `end` called when the program ends, if it is still there."""
    _open.add(one)


def _end_all() -> None:
    for one in list(_open):
        one.end()
    gc.unfreeze()  # else what an app left out of the collection of garbage stays to the end, DuckDB's types too


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):  # a parent's database must not be touched by its child, which can hang in it
    os.register_at_fork(after_in_child=_open.clear)
