"""A clock that runs as fast as a test asks."""

from __future__ import annotations

import threading

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonTransportError
from tests.samples import NOW


class FakeClock(Clock):
    """A clock on which a wait takes no time, but passes it; ``pauses`` are the waits, in seconds."""

    def __init__(self, start_s: float = NOW.timestamp()) -> None:
        super().__init__()
        self._start_s = start_s
        self._passed_s = 0.0
        self._lock = threading.Lock()
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        with self._lock:
            return self._passed_s

    def now(self) -> float:
        return self._start_s + self.monotonic()

    def sleep(self, seconds: float) -> None:
        if self._closing.is_set():
            raise LivePersonTransportError("The LivePerson client was closed.")
        with self._lock:
            self._passed_s += seconds
            if seconds:
                self.pauses.append(round(seconds, 3))

    def pass_time(self, seconds: float) -> None:
        with self._lock:
            self._passed_s += seconds
