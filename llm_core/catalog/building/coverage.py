"""How much the data files know, as a Markdown table: models and fields per provider."""

from __future__ import annotations

import orjson

from .build import DATA
from .merge import counted

_SHOWN = {
    "context_window": "context window",
    "max_output_tokens": "max output",
    "inputs": "inputs",
    "outputs": "outputs",
    "capabilities": "capabilities",
    "reasoning_efforts": "reasoning levels",
    "takes_temperature": "temperature",
    "knowledge_until": "knowledge",
    "released_on": "released",
    "retires_on": "shutdown",
    "replacement": "replacement",
    "licence": "licence",
}


def table() -> str:
    models = orjson.loads((DATA / "models.json").read_bytes())["models"]
    known = {provider: dict(counted(rows)) for provider, rows in models.items()}
    lines = ["| known | " + " | ".join(models) + " |", "| --- |" + " --- |" * len(models)]
    lines.append("| models | " + " | ".join(str(len(rows)) for rows in models.values()) + " |")
    for field, title in _SHOWN.items():
        lines.append(f"| {title} | " + " | ".join(str(known[provider][field]) for provider in models) + " |")
    return "\n".join(lines) + "\n"
