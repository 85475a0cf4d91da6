from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path

import pytest

from llm_core import LLMProvider, Workspace
from llm_core.errors import InvalidInput
from llm_core.keys.secret import Secret

from .vaults import KEY, OTHER


def openai(base_url: str | None = None, name: str = "openai") -> LLMProvider:
    return LLMProvider(name=name, provider="openai", base_url=base_url)


def test_without_any_key_there_is_none(keys) -> None:
    assert keys.key_for(openai()) is None
    assert keys.describe(openai()) == (None, None)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("google", "GEMINI_API_KEY"),
        ("google", "GOOGLE_API_KEY"),
        ("cohere", "CO_API_KEY"),
        ("huggingface", "HF_TOKEN"),
    ],
)
def test_the_vendors_usual_variable_is_found(provider: str, variable: str, keys, monkeypatch) -> None:
    monkeypatch.setenv(variable, f"  {KEY}\n")
    connection = LLMProvider(name=provider, provider=provider)
    assert keys.key_for(connection) == KEY
    assert keys.describe(connection) == (f"environment:{variable}", "WXYZ")


def test_a_held_key_comes_before_the_environment_until_it_is_forgotten(keys, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    keys.hold("openai", KEY)
    assert keys.key_for(openai()) == KEY
    assert keys.describe(openai()) == ("memory", "WXYZ")
    keys.forget("openai")
    assert keys.key_for(openai()) == OTHER


def test_a_variable_named_for_the_connection_comes_before_the_vendors(keys, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    monkeypatch.setenv("LLM_MANAGER_AZURE_EU_API_KEY", KEY)
    connection = openai("https://corp.example/v1", name="azure-eu")
    assert keys.describe(connection) == ("environment:LLM_MANAGER_AZURE_EU_API_KEY", "WXYZ")


@pytest.mark.parametrize(
    "url", [None, "https://api.openai.com/v1", "https://eu.api.openai.com/v1", "http://127.0.0.1:8000/v1"]
)
def test_the_vendors_variable_serves_the_vendors_hosts_and_this_machine(url, keys, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert keys.key_for(openai(url)) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1",
        "https://api.openai.com.evil.example/v1",
        "https://notopenai.com/v1",
        "https://api.openai.com@evil.example/v1",
        "http://api.openai.com/v1",
        "https://[broken/v1",
        "api.openai.com",
    ],
)
def test_the_vendors_variable_goes_to_no_other_host_nor_in_clear(url, keys, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert keys.key_for(openai(url)) is None


def test_a_compatible_endpoint_gets_the_variable_of_its_own_host_only(keys, monkeypatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    router = LLMProvider(name="r", provider="compatible", base_url="https://openrouter.ai/api/v1")
    assert keys.key_for(router) == KEY
    assert keys.key_for(LLMProvider(name="r", provider="compatible", base_url="https://vllm.example/v1")) is None
    assert keys.key_for(LLMProvider(name="local", provider="local")) is None


def test_a_held_key_does_not_follow_its_connection_to_another_host(keys) -> None:
    keys.hold("openai", KEY)
    assert keys.key_for(openai()) == KEY
    assert keys.key_for(openai("https://evil.example/v1")) is None
    assert keys.key_for(openai()) == KEY
    keys.hold("openai", OTHER)
    assert keys.key_for(openai("https://proxy.example/v1")) == OTHER


def test_only_a_long_key_has_a_hint(keys) -> None:
    keys.hold("openai", "k" * 19)
    assert keys.describe(openai()) == ("memory", None)
    keys.hold("openai", "k" * 19 + "z")
    assert keys.describe(openai()) == ("memory", "kkkz")


@pytest.mark.parametrize("bad", ["", "  ", "two words", "line\nbreak", "kéy", "a\x00b", None, 7])
def test_what_no_provider_can_take_is_refused_without_repeating_it(bad, keys) -> None:
    with pytest.raises(InvalidInput) as caught:
        keys.hold("openai", bad)
    assert not bad or str(bad) not in str(caught.value)


def test_an_unusable_variable_is_named_in_the_log_and_never_shown(keys, monkeypatch, caplog) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"export {KEY}")
    with caplog.at_level(logging.DEBUG):
        assert keys.key_for(openai()) is None
    assert "OPENAI_API_KEY" in caplog.text
    assert KEY not in caplog.text


def test_a_secret_shows_itself_nowhere_and_cannot_be_copied(keys) -> None:
    secret = Secret(KEY)
    keys.hold("openai", KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {keys!r} {vars(keys)}"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        for thing in (secret, keys):
            with pytest.raises(TypeError):
                attempt(thing)


def test_no_key_is_ever_written_into_the_home(home: Path, monkeypatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", OTHER)
    with Workspace.open(home) as ws:
        ws.keys.hold("openai", KEY)
        assert ws.keys.key_for(openai()) == KEY
        assert ws.keys.key_for(LLMProvider(name="anthropic", provider="anthropic")) == OTHER
        ws.settings.set("ui.model", "openai:gpt-6-luna")
        written = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
        assert written
        for path, content in written.items():
            assert KEY.encode() not in content, path
            assert OTHER.encode() not in content, path
