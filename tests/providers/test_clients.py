"""SDK clients: made when first used, one for threads and one for each event loop, closed when nobody uses them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from llm_core.providers.clients import Clients
from tests.waiting import until


class Client:
    """Knows whether it was closed, and on which loop."""

    def __init__(self) -> None:
        self.closed = 0
        self.closed_on: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1
        self.closed_on = asyncio.get_running_loop()


@pytest.fixture
def made() -> list[Client]:
    return []


@pytest.fixture
def clients(made: list[Client]) -> Clients[Client, Client]:
    def make() -> Client:
        made.append(Client())
        return made[-1]

    return Clients(make, Client.close, make, Client.aclose)


def test_nothing_is_made_before_it_is_used(clients: Clients[Client, Client], made: list[Client]) -> None:
    clients.close()
    assert made == []


def test_threads_share_one_client(clients: Clients[Client, Client], made: list[Client]) -> None:
    def use() -> None:
        with clients.use():
            pass

    threads = [threading.Thread(target=use) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert not made[0].closed


def test_closing_waits_for_running_calls(clients: Clients[Client, Client], made: list[Client]) -> None:
    with clients.use() as first, clients.use() as second:
        clients.close()
        assert first is second
        assert not first.closed
    assert made[0].closed == 1


def test_a_call_that_comes_after_closing_still_gets_a_client(
    clients: Clients[Client, Client], made: list[Client]
) -> None:
    with clients.use():
        pass
    clients.close()
    with clients.use() as late:
        assert not late.closed
    assert [client.closed for client in made] == [1, 1]


def test_a_client_that_cannot_be_made_leaves_nothing_behind() -> None:
    def fail() -> Client:
        raise ValueError("no")

    clients: Clients[Client, Client] = Clients(fail, Client.close, fail, Client.aclose)
    with pytest.raises(ValueError, match="no"), clients.use():
        pass

    async def use() -> None:
        with pytest.raises(ValueError, match="no"):
            async with clients.ause():
                pass

    asyncio.run(use())
    clients.close()


def test_each_event_loop_has_its_own_and_closes_it_when_it_ends(
    clients: Clients[Client, Client], made: list[Client]
) -> None:
    async def use() -> None:
        async with clients.ause() as first:
            pass
        async with clients.ause() as second:
            assert first is second
            assert not first.closed

    asyncio.run(use())
    asyncio.run(use())
    assert [client.closed for client in made] == [1, 1]
    assert made[0].closed_on is not made[1].closed_on


def test_tasks_that_begin_together_share_a_client(clients: Clients[Client, Client], made: list[Client]) -> None:
    async def use() -> None:
        async with clients.ause():
            await asyncio.sleep(0)

    async def run() -> None:
        await asyncio.gather(*(use() for _ in range(20)))

    asyncio.run(run())
    assert len(made) == 1


def test_closing_from_another_thread_closes_on_the_loop(clients: Clients[Client, Client], made: list[Client]) -> None:
    async def run() -> None:
        async with clients.ause():
            pass
        await asyncio.to_thread(clients.close)
        while not made[0].closed:
            await asyncio.sleep(0.001)
        assert made[0].closed_on is asyncio.get_running_loop()

    asyncio.run(run())


def test_closing_waits_for_running_tasks(clients: Clients[Client, Client], made: list[Client]) -> None:
    async def run() -> None:
        async with clients.ause() as client:
            clients.close()
            await asyncio.sleep(0.01)
            assert not client.closed
        while not client.closed:
            await asyncio.sleep(0.001)

    asyncio.run(run())


def test_a_loop_that_was_closed_by_hand_is_forgotten(clients: Clients[Client, Client], made: list[Client]) -> None:
    loop = asyncio.new_event_loop()

    async def use() -> None:
        async with clients.ause():
            pass

    loop.run_until_complete(use())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    asyncio.run(use())
    clients.close()
    until(lambda: all(client.closed for client in made))
