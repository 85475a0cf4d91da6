"""What each parameter means to a model, whether values would be taken, and named sets of them."""

from __future__ import annotations

from .presets import Preset
from .service import ParameterService
from .specs import ParameterSpec
from .validate import Finding, Validation

__all__ = ["Finding", "ParameterService", "ParameterSpec", "Preset", "Validation"]
