"""What a client says of its retries: of all requests that meet the same trouble together, one line a step."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonError

log = logging.getLogger(__name__)


class RetryLog:
    """
    Tells that requests are retried: as a warning the first time of each step, at level DEBUG for all others.

    A step lasts as long as the pause that was told of, or until a request has failed oftener than the one it was about.

    :param clock: the time to go by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: The threads that have a request under way; a login on behalf of another request is none of its own.
        self._waiting: set[int] = set()
        self._attempt = 0
        self._ends_s = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as long as the block lasts."""
        thread = threading.get_ident()
        with self._lock:
            is_nested = thread in self._waiting
            self._waiting.add(thread)
        try:
            yield
        finally:
            if not is_nested:
                with self._lock:
                    self._waiting.discard(thread)

    def tell(self, error: LivePersonError, pause_s: float, attempt: int) -> None:
        """
        Say that a request is retried.

        :param error: what came instead of an answer.
        :param pause_s: how long it waits, in seconds.
        :param attempt: how often it has failed.
        """
        with self._lock:
            now_s, waiting = self._clock.monotonic(), len(self._waiting)
            is_new = attempt > self._attempt or now_s >= self._ends_s
            if is_new:
                self._attempt, self._ends_s = attempt, now_s + pause_s
        others = f"; {waiting} requests wait" if is_new and waiting > 1 else ""
        level = logging.WARNING if is_new else logging.DEBUG
        log.log(level, "%s Trying again in %g s (attempt %d failed%s).", error, round(pause_s, 1), attempt, others)
