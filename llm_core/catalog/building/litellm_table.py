"""Reads the table inside litellm's wheel as data. Taken from it: kinds of work, limits, shutdown dates, true flags.

Its flags say only what a model has: where one is missing, nothing follows. The package itself is never imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .profiles import VARIANT
from .said import Said, without_unknown

MEMBER = "litellm/model_prices_and_context_window_backup.json"

_PROVIDERS = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "cohere": "cohere",
    "cohere_chat": "cohere",
}
_KINDS = {
    "chat": "chat",
    "responses": "chat",
    "embedding": "embeddings",
    "audio_transcription": "transcription",
    "audio_speech": "speech",
    "image_generation": "image_generation",
    "video_generation": "video_generation",
    "realtime": "realtime",
    "moderation": "moderation",
    "rerank": "rerank",
}
_FLAGS = {
    "tools": "supports_function_calling",
    "schema": "supports_response_schema",
    "reasoning": "supports_reasoning",
    "images": "supports_vision",
    "audio": "supports_audio_input",
    "files": "supports_pdf_input",
    "caching": "supports_prompt_caching",
    "search": "supports_web_search",
}

_LARGEST_INPUTS = (272_000, 922_000)
"""OpenAI's windows of 400,000 and 1,050,000 less the room for an answer."""
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def rows(table: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(provider, model, row) of the first-party models; rows of one image size are left out."""
    for key, row in table.items():
        provider = _PROVIDERS.get(row.get("litellm_provider"))
        prefix = {"google": "gemini/", "cohere": "cohere/", "openai": "openai/"}.get(provider or "", "")
        name = key.removeprefix(prefix)
        if provider and "/" not in name and name != "container":
            yield provider, name, row


def said(table: dict[str, Any]) -> Said:
    found: Said = {}
    for provider, name, row in rows(table):
        found.setdefault(provider, {})[name] = _fields(name, row)
    return found


def _fields(name: str, row: dict[str, Any]) -> dict[str, Any]:
    capabilities = {ours: True for ours, theirs in _FLAGS.items() if row.get(theirs)}
    if any(name.endswith("_batches") for name in row) or "/v1/batch" in row.get("supported_endpoints", ()):
        capabilities["batch"] = True
    if kind := _KINDS.get(row.get("mode", "")):
        capabilities[kind] = True
    return without_unknown(
        {
            "context_window": None if row.get("max_input_tokens") in _LARGEST_INPUTS else row.get("max_input_tokens"),
            "max_output_tokens": row.get("max_output_tokens"),
            "inputs": row.get("supported_modalities"),
            "outputs": row.get("supported_output_modalities"),
            "reasoning_efforts": _efforts(name, row),
            "retires_on": row.get("deprecation_date"),
            "capabilities": capabilities,
        }
    )


def _efforts(name: str, row: dict[str, Any]) -> list[str] | None:
    """The levels by its flags; low to high go without saying. Unknown where there is no flag, and for variants."""
    flags = {level: row.get(f"supports_{level}_reasoning_effort") for level in _EFFORTS}
    if not row.get("supports_reasoning") or set(flags.values()) == {None} or VARIANT.search(name):
        return None
    return [level for level, has in flags.items() if has or (has is None and level in ("low", "medium", "high"))]
