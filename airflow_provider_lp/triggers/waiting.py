"""The trigger that deferred sensors wait with."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow_provider_lp.client.errors import LivePersonError
from airflow_provider_lp.conditions.base import Seen
from airflow_provider_lp.conditions.kinds import condition_of, described
from airflow_provider_lp.triggers.base import LivePersonTrigger, TriggerEvent, event_of, naming_wrong_arguments
from airflow_provider_lp.triggers.pace import Pace
from airflow_provider_lp.triggers.shared_client import SharedClient, shared_client

log = logging.getLogger(__name__)

#: How much longer than the sensor's timeout its last look may take.
LAST_LOOK_S = 60.0
#: Airflow fails the try of a task that is resumed before its scheduler has heard that the worker is done with it.
HANDED_OVER_S = 3.0


class LivePersonConditionTrigger(LivePersonTrigger):
    """
    Waits until a condition is met, the time is over, or LivePerson says what waiting cannot mend.

    Fires once. The event is ``{"outcome": "met", "value": ...}``, or ``{"outcome": "timeout", "words": ...}``, or
    ``{"outcome": "failed", "words": ...}``.

    :param condition: a condition, as :func:`~airflow_provider_lp.conditions.kinds.described` gives it.
    :param pace: how often and how long to look: the fields of :class:`~airflow_provider_lp.triggers.pace.Pace`.
    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, condition: Mapping[str, Any], pace: Mapping[str, Any], liveperson_conn_id: str) -> None:
        super().__init__(liveperson_conn_id)
        with naming_wrong_arguments():
            self.condition = condition_of(condition)
        self.pace = Pace(**pace)

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON."""
        return {**super().fields(), "condition": described(self.condition), "pace": asdict(self.pace)}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait; gives one event. The client is let go before, since nobody may ask for a second one."""
        try:
            async with shared_client(self.liveperson_conn_id) as shared:
                event = await self._wait(shared)
        except LivePersonError as error:
            words = str(error)
            if repr(self.liveperson_conn_id) not in words:
                words += f" (Airflow connection {self.liveperson_conn_id!r})"
            event = {"outcome": "failed", "words": words}
        handed_over_s = self.pace.started_s + HANDED_OVER_S
        await asyncio.sleep(min(max(0.0, handed_over_s - time.time()), HANDED_OVER_S))
        yield event_of(event)

    async def _wait(self, shared: SharedClient) -> dict[str, Any]:
        # It never ends without a last look, not even where it was resumed too late, unless LivePerson wants no request.
        words, rest_s, held_until_s = "Nothing was seen yet.", 0.0, 0.0
        while True:
            if time.time() >= held_until_s:
                seen = await self._look(shared)
                if seen.is_met:
                    return {"outcome": "met", "value": seen.value}
                words, rest_s = seen.words, seen.rest.total_seconds()
                held_until_s = time.time() + seen.hold.total_seconds()
            if self.pace.is_over(time.time()):
                return {"outcome": "timeout", "words": words}
            await asyncio.sleep(self.pace.pause_s(time.time(), max(rest_s, held_until_s - time.time())))

    async def _look(self, shared: SharedClient) -> Seen:
        seen = await self._look_once(shared)
        if seen.confirm_after is not None:
            await asyncio.sleep(seen.confirm_after.total_seconds())
            seen = await self._look_once(shared, seen)
        return seen

    async def _look_once(self, shared: SharedClient, first: Seen | None = None) -> Seen:
        remaining_s = self.pace.remaining_s(time.time())
        try:
            async with asyncio.timeout(remaining_s + LAST_LOOK_S):
                return await shared.look(self.condition, first, timedelta(seconds=remaining_s))
        except TimeoutError:
            log.warning("The last look took too long.")
            return Seen(False, "The last look took too long.", has_failed=True)
