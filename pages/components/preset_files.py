"""Dialogs for presets as files, and for those that were deleted."""

from __future__ import annotations

import streamlit as st

from llm_core import Workspace
from llm_core.parameters import ImportReport, Preset
from pages.components import dialogs, feedback, figures, shell
from pages.components.choices import choose

FILE, CONFLICT, WHICH = "preset.file", "preset.conflict", "preset.which"
CONFLICTS = {"refuse": "Import nothing", "rename": "Give it another name", "new version": "Make it a new version"}
ALL = "All of your own"


def export(ws: Workspace, preset: Preset) -> None:
    """Callback: choose what to download."""
    dialogs.ask("Export presets", "download", _export, ws, preset)


def _export(ws: Workspace, preset: Preset) -> None:
    own = [found.name for found in ws.parameters.presets() if not found.built_in]
    which = st.radio("Which", [preset.name, *([ALL] if own else [])], key=WHICH, label_visibility="collapsed")
    st.caption("A JSON file, for another workspace. Versions and defaults stay here; keys are never part of a preset.")
    text = ws.parameters.export_presets(None if which == ALL else [preset.name])
    st.download_button("Download", text, "presets.json", "application/json", type="primary", icon=":material/download:")


def bring_in(ws: Workspace) -> None:
    """Callback: choose a file."""
    dialogs.ask("Import presets", "upload", _import, ws)


def _import(ws: Workspace) -> None:
    st.file_uploader("A JSON file of presets", type="json", key=FILE, max_upload_size=1)
    st.radio("Where a name is here with other values", list(CONFLICTS), format_func=CONFLICTS.get, key=CONFLICT)
    feedback.leftovers()
    st.button("Import", key="preset.go", type="primary", on_click=_read, args=(ws,))


@feedback.callback
def _read(ws: Workspace) -> None:
    file = st.session_state.get(FILE)
    if file is None:
        return
    report = ws.parameters.import_presets(file.getvalue(), on_conflict=st.session_state[CONFLICT])
    names = [*report.added, *report.changed, *(here for _, here in report.renamed), *report.unchanged]
    choose(ws, "preset", names[0])
    feedback.tell(told(report))
    dialogs.done()


def told(report: ImportReport) -> str:
    """What an import did, in a sentence."""
    parts = [
        f"{len(report.added)} added" if report.added else "",
        f"{len(report.changed)} with a new version" if report.changed else "",
        f"{len(report.renamed)} under another name" if report.renamed else "",
        f"{len(report.unchanged)} already here" if report.unchanged else "",
    ]
    return f"Imported: {', '.join(filter(None, parts))}."


def restore(ws: Workspace) -> None:
    """Callback: choose a deleted one to bring back."""
    dialogs.ask("Restore a deleted preset", "restore_from_trash", _restore, ws)


def _restore(ws: Workspace) -> None:
    for preset in ws.parameters.deleted_presets():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{figures.plain(preset.name)}** :small[:gray[{_last(preset)}]]", width="stretch")
            st.button("Restore", key=f"preset.restore.{preset.name}", on_click=_bring_back, args=(ws, preset.name))
    feedback.leftovers()


def _last(preset: Preset) -> str:
    return f"version {preset.version}, saved {figures.moment(preset.saved_at, shell.tz())}"


@feedback.callback
def _bring_back(ws: Workspace, name: str) -> None:
    ws.parameters.restore(name)
    choose(ws, "preset", name)
    feedback.tell(f"{name} is back.")
    dialogs.done()
