"""What the transport does when LivePerson throttles."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import formatdate
from itertools import pairwise

import pytest

from airflow_provider_lp.client.errors import LivePersonRateLimitError, LivePersonTransportError
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.pace import HOLD_JITTER
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import crowd

from .searches import SandboxOf, search


@pytest.mark.parametrize(
    ("retry_after", "least_s"),
    [
        (None, 1),
        ("0", 1),
        ("7", 7),
        ("2.5", 2.5),
        ("nonsense", 1),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 1),
    ],
)
def test_a_throttling_is_waited_out(
    sandbox_of: SandboxOf, clock: FakeClock, retry_after: str | None, least_s: float
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=2, retry_after=retry_after))
    with connect(sandbox, clock) as client:
        assert len(search(client)) == 3
        assert client.retries == 2
    assert len(clock.pauses) == 2
    assert all(least_s <= pause_s <= max(2, (1 + HOLD_JITTER) * least_s) for pause_s in clock.pauses)


def test_the_client_tells_for_how_long_it_was_held(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        search(client)
        assert (client.throttled_s, client.allowed_in_flight) == (0, 4)
        for retry_after in ("7", "30"):
            sandbox.add_fault(Fault("throttle", retry_after=retry_after))
            search(client)
        assert 37 <= client.throttled_s <= clock.monotonic()


def test_retry_after_may_be_a_date(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", retry_after=formatdate(clock.now() + 20.5, usegmt=True)))
    with connect(sandbox, clock) as client:
        search(client)
    assert 19 <= clock.pauses[0] <= 21 * (1 + HOLD_JITTER)


def test_a_retry_after_of_hours_fails_at_once(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None, retry_after="7200"))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonRateLimitError, match="max_concurrency") as caught:
        search(client)
    assert caught.value.retry_helps
    assert caught.value.retry_after_s == 7200
    assert len(calls(sandbox)) == 1


def test_endless_throttling_ends_in_an_error(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonRateLimitError):
        search(client)
    assert 5 < len(calls(sandbox)) <= 110
    assert 60 < clock.monotonic() < 900


def test_finding_the_limit_uses_up_no_attempts(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    # As if other clients took all room again and again, just before this one asks.
    sandbox.add_fault(Fault("throttle", times=20))
    with connect(sandbox, clock) as client:
        assert len(search(client)) == 3


def test_the_503_of_a_throttled_account_keeps_to_the_pauses_of_5xx(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("error_503", times=1, retry_after="3"))
    with connect(sandbox, clock) as client:
        search(client)
    assert clock.pauses[0] >= 3


class Paced(FakeClock):
    """A fake clock that lets a wait take a fifth of its time, so that threads really meet."""

    def monotonic(self) -> float:
        return time.monotonic() * 5

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 5)


@pytest.mark.parametrize("in_flight", [4, 8])
def test_after_a_429_eight_threads_send_no_burst(sandbox_of: SandboxOf, in_flight: int) -> None:
    sandbox = sandbox_of(*crowd(3))
    clock = Paced()
    sandbox.latency_s = 0.4
    with connect(sandbox, clock, max_concurrency=in_flight) as client:
        search(client)
        sandbox.add_fault(Fault("throttle", times=in_flight))
        threads = [threading.Thread(target=search, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = calls(sandbox)[1:]
    assert Counter(each.status for each in seen) == {429: in_flight, 200: 8}
    # So many were in flight together, and none was let through; one at a time follows, those that waited for a slot as
    # well.
    apart = [(after.at - before.at) * 5 for before, after in pairwise(seen[in_flight - 1 :])]
    assert apart[0] > 0.7
    assert min(apart) > 0.4 * 5 * 0.9


@pytest.mark.parametrize("limit", [2, 5])
def test_beside_a_limit_a_task_is_nearly_as_quick_as_one_that_knows_it(sandbox_of: SandboxOf, limit: int) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.latency_s = 0.05

    def took_s(pages: int, in_flight: int) -> float:
        with connect(sandbox, Paced(), max_concurrency=in_flight) as client, ThreadPoolExecutor(10) as threads:
            search(client)
            begun = time.monotonic()
            list(threads.map(lambda _: search(client), range(pages)))
            return time.monotonic() - begun

    pages = 60 * limit
    shortest_s = took_s(pages, limit)
    sandbox.most_at_a_time = limit
    assert took_s(pages, 8) < 2.5 * shortest_s
    refused = sum(each.status == 429 for each in calls(sandbox))
    assert 0 < refused < 0.2 * pages


def test_whatever_a_client_asks_for_waits_when_liveperson_throttles_something_else(
    sandbox_of: SandboxOf, clock: FakeClock
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", path="/operations/", retry_after="30"))
    with connect(sandbox, clock, max_concurrency=8) as client:
        search(client)
        with pytest.raises(LivePersonRateLimitError):
            # A poll does not retry its first request; whoever polls waits for as long as LivePerson wants.
            client.polling(timedelta(seconds=20)).operations.send(MetricsRequest.checked("queue_health", timeframe=60))
        search(client)
        assert 1 <= clock.monotonic() < 2
        sandbox.add_fault(Fault("throttle", path="/operations/", retry_after="30"))
        client.operations.send(MetricsRequest.checked("queue_health", timeframe=60))
        assert client.throttled_s > 30


def test_who_polls_does_not_sit_a_long_hold_out(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        search(client)
        client._transport.flow.hold(10)
        search(client.polling(timedelta(seconds=5)))
        assert 10 <= clock.monotonic() < 15
        # As another task of this machine does that was told so.
        client._transport.flow.hold(600)
        asked = len(sandbox.requests)
        with pytest.raises(
            LivePersonRateLimitError, match=r"wants no requests of this account for another \d+ s"
        ) as told:
            search(client.polling(timedelta(seconds=5)))
        assert (told.value.retry_after_s or 0) >= 600
        assert len(sandbox.requests) == asked
        search(client)
        assert clock.monotonic() >= 610


def test_after_a_429_requests_one_after_the_other_are_not_spaced(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle"))
    with connect(sandbox, clock) as client:
        moments, is_lowered = [], []
        for _ in range(40):
            search(client)
            moments.append(clock.monotonic())
            is_lowered.append(client.allowed_in_flight < client.max_concurrency)
            clock.pass_time(0.15)
    assert is_lowered[0]
    assert moments[0] >= 1
    apart = [after - before for before, after in pairwise(moments)]
    assert max(apart) < 0.3


def test_what_a_closed_client_gives_up_is_no_trouble_of_livepersons(
    sandbox_of: SandboxOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("stall", seconds=30))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            search(client)
        except LivePersonTransportError as error:
            errors.append(error)

    client = connect(sandbox)
    thread = threading.Thread(target=ask)
    thread.start()
    while not calls(sandbox):
        time.sleep(0.01)
    client.close()
    thread.join()
    assert [str(error) for error in errors] == ["The LivePerson client was closed: nothing more is asked for."]
    assert caplog.records == []
