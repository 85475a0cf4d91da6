"""Where a connection's key comes from and where it is kept. Keys are handed out at the moment of use, shown as a hint.

The vault is described in `document.py`, its master key's sources in `sources.py`, redaction in `redaction.py`.
"""

from __future__ import annotations

from .guards import install as guard_output
from .manager import APIKeyManager
from .redaction import redacted
from .status import Deletion, FoundKey, KeyEntry, SourceChoice, VaultStatus

__all__ = [
    "APIKeyManager",
    "Deletion",
    "FoundKey",
    "KeyEntry",
    "SourceChoice",
    "VaultStatus",
    "guard_output",
    "redacted",
]
