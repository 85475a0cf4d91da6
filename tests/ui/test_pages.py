"""Every page, opened through app.py and as the first page of a fresh server, on an empty home and on sample data."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import PAGES, failures, texts

NOT_FOR_PEOPLE = re.compile(r"\bNone\b|\bnan\b|\bNaN\b|\bNaT\b|<NA>|Traceback|\b[0-9a-f]{32}\b|Decimal\(|<object")

Open = Callable[..., AppTest]


@pytest.fixture(params=[False, True], ids=["empty", "sample"])
def sample(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1" if request.param else "0")
    return bool(request.param)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_and_says_nothing_that_is_not_for_people(open_app: Open, name: str, sample: bool) -> None:
    app = open_app(name)
    assert not app.exception
    assert not failures(app)
    assert [title.value for title in app.title] == [name.capitalize()]
    assert not [text for text in texts(app) if NOT_FOR_PEOPLE.search(text)]


def test_the_app_drains_records_and_asks_for_models_in_the_background(open_app: Open) -> None:
    open_app()
    assert {"usage-drainer", "llm-manager-models"} <= {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("name", PAGES)
def test_a_fresh_server_asked_for_a_page_directly_runs_the_whole_app(open_app: Open, name: str) -> None:
    """Without the guard Streamlit runs the page's file alone, so that app.py's sidebar is missing."""
    app = open_app(name, cold=True)
    assert not app.exception
    assert [title.value for title in app.title] == [name.capitalize()]
    assert "Active for chat" in [caption.value for caption in app.sidebar.caption]


@pytest.mark.parametrize("name", PAGES)
def test_sample_data_is_labelled_on_every_page_and_one_click_leads_out(
    open_app: Open, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app(name)
    assert any("Sample data" in text.value for text in app.markdown)
    app.button(key="leave_sample").click().run()
    assert not app.exception
    assert not any("Sample data" in text.value for text in app.markdown)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("welcome", "providers")])
def test_an_empty_page_says_what_to_do_first(open_app: Open, name: str) -> None:
    app = open_app(name)
    assert [link.proto.page for link in app.main.page_link][:1] == [""]


def test_the_sidebar_names_the_active_model_its_price_and_the_health_of_connections(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app("models")
    active = app.sidebar.markdown[0].value
    assert "per M" in active or "free" in active
    assert any("healthy" in link.value for link in app.sidebar.page_link)
