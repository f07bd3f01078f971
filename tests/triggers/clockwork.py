"""A loop whose time is a test's clock: what waits in it waits together, and no wait takes any real time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from airflow_provider_lp.triggers import delivery, shared_client, waiting, watch
from tests.lab import FakeClock
from tests.sensors.passing import passing

Result = TypeVar("Result")

#: How long the work of threads may take by the real clock, so that a test that hangs ends.
LONGEST_WORK_S = 60


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


class ClockLoop(asyncio.SelectorEventLoop):
    """A loop that goes by a test's clock."""

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

    def _is_done(self, work: object) -> None:
        self._jumps.threads_at_work -= 1


@contextmanager
def triggers_passing(clock: FakeClock) -> Iterator[None]:
    """As :func:`passing`, but pauses are left to the loop, and watches go by the clock too."""
    with passing(clock), pytest.MonkeyPatch.context() as patch:
        for module in (waiting, shared_client):
            patch.setattr(module, "asyncio", asyncio)
        for module in (watch, delivery):
            patch.setattr(module, "time", waiting.time)
        yield


def run(clock: FakeClock, work: Coroutine[Any, Any, Result]) -> Result:
    """What ``work`` comes to in a triggerer's loop that goes by ``clock``."""
    with triggers_passing(clock), asyncio.Runner(loop_factory=lambda: ClockLoop(clock)) as runner:
        return runner.run(work)
