"""The presets of one workspace: those built in, and a person's own with every version ever saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, UnknownPreset
from .preset import NAME_LENGTH, Kept, Preset, as_kept, as_parameters, checked_name, data_of
from .presets_built_in import BUILT_IN, is_built_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..store.state import State

ON_CONFLICT = ("refuse", "rename", "new version")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, by names. `renamed` maps the name in the file to the one it got here."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Those that were here with other values and now have a new version."""
    renamed: tuple[tuple[str, str], ...] = ()
    unchanged: tuple[str, ...] = ()
    """Those that were here just so."""


class Presets:
    """Each change is one transaction; other processes see it with their next question."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: tuple[int, dict[str, Preset]] | None = None

    def all(self) -> list[Preset]:
        """Those built in, then a person's own by name."""
        return [*BUILT_IN.values(), *self._own().values()]

    def get(self, name: str, version: int | None = None) -> Preset:
        """The preset as it is now, or as a version of it was, also after it was deleted. Raises UnknownPreset."""
        found = self.find(name)
        if version is not None and (found is None or found.version != version):
            found = next((past for past in self._saved(name) if past.version == version), None)
        if found is None:
            known = ", ".join(preset.name for preset in self.all())
            told = f"There is no preset {name!r}" + (f" of version {version}." if version is not None else ".")
            raise UnknownPreset(told, f"There are {known}.")
        return found

    def find(self, name: str) -> Preset | None:
        """The preset as it is now, or None."""
        return BUILT_IN.get(name) or self._own().get(name)

    def versions(self, name: str) -> list[Preset]:
        """All that was ever saved under the name, the newest first. Raises UnknownPreset."""
        found = [BUILT_IN[name]] if name in BUILT_IN else self._saved(name)
        if not found:
            self.get(name)  # raises
        return found

    def deleted(self) -> list[Preset]:
        """The last version of each that was deleted, by name."""
        last = {preset.name: preset for preset in self._saved(None, newest_first=False)}
        return [preset for name, preset in sorted(last.items()) if name not in self._own()]

    def save(self, preset: Preset, *, new: bool = False) -> Preset:
        """Keep it under its name as a new version, unless nothing changed. Returns it with its version.

        With `new` a name that is taken is refused. Raises InvalidInput for that and for a name that cannot be or is
        built in, InvalidParameters for values no provider takes.
        """
        kept = as_kept(preset)
        _require_own(kept.name)
        with self._state.write() as connection:
            current = self._own().get(kept.name)
            if new and current:
                raise _taken(kept.name)
            return self._put(connection, kept, current)

    def duplicate(self, name: str, new_name: str) -> Preset:
        """A copy under another name, of one built in too. Raises UnknownPreset, InvalidInput."""
        return self.save(replace(self.get(name), name=new_name), new=True)

    def rename(self, name: str, new_name: str) -> Preset:
        """Move it to another name, where its versions begin anew; records keep the name they were made with.

        Raises UnknownPreset, InvalidInput.
        """
        from sqlalchemy import delete, update

        from ..store.tables import preset_defaults, presets

        new_name = checked_name(new_name)
        _require_own(name, "renamed")
        _require_own(new_name)
        with self._state.write() as connection:
            old = self.get(name)
            if new_name == old.name:
                return old
            if new_name in self._own():
                raise _taken(new_name)
            moved = self._put(connection, as_kept(replace(old, name=new_name)), None)
            connection.execute(delete(presets).where(presets.c.name == name))
            connection.execute(
                update(preset_defaults).where(preset_defaults.c.preset == name).values(preset=moved.name)
            )
        return moved

    def delete(self, name: str) -> None:
        """Take it off the list; its versions stay for records that name them. Raises UnknownPreset, InvalidInput."""
        from sqlalchemy import delete

        from ..store.tables import presets

        _require_own(name, "deleted")
        self.get(name)
        with self._state.write() as connection:
            connection.execute(delete(presets).where(presets.c.name == name))

    def restore(self, name: str, version: int | None = None) -> Preset:
        """Make a version count again, the last one by default: undoes a deletion, or goes back to what it was before.

        Nothing is lost by it: later versions stay, and the next save is a version after all of them.
        Raises UnknownPreset, InvalidInput.
        """
        from sqlalchemy import delete, insert

        from ..store.tables import presets

        _require_own(name, "restored")
        with self._state.write() as connection:
            found = self.versions(name)[0] if version is None else self.get(name, version)
            connection.execute(delete(presets).where(presets.c.name == name))
            connection.execute(insert(presets).values(name=name, version=found.version))
        return found

    def add(self, given: Sequence[Kept], on_conflict: str) -> ImportReport:
        """All of them in one transaction, or none. `on_conflict` says what to do with a name that is here with other
        values: one of ON_CONFLICT. Raises InvalidInput.
        """
        if on_conflict not in ON_CONFLICT:
            raise InvalidInput(f"on_conflict cannot be {on_conflict!r}.", f"Use one of {', '.join(ON_CONFLICT)}.")
        added, changed, renamed, unchanged = [], [], [], []
        with self._state.write() as connection:
            own = self._own()
            taken = {*own, *(kept.name for kept in given)}
            refused = []
            for kept in given:
                found = BUILT_IN.get(kept.name) or own.get(kept.name)
                if found is not None and (found.purpose, data_of(found)) == (kept.purpose, kept.parameters):
                    unchanged.append(kept.name)
                elif found is None and not is_built_in(kept.name):
                    self._put(connection, kept, None)
                    added.append(kept.name)
                elif on_conflict == "rename":
                    free = _free_name(kept.name, taken)
                    taken.add(free)
                    self._put(connection, replace(kept, name=free), None)
                    renamed.append((kept.name, free))
                elif on_conflict == "new version" and not is_built_in(kept.name):
                    self._put(connection, kept, found)
                    changed.append(kept.name)
                else:
                    refused.append(kept.name)
            if refused:
                raise _conflict(refused, on_conflict)
        return ImportReport(tuple(added), tuple(changed), tuple(renamed), tuple(unchanged))

    def _put(self, connection: Connection, kept: Kept, current: Preset | None) -> Preset:
        from sqlalchemy import delete, func, insert, select

        from ..store.tables import preset_versions, presets

        if current and (data_of(current), current.purpose) == (kept.parameters, kept.purpose):
            return current
        mine = preset_versions.c.name == kept.name
        last = connection.scalar(select(func.max(preset_versions.c.version)).where(mine)) or 0
        now = datetime.now(UTC)
        connection.execute(
            insert(preset_versions).values(
                name=kept.name,
                version=last + 1,
                parameters=dict(kept.parameters),
                purpose=kept.purpose,
                saved_at=now,
            )
        )
        connection.execute(delete(presets).where(presets.c.name == kept.name))
        connection.execute(insert(presets).values(name=kept.name, version=last + 1))
        return Preset(kept.name, as_parameters(kept.parameters), kept.purpose, last + 1, saved_at=now)

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

    def _saved(self, name: str | None, *, newest_first: bool = True) -> list[Preset]:
        """Versions of the name, or of all names, in order."""
        from sqlalchemy import select

        from ..store.tables import preset_versions

        order = preset_versions.c.version.desc() if newest_first else preset_versions.c.version
        asked = select(preset_versions).order_by(order)
        with self._state.read() as connection:
            rows = connection.execute(asked if name is None else asked.where(preset_versions.c.name == name)).all()
        return [_of_row(row) for row in rows]


def _of_row(row: Any) -> Preset:
    return Preset(row.name, as_parameters(row.parameters), row.purpose, row.version, saved_at=row.saved_at)


def _require_own(name: str, done: str = "") -> None:
    if not is_built_in(name):
        return
    if done:
        raise InvalidInput(f"The preset {name} is built in and cannot be {done}.", "Duplicate it to have your own.")
    raise InvalidInput(f"{name} is the name of a built-in preset.", "Choose another name.")


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"There is a preset {name} already.", "Choose another name.")


def _conflict(names: Sequence[str], on_conflict: str) -> InvalidInput:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    if on_conflict == "new version":
        return InvalidInput(f"Built-in presets cannot be changed: {shown}.", "Import them under another name.")
    return InvalidInput(
        f"There are other presets of these names: {shown}.", "Import them under another name, or as a new version."
    )


def _free_name(name: str, taken: set[str]) -> str:
    number = 2
    while True:
        end = f" ({number})"
        free = name[: NAME_LENGTH - len(end)].rstrip() + end
        if free not in taken:
            return free
        number += 1
