"""The app without a browser: every test opens it through app.py, in a home of its own, as on a server just started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pages.components import first_screen, live
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
PAGES = ("welcome", "providers", "models", "parameters", "usage", "tester")
TEXTS = ("title", "header", "subheader", "markdown", "caption", "text", "error", "warning", "info", "success")


@pytest.fixture(scope="session")
def _packages_searched_once() -> Iterator[None]:
    """Each AppTest looks for components in all installed packages, 0.2 s of work with one answer in a process."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture
def open_app(
    home: Path, sample_cache: Path, monkeypatch: pytest.MonkeyPatch, _packages_searched_once: None
) -> Iterator[Callable[..., AppTest]]:
    """`open_app("usage")` opens that page as a new visitor, with `cold=True` as the first one of the server.

    Workspaces and answers that an earlier test left in Streamlit's caches are of another home, and so are dropped.
    """
    monkeypatch.setenv("LLM_MANAGER_CACHE", str(sample_cache))
    monkeypatch.setattr(live, "PATIENCE_S", PATIENCE_S)  # nobody looks again here once an answer is there
    monkeypatch.setattr(first_screen, "ALONE", False)  # no browser asks for the rest
    _forget()

    def open_page(page: str = "welcome", *, cold: bool = False, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE_S)
        app.context = {"timezone": "Europe/Berlin", "theme": "light"}
        for name, value in query.items():
            app.query_params[name] = value
        if not cold:
            app.run()
        if page != "welcome" or cold:
            app.switch_page(f"pages/{page}.py").run()
        return app

    yield open_page
    _forget()


def _forget() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    PagesManager.uses_pages_directory = None


def failures(app: AppTest) -> list[str]:
    """What the error boundary had to say; the message on a connection's card is not one."""
    return [error.proto.title for error in app.error if error.proto.title]


def texts(app: AppTest) -> list[str]:
    """Everything a person can read on the page and in the sidebar, tables left out."""
    found = [str(element.value) for kind in TEXTS for element in app.get(kind)]
    found += [str(title) for element in app.get("error") + app.get("warning") if (title := element.proto.title)]
    for metric in app.metric:
        found += [metric.label, metric.value, metric.delta or ""]
    for kind in ("button", "page_link", "selectbox", "text_input", "text_area", "number_input"):
        found += [str(element.label) for element in app.get(kind)]
    return found
