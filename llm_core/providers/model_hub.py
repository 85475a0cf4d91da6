"""Model files from Hugging Face, through huggingface_hub and into its kind of cache, so that they are shared with it.

A file that the person's own Hugging Face cache already holds is used from there. HF_ENDPOINT and HF_TOKEN work as the
hub's documents say.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelFileError
from ..store.home import cache_folder
from .model_fetch import BY_HAND, FetchFailed, Watcher, bytes_in, only_one, require_room, run_python

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DOWNLOAD = """
import sys
from huggingface_hub import hf_hub_download
cache, repo, revision, *files = sys.argv[1:]
for file in files:
    hf_hub_download(repo, file, revision=revision, cache_dir=cache)
"""


def find(repo: str, files: Sequence[str], revision: str = "main") -> Path | None:
    """The first of the files, when all of them are in our cache, or all in the person's own."""
    from huggingface_hub import try_to_load_from_cache

    for cache in (cache_folder("huggingface"), None):
        found = [try_to_load_from_cache(repo, file, cache_dir=cache, revision=revision) for file in files]
        paths = [Path(path) for path in found if isinstance(path, str)]
        if len(paths) == len(files):
            return paths[0]
    return None


def ensure(repo: str, files: Sequence[str], watcher: Watcher, revision: str = "main") -> Path:
    """Raises ModelFileError, FetchStopped."""
    found = find(repo, files, revision)
    if found is not None:
        return found
    cache = cache_folder("huggingface")
    folder = cache / f"models--{repo.replace('/', '--')}"
    with only_one(folder.name, lambda: watcher.look(bytes_in(folder), None)):
        found = find(repo, files, revision)
        if found is None:
            known = {file: _metadata(repo, file, revision) for file in files}
            _download(repo, revision, known, cache, folder, watcher)
            found = _checked(repo, revision, known, cache)
    return found


def _download(
    repo: str, revision: str, known: dict[str, HfFileMetadata], cache: Path, folder: Path, watcher: Watcher
) -> None:
    missing = {file: about for file, about in known.items() if find(repo, (file,), revision) is None}
    total = sum(about.size or 0 for about in missing.values())
    require_room(cache, total)
    before = bytes_in(folder)
    try:
        run_python(
            ["-c", _DOWNLOAD, str(cache), repo, revision, *missing],
            {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
            lambda: watcher.look(max(0, bytes_in(folder) - before), total or None),
        )
    except FetchFailed as error:
        raise ModelFileError(
            f"{repo} could not be fetched from Hugging Face. It says: {error.said}",
            f"Check the network and try again. {BY_HAND}",
        ) from None


def _checked(repo: str, revision: str, known: dict[str, HfFileMetadata], cache: Path) -> Path:
    """Compare what came with the checksums that the hub names for large files."""
    first = None
    for file, about in known.items():
        path = find(repo, (file,), revision)
        if path is None:
            raise ModelFileError(f"{file} of {repo} was fetched, and is not in {cache}.", "Try again.")
        first = first or path
        if about.etag and _SHA256.fullmatch(about.etag) and _sha256(path) != about.etag:
            path.resolve().unlink()
            raise ModelFileError(f"{file} of {repo} came damaged; it was thrown away.", "Try again.")
    assert first is not None
    return first


def _metadata(repo: str, file: str, revision: str) -> HfFileMetadata:
    """Size and checksum of a file, which also tells whether it is there and may be had."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        return get_hf_file_metadata(
            hf_hub_url(repo, file, revision=revision, endpoint=os.environ.get("HF_ENDPOINT") or None)
        )
    except GatedRepoError:
        message = f"{repo} is open only to those who accepted its terms."
        hint = "Accept them on its page at Hugging Face, and set HF_TOKEN."
    except RepositoryNotFoundError:
        message = f"There is no repository {repo} on Hugging Face, or it is private."
        hint = "Check the name; for a private one set HF_TOKEN."
    except EntryNotFoundError:
        message, hint = f"{repo} has no file {file}.", "Look at the repository's list of files."
    except HfHubHTTPError as error:
        message = f"Hugging Face answered {error.response.status_code} for {repo}."
        hint = f"Try again in a while. {BY_HAND}"
    except Exception as error:  # noqa: BLE001  # the hub's HTTP library is its own affair
        message = f"Hugging Face cannot be reached ({type(error).__name__})."
        hint = f"Check the network. {BY_HAND}"
    raise ModelFileError(message, hint)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
