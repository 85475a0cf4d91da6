from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_core import Parameters, Workspace
from llm_core.parameters import Preset, WireRequest
from llm_core.types import PARAMETER_ORDER
from tests.parameters.test_validate import ANY_VALUE
from tests.wire.calls import KEY
from tests.wire.server import WireServer

WITHOUT_V1 = ("anthropic", "google", "cohere")
CONVERSATION = [
    {"role": "user", "content": "What is it like outside? é ü 🌧"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    ]},
    {"role": "tool", "tool_call_id": "call_1", "content": '{"sky": "clear"}'},
]  # fmt: skip
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {
        "city": {"type": "string"}}}}}
]  # fmt: skip
SCHEMA = {"type": "object", "properties": {"sky": {"type": "string"}}, "required": ["sky"]}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("openai:gpt-6-luna", {"parameters": {"reasoning_effort": "high", "verbosity": "low", "max_tokens": 2_000}}),
    ("openai:gpt-6-luna", {"tools": TOOLS, "tool_choice": "weather", "schema": SCHEMA}),
    ("openai:gpt-4.1", {"parameters": {"seed": 3, "stop": "END", "n": 2, "temperature": 0.4}, "tools": TOOLS}),
    ("openai:gpt-4.1", {"preset": "JSON extraction", "parameters": {"system": "Speak of the sky."}}),
    ("chat:gpt-4.1", {"parameters": {"logprobs": True, "top_logprobs": 3, "max_tokens": 5}, "tools": TOOLS}),
    ("anthropic:claude-opus-5-5", {"parameters": {"reasoning_effort": "low"}, "tools": TOOLS, "schema": SCHEMA}),
    ("anthropic:claude-opus-4-1", {"parameters": {"thinking_budget": 2_000, "stop": ["a", "b"]}}),
    ("google:gemini-4-argon", {"parameters": {"reasoning_effort": "low"}, "tools": TOOLS, "tool_choice": "required"}),
    ("google:gemini-2.5-pro", {"preset": "precise", "parameters": {"safety_settings": {"harassment": "OFF"}}}),
    ("cohere:command-a-03-2025", {"parameters": {"top_k": 5, "top_p": 0.5}, "tools": TOOLS}),
    ("huggingface:meta-llama/Llama-3.3-70B-Instruct:novita", {"preset": "creative", "tools": TOOLS}),
    ("own:anything", {"parameters": {"top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1}, "schema": SCHEMA}),
    ("keyless:anything", {"preset": "balanced"}),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, WireServer]]:
    with WireServer(lenient=True) as server, Workspace.open(tmp_path_factory.mktemp("preview")) as ws:
        for provider in ("openai", "anthropic", "google", "cohere", "huggingface"):
            address = server.url if provider in WITHOUT_V1 else server.base_url
            ws.providers.connect(provider, KEY, base_url=address)
        ws.providers.connect("openai", KEY, base_url=server.base_url, name="chat", options={"api": "chat"})
        headers = {"headers": {"X-Title": "Ours"}, "query": {"version": "2"}}
        ws.providers.connect("compatible", KEY, base_url=server.base_url, name="own", options=headers)
        ws.providers.connect("compatible", base_url=server.base_url, name="keyless")
        yield ws, server


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("model", "options"), CALLS)
def test_a_call_sends_what_its_preview_showed_byte_for_byte(
    place: tuple[Workspace, WireServer], model: str, options: dict[str, Any], stream: bool
) -> None:
    ws, server = place
    prompt = CONVERSATION if options.get("tools") else "What is it like outside? é ü 🌧"
    shown = ws.parameters.preview(model, options.get("parameters"), prompt, stream=stream, **_rest(options))
    before = len(server.requests)
    if stream:
        list(ws.llm.stream(prompt, model=model, **options))
    else:
        ws.llm.complete(prompt, model=model, **options)
    (sent,) = server.requests[before:]
    assert shown.method == sent.method == "POST"
    assert shown.url == server.url + sent.path
    assert json.dumps(shown.body, ensure_ascii=False, separators=(",", ":")).encode() == sent.content
    assert {name: value.replace("***", KEY) for name, value in shown.headers.items()} == sent.headers
    assert KEY not in repr(shown)


def _rest(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "parameters"}


def test_a_preview_needs_no_connection_and_asks_nobody(ws: Workspace) -> None:
    addresses = {
        "openai:gpt-6-luna": "https://api.openai.com/v1/responses",
        "anthropic:claude-opus-5-5": "https://api.anthropic.com/v1/messages",
        "google:gemini-4-argon": "https://generativelanguage.googleapis.com/v1beta/models/gemini-4-argon:generateContent",
        "cohere:command-a-03-2025": "https://api.cohere.com/v2/chat",
        "huggingface:meta-llama/Llama-3.3-70B-Instruct": "https://router.huggingface.co/v1/chat/completions",
        "local:smollm2-135m": "http://127.0.0.1/v1/chat/completions",
    }
    for model, address in addresses.items():
        shown = ws.parameters.preview(model, None, "Hello?")
        assert shown.url == address
        assert "***" in " ".join(shown.headers.values())
        assert "Hello?" in json.dumps(shown.body)
    homeless = ws.parameters.preview("compatible:own", None, "Hello?")
    assert homeless.body is None
    assert [error.field for error in homeless.validation.errors] == ["model"]


@pytest.mark.usefixtures("sample_data")
def test_the_sample_data_can_be_previewed_though_it_makes_no_calls() -> None:
    with Workspace.open_sample() as ws:
        model = ws.models.active("chat")
        assert ws.parameters.preview(model, {"max_tokens": 50}, "Hello?").body


def notes(shown: WireRequest) -> set[tuple[str, str]]:
    return {(note.field, note.happened) for note in shown.notes}


def of(shown: WireRequest, field: str) -> dict[str, Any]:
    return {path: value for note in shown.notes if note.field == field for path, value in (note.after or {}).items()}


def test_notes_say_what_became_of_each_parameter_and_why(ws: Workspace) -> None:
    asked = {"temperature": 0.3, "max_tokens": 2_000, "logprobs": True, "system": "Be kind."}
    shown = ws.parameters.preview("openai:gpt-4.1", asked, "Hello?")
    assert notes(shown) == {
        ("max_tokens", "renamed"),
        ("logprobs", "changed"),
        ("system", "changed"),
        ("store", "added"),
    }
    assert of(shown, "max_tokens") == {"max_output_tokens": 2_000}
    assert of(shown, "logprobs") == {"include": ["message.output_text.logprobs"]}
    assert all(note.why for note in shown.notes)

    shown = ws.parameters.preview("openai:gpt-4.1", {"n": 2, "max_tokens": 2_000}, "Hello?")
    assert notes(shown) == {("n", "routed"), ("max_tokens", "renamed")}
    assert of(shown, "n") == {"url": "/chat/completions"}

    shown = ws.parameters.preview("anthropic:claude-opus-5-5", {"reasoning_effort": "high"}, "Hello?")
    assert notes(shown) == {("reasoning_effort", "renamed"), ("reasoning_effort", "added"), ("max_tokens", "added")}
    assert of(shown, "reasoning_effort")["output_config.effort"] == "high"

    shown = ws.parameters.preview("google:gemini-2.5-flash", {"reasoning_effort": "low", "top_p": 0.5}, "Hello?")
    assert of(shown, "top_p") == {"generationConfig.topP": 0.5}
    assert of(shown, "reasoning_effort")["generationConfig.thinkingConfig.thinkingBudget"] == 1_024
    assert ("reasoning_effort", "changed") in notes(shown)


def test_notes_say_what_a_preset_lost_on_the_model(ws: Workspace) -> None:
    ws.parameters.save(Preset("mixed", Parameters(temperature=1.5, seed=3, max_tokens=500)))
    shown = ws.parameters.preview("anthropic:claude-opus-4-1", {"max_tokens": 900}, "Hello?", preset="mixed")
    assert shown.body is not None
    assert (shown.body["temperature"], shown.body["max_tokens"]) == (1, 900)
    told = {note.field: (note.happened, note.before, note.after) for note in shown.notes}
    assert told == {"temperature": ("clamped", 1.5, 1), "seed": ("dropped", 3, None)}


def test_a_system_text_beside_one_of_the_messages_is_said_to_be_dropped(ws: Workspace) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    shown = ws.parameters.preview("google:gemini-4-argon", {"system": "Be kind."}, messages)
    assert notes(shown) == {("store", "added"), ("system", "dropped")}


def test_the_cost_spans_from_the_shortest_answer_to_the_longest(ws: Workspace) -> None:
    shown = ws.parameters.preview("openai:gpt-4.1", {"max_tokens": 1_000, "n": 2}, "x" * 396)
    cost, tokens = shown.cost, shown.prompt_tokens
    assert cost is not None
    assert cost.high is not None
    assert tokens is not None
    assert (tokens.count, tokens.how) == (103, "estimate")
    assert (cost.low_tokens, cost.high_tokens) == (2, 2_000)
    assert cost.high.usd == Decimal("0.000206") + Decimal("0.016")  # 2 and 8 dollars a million
    assert cost.low.usd == Decimal("0.000206") + Decimal("0.000016")
    default = ws.parameters.preview("anthropic:claude-opus-5-5", None, "Hello?").cost
    assert default is not None
    assert default.high_tokens == 16_384  # what is sent where nothing is asked for
    unknown = ws.parameters.preview("huggingface:nobody/knows", None, "Hello?").cost
    assert unknown is not None
    assert (unknown.low.usd, unknown.high) == (None, None)
    assert "set max_tokens" in unknown.note


def test_a_prompt_that_fills_the_context_window_is_pointed_out(ws: Workspace) -> None:
    long = ws.parameters.preview("openai:gpt-4.1", {"max_tokens": 32_000}, "word " * 820_000)
    assert [found.field for found in long.validation.warnings] == ["max_tokens"]
    longer = ws.parameters.preview("openai:gpt-4.1", None, "word " * 900_000)
    assert [found.field for found in longer.validation.warnings] == ["messages"]
    assert longer.body is not None  # an estimate is no proof


def test_what_would_be_refused_beside_parameters_is_found_before_it_is_sent(
    place: tuple[Workspace, WireServer],
) -> None:
    ws, server = place
    begun = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "One, "}]
    cases: list[tuple[str, Any, Any, dict[str, Any], str]] = [
        ("anthropic:claude-opus-5-5", None, "Hi", {"tools": TOOLS, "tool_choice": "required"}, "tool_choice"),
        ("anthropic:claude-opus-4-1", {"thinking_budget": 2_000}, "Hi", {"tools": TOOLS, "tool_choice": "weather"},
         "tool_choice"),
        ("openai:gpt-6-luna", {"seed": 1}, "Hi", {"tools": TOOLS}, "tools"),
        ("openai:gpt-4.1", None, "Hi", {"tool_choice": "auto"}, "tool_choice"),
        ("openai:gpt-4.1", None, "Hi", {"tools": [{"function": {}}]}, "tools"),
        ("openai:gpt-4.1", None, "Hi", {"tools": "weather"}, "tools"),
        ("anthropic:claude-opus-5-5", None, begun, {}, "messages"),
        ("google:gemini-4-argon", None, 7, {}, "messages"),
        ("openai:gpt-4.1", None, "Hi", {"schema": 7}, "parameters"),
        ("openai:gpt-4.1", None, "Hi", {"preset": "never saved"}, "preset"),
        ("anthropic:claude-opus-5-5", {"response_format": {"type": "grammar"}}, "Hi", {}, "parameters"),
    ]  # fmt: skip
    before = len(server.requests)
    for model, parameters, messages, options, field in cases:
        shown = ws.parameters.preview(model, parameters, messages, **options)
        assert shown.body is None, options
        assert [error.field for error in shown.validation.errors] == [field]
        if "tools" in options or "tool_choice" in options:
            with pytest.raises(ValueError, match="refuse"):
                ws.llm.complete("Hi", model=model, parameters=parameters, **options)
    assert len(server.requests) == before
    assert ws.parameters.preview("anthropic:claude-opus-4-5", None, begun).body
    assert ws.parameters.preview("openai:gpt-6-luna", {"seed": 1, "reasoning_effort": "none"}, "Hi", tools=TOOLS).body


def test_the_options_of_a_call_have_specs_too(ws: Workspace) -> None:
    options = {spec.name: spec for spec in ws.parameters.options("anthropic:claude-opus-5-5")}
    assert options["tool_choice"].choices == ("auto", "none")
    assert set(options) == {"tools", "tool_choice", "schema"}


def test_an_id_that_is_none_is_said_to_be_so(ws: Workspace) -> None:
    for model in ("nowhere:m", "no id", "", None, 7):
        shown = ws.parameters.preview(model, {"temperature": 1})  # type: ignore[arg-type]
        assert shown.body is None
        assert [error.field for error in shown.validation.errors] == ["model"]


def test_a_preview_reads_as_a_command_that_sends_it(place: tuple[Workspace, WireServer]) -> None:
    import subprocess

    from tests import needs

    ws, server = place
    shown = ws.parameters.preview("own:m", {"temperature": 0.5}, "It's $5, `x` é")
    command = shown.curl.replace("***", KEY) + " --silent --fail --noproxy '*'"
    done = subprocess.run([needs.program("bash"), "-c", command], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout)["choices"]
    assert server.requests[-1].body == shown.body


MODELS = ["openai:gpt-4.1", "anthropic:claude-opus-4-1", "google:gemini-4-argon", "cohere:command-a-03-2025",
          "huggingface:m", "local:smollm2-135m", "own:m"]  # fmt: skip
PLAUSIBLE = st.sampled_from([0, 1, 0.5, -1, 100, "none", "high", "text", True, ["a"], {"harassment": "OFF"}, {}])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    model=st.sampled_from(MODELS) | st.text(max_size=9),
    parameters=ANY_VALUE
    | st.dictionaries(st.sampled_from(PARAMETER_ORDER), PLAUSIBLE | ANY_VALUE, max_size=5)
    | st.builds(Parameters, temperature=PLAUSIBLE, stop=PLAUSIBLE | ANY_VALUE, response_format=ANY_VALUE),
    stream=st.booleans(),
)
def test_nothing_makes_a_preview_raise(
    place: tuple[Workspace, WireServer], model: str, parameters: Any, stream: bool
) -> None:
    ws, _ = place
    shown = ws.parameters.preview(model, parameters, "Hello?", stream=stream)
    assert (shown.body is None) == bool(shown.validation.errors)
    assert ws.parameters.validate(model, parameters).errors == () or shown.body is None
