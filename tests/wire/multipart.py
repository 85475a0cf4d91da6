"""Reads a form with files, as transcription endpoints get it, into a dict: text fields, and files as their parts."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any


def parse(content_type: str, content: bytes) -> dict[str, Any]:
    """A file is {"name", "type", "data"}."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + content)
    found: dict[str, Any] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]  # an EmailMessage, as its policy says
        data = part.get_payload(decode=True)
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        found[name] = data.decode() if file is None else {"name": file, "type": part.get_content_type(), "data": data}
    return found
