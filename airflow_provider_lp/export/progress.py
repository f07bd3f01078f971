"""Saying how far a long task is."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

log = logging.getLogger(__name__)

#: How long after a line the next one is due: more often at first.
EARLY_INTERVAL_S = 10.0
INTERVAL_S = 60.0
EARLY_S = 60.0


class Standing(NamedTuple):
    """
    How far a task is.

    :param parts: how many parts the work has, as far as is known: slices of a window, or requests.
    :param parts_done: how many of them are done.
    :param conversations: how many have come; ``None`` where the task does not count them.
    :param total: how many conversations there are; ``None`` while that is not known.
    :param is_estimate: whether ``total`` is concluded from what LivePerson has counted so far.
    """

    parts: int
    parts_done: int
    conversations: int | None = None
    total: int | None = None
    is_estimate: bool = False

    @property
    def done(self) -> int:
        """How much is done, in conversations or, where these are not counted, in parts."""
        return self.parts_done if self.conversations is None else self.conversations

    @property
    def left(self) -> int | None:
        """How much is left to do, likewise; ``None`` if that is not known."""
        if self.conversations is None:
            return self.parts - self.parts_done
        return None if self.total is None else max(0, self.total - self.conversations)


class _Mark(NamedTuple):
    moment_s: float
    done: int
    received_bytes: int


class _Spent(NamedTuple):
    requests: int
    retries: int
    received_bytes: int
    throttled_s: float

    @classmethod
    def by(cls, client: LivePersonClient, before: _Spent | None = None) -> _Spent:
        """What a client has spent since ``before``, or in all."""
        so_far = cls(client.requests, client.retries, client.received_bytes, client.throttled_s)
        if before is None:
            return so_far
        return cls(
            so_far.requests - before.requests,
            so_far.retries - before.retries,
            so_far.received_bytes - before.received_bytes,
            so_far.throttled_s - before.throttled_s,
        )


class Progress:
    """
    Says how far a task is, by the client's clock: every ten seconds in the first minute, then every minute.

    It has no thread. Whoever waits for answers waits by :meth:`wait_for`, so that it also says how far the task is
    while LivePerson is silent; whoever works asks :meth:`say` from time to time. A task of less than ten seconds says
    nothing.

    :param client: whose requests and clock it goes by.
    """

    def __init__(self, client: LivePersonClient) -> None:
        self._client = client
        self._clock = client.clock
        self._begun_s = self._clock.monotonic()
        self._due_s = self._begun_s + EARLY_INTERVAL_S
        self._has_spoken = False
        self._marks = deque([_Mark(self._begun_s, 0, 0)])
        self._before = _Spent.by(client)

    def wait_for(self, futures: Collection[Future[Any]], standing: Callable[[], Standing]) -> set[Future[Any]]:
        """
        Wait until one of the futures is done, and say how far the task is whenever that is due; gives those done.

        :param futures: what threads are at work on.
        :param standing: tells how far the task is; asked only when that is to be said.
        """
        while True:
            done = self._clock.wait_for(futures, max(0.0, self._due_s - self._clock.monotonic()))
            self.say(standing)
            if done:
                return done

    def say(self, standing: Callable[[], Standing]) -> None:
        """Say how far the task is, if that is due; costs next to nothing if it is not."""
        now_s = self._clock.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + (EARLY_INTERVAL_S if now_s - self._begun_s < EARLY_S else INTERVAL_S)
        self._has_spoken = True
        stands, spent = standing(), _Spent.by(self._client, self._before)
        # What came in the last minute tells when the end will be; an outage an hour ago does not.
        while len(self._marks) > 1 and now_s - self._marks[1].moment_s >= INTERVAL_S:
            self._marks.popleft()
        earlier = self._marks[0]
        passed_s = now_s - earlier.moment_s
        rate = max(0.0, (stands.done - earlier.done) / passed_s)
        silent = next((mark for mark in self._marks if mark.received_bytes == spent.received_bytes), None)
        self._marks.append(_Mark(now_s, stands.done, spent.received_bytes))
        outlook = ""
        if silent:
            outlook = f" Nothing has come for {_duration(timedelta(seconds=now_s - silent.moment_s))}."
        elif rate and stands.left is not None:
            left = timedelta(seconds=stands.left / rate)
            outlook = f" About {_duration(left)} left, until {self._client.now + left:%H:%M:%S} UTC."
        log.info(
            "%s: %s, %d at a time.%s",
            self._elapsed(now_s),
            _figures(stands, rate, spent),
            self._client.allowed_in_flight,
            outlook,
        )

    def finish(self, standing: Standing) -> None:
        """Say what the task took, if it ever had to say how far it was."""
        if self._has_spoken:
            now_s = self._clock.monotonic()
            rate = standing.done / (now_s - self._begun_s)
            log.info(
                "%s, all is read: %s.",
                self._elapsed(now_s),
                _figures(standing, rate, _Spent.by(self._client, self._before)),
            )

    def _elapsed(self, now_s: float) -> str:
        return f"After {_duration(timedelta(seconds=now_s - self._begun_s))}"


def _figures(stands: Standing, rate: float, spent: _Spent) -> str:
    figures = [f"{stands.parts_done:,} of {stands.parts:,} parts"]
    pace = f"{rate * 60:,.1f} parts/min"
    if stands.conversations is not None:
        figures.insert(0, f"{stands.conversations:,}{_of_total(stands)} conversations")
        pace = f"{rate:,.{0 if rate >= 10 else 1}f} conversations/s"
    return ", ".join(
        [
            *figures,
            f"{spent.received_bytes / 1e6:,.1f} MB",
            pace,
            f"{spent.requests:,} requests",
            f"{spent.retries:,} retries",
            f"throttled for {spent.throttled_s:.0f} s",
        ]
    )


def _of_total(stands: Standing) -> str:
    if stands.total is None:
        return ""
    return f" of {'about ' if stands.is_estimate else ''}{stands.total:,}"


def _duration(passed: timedelta) -> str:
    """A length of time as people say it: 45 s, 2 min 5 s, 3 h 20 min."""
    seconds = round(passed.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
