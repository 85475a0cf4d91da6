"""The one path that every call takes: resolve, merge, check, send, retry, record.

    resolve the model -> merge parameters (preset < call) -> validate -> hold -> adapter and retries -> price
    -> record -> settle

Each request on the wire is one record, whether it brought an answer, an error, a stop or a broken wire. When recording
fails the caller still gets the reply, with `recorded=False`. Retries happen only for errors that say so, only before
anything was given out, and never past the deadline.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from . import media
from .attempt import Attempt, Labels, Plan, R, after_failure
from .chat_request import chat_request
from .errors import InvalidInput, InvalidParameters, SampleWorkspace
from .guard import Guard
from .messages import Prompt, as_messages
from .providers.protocol import Answer, ChatRequest, Deadline, EmbedRequest, TranscribeRequest
from .providers.retry import RetryPolicy
from .streams import AsyncStream, Stream
from .structured import as_json_schema
from .types import MODES, TASKS, LLMProvider, Parameters, Reply

if TYPE_CHECKING:
    from .catalog import ModelService
    from .parameters import ParameterService, Preset
    from .providers import ProviderService
    from .settings import SettingsService
    from .usage import UsageService
    from .usage.budgets import Bundle


class CommonOptions(TypedDict, total=False):
    """What every way to call takes. All of it may be left out."""

    tags: Mapping[str, Any] | None
    """Kept in the record, as are `app`, `user` and `project`."""
    app: str | None
    user: str | None
    project: str | None
    source: str | None
    """What made the call, where it is not a plain one: "call" when None. `source_id` says which of these."""
    source_id: str | None
    bundle: Bundle | None
    """The run of calls that this one belongs to, from `ws.usage.budgets.bundle`."""
    timeout: float | None
    """Seconds that the whole call, with its retries, may take."""


class CallOptions(CommonOptions, total=False):
    """What a call for an answer takes beside the prompt."""

    model: str | None
    """`connection:model`; the active model for `task` when None."""
    task: str
    """One of TASKS; "chat" by default."""
    preset: str | None
    """A preset's name; the default of the model, else of the task, when None; "" for none at all. What of it the model
    does not take is left out; see `ws.parameters.suited`.
    """
    parameters: Parameters | Mapping[str, Any] | None
    """These win over the preset's."""
    tools: Sequence[Mapping[str, Any]] | None
    """In OpenAI's function shape."""
    tool_choice: str | Mapping[str, Any] | None
    schema: Any
    """JSON Schema as a dict, or a pydantic model class; the answer is then in `reply.parsed`."""


class EmbedOptions(CommonOptions, total=False):
    model: Required[str]
    purpose: str | None
    """document, query, classification or clustering, for models that tell them apart."""
    dimensions: int | None
    """Length of each vector, where the model lets one choose."""


class TranscribeOptions(CommonOptions, total=False):
    model: str | None
    """The active model for `transcribe` when None."""
    language: str | None
    """ISO 639-1, as "en"."""
    prompt: str | None
    """Words that may come up: names, terms, the text before."""


class LLMService:
    """Calls models. Safe to use from many threads and event loops at once.

    All four ways take a prompt (text, messages, or dicts of OpenAI's shape) and the same CallOptions. They raise
    InvalidInput, NotConfigured, ProviderError, or BudgetExceeded where a budget stands in the way.
    """

    def __init__(
        self,
        *,
        models: ModelService,
        parameters: ParameterService,
        providers: ProviderService,
        usage: UsageService,
        settings: SettingsService,
        read_only: bool = False,
    ) -> None:
        self._models = models
        self._parameters = parameters
        self._providers = providers
        self._usage = usage
        self._settings = settings
        self._read_only = read_only

    def complete(self, prompt: Prompt, **options: Unpack[CallOptions]) -> Reply:
        """Call a model and wait for the whole answer."""
        plan = self._chat(prompt, **options)
        return self._send(plan, plan.adapter.complete)

    async def acomplete(self, prompt: Prompt, **options: Unpack[CallOptions]) -> Reply:
        """As `complete`, on an event loop."""
        plan = self._chat(prompt, **options)
        return await self._asend(plan, plan.adapter.acomplete)

    def stream(self, prompt: Prompt, **options: Unpack[CallOptions]) -> Stream:
        """Call a model and get its answer in pieces; the request is sent when the first piece is asked for."""
        return Stream(self._chat(prompt, **options), self._retry_policy())

    def astream(self, prompt: Prompt, **options: Unpack[CallOptions]) -> AsyncStream:
        """As `stream`, on an event loop."""
        return AsyncStream(self._chat(prompt, **options), self._retry_policy())

    def embed(self, texts: str | Sequence[str], **options: Unpack[EmbedOptions]) -> Reply:
        """Turn texts into vectors: `reply.vectors`, one each, in order. More than a provider takes at once are one call
        after another, each recorded; the reply then holds their sums.
        """
        plans = self._embeddings(texts, **options)
        return media.joined([self._send(plan, media.embedder(plan).embed) for plan in plans])

    async def aembed(self, texts: str | Sequence[str], **options: Unpack[EmbedOptions]) -> Reply:
        """As `embed`, on an event loop."""
        plans = self._embeddings(texts, **options)
        return media.joined([await self._asend(plan, media.embedder(plan).aembed) for plan in plans])

    def transcribe(self, file: media.AudioFile, **options: Unpack[TranscribeOptions]) -> Reply:
        """Turn a recording (a path, bytes, an open file or Audio) into text, with the active model for `transcribe`."""
        plan = self._transcription(file, **options)
        return self._send(plan, media.transcriber(plan).transcribe)

    async def atranscribe(self, file: media.AudioFile, **options: Unpack[TranscribeOptions]) -> Reply:
        """As `transcribe`, on an event loop."""
        plan = self._transcription(file, **options)
        return await self._asend(plan, media.transcriber(plan).atranscribe)

    def _send(self, plan: Plan[R], send: Callable[[R, Answer], None]) -> Reply:
        policy = self._retry_policy()
        number = 1
        while True:
            attempt = Attempt.begin(plan, number)
            try:
                send(plan.request, attempt.answer)
            except BaseException as error:
                delay = after_failure(attempt, error, policy)
                if delay is None:
                    raise
            else:
                return attempt.end()
            time.sleep(delay)
            number += 1

    async def _asend(self, plan: Plan[R], send: Callable[[R, Answer], Awaitable[None]]) -> Reply:
        policy = self._retry_policy()
        number = 1
        while True:
            attempt = await Attempt.abegin(plan, number)
            try:
                await send(plan.request, attempt.answer)
            except BaseException as error:
                delay = after_failure(attempt, error, policy)
                if delay is None:
                    raise
            else:
                return attempt.end()
            await asyncio.sleep(delay)
            number += 1

    def _retry_policy(self) -> RetryPolicy:
        return RetryPolicy(attempts=self._settings.get("call.attempts"))

    def _chat(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        task: str = "chat",
        preset: str | None = None,
        parameters: Parameters | Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        schema: Any = None,
        **common: Unpack[CommonOptions],
    ) -> Plan[ChatRequest]:
        if task not in TASKS:
            raise InvalidInput(f"Unknown task {task!r}.", f"Use one of {', '.join(TASKS)}.")
        messages = as_messages(prompt)
        json_schema = as_json_schema(schema)
        connection, name, deadline = self._resolve(model, task, common)
        model_id = f"{connection.name}:{name}"
        chosen = Parameters.of(parameters)
        followed = self._preset(preset, model_id, task)
        if followed is not None:
            chosen = chosen.over(self._parameters.suited(model_id, followed.parameters, chosen))
        self._check(connection, name, chosen, tools, tool_choice)
        adapter = self._providers.adapter(connection.name)
        return Plan(
            connection=connection,
            adapter=adapter,
            request=chat_request(
                name, messages, chosen, deadline, tools=tools, tool_choice=tool_choice, schema=json_schema
            ),
            labels=_labels(task, common, followed),
            price=self._models.price,
            record=self._usage.record,
            estimate=adapter.estimate_usage,
            limit=self._providers.rate_limit(connection),
            guard=self._guard(common),
            mode=chosen.service_tier if chosen.service_tier in MODES else "standard",
            schema=schema,
        )

    def _embeddings(
        self,
        texts: str | Sequence[str],
        *,
        model: str,
        purpose: str | None = None,
        dimensions: int | None = None,
        **common: Unpack[CommonOptions],
    ) -> list[Plan[EmbedRequest]]:
        connection, name, deadline = self._resolve(model, "chat", common)
        adapter = self._providers.adapter(connection.name)
        return [
            Plan(
                connection=connection,
                adapter=adapter,
                request=EmbedRequest(name, batch, deadline, purpose, dimensions),
                labels=_labels("embed", common),
                price=self._models.price,
                record=self._usage.record,
                estimate=media.estimate_embedding,
                limit=self._providers.rate_limit(connection),
                guard=self._guard(common),
            )
            for batch in media.batches(texts, adapter.capabilities.texts_at_once)
        ]

    def _transcription(
        self,
        file: media.AudioFile,
        *,
        model: str | None = None,
        language: str | None = None,
        prompt: str | None = None,
        **common: Unpack[CommonOptions],
    ) -> Plan[TranscribeRequest]:
        audio = media.read_audio(file)
        connection, name, deadline = self._resolve(model, "transcribe", common)
        return Plan(
            connection=connection,
            adapter=self._providers.adapter(connection.name),
            request=TranscribeRequest(name, audio.data, audio.media_type, deadline, language, prompt),
            labels=_labels("transcribe", common),
            price=self._models.price,
            record=self._usage.record,
            estimate=media.estimate_transcription,
            limit=self._providers.rate_limit(connection),
            guard=self._guard(common),
        )

    def _resolve(self, model: str | None, task: str, common: CommonOptions) -> tuple[LLMProvider, str, Deadline]:
        """The connection, its own name of the model, and when the call must be over: as the call says, else the
        connection, else the settings. Raises SampleWorkspace where no calls are made at all.
        """
        if self._read_only:
            raise SampleWorkspace("The sample data makes no calls.", "Leave the sample data to call a model.")
        timeout = common.get("timeout")
        if timeout is not None:
            _require_positive(timeout)
        connection, name = self._models.resolve(model, task)
        if timeout is None:
            timeout = connection.options.get("timeout") or self._settings.get("call.timeout")
        return connection, name, Deadline(timeout)

    def _guard(self, common: CommonOptions) -> Guard:
        return Guard(self._usage.budgets, self._models.get, common.get("bundle"))

    def _preset(self, name: str | None, model_id: str, task: str) -> Preset | None:
        if name is None:
            return self._parameters.default_for(model_id, task)
        return self._parameters.preset(name) if name else None

    def _check(self, connection: LLMProvider, name: str, parameters: Parameters, tools: Any, tool_choice: Any) -> None:
        model_id = f"{connection.name}:{name}"
        errors = self._parameters.validate(model_id, parameters).errors if parameters.given() else ()
        if not errors and (tools is not None or tool_choice is not None):
            errors = self._parameters.validate_tools(model_id, connection, parameters, tools, tool_choice).errors
        if errors:
            told = " ".join(f"{found.field}: {found.message}" for found in errors)
            raise InvalidParameters(f"{model_id} would refuse these parameters. {told}", errors[0].hint, errors)


def _require_positive(timeout: float) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < 1e9:
        raise InvalidInput(f"timeout must be seconds above 0, not {timeout!r}.")


def _labels(task: str, common: CommonOptions, preset: Preset | None = None) -> Labels:
    return Labels(
        task=task,
        app=common.get("app"),
        user=common.get("user"),
        project=common.get("project"),
        preset=preset.name if preset else None,
        preset_version=preset.version if preset else None,
        source=common.get("source") or "call",
        source_id=common.get("source_id"),
        tags=_as_tags(common.get("tags")),
    )


def _as_tags(tags: Any) -> dict[str, str] | None:
    if not tags:
        return None
    if not isinstance(tags, Mapping):
        raise InvalidInput("Tags must map names to values.", 'For example {"team": "search"}.')
    return {str(name): str(value) for name, value in tags.items()}
