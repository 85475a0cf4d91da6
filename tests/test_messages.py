"""What may be passed as a prompt, and what is refused with a clear error."""

from __future__ import annotations

import base64

import pytest

from llm_core import Audio, File, Image, Message, Text, ToolCall, ToolResult
from llm_core.errors import InvalidMessage
from llm_core.messages import as_messages, with_system

PNG = base64.b64encode(b"png bytes").decode()


def test_text_is_one_user_message() -> None:
    (message,) = as_messages("Hello")
    assert (message.role, message.text) == ("user", "Hello")


def test_dicts_of_openais_shape_become_typed_parts() -> None:
    messages = as_messages(
        [
            {"role": "developer", "content": "Be short."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                    {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}},
                    {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "a.pdf"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ]
    )
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool"]
    assert messages[1].parts == (
        Text("What is this?"),
        Image(data=b"png bytes", media_type="image/png", detail="low"),
        Image(url="https://example.org/a.png"),
        Audio(b"png bytes", "audio/mpeg"),
        File(b"png bytes", "application/pdf", "a.pdf"),
    )
    assert messages[2].parts == (ToolCall("c1", "f", '{"a": 1}'),)
    assert messages[3].parts == (ToolResult("c1", "42"),)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "   ",
        [],
        7,
        [7],
        {"content": "no role"},
        {"role": "wizard", "content": "x"},
        {"role": "user", "content": 7},
        {"role": "user", "content": [{"type": "hologram"}]},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,raw"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}}]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
    ],
)
def test_what_cannot_be_a_prompt_is_refused(prompt: object) -> None:
    with pytest.raises(InvalidMessage):
        as_messages(prompt)  # type: ignore[arg-type]


def test_a_system_parameter_leads_unless_the_messages_bring_one() -> None:
    asked = as_messages("Hello")
    assert with_system(asked, "Be short.") == (Message("system", "Be short."), *asked)
    own = as_messages([{"role": "system", "content": "Be long."}, {"role": "user", "content": "Hello"}])
    assert with_system(own, "Be short.") == own
    assert with_system(asked, None) == asked
