"""Who wrote a file, and whether that process still runs: by host name and process id."""

from __future__ import annotations

import os
import re


def host_name() -> str:
    """This machine's name as it appears in file names: ASCII, at most 40 characters."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:40] or "host"


def this_process() -> str:
    return f"{host_name()}-{os.getpid()}"


def is_running(pid: int) -> bool:
    """Whether a process with this id runs on this machine. A reused id counts as running."""
    if os.name == "nt":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_running_on_windows(pid: int) -> bool:
    """`os.kill(pid, 0)` would end the process there."""
    import ctypes

    query_limited_information, still_active, access_denied = 0x1000, 259, 5
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return bool(ctypes.get_last_error() == access_denied)  # type: ignore[attr-defined,unused-ignore]
    try:
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
        return code.value == still_active
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
