"""The sensor that waits for a metric, in each of Airflow's modes."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_provider_lp.sandbox import Account, Conversation, Fault
from airflow_provider_lp.sensors.metrics import LivePersonMetricSensor
from tests.lab import HOUR, calls

from .waiting import MODES, options_of, wait

CURRENT = "/msgqueuehealth/current/"
RESOLVED = "/msgconversation"

in_each_mode = pytest.mark.parametrize("mode", MODES)


def sensor(mode: str = "poke", **arguments: Any) -> LivePersonMetricSensor:
    given = {"metric": "unassignedConversations", "poke_interval": 0.1, "timeout": 20} | options_of(mode) | arguments
    return LivePersonMetricSensor(task_id="wait", **given)


def now_ms() -> int:
    return int(time.time() * 1000)


def waiting(conversation_id: str, in_s: float = -60, skill_id: int = 12) -> Conversation:
    """A conversation that waits for an agent from some seconds from now on."""
    start_ms = now_ms() + int(in_s * 1000)
    return Conversation(conversation_id, start_ms, queue_state="IN_QUEUE", skill_ids=(skill_id,))


def closed(conversation_id: str, in_s: float, agent_id: str = "4294967301", skill_id: int = 12) -> Conversation:
    end_ms = now_ms() + int(in_s * 1000)
    return Conversation(
        conversation_id, now_ms() - HOUR // 2, end_ms=end_ms, agent_ids=(agent_id,), skill_ids=(skill_id,)
    )


@in_each_mode
def test_a_queue_that_grows_is_waited_for(serve: Any, mode: str) -> None:
    sandbox = serve(account=Account.of([waiting("a"), waiting("b", 0.7)]))
    seen = wait(sensor(mode, at_least=2))
    assert {name: seen[name] for name in ("report", "metric", "value", "skill_id", "agent_id", "group_id")} == {
        "report": "current_queue_health",
        "metric": "unassignedConversations",
        "value": 2,
        "skill_id": None,
        "agent_id": None,
        "group_id": None,
    }
    assert seen["interval_start"] == seen["interval_end"]
    assert len(calls(sandbox, CURRENT)) >= 3


@in_each_mode
@pytest.mark.parametrize(
    ("limits", "is_met"),
    [
        ({"at_least": 2}, True),
        ({"at_least": 2.5}, False),
        ({"at_most": 2}, True),
        ({"at_most": 1}, False),
        ({"at_least": 1, "at_most": 3}, True),
        ({"at_least": 0, "at_most": 1}, False),
        ({"at_least": "2"}, True),
    ],
)
def test_both_limits_are_included(serve: Any, mode: str, limits: Any, is_met: bool) -> None:
    serve(account=Account.of([waiting("a"), waiting("b")]))
    if is_met:
        assert wait(sensor(mode, **limits))["value"] == 2
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor(mode, timeout=0.3, **limits))


@in_each_mode
def test_a_skill_has_its_own_number(serve: Any, mode: str) -> None:
    serve(account=Account.of([waiting("a"), waiting("b"), waiting("c", skill_id=34)]))
    seen = wait(sensor(mode, skill_id=34, at_least=1))
    assert (seen["skill_id"], seen["value"]) == ("34", 1)
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor(mode, skill_id="34", at_least=2, timeout=0.2))


@in_each_mode
def test_what_has_no_data_is_never_within_limits(serve: Any, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    serve(account=Account.of([]))
    metric = "avgWaitTimeForAgentAssignment_NewConversation"
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor(mode, metric=metric, at_least=-10, at_most=10, timeout=0.3))
    assert "has no data" in caplog.text


@in_each_mode
def test_a_zero_is_a_number(serve: Any, mode: str) -> None:
    serve(account=Account.of([waiting("a")]))
    assert wait(sensor(mode, metric="overdueConversationsTotal", at_most=0))["value"] == 0


@in_each_mode
def test_a_report_about_a_period_counts_back_from_each_look(serve: Any, mode: str) -> None:
    serve(account=Account.of([closed("a", -60), closed("b", 0.7), closed("c", -60, agent_id="981236")]))
    report = {"report": "messaging_conversation", "metric": "totalResolvedConversations"}
    seen = wait(sensor(mode, **report, timeframe=timedelta(minutes=10), at_least=3))
    assert seen["value"] == 3
    seen = wait(sensor(mode, **report, timeframe="10", agent_id=981236, at_least=1))
    assert (seen["agent_id"], seen["value"]) == ("981236", 1)


@in_each_mode
def test_trouble_is_waited_out_and_a_refusal_is_final(serve: Any, mode: str) -> None:
    sandbox = serve(account=Account.of([waiting("a")]))
    sandbox.add_fault(Fault("error_500", times=2, path=CURRENT))
    assert wait(sensor(mode, at_least=1))["value"] == 1
    sandbox.add_fault(Fault("forbidden", times=None, path=CURRENT))
    with pytest.raises(AirflowFailException):
        wait(sensor(mode, at_least=2))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "at_least"),
        ({"at_least": 2, "at_most": 1}, "at_least=2"),
        ({"at_least": True}, "at_least="),
        ({"at_most": "many"}, "at_most="),
        ({"at_most": float("nan")}, "at_most="),
        ({"at_least": 1, "metric": "nonsense"}, "metric='nonsense'"),
        ({"at_least": 1, "report": "nonsense"}, "report="),
        ({"at_least": 1, "timeframe": 5}, "timeframe"),
        ({"at_least": 1, "agent_id": 5}, "agent_ids"),
        ({"at_least": 1, "report": "messaging_conversation", "metric": "totalResolvedConversations"}, "timeframe"),
        ({"at_least": 1, "skill_id": "None"}, "skill_ids="),
    ],
)
@in_each_mode
def test_a_wrong_argument_fails_at_once_without_a_request(serve: Any, mode: str, arguments: Any, named: str) -> None:
    sandbox = serve(account=Account.of([]))
    with pytest.raises(AirflowFailException, match=named):
        wait(sensor(mode, **arguments))
    assert sandbox.requests == []


def test_templates_may_fill_it() -> None:
    made = sensor(at_least="{{ limit }}", skill_id="{{ skill }}")
    made.render_template_fields({"limit": 3, "skill": 34})
    condition = made.condition({})
    assert (condition.at_least, condition.skill_id) == (3.0, "34")
