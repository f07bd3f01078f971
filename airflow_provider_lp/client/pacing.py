"""When the next request may leave: one pace for all requests of a client."""

from __future__ import annotations

import threading

from airflow_provider_lp.client.clock import Clock

SLOWEST_INTERVAL_S = 10.0
RECOVERY_FACTOR = 0.75
NEGLIGIBLE_INTERVAL_S = 0.05


class Pacer:
    """
    Spaces requests out after LivePerson has throttled one, and lets the speed come back gradually.

    :param clock: the time to go by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._interval_s = 0.0
        self._next_start_s = 0.0
        self._throttlings = 0
        self._held_until_s = 0.0
        self._held_s = 0.0

    @property
    def throttled_s(self) -> float:
        """For how many seconds so far all requests were held, because LivePerson had throttled one."""
        with self._lock:
            return self._held_s - max(0.0, self._held_until_s - self._clock.monotonic())

    def wait(self) -> int:
        """Wait until a request may start; gives a ticket to hand back with :meth:`throttled`."""
        while True:
            self._clock.check()
            with self._lock:
                now = self._clock.monotonic()
                remaining = self._next_start_s - now
                if remaining <= 0:
                    self._next_start_s = now + self._interval_s
                    return self._throttlings
            self._clock.sleep(remaining)

    def throttled(self, ticket: int, pause_s: float) -> None:
        """Hold every request for ``pause_s`` seconds; requests in flight together count as one throttling."""
        with self._lock:
            now = self._clock.monotonic()
            self._next_start_s = max(self._next_start_s, now + pause_s)
            self._held_s += max(0.0, now + pause_s - max(now, self._held_until_s))
            self._held_until_s = max(self._held_until_s, now + pause_s)
            if ticket == self._throttlings:
                self._throttlings += 1
                self._interval_s = min(max(1.0, self._interval_s * 2), SLOWEST_INTERVAL_S)

    def succeeded(self) -> None:
        """Let the next requests follow each other a little faster."""
        if self._interval_s:
            with self._lock:
                faster = self._interval_s * RECOVERY_FACTOR
                self._interval_s = faster if faster > NEGLIGIBLE_INTERVAL_S else 0.0
