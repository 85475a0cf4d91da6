"""Answers for pages and calls: what a model takes, whether values fit it, and the presets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import NotConfigured
from ..types import LLMModel, Parameters
from .expectation import expectation
from .families import specs_for
from .fitting import Change, fit
from .preset import Preset
from .preset_defaults import PresetDefault, PresetDefaults
from .presets import ImportReport, Presets
from .specs import ParameterSpec
from .validate import Finding, Validation, validate

if TYPE_CHECKING:
    from ..store.state import State
    from .distribution import Distribution
    from .next_tokens import Ask, NextTokens


class Models(Protocol):
    """What this room asks of ModelService."""

    def get(self, id: str) -> LLMModel: ...  # noqa: A002


class ParameterService:
    """Safe to share between threads."""

    def __init__(self, state: State, models: Models, ask: Ask) -> None:
        """`ask` makes a call, for `next_tokens`."""
        self._models = models
        self._ask = ask
        self._presets = Presets(state)
        self._defaults = PresetDefaults(state, self._presets)

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

    def suited(self, id: str, parameters: Parameters, beside: Parameters | None = None) -> Parameters:  # noqa: A002
        """What the model takes of a preset, which is for all models: what it lacks is left out, numbers past its range
        become the nearest in it. `beside` are those given in the call, which win.
        """
        return fit(self.spec(id), parameters, beside)[0]

    def changes(self, id: str, parameters: Parameters) -> tuple[Change, ...]:  # noqa: A002
        """What `suited` leaves out or moves into range when the parameters are a preset's, each with the reason."""
        return fit(self.spec(id), parameters)[1]

    def expectation(self, id: str, parameters: Parameters) -> str:  # noqa: A002
        """What to expect of an answer with these parameters, in plain words."""
        return expectation(self.spec(id), parameters)

    def reshaped(
        self,
        id: str,  # noqa: A002
        tokens: NextTokens,
        parameters: Parameters,
        counts: Sequence[int] | None = None,
    ) -> Distribution:
        """The chances of these tokens as this model would draw with the parameters, its defaults where none is set.

        `counts` says how often each was used before, which only penalties look at.
        """
        from .distribution import Order, reshape, shaping

        logprobs = [token.logprob for token in tokens.tokens]
        order: Order = "llama.cpp" if self._models.get(id).provider == "local" else "temperature first"
        return reshape(logprobs, shaping(self.spec(id), parameters), counts=counts, order=order)

    def next_tokens(self, id: str, messages: Any, top: int = 20, **options: Any) -> NextTokens:  # noqa: A002
        """What this model would say next after the messages, and how likely it holds each token: one call for one
        token, recorded with the source "parameters". `options` are those of `ws.llm.complete`, as `timeout` and `user`.

        Raises InvalidInput where the model does not tell, and what a call raises.
        """
        from .next_tokens import of_model

        return of_model(self._ask, id, self.spec(id), messages, top, options)

    def recorded_next_tokens(self) -> tuple[NextTokens, ...]:
        """Real ones of a small open model, recorded once, for where no model is at hand."""
        from .next_tokens import recorded

        return recorded()

    def presets(self) -> list[Preset]:
        """Those built in, then a person's own by name."""
        return self._presets.all()

    def preset(self, name: str, version: int | None = None) -> Preset:
        """The preset as it is now, or as a version of it was, also after it was deleted. Raises UnknownPreset."""
        return self._presets.get(name, version)

    def save(self, preset: Preset, *, new: bool = False) -> Preset:
        """Keep it as a new version under its name; what comes back has its version. With `new` a name that is taken is
        refused. Raises InvalidInput.
        """
        return self._presets.save(preset, new=new)

    def duplicate(self, name: str, new_name: str) -> Preset:
        """A copy under a name of its own, of a built-in one too. Raises UnknownPreset, InvalidInput."""
        return self._presets.duplicate(name, new_name)

    def rename(self, name: str, new_name: str) -> Preset:
        """Its versions begin anew and defaults follow; records keep the name they were made with.

        Raises UnknownPreset, InvalidInput.
        """
        return self._presets.rename(name, new_name)

    def delete(self, name: str) -> None:
        """Take a person's own preset off the list; records keep naming it. Raises UnknownPreset, InvalidInput."""
        self._presets.delete(name)

    def restore(self, name: str, version: int | None = None) -> Preset:
        """Undo a deletion, or make an earlier version count again. Raises UnknownPreset, InvalidInput."""
        return self._presets.restore(name, version)

    def versions(self, name: str) -> list[Preset]:
        """All that was saved under the name, the newest first, each with the time. Raises UnknownPreset."""
        return self._presets.versions(name)

    def deleted_presets(self) -> list[Preset]:
        """Those that `restore` can bring back, as they were last."""
        return self._presets.deleted()

    def set_default(self, preset: str | None, *, task: str | None = None, model: str | None = None) -> None:
        """The preset of calls for this task, or of this model, that name none; None for none again.

        A model's default counts before its task's, and a call with `preset=""` follows neither. Raises UnknownPreset,
        InvalidInput.
        """
        self._defaults.set(preset, task, model)

    def defaults(self) -> list[PresetDefault]:
        """The defaults there are, those of tasks first."""
        return self._defaults.all()

    def default_for(self, id: str, task: str = "chat") -> Preset | None:  # noqa: A002
        """The preset that a call of this model for this task follows when it names none."""
        return self._defaults.of(id, task)

    def export_presets(self, names: Sequence[str] | None = None) -> str:
        """These presets, else all of a person's own, as the JSON that docs/presets.md describes. Raises UnknownPreset,
        InvalidInput where there is none.
        """
        from .preset_files import write

        wanted = [one for one in self.presets() if not one.built_in] if names is None else map(self.preset, names)
        return write(wanted)

    def import_presets(self, text: str | bytes, *, on_conflict: str = "refuse") -> ImportReport:
        """All presets of such a file, or none of them.

        A name that is here with other values is refused, or the one of the file gets another name ("rename"), or it
        becomes a new version of the one here ("new version"). Raises InvalidPresetFile, InvalidInput.
        """
        from .preset_files import read

        return self._presets.add(read(text), on_conflict)

    def preset_schema(self) -> dict[str, Any]:
        """The JSON Schema of such a file."""
        from .preset_files import schema

        return schema()
