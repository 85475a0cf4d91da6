"""The story of the sample: who uses which model for what, how much, and what went wrong. Facts alone, no code.

Models and their prices are real ones; people, projects, speeds and troubles are made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAYS = 120


@dataclass(frozen=True, slots=True)
class Share:
    """A model's part of some work, by weight, from one day to another; days count back from now (0 is today)."""

    connection: str
    model: str
    weight: float = 1.0
    since: float = DAYS
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """One use of models. `per_day` is calls on a usual working day now; `at_start` the part of it 120 days ago.

    Tokens are (median, spread of the logarithm). `cached` is the usual part of a prompt that is read from the cache.
    """

    app: str
    task: str
    project: str
    team: str
    users: tuple[str, ...]
    models: tuple[Share, ...]
    per_day: float
    prompt: tuple[float, float]
    answer: tuple[float, float]
    at_start: float = 0.5
    weekend: float = 0.1
    busiest_hour: float = 13.0
    hours_spread: float = 3.2
    cached: float = 0.0
    reasoning: float = 0.0
    stopped: float = 0.0
    """The part of the answers that a person stops while they come."""
    streamed: bool = True
    mode: str = "standard"
    busier_at_month_end: float = 1.0


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds to the first token, and tokens a second after it, as usual for a model."""

    first_ms: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time when the calls of a connection failed: `since` days before today's midnight, for so many days, this part
    of the attempts. Ends in days to come mean that it goes on."""

    connection: str
    kind: str
    since: float
    days: float
    part: float


WORK: tuple[Work, ...] = (
    Work(
        app="helpdesk",
        task="chat",
        project="Support",
        team="support",
        users=("amara", "jonas", "mei", "tomas", "leila", "oskar"),
        models=(
            Share("anthropic", "claude-haiku-5-5", 0.8),
            Share("openai", "gpt-6-luna", 0.2, since=44),
        ),
        per_day=270,
        prompt=(2600, 0.5),
        answer=(230, 0.6),
        at_start=0.55,
        weekend=0.45,
        hours_spread=4.0,
        cached=0.7,
        stopped=0.02,
    ),
    Work(
        app="code-assistant",
        task="code",
        project="Platform",
        team="engineering",
        users=("ines", "rahul", "sofie", "dmitri", "hana"),
        models=(
            Share("anthropic", "claude-opus-5-5", 0.55),
            Share("openai", "gpt-5.6-sol", 0.45, until=61),
            Share("openai", "gpt-6.1-sol", 0.45, since=61),
        ),
        per_day=105,
        prompt=(22000, 0.7),
        answer=(1300, 0.7),
        at_start=0.4,
        weekend=0.12,
        busiest_hour=14.5,
        cached=0.8,
        reasoning=0.35,
        stopped=0.05,
    ),
    Work(
        app="newsroom",
        task="summarize",
        project="Content",
        team="content",
        users=("newsroom-job",),
        models=(Share("google", "gemini-3.8-flash"),),
        per_day=130,
        prompt=(5200, 0.5),
        answer=(320, 0.35),
        at_start=0.8,
        weekend=0.9,
        busiest_hour=3.0,
        hours_spread=1.1,
        streamed=False,
    ),
    Work(
        app="editor",
        task="chat",
        project="Content",
        team="content",
        users=("paul", "yuki", "clara"),
        models=(Share("google", "gemini-3.8-flash", 0.8), Share("cohere", "command-a-03-2025", 0.2)),
        per_day=60,
        prompt=(1500, 0.7),
        answer=(520, 0.6),
        weekend=0.15,
        reasoning=0.15,
        stopped=0.06,
    ),
    Work(
        app="invoice-reader",
        task="extract",
        project="Finance",
        team="finance",
        users=("invoice-job",),
        models=(Share("openai", "gpt-6-luna"),),
        per_day=75,
        prompt=(3100, 0.3),
        answer=(180, 0.3),
        at_start=0.7,
        weekend=0.05,
        busiest_hour=10.0,
        cached=0.4,
        streamed=False,
        busier_at_month_end=3.0,
    ),
    Work(
        app="search",
        task="chat",
        project="Search",
        team="engineering",
        users=("search-api",),
        models=(
            Share("cohere", "command-r7b-12-2024", 0.85),
            Share("cohere", "command-a-plus-05-2026", 0.15, since=75),
        ),
        per_day=80,
        prompt=(1900, 0.4),
        answer=(140, 0.4),
        at_start=0.6,
        weekend=0.6,
        hours_spread=4.5,
        streamed=False,
    ),
    Work(
        app="tester",
        task="judge",
        project="Platform",
        team="engineering",
        users=("rahul", "hana"),
        models=(Share("openai", "o3"),),
        per_day=16,
        prompt=(1200, 0.3),
        answer=(260, 0.5),
        at_start=0.3,
        weekend=0.0,
        reasoning=0.5,
        streamed=False,
    ),
    Work(
        app="notebook",
        task="chat",
        project="Research",
        team="research",
        users=("noor", "felix"),
        models=(
            Share("local", "smollm2-135m", 0.75),
            Share("anthropic", "claude-opus-5-5", 0.25),
        ),
        per_day=28,
        prompt=(420, 0.8),
        answer=(210, 0.7),
        weekend=0.3,
        busiest_hour=16.0,
        stopped=0.08,
    ),
)

SPEED: dict[str, Speed] = {
    "claude-haiku-5-5": Speed(420, 150),
    "claude-opus-5-5": Speed(1150, 62),
    "gpt-6-luna": Speed(380, 165),
    "gpt-5.6-sol": Speed(1300, 55),
    "gpt-6.1-sol": Speed(900, 80),
    "o3": Speed(2100, 70),
    "gemini-3.8-flash": Speed(340, 190),
    "command-a-03-2025": Speed(520, 85),
    "command-a-plus-05-2026": Speed(610, 75),
    "command-r7b-12-2024": Speed(240, 160),
    "smollm2-135m": Speed(95, 110),
}

TROUBLES: tuple[Trouble, ...] = (
    Trouble("anthropic", "overloaded", since=51.4, days=0.11, part=0.8),
    Trouble("openai", "rate_limited", since=33.3, days=0.25, part=0.35),
    Trouble("google", "provider_failed", since=12.9, days=0.06, part=0.6),
    Trouble("cohere", "key_refused", since=0.35, days=1.4, part=1.0),
)

SLOW = Trouble("google", "slow", since=2.2, days=3.2, part=1.9)
"""Not failing: all its answers take this many times as long."""

RUNAWAY = Work(
    app="code-assistant",
    task="code",
    project="Platform",
    team="engineering",
    users=("dmitri",),
    models=(Share("openai", "gpt-6.1-sol"),),
    per_day=310,
    prompt=(48000, 0.3),
    answer=(1900, 0.4),
    reasoning=0.4,
    hours_spread=1.0,
    busiest_hour=19.0,
)
RUNAWAY_DAYS_AGO = 23
"""A loop in an agent ran one evening: the spike."""


@dataclass(frozen=True, slots=True)
class SampleConnection:
    """A connection as the sample shows it. `models` are those it lists."""

    name: str
    state: str
    key_source: str | None
    key_hint: str | None
    latency_ms: float | None
    models: tuple[str, ...]
    message: str = ""
    tested_minutes_ago: int = 12
    context_windows: dict[str, int] = field(default_factory=dict)


CONNECTIONS: tuple[SampleConnection, ...] = (
    SampleConnection(
        name="openai",
        state="connected",
        key_source="environment:OPENAI_API_KEY",
        key_hint="7Kq2",
        latency_ms=212.0,
        models=(
            "gpt-6.2-sol",
            "gpt-6.1-sol",
            "gpt-6-luna",
            "gpt-5.6-sol",
            "gpt-5.4-mini",
            "o3",
            "gpt-transcribe",
            "gpt-4o-transcribe",
            "text-embedding-3-small",
        ),
    ),
    SampleConnection(
        name="anthropic",
        state="connected",
        key_source="environment:ANTHROPIC_API_KEY",
        key_hint="9fAA",
        latency_ms=268.0,
        models=("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-haiku-4-5"),
    ),
    SampleConnection(
        name="google",
        state="connected",
        key_source="environment:GEMINI_API_KEY",
        key_hint="Zt4c",
        latency_ms=2340.0,
        models=("gemini-4-argon", "gemini-3.8-flash", "gemini-3.6-flash", "gemini-embedding-001"),
    ),
    SampleConnection(
        name="cohere",
        state="error",
        key_source="environment:CO_API_KEY",
        key_hint="m3Xe",
        latency_ms=None,
        models=("command-a-03-2025", "command-a-plus-05-2026", "command-r7b-12-2024", "rerank-v4.0-fast"),
        message="Cohere refused the key (401). Check that the key is whole and still valid.",
    ),
    SampleConnection(
        name="local",
        state="connected",
        key_source=None,
        key_hint=None,
        latency_ms=0.4,
        models=("smollm2-135m",),
        context_windows={"smollm2-135m": 4096},
    ),
)

ACTIVE: dict[str, tuple[str, str]] = {
    "chat": ("anthropic", "claude-haiku-5-5"),
    "code": ("anthropic", "claude-opus-5-5"),
    "summarize": ("google", "gemini-3.8-flash"),
    "extract": ("openai", "gpt-6-luna"),
    "judge": ("openai", "o3"),
    "transcribe": ("openai", "gpt-4o-transcribe"),
}


@dataclass(frozen=True, slots=True)
class SampleBudget:
    """A limit as the sample shows it; `limit` as text, in US dollars, tokens or calls."""

    name: str
    scope: dict[str, str]
    limit: str
    period: str
    unit: str = "money"
    hard: bool = True
    thresholds: tuple[float, ...] = (0.8,)


BUDGETS: tuple[SampleBudget, ...] = (
    SampleBudget("Everything", {}, "200", "month", thresholds=(0.5, 0.8)),
    SampleBudget("Platform, all time", {"project": "Platform"}, "700", "total"),
    SampleBudget("Trials of the judge", {"app": "tester", "task": "judge"}, "3.50", "total", hard=False),
    SampleBudget("Helpdesk calls", {"app": "helpdesk"}, "2000", "week", unit="calls", hard=False),
)
