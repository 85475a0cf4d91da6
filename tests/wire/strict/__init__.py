"""Checks requests by what vendors document of them, more strictly than the endpoints of the replay server do.

Written for these tests from the documents each module names, and independent of `llm_core.parameters`: a plain table of
what single models take, where that package has rules by family. A request that a vendor is not documented to take is
refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import anthropic, cohere, google, llama, openai, routed

_MODEL_IN_PATH = re.compile(r"/models/([^/:]+):")


def problem(path: str, body: Any, vendor: str = "") -> str | None:
    """What the vendor would refuse about this request to that path, or None. `vendor` tells apart those that speak
    Chat Completions: openai where not given, huggingface, local.
    """
    path = path.split("?")[0]
    if not isinstance(body, Mapping):
        return "The body is no object."
    if path.endswith("/responses"):
        return openai.responses(body)
    if path.endswith("/chat/completions"):
        return {"huggingface": routed.chat, "local": llama.chat}.get(vendor, openai.chat)(body)
    if path.endswith("/v1/messages"):
        return anthropic.messages(body)
    if path.endswith("/v2/chat"):
        return cohere.chat(body)
    if found := _MODEL_IN_PATH.search(path):
        return google.generate(found[1], body)
    return f"Nothing is documented of {path}."
