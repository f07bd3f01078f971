"""The event trigger of metrics: once each time that one comes within limits."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.conditions.base import PollResult
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.triggers.metrics import LivePersonMetricTrigger
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import NOW, ms
from tests.sensors.modes import moved
from tests.sensors.virtual_time import LiveAccount, run

from .triggerer import Store, triggerer

CURRENT = "/msgqueuehealth/current/"


def trigger(**arguments: Any) -> LivePersonMetricTrigger:
    """One that polls every minute."""
    given = {"metric": "unassignedConversations", "at_least": 2}
    return LivePersonMetricTrigger(**{**given, **arguments})


def waiting(conversation_id: str, in_s: float) -> Conversation:
    """A conversation that waits for an agent from some seconds after a test's clock began."""
    return Conversation(conversation_id, ms(NOW + timedelta(seconds=in_s)), queue_state="IN_QUEUE")


async def values_within(seconds: float, events: Any) -> list[Any]:
    values = []
    try:
        async with asyncio.timeout(seconds):
            async for event in events:
                values += [event.payload["value"]]
    except TimeoutError:
        pass
    return values


def test_it_fires_once_while_the_metric_stays_within_limits(serve: Any, clock: FakeClock) -> None:
    queue = [waiting("a", -60), waiting("b", 150), waiting("c", 270)]
    sandbox = serve(account=LiveAccount.by(clock, queue))
    for after in (2, 7):
        sandbox.add_fault(Fault("error_500", after=after, path=CURRENT))
    assert run(clock, values_within(570, trigger().run())) == [2]
    # A poll that fails is no change: neither before the metric comes within limits nor after.
    expected = [200, 200, 500, 200, 200, 200, 200, 200, 500, 200]
    assert [call.status for call in calls(sandbox, CURRENT)] == expected
    assert clock.pauses[:-1] == [60] * 9


def test_it_fires_again_once_the_metric_has_left_the_limits() -> None:
    watcher, state, fired = trigger(), None, []
    for value in (1, 2, 3, 1, None, 2, 2, None, 5):
        result = PollResult(value is not None and value >= 2, "", {"value": value})
        changes = watcher.changes(state, result, 0)
        assert changes.is_news == (bool(changes.events) or (bool(state and state["is_met"]) and not result.is_met))
        state = json.loads(json.dumps(changes.state))
        fired += [event["value"] for event in changes.events]
    assert fired == [2, 2, 5]


@pytest.mark.usefixtures("shared_streams")
def test_another_triggerer_remembers_which_side_it_was_on(serve: Any, clock: FakeClock) -> None:
    store = Store()
    serve(account=LiveAccount.by(clock, [waiting("a", -60), waiting("b", -60)]))
    (event,) = triggerer(clock, trigger(), store, 150)
    assert (event["metric"], event["value"], event["report"]) == ("unassignedConversations", 2, "current_queue_health")
    assert triggerer(clock, trigger(), store, 150) == []
    assert len(triggerer(clock, trigger(at_least=1), store, 150)) == 1


def test_it_is_moved_as_json() -> None:
    made = trigger(skill_id=34, at_most=5)
    again = moved(made)
    assert again.serialize() == made.serialize()
    assert again.metric.skill_id == "34"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"at_least": 10**400}, "at_least="),
        ({"timeframe": timedelta(seconds=90)}, "timeframe="),
        ({"metric": None}, "metric="),
        ({"liveperson_conn_id": None}, "liveperson_conn_id="),
    ],
)
def test_a_wrong_argument_is_refused_when_the_dag_is_parsed(arguments: Any, named: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=named) as raised:
        trigger(**arguments)
    assert isinstance(raised.value, TypeError)


def test_a_subject_that_no_row_is_about_is_refused_at_the_poll() -> None:
    with pytest.raises(LivePersonConfigurationError, match="no metrics by group_id"):
        trigger(group_id=17).metric.query(NOW)


def test_limits_that_cannot_be_right_are_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(LivePersonConfigurationError, match="at_least"):
        trigger(at_least=None)
