"""
Clients at a server that lets so many requests through at a time, in time that passes as fast as it can be computed.

Each client goes by a real :class:`Flow`; sockets and threads are what is simulated.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.flow import Flow
from airflow_provider_lp.client.pace import Ticket

REFUSAL_S = 0.003
THINKING_S = 0.002
#: What is on its way does not keep its order.
SCATTER_S = 0.001


class Simulation(Clock):
    """Virtual time: what is to happen happens in its order, at once."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self._now_s = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def monotonic(self) -> float:
        return self._now_s

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._agenda, (self._now_s + seconds, next(self._numbers), act))

    def run(self, until_s: float = math.inf) -> None:
        """Let time pass while anything is to happen, or until a moment."""
        while self._agenda and self._agenda[0][0] <= until_s:
            self._now_s, _, act = heapq.heappop(self._agenda)
            act()


@dataclass
class Server:
    """
    Answers 429 to whatever comes while ``limit`` requests are being served.

    :param limit: how many it serves at a time, by the moment: other clients come and go.
    :param latency_s: how long it takes for an answer.
    :param latency_varies: whether by the request, between half and one and a half times as long.
    :param way_s: how long a request and its answer are on their way together.
    :param frees_late_s: for how long, at most, it counts a request that it has answered.
    :param retry_after_s: what it asks for when it refuses.
    """

    time: Simulation
    limit: Callable[[float], int]
    latency_s: float = 0.15
    latency_varies: bool = False
    way_s: float = 0.0
    frees_late_s: float = 0.0
    retry_after_s: float | None = None
    answered_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    _busy: int = 0

    def ask(self, hear: Callable[[bool], None]) -> None:
        """Send a request; ``hear`` is told later whether it was answered."""
        on_its_way_s = self.way_s / 2 + self.time.random.random() * SCATTER_S
        self.time.after(on_its_way_s, lambda: self._arrives(hear))

    def _arrives(self, hear: Callable[[bool], None]) -> None:
        now_s = self.time.monotonic()
        if self._busy >= self.limit(now_s):
            self.refused_at.append(now_s)
            self.time.after(REFUSAL_S + self.way_s / 2, lambda: hear(False))
            return
        self._busy += 1
        takes_s = self.latency_s * (0.5 + self.time.random.random() if self.latency_varies else 1)
        self.time.after(takes_s, lambda: self._answers(hear))

    def _answers(self, hear: Callable[[bool], None]) -> None:
        self.answered_at.append(self.time.monotonic())
        self.time.after(self.way_s / 2, lambda: hear(True))
        self.time.after(self.time.random.random() * self.frees_late_s, self._frees)

    def _frees(self) -> None:
        self._busy -= 1


class Task:
    """
    A client that asks for pages, by so many threads as an export has.

    :param pages: how many pages it asks for.
    :param most: how many requests it may have in flight.
    :param starts_s: when it starts.
    """

    def __init__(self, server: Server, pages: int, most: int, starts_s: float = 0.0) -> None:
        self._server = server
        self._time = server.time
        self.flow = Flow(most, self._time, random.Random(self._time.random.random()).random)
        self._unasked = pages
        self._waiting = 0
        self._is_to_be_woken = False
        self.ended_s: float | None = None
        self.answered = 0
        self._pages = pages
        for _ in range(min(pages, most + 2)):
            self._time.after(starts_s, self._want)

    def _want(self) -> None:
        if self._unasked:
            self._unasked -= 1
            self._waiting += 1
            self._send()

    def _send(self) -> None:
        while self._waiting:
            ticket = self.flow.try_start()
            if isinstance(ticket, Ticket):
                self._waiting -= 1
                self._server.ask(lambda is_answered, ticket=ticket: self._hear(ticket, is_answered))  # type: ignore[misc]
                continue
            if ticket < math.inf and not self._is_to_be_woken:
                self._is_to_be_woken = True
                self._time.after(ticket, self._wake)
            return

    def _wake(self) -> None:
        self._is_to_be_woken = False
        self._send()

    def _hear(self, ticket: Ticket, is_answered: bool) -> None:
        if is_answered:
            self.flow.answered(ticket)
            self.answered += 1
            if self.answered == self._pages:
                self.ended_s = self._time.monotonic()
            self._time.after(self._time.random.random() * THINKING_S, self._want)
        else:
            self.flow.throttled(ticket)
            if self._server.retry_after_s is not None:
                self.flow.hold(self._server.retry_after_s)
            self._waiting += 1
        self._send()
