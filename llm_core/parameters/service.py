"""Answers for pages and calls: what a model takes, whether values fit it, and the presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..errors import NotConfigured
from ..types import LLMModel, Parameters
from .families import specs_for
from .presets import Preset, Presets
from .specs import ParameterSpec
from .validate import Finding, Validation, validate

if TYPE_CHECKING:
    from ..store.state import State


class Models(Protocol):
    """What this room asks of ModelService."""

    def get(self, id: str) -> LLMModel: ...  # noqa: A002


class ParameterService:
    """Safe to share between threads."""

    def __init__(self, state: State, models: Models) -> None:
        self._models = models
        self._presets = Presets(state)

    def spec(self, id: str) -> list[ParameterSpec]:  # noqa: A002  # the name is part of the public surface
        """Every parameter as this model takes it, those it lacks with the reason. A provider's name stands in for a
        connection that does not exist. Raises UnknownModel, UnknownConnection.
        """
        return list(specs_for(self._models.get(id)))

    def validate(self, id: str, parameters: object) -> Validation:  # noqa: A002
        """What the provider would refuse and what would be ignored or unwise. Never raises, whatever it is given."""
        try:
            return validate(self.spec(id), parameters)
        except (NotConfigured, AttributeError, TypeError):  # an id that is none: unknown, or not even text
            found = validate(specs_for(None), parameters)
            unknown = Finding("model", "This model is not known; only values no provider takes are found.")
            return Validation(found.errors, (unknown, *found.warnings))

    def suited(self, id: str, parameters: Parameters) -> Parameters:  # noqa: A002
        """Those of the parameters that the model takes: a preset is for all models, and some take less."""
        lacking = {spec.name for spec in self.spec(id) if not spec.supported}
        return Parameters(**{name: value for name, value in parameters.given().items() if name not in lacking})

    def presets(self) -> list[Preset]:
        """Those built in, then a person's own by name."""
        return self._presets.all()

    def preset(self, name: str, version: int | None = None) -> Preset:
        """The preset as it is now, or as a version of it was, also after it was deleted. Raises UnknownPreset."""
        return self._presets.get(name, version)

    def save(self, preset: Preset) -> Preset:
        """Keep it as a new version under its name; what comes back has its version. Raises InvalidInput."""
        return self._presets.save(preset)

    def delete(self, name: str) -> None:
        """Take a person's own preset off the list; records keep naming it. Raises UnknownPreset, InvalidInput."""
        self._presets.delete(name)
