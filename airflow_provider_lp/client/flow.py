"""Lets the threads of a client send their requests one by one, as the pace allows."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from random import SystemRandom
from typing import Protocol

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.limit import Chance
from airflow_provider_lp.client.pace import Pace, Ticket

_chance = SystemRandom().random


class PaceStore(Protocol):
    """
    Where a client's pace is kept.

    :param client: the client's name among those that share the pace.
    """

    client: str

    def opened(self) -> AbstractContextManager[Pace]:
        """The pace, to be read and changed by nobody else while the block lasts."""
        ...

    def leave(self) -> None:
        """The client is closed."""
        ...


class OwnPace:
    """
    The pace of a client that shares it with nobody.

    :param most: how many requests are in flight at most.
    """

    client = "own"

    def __init__(self, most: int) -> None:
        self._pace = Pace()
        self._pace.join(self.client, most)

    @contextmanager
    def opened(self) -> Iterator[Pace]:
        """The pace."""
        yield self._pace

    def leave(self) -> None:
        """Nobody is told."""


class Flow:
    """
    Lets requests go as LivePerson's limit allows. How many it lets through at a time it does not say, and others share
    the same limit: the flow finds out, and keeps trying.

    :param most: how many requests are in flight at most, and at first.
    :param clock: the time to go by.
    :param chance: gives a number from 0 to 1, another one each time.
    :param pace_store: where the pace is kept; default here, for nobody else.
    """

    def __init__(self, most: int, clock: Clock, chance: Chance = _chance, pace_store: PaceStore | None = None) -> None:
        self._most = most
        self._clock = clock
        self._chance = chance
        self._changed = threading.Condition()
        self._pace_store = pace_store or OwnPace(most)
        self._client = self._pace_store.client
        self._held_before_s: float | None = None
        self._throttled_s = 0.0

    @property
    def allowed(self) -> int:
        """How many requests may be in flight at present."""
        with self._opened() as pace:
            return min(pace.limit.allowed, self._most)

    @property
    def throttled_s(self) -> float:
        """For how many seconds so far all requests were held, because LivePerson had throttled one."""
        with self._opened() as pace:
            held_s = pace.held_s - pace.still_held_s(self._clock.monotonic()) - (self._held_before_s or 0.0)
            # Never less than before, by a hair of a second or with a pace that begins anew.
            self._throttled_s = max(self._throttled_s, held_s)
            return self._throttled_s

    @property
    def held_s(self) -> float:
        """For how many more seconds no request may leave."""
        with self._opened() as pace:
            return pace.still_held_s(self._clock.monotonic())

    @property
    def is_hopeless(self) -> bool:
        """Whether LivePerson throttles this client for so long that its limit cannot be the reason."""
        with self._opened() as pace:
            return pace.is_hopeless(self._clock.monotonic())

    def start(self) -> Ticket:
        """Wait until a request may leave; each one that does ends in an answer, a failure or a throttling."""
        while True:
            self._clock.check()
            with self._changed:
                ticket = self.try_start()
                if isinstance(ticket, Ticket):
                    return ticket
                if ticket == math.inf:
                    self._changed.wait()
                    continue
            self._clock.sleep(ticket)

    def try_start(self) -> Ticket | float:
        """Let a request go, if one may leave now; else the seconds until one may, infinite until one has come back."""
        with self._opened() as pace:
            return pace.start(self._client, self._clock.monotonic())

    def answered(self, ticket: Ticket) -> None:
        """LivePerson has let a request through, and answered it."""
        with self._opened() as pace:
            pace.answered(self._client, ticket, self._clock.monotonic(), self._chance)
            self._changed.notify_all()

    def failed(self) -> None:
        """A request has come to nothing, but not because of the limit."""
        with self._opened() as pace:
            pace.give_back(self._client, self._clock.monotonic())
            self._changed.notify_all()

    def throttled(self, ticket: Ticket) -> bool:
        """
        LivePerson has refused a request, because too many were in flight.

        :return: whether it is the first refusal of those that were in flight together.
        """
        with self._opened() as pace:
            is_first = pace.throttled(self._client, ticket, self._clock.monotonic(), self._chance)
            self._changed.notify_all()
            return is_first

    def hold(self, seconds: float) -> float:
        """Let no request go for so long and a little longer; gives the seconds until one may."""
        with self._opened() as pace:
            return pace.hold(seconds, self._clock.monotonic(), self._chance)

    def close(self) -> None:
        """Wake those that wait, so that the clock tells them of its end."""
        with self._changed:
            self._pace_store.leave()
            self._changed.notify_all()

    @contextmanager
    def _opened(self) -> Iterator[Pace]:
        with self._changed, self._pace_store.opened() as pace:
            if self._held_before_s is None:
                # What others were held for before this client came.
                self._held_before_s = pace.held_s - pace.still_held_s(self._clock.monotonic())
            yield pace
