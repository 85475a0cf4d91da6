"""A connection's life in the browser, its key in the vault: connect, test, rotate, disconnect. The key is nowhere."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Serve, click, enter, settled
from tests.wire.server import WireServer

pytestmark = pytest.mark.browser

KEY, NEXT = "sk-the-first-that-nobody-may-see-0001", "sk-the-next-that-nobody-may-see-0002"


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "master.key"
    path.write_text(base64.b64encode(os.urandom(32)).decode())
    path.chmod(0o600)
    return str(path)


def in_the_page(page: Page) -> str:
    """Its text, markup and the values of its fields."""
    values = page.locator("input, textarea").evaluate_all("fields => fields.map(field => field.value)")
    return page.content() + page.locator("body").inner_text() + repr(values)


def test_a_connection_is_made_tested_rotated_and_removed_and_its_key_is_nowhere_afterwards(
    page: Page, serve: Serve, wire: WireServer, key_file: str, home: Path
) -> None:
    seen: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: seen.append(str(frame))))
    wire.key = KEY
    page.goto(serve(LLM_MANAGER_KEY_FILE=key_file) + "/providers")
    click(page, page.locator(".st-key-connect-compatible").get_by_role("button", name="Connect"))
    enter(page, page.get_by_role("textbox", name="Address"), wire.base_url)
    page.get_by_role("textbox", name="API key").press_sequentially("sk-...0001")
    expect(page.get_by_text("hidden form of a key")).to_be_visible()
    page.get_by_role("textbox", name="API key").fill(KEY)
    expect(page.get_by_text("hidden form of a key")).to_have_count(0)
    settled(page)  # until then the button can be there twice, as it was and as it will be
    page.get_by_role("button", name="Test and save").press("Enter")
    expect(page.get_by_text("Healthy").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("key …0001, encrypted, opened by a key file")).to_be_visible()
    assert KEY not in in_the_page(page)

    asked = len(wire.requests)
    click(page, page.get_by_role("button", name="Test", exact=True))
    expect(page.get_by_text("healthy, tested")).to_be_visible()
    assert len(wire.requests) == asked + 1

    click(page, page.get_by_role("button", name="Rotate key"))
    enter(page, page.get_by_role("textbox", name="New key"), NEXT)
    click(page, page.get_by_role("button", name="Test and switch"))
    expect(page.get_by_text("refused the key").first).to_be_visible()
    wire.key = NEXT
    enter(page, page.get_by_role("textbox", name="New key"), NEXT)
    click(page, page.get_by_role("button", name="Test and switch"))
    expect(page.get_by_text("key …0002, encrypted").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert wire.requests[-1].headers["authorization"] == f"Bearer {NEXT}"

    click(page, page.get_by_text("Audit log"))
    expect(page.get_by_text("Verified")).to_be_visible()
    click(page, page.get_by_role("button", name="Disconnect").first)
    page.get_by_text("until you revoke it there").wait_for()
    click(page, page.get_by_role("button", name="Disconnect", exact=True).last)
    expect(page.get_by_text("Usage records stay")).to_be_visible()
    expect(page.get_by_text("Nothing is connected yet")).to_be_visible()

    assert seen
    for key in (KEY, NEXT):
        assert key not in in_the_page(page)
        assert not any(key in frame for frame in seen)
        assert not any(key.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_key_is_saved_untested_only_where_the_test_could_not_run(
    page: Page, serve: Serve, wire: WireServer, key_file: str
) -> None:
    wire.key = KEY
    page.goto(serve(LLM_MANAGER_KEY_FILE=key_file) + "/providers")
    click(page, page.locator(".st-key-connect-compatible").get_by_role("button", name="Connect"))
    enter(page, page.get_by_role("textbox", name="Address"), wire.base_url)
    enter(page, page.get_by_role("textbox", name="API key"), NEXT)
    click(page, page.get_by_role("button", name="Test and save"))
    expect(page.get_by_text("refused the key").first).to_be_visible()
    expect(page.get_by_role("button", name="Save anyway")).to_have_count(0)
    enter(page, page.get_by_role("textbox", name="Address"), "http://127.0.0.1:9")
    enter(page, page.get_by_role("textbox", name="API key"), KEY)
    click(page, page.get_by_role("button", name="Test and save"))
    page.get_by_role("button", name="Save anyway").wait_for()
    click(page, page.get_by_role("button", name="Save anyway"))
    expect(page.get_by_text("not tested yet")).to_be_visible()
    expect(page.get_by_text("key …0001, encrypted").first).to_be_visible()
    assert KEY not in in_the_page(page)
