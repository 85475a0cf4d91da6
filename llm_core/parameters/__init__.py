"""What each parameter means to a model, whether values would be taken, and named sets of them."""

from __future__ import annotations

from .preset import Preset
from .preset_defaults import PresetDefault
from .presets import ImportReport
from .service import ParameterService
from .specs import ParameterSpec
from .validate import Finding, Validation

__all__ = ["Finding", "ImportReport", "ParameterService", "ParameterSpec", "Preset", "PresetDefault", "Validation"]
