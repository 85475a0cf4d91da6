"""The way to every provider: connections, the adapters that carry their calls, and one HTTP and error policy for all.

`ProviderService` keeps the connections. `registry` names the providers; `protocol` is what a call path needs of an
adapter. SDKs are imported when a first call is made, never before.
"""

from __future__ import annotations

from .registry import REGISTRY, ProviderRow
from .service import ProviderService

__all__ = ["REGISTRY", "ProviderRow", "ProviderService"]
