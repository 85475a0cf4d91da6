"""Keeps the collection of garbage short.

Streamlit collects all garbage after each run of a page or a fragment, while every other thread stands still. With the
vendors' SDKs and pandas loaded that is 0.2 s, each second for each open tab. What modules made when they were imported
is never garbage, so it is taken out of what is looked at.
"""

from __future__ import annotations

import gc
import sys

_seen = {"modules": 0}


def leave_out_modules() -> None:
    """Call before a run: that is just after the collection of the one before, when next to nothing is garbage."""
    if len(sys.modules) != _seen["modules"]:
        _seen["modules"] = len(sys.modules)
        gc.freeze()
