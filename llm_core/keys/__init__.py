"""Where a connection's key comes from. Keys are handed out at the moment of use and shown only as a hint."""

from __future__ import annotations

from .manager import APIKeyManager

__all__ = ["APIKeyManager"]
