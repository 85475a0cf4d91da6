"""Models that a person added, and facts a person knows better of a listed one: checked, kept and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ..errors import InvalidInput
from ..store.listings import facts_as_data, facts_of_data
from ..store.tables import own_models
from ..types import CAPABILITIES, MODALITIES
from .join import OwnFacts

_TEXTS = ("display_name", "replacement", "licence")
_COUNTS = ("context_window", "max_output_tokens")
_WORDS = {"capabilities": CAPABILITIES, "inputs": MODALITIES, "outputs": MODALITIES}
_DAYS = ("released_on", "deprecated_on")
OWN_FACTS: tuple[str, ...] = (
    "display_name",
    "context_window",
    "max_output_tokens",
    "capabilities",
    "inputs",
    "outputs",
    "reasoning_efforts",
    "takes_temperature",
    "knowledge_until",
    "released_on",
    "deprecated_on",
    "retires_at",
    "replacement",
    "licence",
)
"""What a person can say of a model: fields of LLMModel."""

_LONGEST = 200
_MOST_TOKENS = 10**9
_MONTH_OR_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?")


def checked_name(name: str) -> str:
    """Raises InvalidInput for what cannot be a model's name."""
    if not (isinstance(name, str) and 0 < len(name) <= _LONGEST and name.isprintable() and name == name.strip()):
        raise InvalidInput(
            f"A model cannot be named {name!r}.",
            f"Write the name that its provider takes in a call: up to {_LONGEST} letters, no spaces around it.",
        )
    return name


def checked_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as LLMModel holds them; None stays and means: no longer said. Raises InvalidInput."""
    unknown = sorted(set(facts) - set(OWN_FACTS))
    if unknown:
        raise InvalidInput(
            f"A model has no fact {', '.join(map(repr, unknown))} to write.", f"There are {', '.join(OWN_FACTS)}."
        )
    return {fact: None if value is None else _checked(fact, value) for fact, value in facts.items()}


def _checked(fact: str, value: Any) -> Any:
    if fact in _COUNTS:
        if type(value) is not int or not 0 < value <= _MOST_TOKENS:
            raise _wrong(fact, value, "It is a number of tokens, as 128000.")
    elif fact in _TEXTS:
        if not (isinstance(value, str) and len(value) <= _LONGEST and value.isprintable()):
            raise _wrong(fact, value, f"It is text of one line, up to {_LONGEST} letters.")
        value = value.strip()
    elif fact in _WORDS:
        value = frozenset(_words(fact, value))
        if not value <= set(_WORDS[fact]):
            raise _wrong(fact, sorted(value - set(_WORDS[fact])), f"Words are {', '.join(_WORDS[fact])}.")
    elif fact == "reasoning_efforts":
        value = tuple(_words(fact, value))
    elif fact == "takes_temperature":
        if type(value) is not bool:
            raise _wrong(fact, value, "It is True or False.")
    elif fact == "knowledge_until":
        if not (isinstance(value, str) and _MONTH_OR_DAY.fullmatch(value)):
            raise _wrong(fact, value, "Write 2026-03 or 2026-03-31.")
    elif fact in _DAYS:
        value = _day(fact, value)
    else:
        value = _moment(fact, value)
    return value


def _words(fact: str, value: Any) -> list[str]:
    words = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    if not all(isinstance(word, str) and word.isprintable() and 0 < len(word) <= 40 for word in words):
        raise _wrong(fact, value, "It is a list of words.")
    return words


def _day(fact: str, value: Any) -> date:
    try:
        value = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        value = None
    if type(value) is not date:
        raise _wrong(fact, value, "Write a day as 2026-11-24.")
    return value


def _moment(fact: str, value: Any) -> datetime:
    """A day stands for its beginning in UTC."""
    if not isinstance(value, datetime):
        return datetime.combine(_day(fact, value), time(), UTC)
    if value.tzinfo is None:
        raise _wrong(fact, value, "Give a day, or a time that knows its zone.")
    return value.astimezone(UTC)


def _wrong(fact: str, value: Any, hint: str) -> InvalidInput:
    return InvalidInput(f"{fact} cannot be {value!r}.", hint)


def kept_own(transaction: Connection, of: tuple[str, str] | None = None) -> dict[tuple[str, str], OwnFacts]:
    """(connection, model) -> what a person wrote of it, of all or of one."""
    table = own_models
    query = select(table.c.connection, table.c.name, table.c.data, table.c.changed_at)
    if of is not None:
        query = query.where(table.c.connection == of[0], table.c.name == of[1])
    return {
        (row.connection, row.name): OwnFacts(facts_of_data(row.data), row.changed_at)
        for row in transaction.execute(query.order_by(table.c.connection, table.c.name))
    }


def keep_own(transaction: Connection, model: tuple[str, str], facts: Mapping[str, Any]) -> None:
    """Write `facts` in place of what was kept of the model."""
    forget_own(transaction, model)
    row = {"connection": model[0], "name": model[1], "data": facts_as_data(facts), "changed_at": datetime.now(UTC)}
    transaction.execute(insert(own_models), row)


def forget_own(transaction: Connection, model: tuple[str, str]) -> bool:
    """Whether there was something to forget."""
    mine = (own_models.c.connection == model[0]) & (own_models.c.name == model[1])
    return transaction.execute(delete(own_models).where(mine)).rowcount > 0
