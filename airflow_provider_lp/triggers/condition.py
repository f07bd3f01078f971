"""The trigger of the deferred sensors, and its schedule."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonError
from airflow_provider_lp.conditions.base import PollResult
from airflow_provider_lp.conditions.conversations import ConversationsHaveStatus, ConversationsMatch, WindowIsReady
from airflow_provider_lp.conditions.metrics import MetricIsWithin
from airflow_provider_lp.triggers.base import (
    CLOCK,
    BaseTrigger,
    TriggerEvent,
    class_path,
    event_of,
    naming_wrong_arguments,
)
from airflow_provider_lp.triggers.shared_client import SharedClient, shared_client

log = logging.getLogger(__name__)

#: What a deferred sensor may wait for.
AnyCondition = ConversationsMatch | ConversationsHaveStatus | WindowIsReady | MetricIsWithin

#: How much longer than the sensor's timeout its last poll may take.
LAST_POLL_S = 60.0
#: Airflow fails the try of a task that is resumed before its scheduler has heard that the worker is done with it.
HANDED_OVER_S = 3.0


class Schedule(msgspec.Struct, frozen=True):
    """
    How often and how long to poll, as Airflow's sensors do in their other modes. Moments are seconds since the epoch:
    they outlive the process.

    :param started_s: when the waiting began.
    :param timeout_s: how many seconds it may last.
    :param poke_interval_s: seconds between two polls.
    :param exponential_backoff: whether each pause is about twice as long as the one before; default no.
    :param max_wait_s: the longest pause in seconds; default no limit.
    """

    started_s: float
    timeout_s: float
    poke_interval_s: float
    exponential_backoff: bool = False
    max_wait_s: float | None = None

    def is_over(self, now_s: float) -> bool:
        """Whether the waiting has lasted long enough."""
        return not self.remaining_s(now_s)

    def remaining_s(self, now_s: float) -> float:
        """Seconds until the waiting has lasted long enough."""
        return max(0.0, self.started_s + self.timeout_s - now_s)

    def pause_s(self, now_s: float, least_s: float = 0.0) -> float:
        """
        Seconds until the next poll; the last one comes as the time is over.

        :param least_s: seconds before which no poll should come.
        """
        pause_s = self._backoff_s(now_s) if self.exponential_backoff else self.poke_interval_s
        if self.exponential_backoff and self.max_wait_s is not None:
            pause_s = min(pause_s, self.max_wait_s)
        return min(max(pause_s, least_s), self.remaining_s(now_s))

    def _backoff_s(self, now_s: float) -> float:
        # From the time that has passed, as Airflow does it for rescheduled sensors: a count of polls would begin anew
        # in another triggerer. Its jitter keeps sensors that began together from polling together for ever.
        passed_s = self.started_s
        least_s = max(1.0, self.poke_interval_s / 2)
        while passed_s + 1.5 * least_s <= now_s:
            passed_s += 1.5 * least_s
            least_s *= 2
        return least_s * random.uniform(1, 2)  # noqa: S311 - no secret


class LivePersonConditionTrigger(BaseTrigger):
    """
    Waits until a condition is met, the time is over, or LivePerson says what waiting cannot mend.

    Fires once. The event is ``{"outcome": "met", "value": ...}``, or ``{"outcome": "timeout", "message": ...}``, or
    ``{"outcome": "failed", "message": ..., "retry": ...}``, whose ``retry`` says whether another attempt may help.

    :param condition: one of ``AnyCondition``, as ``msgspec.to_builtins`` gives it.
    :param schedule: how often and how long to poll: a :class:`Schedule`, likewise.
    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, condition: Mapping[str, Any], schedule: Mapping[str, Any], liveperson_conn_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        with naming_wrong_arguments():
            self.condition: AnyCondition = msgspec.convert(condition, AnyCondition)
            self.schedule = msgspec.convert(schedule, Schedule)
        self.liveperson_conn_id = liveperson_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to carry on. No secrets: those stay in the connection."""
        fields = {
            "condition": msgspec.to_builtins(self.condition),
            "schedule": msgspec.to_builtins(self.schedule),
            "liveperson_conn_id": self.liveperson_conn_id,
        }
        return class_path(self), fields

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait; gives one event. The client is let go before, since nobody may ask for a second one."""
        try:
            async with shared_client(self.liveperson_conn_id) as shared:
                event = await self._wait(shared)
        except LivePersonError as error:
            message = str(error)
            if repr(self.liveperson_conn_id) not in message:
                message += f" (Airflow connection {self.liveperson_conn_id!r})"
            event = {"outcome": "failed", "message": message, "retry": error.retry_helps}
        handed_over_s = self.schedule.started_s + HANDED_OVER_S
        await asyncio.sleep(min(max(0.0, handed_over_s - CLOCK.now()), HANDED_OVER_S))
        yield event_of(event)

    async def _wait(self, shared: SharedClient) -> dict[str, Any]:
        # It never ends without a last poll, not even if it was resumed too late, unless LivePerson wants no request.
        message, rest_s, held_until_s = "Nothing was seen yet.", 0.0, 0.0
        while True:
            if CLOCK.now() >= held_until_s:
                result = await self._poll(shared)
                if result.is_met:
                    return {"outcome": "met", "value": result.value}
                message, rest_s = result.message, result.rest.total_seconds()
                held_until_s = CLOCK.now() + result.hold.total_seconds()
            now_s = CLOCK.now()
            if self.schedule.is_over(now_s):
                return {"outcome": "timeout", "message": message}
            await asyncio.sleep(self.schedule.pause_s(now_s, max(rest_s, held_until_s - now_s)))

    async def _poll(self, shared: SharedClient) -> PollResult:
        result = await self._poll_once(shared)
        if result.confirm_after is not None:
            await asyncio.sleep(result.confirm_after.total_seconds())
            result = await self._poll_once(shared, result)
        return result

    async def _poll_once(self, shared: SharedClient, first: PollResult | None = None) -> PollResult:
        remaining_s = self.schedule.remaining_s(CLOCK.now())
        try:
            async with asyncio.timeout(remaining_s + LAST_POLL_S):
                return await shared.poll(self.condition, first, timedelta(seconds=remaining_s))
        except TimeoutError:
            log.warning("The last poll took too long.")
            return PollResult(False, "The last poll took too long.", has_failed=True)
