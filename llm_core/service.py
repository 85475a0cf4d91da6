"""The one path that every call takes: resolve, merge, check, send, retry, record.

    resolve the model -> merge parameters (preset < call) -> validate -> adapter and retries -> price -> record

Each request on the wire is one record, whether it brought an answer, an error, a stop or a broken wire. When recording
fails the caller still gets the reply, with `recorded=False`. Retries happen only for errors that say so, only before
anything was given out, and never past the deadline.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from .attempt import Attempt, Labels, Plan
from .errors import InvalidInput, InvalidParameters, NotConfigured, ProviderError, SampleWorkspace
from .messages import Prompt, as_messages, with_system
from .providers.protocol import ChatRequest, Deadline, Piece
from .providers.retry import RetryPolicy
from .structured import as_json_schema
from .types import TASKS, Parameters, Reply

if TYPE_CHECKING:
    from .catalog import ModelService
    from .parameters import ParameterService
    from .providers import ProviderService
    from .settings import SettingsService
    from .usage import UsageService


class CallOptions(TypedDict, total=False):
    """What every way to call takes beside the prompt. All of it may be left out."""

    model: str | None
    """`connection:model`; the active model for `task` when None."""
    task: str
    """One of TASKS; "chat" by default."""
    preset: str | None
    """A preset's name. What of it the model does not take is left out; see `ws.parameters.suited`."""
    parameters: Parameters | Mapping[str, Any] | None
    """These win over the preset's."""
    tags: Mapping[str, Any] | None
    """Kept in the record, as are `app`, `user` and `project`."""
    app: str | None
    user: str | None
    project: str | None
    tools: Sequence[Mapping[str, Any]] | None
    """In OpenAI's function shape."""
    tool_choice: str | Mapping[str, Any] | None
    schema: Any
    """JSON Schema as a dict, or a pydantic model class; the answer is then in `reply.parsed`."""
    timeout: float | None
    """Seconds that the whole call, with its retries, may take."""


class LLMService:
    """Calls models. Safe to use from many threads and event loops at once.

    All four ways take a prompt (text, messages, or dicts of OpenAI's shape) and the same CallOptions. They raise
    InvalidInput, NotConfigured or ProviderError.
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
        plan = self._plan(prompt, **options)
        policy = self._retry_policy()
        number = 1
        while True:
            attempt = Attempt(plan, number)
            try:
                plan.adapter.complete(plan.request, attempt.answer)
            except BaseException as error:
                delay = _after_failure(attempt, error, policy)
                if delay is None:
                    raise
            else:
                return attempt.end()
            time.sleep(delay)
            number += 1

    async def acomplete(self, prompt: Prompt, **options: Unpack[CallOptions]) -> Reply:
        """As `complete`, on an event loop."""
        plan = self._plan(prompt, **options)
        policy = self._retry_policy()
        number = 1
        while True:
            attempt = Attempt(plan, number)
            try:
                await plan.adapter.acomplete(plan.request, attempt.answer)
            except BaseException as error:
                delay = _after_failure(attempt, error, policy)
                if delay is None:
                    raise
            else:
                return attempt.end()
            await asyncio.sleep(delay)
            number += 1

    def stream(self, prompt: Prompt, **options: Unpack[CallOptions]) -> Stream:
        """Call a model and get its answer in pieces; the request is sent when the first piece is asked for."""
        return Stream(self._plan(prompt, **options), self._retry_policy())

    def astream(self, prompt: Prompt, **options: Unpack[CallOptions]) -> AsyncStream:
        """As `stream`, on an event loop."""
        return AsyncStream(self._plan(prompt, **options), self._retry_policy())

    def _retry_policy(self) -> RetryPolicy:
        return RetryPolicy(attempts=self._settings.get("call.attempts"))

    def _plan(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        task: str = "chat",
        preset: str | None = None,
        parameters: Parameters | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        app: str | None = None,
        user: str | None = None,
        project: str | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        schema: Any = None,
        timeout: float | None = None,
    ) -> Plan:
        if self._read_only:
            raise SampleWorkspace("The sample data makes no calls.", "Leave the sample data to call a model.")
        if task not in TASKS:
            raise InvalidInput(f"Unknown task {task!r}.", f"Use one of {', '.join(TASKS)}.")
        deadline = Deadline(self._settings.get("call.timeout") if timeout is None else _positive(timeout))
        messages = as_messages(prompt)
        json_schema = as_json_schema(schema)
        connection, name = self._models.resolve(model, task)
        model_id = f"{connection.name}:{name}"
        chosen = Parameters.of(parameters)
        version = None
        if preset is not None:
            found = self._parameters.preset(preset)
            preset, version = found.name, found.version
            chosen = chosen.over(self._parameters.suited(model_id, found.parameters))
        self._check(model_id, chosen)
        return Plan(
            connection=connection,
            adapter=self._providers.adapter(connection.name),
            request=ChatRequest(
                model=name,
                messages=with_system(messages, chosen.system),
                parameters=dataclasses.replace(chosen, system=None),
                deadline=deadline,
                tools=tuple(tools or ()),
                tool_choice=tool_choice,
                schema=json_schema,
            ),
            labels=Labels(task, app, user, project, preset, version, _as_tags(tags)),
            schema=schema,
            price=self._models.price,
            record=self._usage.record,
        )

    def _check(self, model_id: str, parameters: Parameters) -> None:
        if not parameters.given():
            return
        errors = self._parameters.validate(model_id, parameters).errors
        if errors:
            told = " ".join(f"{found.field}: {found.message}" for found in errors)
            raise InvalidParameters(f"{model_id} would refuse these parameters. {told}", errors[0].hint, errors)


class _Stopped(BaseException):
    """The caller stopped the call. As GeneratorExit, it is no failure."""


class Stream:
    """The answer's text in pieces. Closing it, or leaving it early, stops the call; `reply` is there once it ended.

    As a context manager it is closed on the way out, whatever happened inside.
    """

    def __init__(self, plan: Plan, policy: RetryPolicy) -> None:
        self._plan = plan
        self._policy = policy
        self._attempt: Attempt | None = None
        self._reply: Reply | None = None
        self._pieces = self._run()

    @property
    def reply(self) -> Reply | None:
        """None until the stream has ended, was closed or failed."""
        return self._reply

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._attempt.answer.text if self._attempt else ""

    @property
    def reasoning(self) -> str:
        return self._attempt.answer.reasoning if self._attempt else ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for piece in self._pieces:
            if piece.text:
                return piece.text
        raise StopIteration

    def pieces(self) -> Iterator[Piece]:
        """The same stream with the model's reasoning told apart from its text."""
        return self._pieces

    def close(self) -> None:
        """Stop the call, from the thread that reads the stream."""
        self._pieces.close()

    def stop(self) -> None:
        """Stop the call, from any thread: the one that reads the stream finds it at its end."""
        self._plan.request.deadline.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _run(self) -> Generator[Piece, None, None]:
        deadline = self._plan.request.deadline
        number = 1
        while True:
            attempt = self._attempt = Attempt(self._plan, number)
            given_out = False
            try:
                with closing(self._plan.adapter.stream(self._plan.request, attempt.answer)) as arriving:
                    for piece in arriving:
                        attempt.piece(piece)
                        given_out = True
                        yield piece
                        if deadline.stopped:
                            raise _Stopped
            except BaseException as error:
                if deadline.stopped:
                    self._reply = attempt.end(_Stopped())
                    return
                delay = _after_failure(attempt, error, self._policy, given_out)
                if delay is None:
                    self._reply = attempt.reply
                    raise
            else:
                self._reply = attempt.end()
                return
            if deadline.wait(delay):
                self._reply = attempt.reply
                return
            number += 1


class AsyncStream:
    """As Stream, for an event loop: `async for`, `async with`, `await stream.close()`."""

    def __init__(self, plan: Plan, policy: RetryPolicy) -> None:
        self._plan = plan
        self._policy = policy
        self._attempt: Attempt | None = None
        self._reply: Reply | None = None
        self._pieces = self._run()

    @property
    def reply(self) -> Reply | None:
        """None until the stream has ended, was closed or failed."""
        return self._reply

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._attempt.answer.text if self._attempt else ""

    @property
    def reasoning(self) -> str:
        return self._attempt.answer.reasoning if self._attempt else ""

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        async for piece in self._pieces:
            if piece.text:
                return piece.text
        raise StopAsyncIteration

    def pieces(self) -> AsyncIterator[Piece]:
        """The same stream with the model's reasoning told apart from its text."""
        return self._pieces

    async def close(self) -> None:
        await self._pieces.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def _run(self) -> AsyncGenerator[Piece, None]:
        number = 1
        while True:
            attempt = self._attempt = Attempt(self._plan, number)
            given_out = False
            try:
                async with aclosing(self._plan.adapter.astream(self._plan.request, attempt.answer)) as arriving:
                    async for piece in arriving:
                        attempt.piece(piece)
                        given_out = True
                        yield piece
            except BaseException as error:
                delay = _after_failure(attempt, error, self._policy, given_out)
                if delay is None:
                    self._reply = attempt.reply
                    raise
            else:
                self._reply = attempt.end()
                return
            await asyncio.sleep(delay)
            number += 1


def _after_failure(
    attempt: Attempt, error: BaseException, policy: RetryPolicy, given_out: bool = False
) -> float | None:
    """Record the failed attempt; the seconds to wait before the next one, or None to give up.

    A caller's mistake that was found before anything was sent is no attempt, and not recorded.
    """
    if isinstance(error, (InvalidInput, NotConfigured)) and not attempt.answer.sent:
        return None
    attempt.end(error)
    if given_out or not isinstance(error, ProviderError):
        return None
    return policy.delay(attempt.number, error, attempt.plan.request.deadline)


def _positive(timeout: float) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < 1e9:
        raise InvalidInput(f"timeout must be seconds above 0, not {timeout!r}.")
    return timeout


def _as_tags(tags: Any) -> dict[str, str] | None:
    if not tags:
        return None
    if not isinstance(tags, Mapping):
        raise InvalidInput("Tags must map names to values.", 'For example {"team": "search"}.')
    return {str(name): str(value) for name, value in tags.items()}
