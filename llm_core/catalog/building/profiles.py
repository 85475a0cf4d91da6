"""Reads the model profiles inside LangChain's provider packages: models.dev, corrected by the people of the vendors."""

from __future__ import annotations

import ast
import re
from typing import Any

from .said import Said, without_unknown

PACKAGE_OF = {
    "openai": "langchain-openai",
    "anthropic": "langchain-anthropic",
    "google": "langchain-google-genai",
    "huggingface": "langchain-huggingface",
}
VARIANT = re.compile(r"^gpt-.*-(?:pro|codex|chat)")
"""Their levels are copied from the plain model, and OpenAI documents others."""
_MODALITIES = ("text", "image", "audio", "video")


def member_of(package: str) -> str:
    return f"{package.replace('-', '_')}/data/_profiles.py"


def said(provider: str, text: str) -> Said:
    """From the text of `_profiles.py`, which is one literal."""
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            profiles = ast.literal_eval(statement.value)
            return {provider: {name: _fields(provider, name, profile) for name, profile in profiles.items()}}
    raise ValueError(f"There are no profiles of {provider} in that file.")


def _fields(provider: str, name: str, profile: dict[str, Any]) -> dict[str, Any]:
    # Some packages claim PDF for all their models; `attachment` is told of each.
    files = profile.get("pdf_inputs") and profile.get("attachment")
    inputs = [each for each in _MODALITIES if profile.get(f"{each}_inputs")]
    return without_unknown(
        {
            "display_name": profile.get("name"),
            "context_window": profile.get("max_input_tokens"),
            "max_output_tokens": profile.get("max_output_tokens"),
            "inputs": inputs + ["file"] * bool(files and inputs),
            "outputs": [each for each in _MODALITIES if profile.get(f"{each}_outputs")],
            "reasoning_efforts": None if VARIANT.search(name) else profile.get("reasoning_effort_levels"),
            "takes_temperature": profile.get("temperature"),
            "released_on": profile.get("release_date"),
            "lifecycle": "deprecated" if profile.get("status") == "deprecated" else None,
            "capabilities": {
                "tools": profile.get("tool_calling"),
                "schema": _schema(provider, profile.get("structured_output")),
                "reasoning": profile.get("reasoning_output"),
                "images": profile.get("image_inputs"),
                "audio": profile.get("audio_inputs"),
                "files": files if "attachment" in profile else None,
            },
        }
    )


def _schema(provider: str, told: bool | None) -> bool | None:
    """Anthropic's package says no for all its models, then yes for those it goes on to name: only the yes is told."""
    return told or None if provider == "anthropic" else told
