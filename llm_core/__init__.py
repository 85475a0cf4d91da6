"""LLM Manager's package: connections, models, parameters, calls, usage and cost, for the app and for any program.

    from llm_core import Workspace

    ws = Workspace.open()
    print(ws.llm.complete("Say hello.").text)

The names below are the public surface. They are loaded when first used, so importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors as errors
    from .streams import Stream as Stream
    from .types import Audio as Audio
    from .types import Cost as Cost
    from .types import File as File
    from .types import Image as Image
    from .types import LLMModel as LLMModel
    from .types import LLMProvider as LLMProvider
    from .types import Message as Message
    from .types import Parameters as Parameters
    from .types import Reply as Reply
    from .types import Text as Text
    from .types import ToolCall as ToolCall
    from .types import ToolResult as ToolResult
    from .types import Usage as Usage
    from .types import UsageRecord as UsageRecord
    from .workspace import Workspace as Workspace

__version__ = "0.1.0"

_HOME_OF = {
    "Workspace": "workspace",
    "Stream": "streams",
    **dict.fromkeys(
        (
            "Audio",
            "Cost",
            "File",
            "Image",
            "LLMModel",
            "LLMProvider",
            "Message",
            "Parameters",
            "Reply",
            "Text",
            "ToolCall",
            "ToolResult",
            "Usage",
            "UsageRecord",
        ),
        "types",
    ),
}

__all__ = ["__version__", "errors", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module(".errors", __name__)
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
