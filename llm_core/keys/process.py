"""Makes it harder for other programs of the same person to read this process's memory. No promise beyond that.

For a program of our own (the app, the command line); a library does not change its host. Python cannot wipe a str, so
keys stay in memory until it is used again.
"""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def harden() -> list[str]:
    """No core dumps, and on Linux no reading of memory and environment by others of the same user (ptrace, /proc).

    Returns what was done. Debuggers and profilers that attach from outside cannot look in after that.
    """
    done = []
    try:
        import resource
    except ImportError:
        pass  # Windows has neither
    else:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        done.append("no core dumps")
    if sys.platform.startswith("linux") and ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        done.append("memory closed to other programs")
    return done
