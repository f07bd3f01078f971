"""What the log says of an outage that many requests meet together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_lp.client.errors import LivePersonServerError
from airflow_provider_lp.client.retry_log import RetryLog
from airflow_provider_lp.sandbox import Fault, Sandbox
from tests.exported import connect
from tests.fake_clock import FakeClock
from tests.samples import at, crowd

THREADS = 4
SEARCH = {"start": {"from": at(10), "to": at(11)}}


class InStep(FakeClock):
    """A clock on which a pause passes once for all threads, when all of them wait."""

    def __init__(self) -> None:
        super().__init__()
        self._barrier = threading.Barrier(THREADS, timeout=60)

    def sleep(self, seconds: float) -> None:
        if seconds < 1:
            # How the flow lets requests go one after the other.
            super().sleep(seconds)
        elif self._barrier.wait() == 0:
            super().sleep(seconds)
            self._barrier.wait()
        else:
            self._barrier.wait()


def said(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    own = [record for record in caplog.records if record.name.endswith("retry_log") and record.levelno == level]
    return [record.getMessage() for record in own]


def test_an_outage_is_one_line_a_step_whatever_the_number_of_requests(
    sandbox_of: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="airflow_provider_lp.client")
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, InStep(), max_concurrency=THREADS) as client, ThreadPoolExecutor(THREADS) as pool:
        client.interactions.search(SEARCH)
        sandbox.add_fault(Fault("error_503", times=None))
        for asked in [pool.submit(client.interactions.search, SEARCH) for _ in range(THREADS)]:
            assert isinstance(asked.exception(), LivePersonServerError)
    warnings = said(caplog, logging.WARNING)
    assert [line.partition("Trying again ")[2].partition(" failed")[0] for line in warnings] == [
        "in 5 s (attempt 1", "in 10 s (attempt 2", "in 15 s (attempt 3",
    ]  # fmt: skip
    assert all("HTTP 503" in line for line in warnings)
    assert all(line.endswith(f"failed; {THREADS} requests wait).") for line in warnings[1:])
    # The others are there for who looks for them.
    assert len(said(caplog, logging.DEBUG)) == 3 * (THREADS - 1)


def test_a_lone_request_tells_of_each_step_and_later_trouble_is_told_of_again(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    retries, error = RetryLog(clock), LivePersonServerError("Trouble.")
    with retries.request(), retries.request():
        for attempt, pause_s, passes_s in ((1, 5, 5), (2, 10, 4), (1, 5, 5.9), (1, 5, 0.2), (1, 5, 0)):
            retries.tell(error, pause_s, attempt)
            clock.pass_time(passes_s)
    warnings = [
        "Trouble. Trying again in 5 s (attempt 1 failed).",
        "Trouble. Trying again in 10 s (attempt 2 failed).",
        "Trouble. Trying again in 5 s (attempt 1 failed).",
    ]
    assert said(caplog, logging.WARNING) == warnings
    assert len(said(caplog, logging.DEBUG)) == 2
