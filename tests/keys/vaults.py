"""What the tests of the keys share: keys to store, connections to store them for, a vault that is ready."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from llm_core import LLMProvider
from llm_core.keys import APIKeyManager
from llm_core.store.home import Home

KEY = "sk-test-0123456789abcdefWXYZ"
OTHER = "sk-other-0123456789abcdefQRST"
PASSPHRASE = "four words make sense"
ROOT = Path(__file__).parents[2]


def connection(name: str = "openai", provider: str = "openai", base_url: str | None = None) -> LLMProvider:
    return LLMProvider(name=name, provider=provider, base_url=base_url)


def with_key_file(home: Home) -> APIKeyManager:
    """A manager whose vault opens with a key file beside the home."""
    keys = APIKeyManager(home)
    keys.choose_source("key_file", key_file=key_file_of(home))
    return keys


def key_file_of(home: Home) -> Path:
    return home.path.parent / "master.key"


def every_file(home: Home) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.path.rglob("*") if path.is_file()}


def in_child(code: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own; `sys.argv[1:]` are the arguments."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, check=check, capture_output=True, text=True
    )
