"""What one source says of models: the form that every reader gives and that `merge` takes."""

from __future__ import annotations

from typing import Any

Said = dict[str, dict[str, dict[str, Any]]]
"""Provider -> model -> field -> value.

The fields are those of KnownFacts, as JSON holds them: dates as YYYY-MM-DD, lists sorted. `capabilities` maps a word to
whether the model has it; a word that is not there is not spoken of. A source may name a model and say nothing of it.
"""

PROVIDERS = ("openai", "anthropic", "google", "cohere", "huggingface")


def without_unknown(fields: dict[str, Any]) -> dict[str, Any]:
    """Drops what a source leaves open: None, 0 tokens, no words; and a release of which only the month is told."""
    kept: dict[str, Any] = {name: value for name, value in fields.items() if value or value is False}
    if len(kept.get("released_on", "")) != len("YYYY-MM-DD"):
        kept.pop("released_on", None)
    spoken = kept.get("capabilities", {})
    return kept | {"capabilities": {word: has for word, has in spoken.items() if has is not None}}
