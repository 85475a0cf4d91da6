"""Every table of the state, in portable SQLAlchemy Core: SQLite now, PostgreSQL by URL later.

A change here needs a step in `migrations.py`; a test holds both to the same schema.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    false,
)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. Takes and gives times that know their zone, in UTC; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be kept.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""Facts about the state itself: `schema_version`, `made_at`."""

settings = Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("name", String, primary_key=True),
    Column("provider", String, nullable=False),
    Column("base_url", String),
    Column("options", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("message", String, nullable=False),
    Column("tested_at", UTCDateTime),
    Column("test_latency_ms", Float),
    Column("models_found", Integer),
    Column("version", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("key_kept", Boolean, nullable=False, server_default=false()),
)
"""Connections, never their keys. `state` to `models_found` are what the last test found. `version` counts changes.
`key_kept`: the key was put into the vault."""

listed_models = Table(
    "listed_models",
    metadata,
    Column("connection", ForeignKey("connections.name", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("data", JSON, nullable=False),
    Column("first_seen", UTCDateTime, nullable=False),
    Column("last_seen", UTCDateTime, nullable=False),
    Column("listed", Boolean, nullable=False),
)
"""What each connection offered when it was last asked. `listed` is false once it no longer names the model."""

active_models = Table(
    "active_models",
    metadata,
    Column("task", String, primary_key=True),
    Column("connection", ForeignKey("connections.name", ondelete="CASCADE"), nullable=False),
    Column("model", String, nullable=False),
    Column("chosen_at", UTCDateTime, nullable=False),
)

preset_versions = Table(
    "preset_versions",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("parameters", JSON, nullable=False),
    Column("purpose", String, nullable=False),
    Column("saved_at", UTCDateTime, nullable=False),
)
"""Every version ever saved: a usage record names the preset and version it was made with."""

presets = Table(
    "presets",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(["name", "version"], ["preset_versions.name", "preset_versions.version"]),
)
"""The version of each preset that counts now. Deleting a preset removes this row alone."""

preset_defaults = Table(
    "preset_defaults",
    metadata,
    Column("scope", String, primary_key=True),
    Column("preset", String, nullable=False),
)
"""The preset of calls that name none: `scope` is `task:chat` or `model:connection:name`; the model's counts first."""

own_models = Table(
    "own_models",
    metadata,
    Column("connection", ForeignKey("connections.name", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("data", JSON, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)
"""Models a person added, and facts a person knows better of a listed one."""

own_prices = Table(
    "own_prices",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String, nullable=False, index=True),
    Column("mode", String, nullable=False),
    Column("effective_from", Date),
    Column("effective_to", Date),
    Column("rates", JSON, nullable=False),
    Column("note", String, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)
"""A person's own prices. `model` is a model id; `rates` maps a usage class to [dollars as text, for how many units].
Counted from the day `effective_from` (always, where none) up to, without, `effective_to`."""

price_lists = Table(
    "price_lists",
    metadata,
    Column("digest", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("found_at", UTCDateTime, nullable=False),
    Column("accepted_at", UTCDateTime),
    Column("data", LargeBinary, nullable=False),
)
"""Price lists that are or were in use, compressed. The one accepted last counts; one without `accepted_at` waits."""

listing_checks = Table(
    "listing_checks",
    metadata,
    Column("connection", ForeignKey("connections.name", ondelete="CASCADE"), primary_key=True),
    Column("checked_at", UTCDateTime, nullable=False),
    Column("error", String, nullable=False),
)
"""When each connection was last asked for its models, and why that failed; empty where it did not."""

budgets = Table(
    "budgets",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("scope", JSON, nullable=False),
    Column("unit", String, nullable=False),
    Column("amount", String, nullable=False),
    Column("period", String, nullable=False),
    Column("tz", String, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("thresholds", JSON, nullable=False),
    Column("unpriced", String, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)
"""Limits. `amount` is a decimal number as text: US dollars, tokens or calls, as `unit` says. What is held and spent
lies in a file of its own, which changes with every call."""

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("kind", String, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("options", JSON, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)
"""What a person changed of the rules of alerts; `options` maps a name to a number. A rule without a row is as made."""

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False),
    Column("level", Float, nullable=False),
    Column("subject", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("title", String, nullable=False),
    Column("text", String, nullable=False),
    Column("opened_at", UTCDateTime, nullable=False, index=True),
    Column("closed_at", UTCDateTime),
    Column("seen_at", UTCDateTime),
)
"""Alerts, open until `closed_at`. While one is open, no other of its kind, key and level begins."""

alert_channels = Table(
    "alert_channels",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("service", String, nullable=False),
    Column("shown", String, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("sent_at", UTCDateTime),
    Column("failing_since", UTCDateTime),
    Column("error", String, nullable=False),
)
"""Where alerts are sent. The address is a secret and lies in the vault; `shown` is what may be seen of it."""

alert_sends = Table(
    "alert_sends",
    metadata,
    Column("event", ForeignKey("alert_events.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", ForeignKey("alert_channels.id", ondelete="CASCADE"), primary_key=True),
    Column("due_at", UTCDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
)
"""What is still to be sent, and when to try (again). A row goes when it was sent, or tried often enough."""

advice_marks = Table(
    "advice_marks",
    metadata,
    Column("key", String, primary_key=True),
    Column("mark", String, nullable=False),
    Column("marked_at", UTCDateTime, nullable=False),
)
"""What a person said of a piece of advice: `dismissed` or `kept`."""
