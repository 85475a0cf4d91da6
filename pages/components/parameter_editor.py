"""One control for each parameter that the model takes, by group; those it lacks are named with the reason."""

from __future__ import annotations

import streamlit as st

from llm_core import LLMModel, Parameters, Workspace
from llm_core.parameters import ParameterSpec, Preset, Validation
from llm_core.parameters.fitting import Change
from llm_core.parameters.specs import GROUPS
from pages.components import figures, parameter_field

WIDE = ("text", "object")
"""Kinds that take the whole width."""
WORDS = {
    "sampling": ("Sampling", "how words are drawn"),
    "length": ("Length", "where answers end"),
    "reasoning": ("Reasoning", "how long it thinks"),
    "output": ("Output", "what it gives"),
    "advanced": ("Advanced", "instructions, queue, probabilities"),
}


def draw(specs: list[ParameterSpec], preset: Preset, edited: Parameters) -> None:
    """The controls, filled with the preset and what was changed. `parameter_values.read` tells what they hold."""
    given, now = preset.parameters.given(), edited.given()
    for group in GROUPS:
        here = [spec for spec in specs if spec.group == group]
        # A value that the model does not take keeps its control, so that it can be taken out.
        shown = [spec for spec in here if spec.supported or spec.name in given or spec.name in now]
        name, about = WORDS[group]
        st.markdown(f"**{name}** :small[:gray[{about}]]")
        changed = {spec.name: now.get(spec.name) != given.get(spec.name) for spec in shown}
        narrow = [spec for spec in shown if spec.kind not in WIDE]
        if narrow:
            with st.grid(2, min_column_width=230):
                for spec in narrow:
                    parameter_field.draw(spec, preset, changed=changed[spec.name])
        for spec in shown:
            if spec.kind in WIDE:
                parameter_field.draw(spec, preset, changed=changed[spec.name])
        _lacking([spec for spec in here if spec not in shown])


def _lacking(specs: list[ParameterSpec]) -> None:
    """Off, with the reason; those that are off for the same one stand in one line."""
    by_reason: dict[str, list[str]] = {}
    for spec in specs:
        by_reason.setdefault(spec.reason, []).append(figures.sentence(spec.name))
    for reason, names in by_reason.items():
        st.markdown(f":small[:gray[:material/block: {', '.join(names)}: off. {figures.plain(reason)}]]")


def findings(ws: Workspace, model: LLMModel, edited: Parameters) -> None:
    """What a call with these values as a preset leaves out on this model, what else is wrong or unwise, or all well."""
    changes = ws.parameters.changes(model.id, edited)
    if changes:
        lines = [f"- {_became(change)} {figures.plain(change.why)}" for change in changes]
        st.warning("\n".join(lines), title="Not all of it reaches this model", icon=":material/filter_alt:")
    found = ws.parameters.validate(model.id, ws.parameters.suited(model.id, edited))
    told(found)
    if not changes and not found.errors and not found.warnings:
        st.badge("This model takes all of it", icon=":material/check_circle:", color="green")


def told(found: Validation) -> None:
    """What would be refused, then what would be ignored or is unwise."""
    for finding in found.errors:
        st.error(finding.hint, title=f"{figures.sentence(finding.field)}: {finding.message}", icon=":material/block:")
    for finding in found.warnings:
        st.warning(
            finding.hint, title=f"{figures.sentence(finding.field)}: {finding.message}", icon=":material/warning:"
        )


def _became(change: Change) -> str:
    name = f"**{figures.sentence(change.field)}**"
    return f"{name} is left out." if change.to is None else f"{name} {change.value:g} becomes {change.to:g}."
