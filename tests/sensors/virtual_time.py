"""Time that only pauses take: what a sensor sees, and when, is the same on a busy machine as on an idle one."""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.compat import BaseSensorOperator
from airflow_provider_lp.sandbox import Account, Conversation
from tests.fake_clock import FakeClock

Result = TypeVar("Result")

AIRFLOWS = sys.modules[BaseSensorOperator.__module__]
#: No two readings of the clock by Airflow are the same: it goes on only once more time than the timeout has passed.
READING_S = 0.001
#: How long the work of threads may take by the real clock, so that a test that hangs ends.
LONGEST_WORK_S = 60


class LiveAccount(Account):
    """An account whose conversations start and end as a test's clock goes on."""

    clock: FakeClock

    @classmethod
    def by(cls, clock: FakeClock, conversations: Iterable[Conversation]) -> LiveAccount:
        account = cls.of(conversations)
        account.clock = clock
        return account

    def clock_ms(self) -> int:
        return round(self.clock.now() * 1000)


@contextmanager
def virtual_time(clock: FakeClock) -> Iterator[None]:
    """Let every clock of the provider, and Airflow's loop of a sensor, go by ``clock``, and pause on it."""

    def read() -> float:
        clock.pass_time(READING_S)
        return clock.monotonic()

    def sleep(own: Clock, seconds: float) -> None:
        own.check()
        clock.sleep(seconds)

    def utcnow() -> datetime:
        read()
        return datetime.fromtimestamp(clock.now(), UTC)

    airflows_time = SimpleNamespace(**{**vars(time), "monotonic": read, "sleep": clock.sleep})
    airflows_timezone = SimpleNamespace(**{**vars(AIRFLOWS.timezone), "utcnow": utcnow})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "now", lambda _: clock.now())
        patch.setattr(Clock, "monotonic", lambda _: clock.monotonic())
        patch.setattr(Clock, "sleep", sleep)
        patch.setattr(AIRFLOWS, "time", airflows_time)
        patch.setattr(AIRFLOWS, "timezone", airflows_timezone)
        yield


class Jumps(selectors.DefaultSelector):
    """
    Instead of waiting for the time that the loop does something next, lets it be that time.

    While threads are at work time stands still, however long that takes: what they ask for is answered at once.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.threads_at_work = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self.threads_at_work:
            return super().select(LONGEST_WORK_S) or self._fail("Threads have not come to an end.")
        if reports := super().select(0):
            return reports
        self._clock.sleep(timeout or self._fail("Nothing is left that the loop could wait for."))
        return []

    def _fail(self, words: str) -> Any:
        raise RuntimeError(words)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that goes by a test's clock: what waits in it waits together, and no wait takes any real time."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._jumps = Jumps(clock)
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._clock.monotonic()

    def run_in_executor(self, executor: Any, function: Any, *arguments: Any) -> Any:
        work = super().run_in_executor(executor, function, *arguments)
        self._jumps.threads_at_work += 1
        work.add_done_callback(self._is_done)
        return work

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self._jumps.threads_at_work += 1
        await super().shutdown_default_executor(*arguments)

    def _is_done(self, work: object) -> None:
        self._jumps.threads_at_work -= 1


def run(clock: FakeClock, work: Coroutine[Any, Any, Result]) -> Result:
    """What ``work`` comes to in a triggerer's loop that goes by ``clock``."""
    with virtual_time(clock), asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(work)
