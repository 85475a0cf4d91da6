"""What some tests need of the machine. Lacking it they are skipped with the reason; under CI=true that is a failure."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """This machine cannot run the test."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have everything: {reason}", pytrace=False)
    pytest.skip(reason)


def chromium() -> Path:
    """The browser that drives the pages. Playwright's own is not used: it cannot be had everywhere."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    lacking("no Chromium (Debian: apt-get install chromium)")


def local_engine() -> None:
    """llama.cpp, to run a model on this machine."""
    if find_spec("xllamacpp") is None:
        lacking('xllamacpp is not installed (pip install -e ".[local]")')


def program(name: str, hint: str = "") -> Path:
    found = shutil.which(name)
    if not found:
        lacking(f"no {name}{f' ({hint})' if hint else ''}")
    return Path(found)
