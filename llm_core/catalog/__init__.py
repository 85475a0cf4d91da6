"""What a model is, what it costs, and which one is active for a task."""

from __future__ import annotations

from .service import ModelService

__all__ = ["ModelService"]
