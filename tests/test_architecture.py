"""The shape of the code: which way imports go, what is loaded when, how long a page may be, and the public names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import llm_core
from tests.benchmarks.imports import HEAVY

ROOT = Path(llm_core.__file__).parent.parent
MODULES = sorted((ROOT / "llm_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
COMPONENTS = sorted((ROOT / "pages" / "components").glob("*.py"))

SDKS = {"anthropic", "cohere", "google.genai", "google.generativeai", "huggingface_hub", "openai", "xllamacpp"}
GROUND = {"store", "types", "errors"}
"""What every room may use, and what itself knows no room."""
ROOTS = {"workspace", "service", "cli", "sample"}
"""What puts rooms together: no room may know of it."""


class Import:
    """One import statement: the full names it may load, and where in its file it stands."""

    def __init__(self, node: ast.Import | ast.ImportFrom, names: list[str], inside: str) -> None:
        self.line = node.lineno
        self.names = names
        self.inside = inside
        """`module`, `function`, or `typing` for what is never executed."""


def imports_of(path: Path) -> Iterator[Import]:
    package = list(path.relative_to(ROOT).with_suffix("").parts)[:-1]
    yield from _imports(ast.parse(path.read_text()), package, "module")


def _imports(tree: ast.AST, package: list[str], inside: str) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield Import(node, [alias.name for alias in node.names], inside)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield Import(node, [f"{base}.{alias.name}" for alias in node.names], inside)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(node, package, "function")
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in node.body:
                yield from _imports(ast.Module([child], []), package, "typing")
            for child in node.orelse:
                yield from _imports(ast.Module([child], []), package, inside)
        else:
            yield from _imports(node, package, inside)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def room_of(name: str) -> str | None:
    """`llm_core.usage.drain.Drainer` -> `usage`; None for what is not of this package."""
    parts = name.split(".")
    return parts[1] if parts[0] == "llm_core" and len(parts) > 1 else None


def room_of_file(path: Path) -> str:
    inner = path.relative_to(ROOT / "llm_core")
    return inner.parts[0].removesuffix(".py")


def told(path: Path, found: Import) -> str:
    return f"{path.relative_to(ROOT)}:{found.line} imports {', '.join(found.names)}"


def loaded_after(code: str, *arguments: str) -> set[str]:
    """Which heavy modules a fresh process has loaded after `code`."""
    end = f"\nimport sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + end, *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import llm_core") == set()
    assert loaded_after("from llm_core import *") == set()
    assert loaded_after("import duckdb, sqlalchemy") >= {"duckdb", "sqlalchemy"}


def test_recording_loads_no_database_and_no_prices(home: Path) -> None:
    record = """
import sys
from llm_core import Usage, UsageRecord, Workspace
with Workspace.open(sys.argv[1]) as ws:
    ws.usage.record(UsageRecord(provider="openai", connection="openai", model="m", usage=Usage(input_tokens=1)))
"""
    assert loaded_after(record, str(home)) == set()


def test_the_package_knows_nothing_of_the_pages_or_what_draws_them() -> None:
    wrong = [
        told(path, found)
        for path in MODULES
        for found in imports_of(path)
        if any(within(name, {"streamlit", "plotly", "pages", "app"}) for name in found.names)
        # the command line's one task with Streamlit is to start it
        and (path.name, found.inside) != ("cli.py", "function")
    ]
    assert wrong == []


def test_vendors_sdks_are_loaded_only_in_the_providers_room_and_only_when_needed() -> None:
    wrong = [
        told(path, found)
        for path in MODULES
        for found in imports_of(path)
        if any(within(name, SDKS) for name in found.names)
        and (found.inside == "module" or room_of_file(path) != "providers")
        and found.inside != "typing"
    ]
    assert wrong == []


def test_the_ground_knows_no_room() -> None:
    wrong = [
        told(path, found)
        for path in MODULES
        if room_of_file(path) in GROUND
        for found in imports_of(path)
        if any(room_of(name) not in (None, *GROUND) for name in found.names)
    ]
    assert wrong == []


def test_rooms_do_not_know_what_puts_them_together_and_form_no_circle() -> None:
    rooms = {path.parent.name for path in MODULES if path.parent.parent == ROOT / "llm_core"} - GROUND
    uses: dict[str, set[str]] = {room: set() for room in rooms}
    for path in MODULES:
        room = room_of_file(path)
        for found in imports_of(path):
            if room not in rooms or found.inside == "typing":
                continue
            others = {other for name in found.names if (other := room_of(name)) not in (None, room)}
            assert not others & ROOTS or room == "sample_data", told(path, found)
            uses[room] |= others & rooms
    while uses:
        free = {room for room, used in uses.items() if not used & set(uses)}
        assert free, f"These rooms import each other in a circle: {uses}"
        uses = {room: used for room, used in uses.items() if room not in free}


def test_pages_use_components_and_the_package_and_nothing_below_it() -> None:
    hidden = {"duckdb", "sqlalchemy", "genai_prices", "keyring", "cryptography", *SDKS}
    names = {path.stem for path in PAGES}
    for path in (ROOT / "app.py", *PAGES, *COMPONENTS):
        for found in imports_of(path):
            for name in found.names:
                assert not within(name, hidden), told(path, found)
                page = name.split(".")[1] if name.startswith("pages.") else "components"
                assert page == "components" or page not in names, told(path, found)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_stays_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 150


def test_the_app_stays_short() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) < 60


def test_every_public_name_exists_and_is_explained_to_the_reader() -> None:
    words = "\n".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
    for name in llm_core.__all__:
        assert getattr(llm_core, name) is not None
        assert name.startswith("__") or re.search(rf"\b{name}\b", words), f"{name} is in no document"
    assert set(llm_core.__all__) <= set(dir(llm_core))
    with pytest.raises(AttributeError):
        llm_core.no_such_name  # noqa: B018


def test_each_room_offers_what_its_list_says() -> None:
    from importlib import import_module

    for path in MODULES:
        if path.name == "__init__.py":
            room = import_module(".".join(path.relative_to(ROOT).parent.parts))
            for name in getattr(room, "__all__", ()):
                assert getattr(room, name) is not None, f"{room.__name__}.{name}"
