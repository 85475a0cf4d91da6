"""What a model is, what it costs, whether it can be used, and which one is active for a task."""

from __future__ import annotations

from ..store.listings import ListingCheck
from .needs import NEEDS, Lack
from .own import OWN_FACTS
from .service import ModelService
from .workload import TYPICAL, Workload

__all__ = ["NEEDS", "OWN_FACTS", "TYPICAL", "Lack", "ListingCheck", "ModelService", "Workload"]
