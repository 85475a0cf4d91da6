"""The catalogue of a fresh workspace, its connections and their offers put straight into the state: nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from llm_core import LLMModel, Workspace
from llm_core.catalog import ModelService
from llm_core.store import tables
from llm_core.store.listings import keep_listing


@pytest.fixture
def models(ws: Workspace) -> ModelService:
    return ws.models


@pytest.fixture
def connect(ws: Workspace) -> Callable[..., None]:
    def connect(name: str, provider: str | None = None, base_url: str | None = None, enabled: bool = True) -> None:
        with ws.state.write() as connection:
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


@pytest.fixture
def offer(ws: Workspace) -> Callable[..., None]:
    def offer(*models: LLMModel, connection: str = "openai") -> None:
        """What the connection lists from now on."""
        with ws.state.write() as transaction:
            keep_listing(transaction, connection, models, datetime.now(UTC))

    return offer
