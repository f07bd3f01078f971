"""The poller that all sensors and triggers share: one client for many threads, read anew when it is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonAuthenticationError, LivePersonTransportError
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.conditions.poller import Poller
from tests.exported import connect
from tests.samples import OAUTH2

PATIENCE = timedelta(seconds=1)
WAIT_S = 30


class Asks(Condition, frozen=True):
    """A condition that does what a test tells it to; its value is what that gives."""

    question: Callable[[Any], Any]

    def poll(self, client: Any) -> PollResult:
        return PollResult(True, "asked", self.question(client))


@pytest.fixture
def clients(sandbox_of: Any) -> list[Any]:
    return []


@pytest.fixture
def poller(sandbox_of: Any, clients: list[Any]) -> Poller:
    """One whose clients are in ``clients``, oldest first."""
    sandbox = sandbox_of()

    def open_client() -> Any:
        clients.append(connect(sandbox, credentials=OAUTH2))
        return clients[-1]

    return Poller(open_client)


def number(client: Any) -> str:
    """A name for the session of a client: those of its polls share it."""
    return str(id(client._transport))


def test_many_threads_open_one_client(poller: Poller, clients: list[Any]) -> None:
    together = threading.Barrier(8)

    def poll(_: int) -> Any:
        together.wait(WAIT_S)
        return poller.poll(Asks(number), PATIENCE).value

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(poll, range(8)))) == 1
    assert len(clients) == 1
    poller.close()


def test_one_that_is_refused_late_takes_the_client_that_another_one_has_opened_anew(
    poller: Poller, clients: list[Any]
) -> None:
    old = poller.poll(Asks(number), PATIENCE).value
    has_begun, is_late = threading.Event(), threading.Event()

    def use(client: Any) -> str:
        if number(client) == old:
            raise LivePersonAuthenticationError("revoked")
        return number(client)

    def use_late(client: Any) -> str:
        has_begun.set()
        assert number(client) != old or is_late.wait(WAIT_S)
        return use(client)

    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(poller.poll, Asks(use_late), PATIENCE)
        assert has_begun.wait(WAIT_S)
        anew = poller.poll(Asks(use), PATIENCE).value
        is_late.set()
        assert late.result().value == anew != old
    assert len(clients) == 2
    poller.close()


def test_one_that_is_cut_off_as_another_opens_the_client_anew_is_not_in_trouble(
    poller: Poller, clients: list[Any]
) -> None:
    old = poller.poll(Asks(number), PATIENCE).value
    has_begun, is_late = threading.Event(), threading.Event()

    def refuse(client: Any) -> str:
        if number(client) == old:
            raise LivePersonAuthenticationError("revoked")
        return number(client)

    def ask_late(client: Any) -> str:
        has_begun.set()
        assert number(client) != old or is_late.wait(WAIT_S)
        client.check()
        return number(client)

    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(poller.poll, Asks(ask_late), PATIENCE)
        assert has_begun.wait(WAIT_S)
        anew = poller.poll(Asks(refuse), PATIENCE).value
        is_late.set()
        assert late.result() == PollResult(True, "asked", anew)
    assert len(clients) == 2
    poller.close()


def test_credentials_that_were_never_accepted_are_not_tried_again(poller: Poller, clients: list[Any]) -> None:
    def refuse(_: Any) -> Any:
        raise LivePersonAuthenticationError("wrong")

    for _ in range(2):
        with pytest.raises(LivePersonAuthenticationError, match="wrong"):
            poller.poll(Asks(refuse), PATIENCE)
    assert len(clients) == 1
    poller.close()


def test_what_is_aborted_while_it_connects_asks_for_nothing(sandbox_of: Any) -> None:
    sandbox = sandbox_of()

    def connect_late() -> Any:
        poller.abort()
        return connect(sandbox, credentials=OAUTH2)

    poller = Poller(connect_late)
    assert poller.poll(Asks(lambda client: client.check()), PATIENCE).has_failed
    assert sandbox.requests == []
    poller.close()
    with pytest.raises(LivePersonTransportError, match="closed"):
        poller.poll(Asks(number), PATIENCE)
