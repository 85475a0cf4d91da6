from __future__ import annotations

import pytest

from llm_core import Workspace
from llm_core.errors import KeyRefused, RateLimited, SampleWorkspace, UnknownConnection, UnreadableAnswer
from tests.wire.calls import KEY
from tests.wire.replies import Raw
from tests.wire.server import WireServer

PROMPT = "How many tokens is this?"
WITHOUT_V1 = ("anthropic", "google", "cohere")
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Tells the weather."}}]
COUNTERS = [
    ("openai", "gpt-6-luna", "/v1/responses/input_tokens", "OpenAI"),
    ("anthropic", "claude-opus-5-5", "/v1/messages/count_tokens", "Anthropic"),
    ("google", "gemini-4-argon", "/v1beta/models/gemini-4-argon:countTokens", "Google"),
    ("cohere", "command-a-03-2025", "/v1/tokenize", "Cohere"),
]


@pytest.fixture
def ready(ws: Workspace, wire: WireServer) -> Workspace:
    for provider in ("openai", "anthropic", "google", "cohere", "huggingface"):
        ws.providers.connect(provider, KEY, base_url=wire.url if provider in WITHOUT_V1 else wire.base_url)
    return ws


@pytest.mark.parametrize(("provider", "model", "path", "by"), COUNTERS)
def test_the_vendors_own_count_is_asked_for_and_nothing_is_recorded(
    ready: Workspace, wire: WireServer, provider: str, model: str, path: str, by: str
) -> None:
    found = ready.parameters.count_tokens(f"{provider}:{model}", PROMPT)
    assert (found.count, found.how) == (len(PROMPT), "vendor")
    assert by in found.by
    (sent,) = wire.requests
    assert sent.path == path
    ready.usage.flush()
    assert len(ready.usage.history()) == 0


@pytest.mark.parametrize(("provider", "model"), [row[:2] for row in COUNTERS[:3]])
def test_everything_that_is_part_of_the_prompt_is_counted(ready: Workspace, provider: str, model: str) -> None:
    asked = {"system": "Be kind.", "max_tokens": 50}
    found = ready.parameters.count_tokens(f"{provider}:{model}", PROMPT, parameters=asked, tools=TOOLS)
    assert found.count == len(PROMPT) + len("Be kind.") + len("Tells the weather.")


def test_where_nobody_counts_the_answer_says_that_it_is_an_estimate(ready: Workspace, wire: WireServer) -> None:
    for model in ("huggingface:m", "cohere:command-a-03-2025"):
        found = ready.parameters.count_tokens(model, PROMPT, tools=TOOLS)
        assert found.how == "estimate"
        assert "estimate" in found.by
        assert found.count > 6
    assert wire.requests == []


def test_a_count_that_fails_says_why(ready: Workspace, wire: WireServer) -> None:
    wire.key = "another"
    with pytest.raises(KeyRefused):
        ready.parameters.count_tokens("openai:gpt-6-luna", PROMPT)
    wire.key = None
    wire.script(Raw(body={"something": "else"}))
    with pytest.raises(UnreadableAnswer):
        ready.parameters.count_tokens("anthropic:claude-opus-5-5", PROMPT)
    wire.script(Raw(status=429, body={"error": {"code": 429, "message": "Slow.", "status": "RESOURCE_EXHAUSTED"}}))
    with pytest.raises(RateLimited):
        ready.parameters.count_tokens("google:gemini-4-argon", PROMPT)
    with pytest.raises(UnknownConnection):
        ready.parameters.count_tokens("nowhere:m", PROMPT)


@pytest.mark.usefixtures("sample_data")
def test_the_sample_data_counts_nothing() -> None:
    with Workspace.open_sample() as ws, pytest.raises(SampleWorkspace):
        ws.parameters.count_tokens(ws.models.active("chat") or "", PROMPT)
