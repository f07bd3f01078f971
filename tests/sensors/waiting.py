"""Sensors as their tests make them, and what happens while they wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sensors.conversations import (
    LivePersonConversationsSensor,
    LivePersonConversationStatusSensor,
    LivePersonWindowReadySensor,
)
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, ms

from .modes import MODES, options_of
from .virtual_time import LiveAccount

START, END = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
#: A search that finds something already: that it finds nothing would be asked twice in each poll.
AROUND_NOW: dict[str, Any] = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=1), "min_count": 2}
IDS = [f"c{number:05}" for number in range(1200)]
OAUTH2_TOKEN = "/app/token"
#: Polls are a minute apart; with the shorter of the two there are three.
PACE: dict[str, Any] = {"poke_interval": 60, "timeout": HOUR / 1000}
THREE_POLLS_S = 90

in_each_mode = pytest.mark.parametrize("mode", MODES)


def conversations(mode: str = "poke", **arguments: Any) -> LivePersonConversationsSensor:
    given = {"start": START, "end": END} | PACE | options_of(mode) | arguments
    return LivePersonConversationsSensor(task_id="wait", **given)


def status(mode: str = "poke", **arguments: Any) -> LivePersonConversationStatusSensor:
    given = {"conversation_ids": IDS[:3]} | PACE | options_of(mode) | arguments
    return LivePersonConversationStatusSensor(task_id="wait", **given)


def window_ready(mode: str = "poke", **arguments: Any) -> LivePersonWindowReadySensor:
    given = {"start": START, "end": END} | PACE | options_of(mode) | arguments
    return LivePersonWindowReadySensor(task_id="wait", **given)


def after_ms(seconds: float) -> int:
    """That long after the clock of a test began, in epoch milliseconds."""
    return ms(NOW + timedelta(seconds=seconds))


def late(clock: FakeClock, polls: int) -> LiveAccount:
    """An account with two conversations around now, one of which this many polls do not find, and the next one does."""
    return LiveAccount.by(
        clock, [Conversation("early", after_ms(-60)), Conversation("late", after_ms(60 * polls - 30))]
    )


def between_polls(clock: FakeClock, action: Callable[[], None], number: int = 1) -> None:
    """Do something in a pause of the clock, the first one or a later one."""
    sleep = clock.sleep

    def acting_sleep(seconds: float) -> None:
        sleep(seconds)
        if len(clock.pauses) == number:
            action()

    clock.sleep = acting_sleep  # type: ignore[method-assign]


def revoke(sandbox: Any) -> None:
    """Let LivePerson refuse the OAuth 2.0 client, and the tokens it was given."""
    sandbox.add_fault(Fault("expired_token", times=None, path=OAUTH2_TOKEN))
    sandbox.expire_tokens()


def at_once(mode: str) -> Any:
    """The pauses of a sensor that knows at once; a deferred one leaves Airflow the time to hear of its deferral."""
    return pytest.approx([3], abs=0.1) if mode == "deferrable" else []


def limits(sandbox: Any) -> list[str]:
    """How many rows each search has asked for."""
    return [call.query["limit"] for call in calls(sandbox)]
