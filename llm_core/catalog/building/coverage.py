"""How much the data files know, as a Markdown table: models and fields per provider."""

from __future__ import annotations

from ..facts import all_known, facts
from .said import PROVIDERS

_SHOWN = {
    "display_name": "name",
    "context_window": "context window",
    "max_output_tokens": "maximum output",
    "inputs": "inputs and outputs",
    "capabilities": "kind of work and capabilities",
    "reasoning_efforts": "levels of reasoning",
    "takes_temperature": "whether it takes a temperature",
    "knowledge_until": "knowledge date",
    "released_on": "release date",
    "deprecated_on": "day its end was announced",
    "retires_at": "shutdown date",
    "replacement": "replacement",
    "licence": "licence of open weights",
}


def table() -> str:
    """Counts of what lookup answers for each model that is listed."""
    known = {provider: [facts(provider, name) for name in all_known(provider)] for provider in PROVIDERS}
    lines = ["| known | " + " | ".join(PROVIDERS) + " |", "| --- |" + " --- |" * len(PROVIDERS)]
    lines.append("| models | " + " | ".join(str(len(known[provider])) for provider in PROVIDERS) + " |")
    for field, title in _SHOWN.items():
        counts = (sum(_tells(each, field) for each in known[provider]) for provider in PROVIDERS)
        lines.append(f"| {title} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


def _tells(model: object, field: str) -> bool:
    value = getattr(model, field)
    return value is False or bool(value)
