"""The time that a client goes by."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from airflow_provider_lp.client.errors import LivePersonTransportError


class Clock:
    """Time that passes, and waits that end early when the client closes."""

    def __init__(self) -> None:
        self._closing = threading.Event()

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait; raises :class:`LivePersonTransportError` if the client is closed meanwhile."""
        if self._closing.wait(seconds):
            self.check()

    def wait_for(self, futures: Collection[Future[Any]], seconds: float) -> set[Future[Any]]:
        """Wait until one of the futures is done, or so many seconds have passed; gives those that are done."""
        return wait(futures, timeout=seconds, return_when=FIRST_COMPLETED).done

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        return self._closing.is_set()

    def check(self) -> None:
        """Raise :class:`LivePersonTransportError` if the client is closed."""
        if self._closing.is_set():
            error = LivePersonTransportError("The LivePerson client was closed: nothing more is asked for.")
            error.exhausted = True
            raise error

    def close(self) -> None:
        """End every wait, now and from now on."""
        self._closing.set()
