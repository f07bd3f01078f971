"""Time that only pauses take: what a sensor sees, and when, is the same on a busy machine as on an idle one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from types import ModuleType
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseSensorOperator

from airflow_provider_lp.client import liveperson as client
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.conditions import conversations as of_conversations
from airflow_provider_lp.conditions import metrics as of_metrics
from airflow_provider_lp.sandbox import Account, Conversation
from airflow_provider_lp.sensors import base, conversations
from airflow_provider_lp.triggers import shared_client, waiting
from tests.lab import FakeClock

AIRFLOWS = sys.modules[BaseSensorOperator.__module__]
#: No two readings of a clock are the same.
READING_S = 0.001


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


class ClientClock(Clock):
    """The clock of one client, which may be closed; the time is the test's."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self.check()
        self._clock.sleep(seconds)


class Instead:
    """A module, some of whose functions are others."""

    def __init__(self, module: ModuleType, **functions: Any) -> None:
        self._module = module
        vars(self).update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextmanager
def passing(clock: FakeClock) -> Iterator[None]:
    """Let sensors, triggers, their clients and Airflow's part of sensors go by ``clock``, and pause on it."""

    def now() -> float:
        clock.pass_time(READING_S)
        return clock.now()

    def monotonic() -> float:
        clock.pass_time(READING_S)
        return clock.monotonic()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        await asyncio.sleep(0)

    class Datetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(clock.now(), tz)

    clocks = Instead(time, time=now, monotonic=monotonic, sleep=clock.sleep)
    with pytest.MonkeyPatch.context() as patch:
        for module in (AIRFLOWS, base, waiting, shared_client):
            patch.setattr(module, "time", clocks)
        for module in (waiting, shared_client):
            patch.setattr(module, "asyncio", Instead(asyncio, sleep=sleep))
        for module in (conversations, of_conversations, of_metrics):
            patch.setattr(module, "datetime", Datetime)
        utcnow = Instead(AIRFLOWS.timezone, utcnow=lambda: datetime.fromtimestamp(now(), UTC))
        patch.setattr(AIRFLOWS, "timezone", utcnow)
        patch.setattr(client, "Clock", lambda: ClientClock(clock))
        yield
