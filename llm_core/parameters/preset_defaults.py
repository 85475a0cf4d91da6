"""Which preset counts where a call names none: the model's own default first, then the one of its task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from ..types import TASKS, split_model_id
from .preset import Preset
from .presets import Presets

if TYPE_CHECKING:
    from ..store.state import State


@dataclass(frozen=True, slots=True)
class PresetDefault:
    """`task` or `model` is set, never both."""

    preset: str
    task: str | None = None
    model: str | None = None


class PresetDefaults:
    """The defaults of one workspace. One whose preset was deleted counts for nothing, until the preset is back."""

    def __init__(self, state: State, presets: Presets) -> None:
        self._state = state
        self._presets = presets
        self._known: tuple[int, dict[str, str]] | None = None

    def set(self, preset: str | None, task: str | None, model: str | None) -> None:
        """None for the preset removes it. Raises InvalidInput, UnknownPreset."""
        from sqlalchemy import delete, insert

        from ..store.tables import preset_defaults

        scope = _scope(task, model)
        if preset is not None:
            preset = self._presets.get(preset).name
        with self._state.write() as connection:
            connection.execute(delete(preset_defaults).where(preset_defaults.c.scope == scope))
            if preset is not None:
                connection.execute(insert(preset_defaults).values(scope=scope, preset=preset))

    def all(self) -> list[PresetDefault]:
        """Those that count, tasks first."""
        kept = self._kept()
        found = [PresetDefault(kept[f"task:{task}"], task=task) for task in TASKS if f"task:{task}" in kept]
        found += [
            PresetDefault(name, model=scope.removeprefix("model:"))
            for scope, name in sorted(kept.items())
            if scope.startswith("model:")
        ]
        return [default for default in found if self._presets.find(default.preset)]

    def of(self, model: str, task: str) -> Preset | None:
        """What a call of this model for this task follows when it names no preset."""
        kept = self._kept()
        for scope in (f"model:{model}", f"task:{task}"):
            if scope in kept and (found := self._presets.find(kept[scope])):
                return found
        return None

    def _kept(self) -> dict[str, str]:
        from sqlalchemy import select

        from ..store.tables import preset_defaults

        version = self._state.version()
        if self._known is None or self._known[0] != version:
            with self._state.read() as connection:
                rows = connection.execute(select(preset_defaults.c.scope, preset_defaults.c.preset)).all()
            self._known = (version, {row.scope: row.preset for row in rows})
        return self._known[1]


def _scope(task: str | None, model: str | None) -> str:
    if (task is None) == (model is None):
        raise InvalidInput("A default is for a task or for a model.", 'Give task="chat", or model="connection:model".')
    if model is not None:
        split_model_id(model)
        return f"model:{model}"
    if task not in TASKS:
        raise InvalidInput(f"Unknown task {task!r}.", f"Use one of {', '.join(TASKS)}.")
    return f"task:{task}"
