"""Embeddings and transcription behind Hugging Face's router, as the SDK knows each provider to want and write them.

A model's name may end in the provider: `model:provider`, with the model as that provider calls it. Without one it is
`hf-inference`, Hugging Face's own, which takes the names of the Hub. No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidParameters
from .adapter import as_json
from .failures import ErrorInside
from .huggingface_client import TaskRequest
from .protocol import Answer, EmbedRequest, TranscribeRequest

_OWN = "hf-inference"
_EMBED, _TRANSCRIBE = "feature-extraction", "automatic-speech-recognition"
_TRANSCRIBERS = (_OWN, "deepinfra", "fal-ai")
"""Those that answer with the text itself."""
_TAKES_HINTS = "deepinfra"
"""It alone has a place for the language and for words that may come up."""


class RoutedTask:
    """One task of one model: what is sent, and how its answer is read."""

    def __init__(self, task: str, model: str) -> None:
        """Raises InvalidParameters for a provider that does not do this task."""
        from huggingface_hub.hf_api import InferenceProviderMapping
        from huggingface_hub.inference._providers import PROVIDERS

        name, colon, route = model.rpartition(":")
        self.model, self.provider = (name, route) if colon else (model, _OWN)
        able = [each for each, helpers in PROVIDERS.items() if task in helpers]
        able = [each for each in able if task != _TRANSCRIBE or each in _TRANSCRIBERS]
        if self.provider not in able:
            raise InvalidParameters(
                f"{self.provider} behind Hugging Face's router cannot do {task}.", f"These can: {', '.join(able)}."
            )
        self._helper: Any = dict(PROVIDERS[self.provider])[task]
        self._mapping = InferenceProviderMapping(  # type: ignore[no-untyped-call]
            provider=self.provider, hf_model_id=self.model, providerId=self.model, status="live", task=task
        )

    def request(self, inputs: Any, parameters: Mapping[str, Any], timeout: Any) -> TaskRequest:
        helper, mapping = self._helper, self._mapping
        target = urlsplit(helper._prepare_url("hf_", self.model))
        path = f"{target.path}?{target.query}" if target.query else target.path
        made = helper._prepare_payload_as_dict(inputs, dict(parameters), mapping)
        if made is not None:
            return TaskRequest(path, timeout, content=as_json(made))
        data = helper._prepare_payload_as_bytes(inputs, dict(parameters), mapping, None)
        return TaskRequest(path, timeout, content=bytes(data), content_type=data.mime_type)

    def answer(self, data: Any) -> Any:
        """Raises ErrorInside, or KeyError and the like for what is no answer."""
        if isinstance(data, Mapping) and data.get("error"):
            raise ErrorInside(data)
        return self._helper.get_response(data)


class Embedding:
    def __init__(self, request: EmbedRequest) -> None:
        self._task = RoutedTask(_EMBED, request.model)
        self._request = request

    def outgoing(self, timeout: Any) -> TaskRequest:
        return self._task.request(list(self._request.texts), {"dimensions": self._request.dimensions}, timeout)

    def read(self, data: Any, into: Answer) -> None:
        """Raises ValueError for vectors of each token, which some models make, in place of one of the text."""
        vectors = self._task.answer(data)
        if len(vectors) != len(self._request.texts) or not all(_is_vector(vector) for vector in vectors):
            raise ValueError("There is not one vector for each text.")
        into.vectors = vectors
        into.model_reported = f"{self._task.model}:{self._task.provider}"
        into.finish = "stop"


class Transcribing:
    def __init__(self, request: TranscribeRequest) -> None:
        """Raises InvalidParameters."""
        self._task = RoutedTask(_TRANSCRIBE, request.model)
        self._request = request
        hints = {"language": request.language, "prompt": request.prompt}
        self._hints = {name: value for name, value in hints.items() if value is not None}
        if self._hints and self._task.provider != _TAKES_HINTS:
            raise InvalidParameters(
                f"{self._task.provider} behind Hugging Face's router has no place for {' and '.join(self._hints)}.",
                f"Leave it out, or name {_TAKES_HINTS} as model:{_TAKES_HINTS}.",
            )

    def outgoing(self, timeout: Any) -> TaskRequest:
        from huggingface_hub.inference._common import MimeBytes

        return self._task.request(MimeBytes(self._request.data, self._request.media_type), self._hints, timeout)

    def read(self, data: Any, into: Answer) -> None:
        found = self._task.answer(data)
        into.text = found["text"]
        into.segments = list(found.get("chunks") or ())
        into.model_reported = f"{self._task.model}:{self._task.provider}"
        into.finish = "stop"


def _is_vector(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(value, (int, float)) and math.isfinite(value) for value in found)
