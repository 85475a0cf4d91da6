"""The presets that come with the program. A change to one raises its version: records name the version they used."""

from __future__ import annotations

from ..types import Parameters
from .preset import Preset


def _built_in(name: str, purpose: str, **parameters: object) -> Preset:
    return Preset(name, Parameters.of(parameters), purpose, built_in=True)


BUILT_IN: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _built_in("balanced", "The model's own defaults. Fits every model."),
        _built_in("precise", "Facts and answers that should not wander.", temperature=0.2),
        _built_in("creative", "Ideas, stories and variants.", temperature=1.0),
        _built_in("deterministic", "As repeatable as the model allows: tests.", temperature=0.0),
        _built_in(
            "JSON extraction",
            "Fields out of a text, as JSON.",
            temperature=0.0,
            response_format="json_object",
            system="Answer with one JSON object and nothing else. Use null for what the text does not say.",
        ),
        _built_in(
            "summary",
            "A text made short.",
            temperature=0.3,
            max_tokens=1_000,
            system="Summarise what the text says, in its own language. Add nothing that it does not say.",
        ),
        _built_in(
            "transcript clean-up",
            "Punctuation and slips of a transcript put right, and nothing else.",
            temperature=0.0,
            system=(
                "Put right the punctuation, the capitals and what was clearly misheard in this transcript, and leave "
                "out fillers. Keep its language, its order and all that is said; add nothing. "
                "Answer with the transcript alone."
            ),
        ),
        _built_in(
            "brainstorm",
            "Many ideas that differ from each other.",
            temperature=1.0,
            presence_penalty=0.8,
            system="Give many short ideas, one a line, as unlike each other as you can. Judge none of them.",
        ),
        _built_in("code", "Code and structured text that has to be right.", temperature=0.1),
        _built_in("thorough", "Hard questions, on models that can reason.", reasoning_effort="high"),
    )
}
"""In the order that pages show."""

_FOLDED = frozenset(name.casefold() for name in BUILT_IN)


def is_built_in(name: str) -> bool:
    """Whether the name, however it is capitalised, is that of one built in."""
    return name.casefold() in _FOLDED
