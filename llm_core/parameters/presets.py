"""Named sets of parameters: those that come with the program, and a person's own with every version ever saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, InvalidParameters, UnknownPreset
from ..types import Parameters
from .specs import WIDEST
from .validate import validate

if TYPE_CHECKING:
    from ..store.state import State

NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Preset:
    """`version` counts its changes from 1. Usage records name both, so that a change does not rewrite the past."""

    name: str
    parameters: Parameters
    purpose: str = ""
    version: int = 1
    built_in: bool = False


BUILT_IN: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("balanced", Parameters(), "The model's own defaults. Fits every model.", built_in=True),
        Preset("precise", Parameters(temperature=0.2), "Facts and answers that should not wander.", built_in=True),
        Preset("creative", Parameters(temperature=1.0), "Ideas, stories and variants.", built_in=True),
        Preset(
            "deterministic", Parameters(temperature=0.0), "As repeatable as the model allows: tests.", built_in=True
        ),
        Preset(
            "JSON extraction",
            Parameters(
                temperature=0.0,
                response_format="json_object",
                system="Answer with one JSON object and nothing else. Use null for what the text does not say.",
            ),
            "Fields out of a text, as JSON.",
            built_in=True,
        ),
        Preset(
            "summary",
            Parameters(
                temperature=0.3,
                max_tokens=1_000,
                system="Summarise what the text says, in its own language. Add nothing that it does not say.",
            ),
            "A text made short.",
            built_in=True,
        ),
        Preset("code", Parameters(temperature=0.1), "Code and structured text that has to be right.", built_in=True),
        Preset(
            "thorough", Parameters(reasoning_effort="high"), "Hard questions, on models that can reason.", built_in=True
        ),
    )
}
"""In the order that pages show."""


class Presets:
    """The presets of one workspace."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: tuple[int, dict[str, Preset]] | None = None

    def all(self) -> list[Preset]:
        """Those built in, then a person's own by name."""
        return [*BUILT_IN.values(), *self._own().values()]

    def get(self, name: str, version: int | None = None) -> Preset:
        """The preset as it is now, or as a version of it was, also after it was deleted. Raises UnknownPreset."""
        found = BUILT_IN.get(name) or self._own().get(name)
        if version is not None and (found is None or found.version != version):
            found = self._past(name, version)
        if found is None:
            known = ", ".join(preset.name for preset in self.all())
            told = f"There is no preset {name!r}" + (f" of version {version}." if version is not None else ".")
            raise UnknownPreset(told, f"There are {known}.")
        return found

    def save(self, preset: Preset) -> Preset:
        """Keep it under its name as a new version, unless nothing changed. Returns it with its version.

        Raises InvalidInput for a name that cannot be or is built in, InvalidParameters for values no provider takes.
        """
        from sqlalchemy import delete, func, insert, select

        from ..store.tables import preset_versions, presets

        name = _checked_name(preset.name)
        kept = _as_data(preset.parameters)
        with self._state.write() as connection:
            mine = preset_versions.c.name == name
            last = connection.scalar(select(func.max(preset_versions.c.version)).where(mine)) or 0
            current = self._own().get(name)
            if current and (_as_data(current.parameters), current.purpose) == (kept, preset.purpose):
                return current
            saved = Preset(name, _as_parameters(kept), preset.purpose, last + 1)
            connection.execute(
                insert(preset_versions).values(
                    name=name,
                    version=saved.version,
                    parameters=kept,
                    purpose=saved.purpose,
                    saved_at=datetime.now(UTC),
                )
            )
            connection.execute(delete(presets).where(presets.c.name == name))
            connection.execute(insert(presets).values(name=name, version=saved.version))
        return saved

    def delete(self, name: str) -> None:
        """Take it off the list; its versions stay for records that name them. Raises UnknownPreset, InvalidInput."""
        from sqlalchemy import delete

        from ..store.tables import presets

        if name in BUILT_IN:
            raise InvalidInput(f"The preset {name} is built in and stays.", "Delete only your own.")
        self.get(name)
        with self._state.write() as connection:
            connection.execute(delete(presets).where(presets.c.name == name))

    def _own(self) -> dict[str, Preset]:
        from sqlalchemy import select

        from ..store.tables import preset_versions, presets

        version = self._state.version()
        if self._known is None or self._known[0] != version:
            current = preset_versions.join(
                presets, (presets.c.name == preset_versions.c.name) & (presets.c.version == preset_versions.c.version)
            )
            with self._state.read() as connection:
                rows = connection.execute(
                    select(preset_versions).select_from(current).order_by(preset_versions.c.name)
                ).all()
            self._known = (version, {row.name: _of_row(row) for row in rows})
        return self._known[1]

    def _past(self, name: str, version: int) -> Preset | None:
        from sqlalchemy import select

        from ..store.tables import preset_versions

        asked = (preset_versions.c.name == name) & (preset_versions.c.version == version)
        with self._state.read() as connection:
            row = connection.execute(select(preset_versions).where(asked)).first()
        return _of_row(row) if row else None


def _of_row(row: Any) -> Preset:
    return Preset(row.name, _as_parameters(row.parameters), row.purpose, row.version)


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput("A preset needs a name.", f"Give 1 to {NAME_LENGTH} letters on one line.")
    name = name.strip()
    if name.casefold() in {known.casefold() for known in BUILT_IN}:
        raise InvalidInput(f"{name} is the name of a built-in preset.", "Choose another name.")
    return name


def _as_data(parameters: Parameters | Mapping[str, Any]) -> dict[str, Any]:
    """As JSON keeps them. Raises InvalidParameters."""
    given = Parameters.of(parameters).given()
    errors = validate(WIDEST.values(), given).errors
    if errors:
        told = " ".join(f"{found.field}: {found.message}" for found in errors)
        raise InvalidParameters(f"These parameters cannot be saved. {told}", errors[0].hint, errors)
    try:
        data: dict[str, Any] = json.loads(json.dumps(given, allow_nan=False))
    except (TypeError, ValueError):
        raise InvalidParameters("These parameters hold what JSON cannot.", "Use texts, numbers and mappings.") from None
    return data


def _as_parameters(data: Mapping[str, Any]) -> Parameters:
    """What a newer program kept and this one does not know is left out."""
    return Parameters.of({name: value for name, value in data.items() if name in WIDEST})
