from __future__ import annotations

import itertools
import threading
import time

import pytest

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.pacing import SLOWEST_INTERVAL_S, Pacer
from tests.lab import FakeClock


def starts(pacer: Pacer, clock: FakeClock, number: int) -> list[float]:
    """When the next requests may start, one after the other."""
    moments = []
    for _ in range(number):
        pacer.wait()
        moments.append(clock.monotonic())
    return moments


def test_without_throttling_nothing_waits(clock: FakeClock) -> None:
    pacer = Pacer(clock)
    assert starts(pacer, clock, 100) == [0] * 100
    assert not clock.pauses


def test_a_throttling_holds_every_request_and_then_spaces_them_by_a_second(clock: FakeClock) -> None:
    pacer = Pacer(clock)
    pacer.throttled(pacer.wait(), 4.0)
    assert starts(pacer, clock, 4) == [4, 5, 6, 7]


def test_requests_in_flight_together_count_as_one_throttling(clock: FakeClock) -> None:
    pacer = Pacer(clock)
    for ticket in [pacer.wait() for _ in range(8)]:
        pacer.throttled(ticket, 1.0)
    assert starts(pacer, clock, 3) == [1, 2, 3]


def test_throttled_again_and_again_it_slows_down_but_not_endlessly(clock: FakeClock) -> None:
    pacer = Pacer(clock)
    apart = []
    for _ in range(8):
        pacer.throttled(pacer.wait(), 1.0)
        first, second = starts(pacer, clock, 2)
        apart.append(second - first)
    assert apart[:4] == [1, 2, 4, 8]
    assert max(apart) == SLOWEST_INTERVAL_S


def test_speed_comes_back_gradually(clock: FakeClock) -> None:
    pacer = Pacer(clock)
    pacer.throttled(pacer.wait(), 1.0)
    moments = []
    for _ in range(40):
        pacer.wait()
        moments.append(clock.monotonic())
        pacer.succeeded()
    apart = [round(later - earlier, 6) for earlier, later in itertools.pairwise(moments)]
    assert apart[0] == 1
    assert apart == sorted(apart, reverse=True)
    assert 0.5 < apart[1] < 1
    assert apart[-1] == 0


def test_threads_never_start_together_after_a_throttling() -> None:
    class Real(Clock):
        def sleep(self, seconds: float) -> None:
            time.sleep(seconds / 20)

        def monotonic(self) -> float:
            return time.monotonic() * 20

    clock = Real()
    pacer = Pacer(clock)
    pacer.throttled(pacer.wait(), 1.0)
    throttled_at = clock.monotonic()
    moments, lock = [], threading.Lock()

    def run() -> None:
        pacer.wait()
        with lock:
            moments.append(clock.monotonic())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments.sort()
    assert moments[0] - throttled_at > 0.95
    # A thread may record its moment late, never early: n requests need n - 1 seconds.
    assert moments[-1] - throttled_at > 7.9
    assert all(moment - throttled_at > 0.95 + position for position, moment in enumerate(moments))


def test_closing_ends_a_wait_and_all_later_ones() -> None:
    clock = Clock()
    threading.Timer(0.05, clock.close).start()
    begun = time.monotonic()
    with pytest.raises(LivePersonTransportError, match="was closed"):
        clock.sleep(60)
    with pytest.raises(LivePersonTransportError, match="was closed"):
        clock.sleep(60)
    assert time.monotonic() - begun < 5
