"""Ledgers that several test modules ask: an empty one for each module, and one of four hundred calls for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_core import UsageRecord
from llm_core.store.home import open_home
from llm_core.usage import UsageService

from .rows import assorted


@pytest.fixture(scope="module")
def usage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsageService]:
    """One ledger for the module. Each test or example keeps to a project of its own, by a filter."""
    yield from _service(tmp_path_factory)


@pytest.fixture(scope="session")
def many() -> list[UsageRecord]:
    """Four hundred calls of all kinds, the same each time; see `asked`."""
    return assorted(400)


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory, many: list[UsageRecord]) -> Iterator[UsageService]:
    """A ledger with the records `many`, half of them drained; to be asked only."""
    for service in _service(tmp_path_factory):
        for place, record in enumerate(many):
            service.record(record)
            if place in (len(many) // 4, len(many) // 2):
                service.flush()
        yield service


def _service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsageService]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("ledger")
        patch.setenv("LLM_MANAGER_CACHE", str(folder / "cache"))
        service = UsageService(open_home(folder / "a b'c é"))
        yield service
        service.close()
