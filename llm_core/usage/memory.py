"""How much memory this process takes, as the system counts it."""

from __future__ import annotations

import os
import sys


def resident_mb() -> float:
    """MB of memory now; where the system tells only the highest so far (macOS, Windows), that."""
    platform: str = sys.platform
    if platform == "linux":
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    if platform == "win32":
        return _peak_on_windows()
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _peak_on_windows() -> float:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("page_faults", wintypes.DWORD),
            ("peak_working_set", ctypes.c_size_t),
            ("rest", ctypes.c_size_t * 7),
        )

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    counters = Counters(size=ctypes.sizeof(Counters))
    process = wintypes.HANDLE(kernel.GetCurrentProcess())
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size):
        return 0.0
    return float(counters.peak_working_set) / 2**20
