"""The frozen dataclasses that cross rooms: messages, parameters, usage, records, cost, replies, models, connections.

Nothing here talks to a provider, a file or a clock, except that a record makes its own id and time when it has none.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Literal

from .errors import InvalidMessage, InvalidParameters, InvalidRecord, InvalidUsage, UnknownModel

Task = Literal["chat", "transcribe", "summarize", "extract", "code", "judge"]
TASKS: tuple[str, ...] = ("chat", "transcribe", "summarize", "extract", "code", "judge")
PROVIDERS: tuple[str, ...] = ("openai", "anthropic", "google", "cohere", "huggingface", "compatible", "local")
STATUSES: tuple[str, ...] = ("ok", "error", "cancelled", "partial", "interrupted")
USAGE_SOURCES: tuple[str, ...] = ("reported", "estimated", "unknown")
MODES: tuple[str, ...] = ("standard", "batch", "flex", "priority")
ROLES: tuple[str, ...] = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image as bytes with its media type, or as an http(s) URL that the provider fetches."""

    data: bytes | None = field(default=None, repr=False)
    media_type: str = "image/png"
    url: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    data: bytes = field(repr=False)
    media_type: str
    name: str = "file"


@dataclass(frozen=True, slots=True)
class Audio:
    data: bytes = field(repr=False)
    media_type: str = "audio/wav"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for. `arguments` is the JSON text exactly as the model wrote it.

    `opaque` is what its provider wants back with the call, to go on where it stopped (Anthropic's thinking, Gemini's
    thought signature). Only its adapter can read it; without it the history is still valid, but some models refuse it.
    """

    id: str
    name: str
    arguments: str
    opaque: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    call_id: str
    content: str


Part = Text | Image | File | Audio | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `content` is text or a sequence of parts; it is kept as a tuple of parts."""

    role: str
    content: str | Sequence[Part]

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise InvalidMessage(f"A message cannot have the role {self.role!r}.", f"Use one of {', '.join(ROLES)}.")
        parts = (Text(self.content),) if isinstance(self.content, str) else tuple(self.content)
        for part in parts:
            if not isinstance(part, Part):
                raise InvalidMessage(
                    f"A message part cannot be a {type(part).__name__}.",
                    "Use Text, Image, File, Audio, ToolCall or ToolResult.",
                )
        object.__setattr__(self, "content", parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.content  # type: ignore[return-value]  # made a tuple above

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class Parameters:
    """What shapes an answer. `None` means: leave it to the model. Which a model takes says `parameters.spec`."""

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: Sequence[str] | None = None
    n: int | None = None
    response_format: str | Mapping[str, Any] | None = None
    reasoning_effort: str | None = None
    thinking_budget: int | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    safety_settings: Mapping[str, Any] | Sequence[Any] | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        elif isinstance(self.stop, Sequence):  # anything else stays as it is, for `validate` to refuse
            object.__setattr__(self, "stop", tuple(self.stop))

    @classmethod
    def of(cls, value: Parameters | Mapping[str, Any] | None) -> Parameters:
        """Take a Parameters, a dict or None. Raises InvalidParameters for a name that does not exist."""
        if value is None:
            return cls()
        if isinstance(value, Parameters):
            return value
        unknown = sorted(set(value) - PARAMETER_NAMES)
        if unknown:
            raise InvalidParameters(
                f"Unknown parameter {', '.join(map(repr, unknown))}.",
                f"Known ones: {', '.join(sorted(PARAMETER_NAMES))}.",
            )
        return cls(**value)

    def over(self, other: Parameters) -> Parameters:
        """This one's set fields, and `other`'s where this one has none."""
        return dataclasses.replace(other, **self.given())

    def given(self) -> dict[str, Any]:
        """The fields that are set, by name."""
        return {name: value for name in PARAMETER_ORDER if (value := getattr(self, name)) is not None}


PARAMETER_ORDER: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Parameters))
PARAMETER_NAMES: frozenset[str] = frozenset(PARAMETER_ORDER)


TOKEN_CLASSES: tuple[str, ...] = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token classes of one attempt, in one convention for all providers.

    `input_tokens` is the whole prompt; cache reads, cache writes and input audio are parts of it. `cache_write_tokens`
    includes the one-hour ones. `output_tokens` is all billed output; reasoning and output audio are parts of it.
    Raises InvalidUsage for a bool, a fraction, a negative number or a part larger than its whole.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    audio_seconds: float = 0.0
    images: int = 0
    requests: int = 0
    searches: int = 0

    def __post_init__(self) -> None:
        for name in (*TOKEN_CLASSES, "images", "requests", "searches"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value < 2**63:
                raise InvalidUsage(f"{name} must be a whole number of 0 or more, not {value!r}.")
        seconds = self.audio_seconds
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e12:
            raise InvalidUsage(f"audio_seconds must be a number of 0 or more, not {seconds!r}.")
        for part, whole in (
            (self.cache_read_tokens + self.cache_write_tokens, "input_tokens"),
            (self.cache_write_1h_tokens, "cache_write_tokens"),
            (self.input_audio_tokens, "input_tokens"),
            (self.reasoning_tokens, "output_tokens"),
            (self.output_audio_tokens, "output_tokens"),
        ):
            if part > getattr(self, whole):
                raise InvalidUsage(
                    f"A part of {whole} ({part}) is larger than {whole} itself ({getattr(self, whole)}).",
                    "input_tokens is the whole prompt and output_tokens is all billed output.",
                )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


USAGE_FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Usage))

CENT_OF_A_MILLIONTH = Decimal("1e-10")
"""Costs are kept to ten decimals of a US dollar: DECIMAL(18,10) in the ledger."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Money of one usage. `usd` is None when any needed rate is unknown, and `missing` names those rates.

    `parts` maps a usage class to its US dollars; `source` names the price list, `effective_from` when its rates began.
    """

    usd: Decimal | None
    parts: Mapping[str, Decimal] = field(default_factory=dict)
    source: str | None = None
    effective_from: date | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What one model costs in one mode, in one span of time and for one span of prompt lengths.

    It counts from the day `start` up to, without, `end` (UTC; None is open), between the two seconds of the UTC day in
    `hours`, for prompts of more than `over_tokens` and up to `up_to_tokens` tokens. `rates` maps a usage class to US
    dollars and for how many units they are.
    """

    mode: str
    source: str
    rates: Mapping[str, tuple[Decimal, int]]
    start: date | None = None
    end: date | None = None
    effective_from: date | None = None
    hours: tuple[int, int] = (0, 86_400)
    over_tokens: int = -1
    up_to_tokens: int | None = None
    one_price_for_all_media: bool = False
    """The vendor lists a rate for audio only where it differs from text (Google)."""


TOKEN_COUNTERS: tuple[str, ...] = ("tokeniser", "vendor", "estimate")


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a prompt. `how` is one of TOKEN_COUNTERS: only an estimate may be off; `by` says who counted."""

    count: int
    how: str
    by: str


def _new_id() -> str:
    return os.urandom(16).hex()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """The row kept for one attempt. Its fields are the columns of the view `usage`; `usage` holds the token classes.

    `usage` is None when the provider sent none. `latency_ms` and `ttft_ms` are milliseconds. `started_at` must know its
    zone and is kept in UTC. Raises InvalidRecord.
    """

    provider: str
    connection: str
    model: str
    id: str = field(default_factory=_new_id)
    call_id: str = ""
    attempt: int = 1
    part: int = 0
    started_at: datetime = field(default_factory=_now)
    model_reported: str | None = None
    mode: str = "standard"
    task: str | None = None
    app: str | None = None
    user: str | None = None
    project: str | None = None
    preset: str | None = None
    preset_version: int | None = None
    source: str = "call"
    source_id: str | None = None
    usage: Usage | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    status: str = "ok"
    error_kind: str | None = None
    usage_source: str = ""
    cost_usd: Decimal | None = None
    price_source: str | None = None
    price_from: date | None = None
    request_id: str | None = None
    tags: Mapping[str, str] | None = None
    raw_usage: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not (self.provider and self.connection and self.model):
            raise InvalidRecord("A usage record needs a provider, a connection and a model.")
        if self.status not in STATUSES:
            raise InvalidRecord(f"Unknown status {self.status!r}.", f"Use one of {', '.join(STATUSES)}.")
        if self.started_at.tzinfo is None:
            raise InvalidRecord("started_at has no time zone.", "Give datetime.now(UTC) or an aware time.")
        if self.usage_source not in USAGE_SOURCES:
            if self.usage_source:
                raise InvalidRecord(
                    f"Unknown usage_source {self.usage_source!r}.", f"Use one of {', '.join(USAGE_SOURCES)}."
                )
            object.__setattr__(self, "usage_source", "unknown" if self.usage is None else "reported")
        if not self.call_id:
            object.__setattr__(self, "call_id", self.id)
        if self.cost_usd is not None:
            object.__setattr__(self, "cost_usd", to_usd(self.cost_usd))
        for name in ("latency_ms", "ttft_ms"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1e12:
                raise InvalidRecord(f"{name} must be milliseconds of 0 or more, not {value!r}.")
        for name in ("attempt", "part", "preset_version"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not 0 <= value < 2**31):
                raise InvalidRecord(f"{name} must be a whole number from 0 to 2,147,483,647, not {value!r}.")
        if self.price_from is not None and type(self.price_from) is not date:
            raise InvalidRecord(f"price_from must be a date, not {self.price_from!r}.")
        if self.tags is not None and not all(isinstance(k, str) and isinstance(v, str) for k, v in self.tags.items()):
            raise InvalidRecord("Tags must map text to text.", 'For example {"team": "search"}.')


def to_usd(value: Decimal | int | str) -> Decimal:
    """US dollars to ten decimals. Raises InvalidRecord for a float, which cannot hold money, or an impossible sum."""
    if isinstance(value, (bool, float)):
        raise InvalidRecord("Money cannot be a float.", 'Give a Decimal or text, as Decimal("0.0021").')
    try:
        usd = Decimal(value).quantize(CENT_OF_A_MILLIONTH, rounding=ROUND_HALF_EVEN)
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidRecord(f"{value!r} is not a sum of US dollars.") from None
    if usd.is_nan() or not 0 <= usd < 10**8:
        raise InvalidRecord(f"A cost must be from 0 to under 100 million US dollars, not {value!r}.")
    return usd


RECORD_FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(UsageRecord))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call brought back. Times are milliseconds; `attempts` counts requests on the wire."""

    text: str
    model: str
    usage: Usage | None
    cost: Cost
    latency_ms: float
    record_id: str
    ttft_ms: float | None = None
    finish: str | None = None
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    parsed: Any = None
    parse_error: str | None = None
    """Why `parsed` is None although a schema was asked for."""
    alternatives: tuple[str, ...] = ()
    """Texts of the second and further choices, where `n` asked for them."""
    logprobs: tuple[Mapping[str, Any], ...] | None = field(default=None, repr=False)
    """One entry for each token, as the provider writes it, where asked for."""
    vectors: tuple[Sequence[float], ...] = field(default=(), repr=False)
    """Of `embed`: one for each text, in order."""
    segments: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """Of `transcribe`: parts with their times, as the provider writes them, where it gives them."""
    language: str | None = None
    """Of `transcribe`: as the provider names it."""
    attempts: int = 1
    recorded: bool = True
    usage_source: str = "reported"
    model_reported: str | None = None
    request_id: str | None = None
    status: str = "ok"

    @property
    def cost_usd(self) -> Decimal | None:
        return self.cost.usd

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens a second between the first token and the end; None where that cannot be known."""
        if self.usage is None or self.ttft_ms is None or self.usage.output_tokens < 2:
            return None
        seconds = (self.latency_ms - self.ttft_ms) / 1000
        return (self.usage.output_tokens - 1) / seconds if seconds > 0 else None


MODEL_STATES: tuple[str, ...] = ("available", "not_on_key", "unreachable", "deprecated", "shut_down", "unknown")
"""`available`: the connection offered it when last asked. `not_on_key`: it is known, but the connection's last list
lacks it. `unreachable`: the last check of the connection failed, or it is switched off. `deprecated`: its end is
announced, and no list denies that it is still offered. `shut_down`: its end has passed. `unknown`: never checked, or
there is no list that would name it. The exact rules are in `catalog/states.py`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from: a vendor's live list, a package and its version, a page. `read_on` is when."""

    name: str
    url: str | None = None
    read_on: date | None = None


@dataclass(frozen=True, slots=True)
class LLMModel:
    """A model as reached through one connection. None is unknown. Prices are US dollars per million tokens.

    `capabilities` are words of CAPABILITIES, empty where nothing is known; `inputs` and `outputs` words of MODALITIES.
    """

    connection: str
    provider: str
    name: str
    display_name: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    price_source: str | None = None
    capabilities: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    """What it takes in, as its provider says: the words of `inputs`, and `file`."""
    available: bool | None = None
    checked_at: datetime | None = None
    lifecycle: str | None = None
    """active, deprecated or retired, where the provider says."""
    retires_at: datetime | None = None
    state: str = "unknown"
    """One of MODEL_STATES."""
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    reasoning_efforts: tuple[str, ...] = ()
    """The levels it takes, least first; empty where none or not known."""
    takes_temperature: bool | None = None
    knowledge_until: str | None = None
    """YYYY-MM or YYYY-MM-DD, as published."""
    released_on: date | None = None
    deprecated_on: date | None = None
    replacement: str | None = None
    """The name its vendor recommends instead, at the same provider."""
    licence: str | None = None
    """Of the weights, for open models: its SPDX name or the vendor's."""
    cache_read_price: Decimal | None = None
    own: bool = False
    """Added by a person, not offered by a list."""
    lacks: frozenset[str] = frozenset()
    """Words of CAPABILITIES it is known not to have; one in neither set is unknown."""
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False, repr=False)
    """Field name -> where its value comes from."""

    @property
    def id(self) -> str:
        return f"{self.connection}:{self.name}"


MODALITIES: tuple[str, ...] = ("text", "image", "audio", "video", "file")
CAPABILITIES: tuple[str, ...] = (
    "chat",
    "embeddings",
    "transcription",
    "speech",
    "image_generation",
    "video_generation",
    "realtime",
    "rerank",
    "moderation",
    "tools",
    "schema",
    "reasoning",
    "images",
    "audio",
    "files",
    "caching",
    "batch",
    "search",
)
"""Kinds of work first (`chat` to `moderation`), then what a chat does: `schema` structured output, `images` vision."""


def split_model_id(model_id: str) -> tuple[str, str]:
    """`connection:model` into its two parts; a model's own name may hold colons. Raises UnknownModel."""
    connection, colon, name = model_id.partition(":")
    if not (connection and colon and name):
        raise UnknownModel(f"{model_id!r} is not a model id.", "Write connection:model, as openai:gpt-6-luna.")
    return connection, name


CONNECTION_STATES: tuple[str, ...] = (
    "connected",
    "untested",
    "error",
    "needs_key",
    "cannot_decrypt",
    "disabled",
    "testing",
    "disconnected",
)
"""`testing` and `disconnected` are for pages: a test is under way; a provider that has no connection."""
KEY_SOURCES: tuple[str, ...] = ("keyring", "key_file", "passphrase", "variable", "vault", "memory", "environment:NAME")
"""Where a connection's key is. The first four: encrypted in the vault, named by what opens it (`variable` is
LLM_MANAGER_KEY); `vault`: there too, but what opens it cannot be told now. `memory`: until this process ends."""


@dataclass(frozen=True, slots=True)
class LLMProvider:
    """A connection: a named, configured access to a provider. It never holds the key, only where it comes from.

    `state` is one of CONNECTION_STATES, `message` what to know of it. `key_source` is one of KEY_SOURCES, or None
    without a key; `key_hint` the key's last four letters, where it is long enough. `key_made_at`, when the key was
    stored, and `key_used_at` are known of a key in the vault.
    """

    name: str
    provider: str
    base_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    state: str = "untested"
    message: str = ""
    key_source: str | None = None
    key_hint: str | None = None
    tested_at: datetime | None = None
    test_latency_ms: float | None = None
    models_found: int | None = None
    version: int = 1
    key_made_at: datetime | None = None
    key_used_at: datetime | None = None
    key_kept: bool = False
    """Its key was put into the vault, and so is missed when the vault is gone."""
