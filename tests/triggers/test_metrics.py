"""The event trigger of metrics: once each time that one comes within limits."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.sandbox import Account, Conversation, Fault
from airflow_provider_lp.triggers.conditions.condition import Seen
from airflow_provider_lp.triggers.metrics import LivePersonMetricTrigger
from tests.lab import calls
from tests.sensors.waiting import moved

from .triggerers import Store, triggerer

CURRENT = "/msgqueuehealth/current/"


def trigger(**arguments: Any) -> LivePersonMetricTrigger:
    given = {"metric": "unassignedConversations", "at_least": 2, "poke_interval": 0.1}
    return LivePersonMetricTrigger(**{**given, **arguments})


def waiting(conversation_id: str, in_s: float) -> Conversation:
    """A conversation that waits for an agent from some seconds from now on."""
    return Conversation(conversation_id, int((time.time() + in_s) * 1000), queue_state="IN_QUEUE")


async def values_within(seconds: float, events: Any) -> list[Any]:
    values = []
    try:
        async with asyncio.timeout(seconds):
            async for event in events:
                values += [event.payload["value"]]
    except TimeoutError:
        pass
    return values


def test_it_fires_once_while_the_metric_stays_within_limits(serve: Any) -> None:
    sandbox = serve(account=Account.of([waiting("a", -60), waiting("b", 0.5), waiting("c", 1)]))
    for after in (2, 7):
        sandbox.add_fault(Fault("error_500", after=after, path=CURRENT))
    assert asyncio.run(values_within(1.8, trigger().run())) == [2]
    assert len(calls(sandbox, CURRENT)) > 8


def test_it_fires_again_once_the_metric_has_left_the_limits() -> None:
    watch, memory, fired = trigger().watch(), None, []
    for value in (1, 2, 3, 1, None, 2, 2, None, 5):
        seen = Seen(value is not None and value >= 2, "", {"value": value})
        find = watch.find(memory, seen, 0)
        assert find.is_news == (bool(find.events) or (bool(memory and memory["is_met"]) and not seen.is_met))
        memory = json.loads(json.dumps(find.memory))
        fired += [event["value"] for event in find.events]
    assert fired == [2, 2, 5]


@pytest.mark.usefixtures("shared_streams")
def test_another_triggerer_remembers_which_side_it_was_on(serve: Any) -> None:
    store = Store()
    serve(account=Account.of([waiting("a", -60), waiting("b", -60)]))
    (event,) = asyncio.run(triggerer(trigger(), store, 0.8))
    assert (event["metric"], event["value"], event["report"]) == ("unassignedConversations", 2, "current_queue_health")
    assert asyncio.run(triggerer(trigger(), store, 0.6)) == []
    assert len(asyncio.run(triggerer(trigger(at_least=1), store, 0.6))) == 1


def test_it_is_moved_as_json() -> None:
    made = trigger(skill_id=34, at_most=5)
    again = moved(made)
    assert again.serialize() == made.serialize()
    assert again.metric.skill_id == "34"


def test_limits_that_cannot_be_right_are_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(LivePersonConfigurationError, match="at_least"):
        trigger(at_least=None)
