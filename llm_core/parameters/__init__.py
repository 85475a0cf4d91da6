"""What each parameter means to a model, whether values would be taken, and named sets of them."""

from __future__ import annotations

from .next_tokens import NextTokens
from .preset import Preset
from .preset_defaults import PresetDefault
from .presets import ImportReport
from .service import ParameterService
from .specs import ParameterSpec
from .validate import Finding, Validation
from .wire import CostRange, WireNote, WireRequest

__all__ = [
    "CostRange",
    "Finding",
    "ImportReport",
    "NextTokens",
    "ParameterService",
    "ParameterSpec",
    "Preset",
    "PresetDefault",
    "Validation",
    "WireNote",
    "WireRequest",
]
