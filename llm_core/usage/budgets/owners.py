"""Whose a hold is, and whether that process still lives: known by its id and when it began, as ids are used again.

An owner is `host/pid/beginning`. The beginning is the system's own word for it: on Linux the boot and the ticks since
then, elsewhere the time. Where it cannot be had, the id alone decides; a reused one then counts as alive.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from ..processes import host_name, is_running


def this_owner() -> str:
    return _owner(os.getpid())


def has_ended(owner: str) -> bool:
    """Whether the process is surely gone. One of another host (a container's) is never known to be."""
    host, pid, beginning = owner.split("/", 2)
    if owner == this_owner() or host != host_name():
        return False
    if not is_running(int(pid)):
        return True
    found = _beginning(int(pid))
    return bool(beginning and found and found != beginning)


@cache
def _owner(pid: int) -> str:
    return f"{host_name()}/{pid}/{_beginning(pid)}"


def _beginning(pid: int) -> str:
    """Empty where it cannot be told."""
    try:
        if Path("/proc/sys/kernel/random/boot_id").exists():
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            stat = Path(f"/proc/{pid}/stat").read_bytes()
            fields = stat.rpartition(b")")[2].split()  # the name before it may hold spaces
            return "ended" if fields[0] in (b"Z", b"X") else f"{boot}/{fields[19].decode()}"
        if os.name == "nt":
            return _begun_on_windows(pid)
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        return " ".join(subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split())
    except (OSError, ValueError, IndexError):
        return ""


def _begun_on_windows(pid: int) -> str:
    import ctypes

    query_limited_information = 0x1000
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return ""
    try:
        times = [ctypes.c_ulonglong() for _ in range(4)]
        done = kernel.GetProcessTimes(ctypes.c_void_p(handle), *(ctypes.byref(one) for one in times))
        return str(times[0].value) if done else ""
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
