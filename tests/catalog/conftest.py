"""A ModelService over connections that are put straight into the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from llm_core.catalog import ModelService
from llm_core.store import tables
from llm_core.store.home import open_home
from llm_core.store.state import State
from llm_core.types import LLMModel, LLMProvider


class ConnectionsOfState:
    """The part of ProviderService that the catalogue asks for, without providers: rows in, connections out."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.offers: dict[str, list[LLMModel]] = {}

    def list(self) -> list[LLMProvider]:
        table = tables.connections
        with self.state.read() as connection:
            rows = connection.execute(select(table.c.name, table.c.provider, table.c.base_url, table.c.enabled)).all()
        return [LLMProvider(row.name, row.provider, row.base_url, enabled=row.enabled) for row in rows]

    def get(self, name: str) -> LLMProvider:
        return next(connection for connection in self.list() if connection.name == name)

    def adapter(self, name: str) -> Any:
        offers = self.offers[name]

        class Adapter:
            def list_models(self, deadline: Any) -> list[LLMModel]:
                return offers

        return Adapter()


@pytest.fixture
def state(home: Path) -> Iterator[State]:
    state = State(open_home(home))
    yield state
    state.close()


@pytest.fixture
def connections(state: State) -> ConnectionsOfState:
    return ConnectionsOfState(state)


@pytest.fixture
def models(state: State, connections: ConnectionsOfState) -> ModelService:
    return ModelService(state, connections)


@pytest.fixture
def connect(state: State) -> Callable[..., None]:
    def connect(name: str, provider: str | None = None, base_url: str | None = None, enabled: bool = True) -> None:
        with state.write() as connection:
            connection.execute(
                insert(tables.connections).values(
                    name=name,
                    provider=provider or name,
                    base_url=base_url,
                    options={},
                    enabled=enabled,
                    state="connected",
                    message="",
                    version=1,
                    created_at=datetime.now(UTC),
                )
            )

    return connect
