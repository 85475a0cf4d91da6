"""Reads the vendors' own SDKs: the ids they name, and the shutdown dates written beside them."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from typing import Any

from .said import Said

OPENAI_MEMBERS = {
    "openai/types/shared/chat_model.py": "chat",
    "openai/types/shared/all_models.py": "chat",
    "openai/types/audio_model.py": "transcription",
    "openai/types/audio/speech_model.py": "speech",
    "openai/types/image_model.py": "image_generation",
    "openai/types/embedding_model.py": "embeddings",
    "openai/types/moderation_model.py": "moderation",
}
"""The file of each kind of work."""
ANTHROPIC_MODELS = "anthropic/types/model.py"
ANTHROPIC_ENDS = "anthropic/resources/messages/messages.py"

_NOTE = re.compile(r'^- ((?:"[^"]+"[,\s]*)+):(.*?)(?=^- |\Z)', re.MULTILINE | re.DOTALL)
_ANNOUNCED = re.compile(r"shutdown\s+date:\s+(\d{4}-\d{2}-\d{2})")
_DONE = re.compile(r"was (?:shut down|retired) on (\w+ \d{1,2}, \d{4})")


def openai_said(texts: dict[str, str]) -> Said:
    """From the texts of OPENAI_MEMBERS: each names its ids in a Literal, and their ends in the text below it."""
    models: dict[str, dict[str, Any]] = {}
    for member, text in texts.items():
        kind, tree = OPENAI_MEMBERS[member], ast.parse(text)
        for name in _literals(tree):
            models[name] = {"capabilities": {kind: True}}
        for names, note in _NOTE.findall(_notes(tree)):
            if "Not a supported model" in note:
                for name in re.findall(r'"([^"]+)"', names):
                    del models[name]
            elif day := _day(note):
                for name in re.findall(r'"([^"]+)"', names):
                    models[name]["retires_on"] = day
    return {"openai": models}


def anthropic_said(models: str, ends: str) -> Said:
    """From the texts of the list of ids and of the file with the ends of life."""
    found: dict[str, dict[str, Any]] = {name: {"capabilities": {"chat": True}} for name in _literals(ast.parse(models))}
    for statement in ast.parse(ends).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DEPRECATED_MODELS":
            for name, day in ast.literal_eval(statement.value).items():
                plain = re.sub(r"(\d)(st|nd|rd|th)", r"\1", day)
                found[name] = {"capabilities": {"chat": True}, "retires_on": _iso(plain)}
    return {"anthropic": found}


def _literals(tree: ast.Module) -> list[str]:
    """The strings inside each Literal[...]."""
    subscripts = [each for each in ast.walk(tree) if isinstance(each, ast.Subscript)]
    literals = [each.slice for each in subscripts if ast.unparse(each.value) == "Literal"]
    return [each.value for slice_ in literals for each in ast.walk(slice_) if isinstance(each, ast.Constant)]  # type: ignore[misc]


def _notes(tree: ast.Module) -> str:
    texts = [each.value for each in tree.body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)]
    return "\n".join(str(each.value) for each in texts)


def _day(note: str) -> str | None:
    if announced := _ANNOUNCED.search(note):
        return announced[1]
    done = _DONE.search(re.sub(r"\s+", " ", note))
    return _iso(done[1]) if done else None


def _iso(day: str) -> str:
    return datetime.strptime(day, "%B %d, %Y").date().isoformat()
