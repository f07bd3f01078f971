"""The sensor that waits for a metric, in each of Airflow's modes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_lp.conditions.metrics import SUBJECT
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sensors.metrics import LivePersonMetricSensor
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, at, ms

from .modes import MODES, options_of, wait
from .virtual_time import LiveAccount

CURRENT = "/msgqueuehealth/current/"
RESOLVED = "/msgconversation"
RESOLUTIONS = {"report": "messaging_conversation", "metric": "totalResolvedConversations"}
SEGMENTS = {"report": "agent_segments", "metric": "totalAgentConversationSegments"}
#: Polls are a minute apart; this long there are three.
THREE_POLLS_S = 90

in_each_mode = pytest.mark.parametrize("mode", MODES)


def sensor(mode: str = "poke", **arguments: Any) -> LivePersonMetricSensor:
    given = {"metric": "unassignedConversations", "poke_interval": 60, "timeout": 3600} | options_of(mode) | arguments
    return LivePersonMetricSensor(task_id="wait", **given)


def waiting(conversation_id: str, in_s: float = -60, skill_id: int = 12) -> Conversation:
    """A conversation that waits for an agent from some seconds from now on."""
    start_ms = ms(NOW + timedelta(seconds=in_s))
    return Conversation(conversation_id, start_ms, queue_state="IN_QUEUE", skill_ids=(skill_id,))


def closed(conversation_id: str, end_ms: int, agent_id: str = "4294967301", skill_id: int = 12) -> Conversation:
    return Conversation(
        conversation_id, ms(NOW) - HOUR // 2, end_ms=end_ms, agent_ids=(agent_id,), skill_ids=(skill_id,)
    )


@in_each_mode
def test_a_queue_that_grows_is_waited_for(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [waiting("a"), waiting("b", 90)]))
    seen = wait(sensor(mode, at_least=2), clock)
    assert {name: seen[name] for name in ("report", "metric", "value", "skill_id", "agent_id", "group_id")} == {
        "report": "current_queue_health",
        "metric": "unassignedConversations",
        "value": 2,
        "skill_id": None,
        "agent_id": None,
        "group_id": None,
    }
    assert seen["interval_start"] == seen["interval_end"]
    assert len(calls(sandbox, CURRENT)) == 3
    assert clock.pauses == [60, 60]


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
def test_both_limits_are_included(serve: Any, mode: str, limits: Any, is_met: bool, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [waiting("a"), waiting("b")]))
    if is_met:
        assert wait(sensor(mode, **limits), clock)["value"] == 2
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor(mode, timeout=THREE_POLLS_S, **limits), clock)
    assert len(calls(sandbox, CURRENT)) == (1 if is_met else 3)


@in_each_mode
def test_a_skill_has_its_own_number(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(account=LiveAccount.by(clock, [waiting("a"), waiting("b"), waiting("c", skill_id=34)]))
    seen = wait(sensor(mode, skill_id=34, at_least=1), clock)
    assert (seen["skill_id"], seen["value"]) == ("34", 1)
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor(mode, skill_id="34", at_least=2, timeout=THREE_POLLS_S), clock)


@in_each_mode
def test_what_has_no_data_is_never_within_limits(
    serve: Any, mode: str, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    caplog.set_level("INFO")
    serve(account=LiveAccount.by(clock, []))
    metric = "avgWaitTimeForAgentAssignment_NewConversation"
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor(mode, metric=metric, at_least=-10, at_most=10, timeout=THREE_POLLS_S), clock)
    assert caplog.text.count("has no data") == 3


@in_each_mode
def test_a_zero_is_a_number(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(account=LiveAccount.by(clock, [waiting("a")]))
    assert wait(sensor(mode, metric="overdueConversationsTotal", at_most=0), clock)["value"] == 0


@in_each_mode
def test_a_report_about_a_period_counts_back_from_each_look(serve: Any, mode: str, clock: FakeClock) -> None:
    soon, ago = ms(NOW) + 90_000, ms(NOW) - 60_000
    resolved = [closed("a", ago), closed("b", soon), closed("c", ago, agent_id="981236")]
    sandbox = serve(account=LiveAccount.by(clock, resolved))
    assert wait(sensor(mode, **RESOLUTIONS, timeframe=timedelta(minutes=10), at_least=3), clock)["value"] == 3
    assert [call.query["timeframe"] for call in calls(sandbox, RESOLVED)] == ["10"] * 3
    seen = wait(sensor(mode, **RESOLUTIONS, timeframe="10", agent_id=981236, at_least=1), clock)
    assert (seen["agent_id"], seen["value"]) == ("981236", 1)


@in_each_mode
def test_what_a_report_about_a_period_no_longer_covers_does_not_count(serve: Any, mode: str, clock: FakeClock) -> None:
    # It is 12:34:56: LivePerson covers ten minutes from 12:20 on, by its five-minute marks. A minute later, from 12:25.
    sandbox = serve(account=LiveAccount.by(clock, [closed("a", at(20, 12, 24)), closed("b", at(20, 12, 26))]))
    assert wait(sensor(mode, **RESOLUTIONS, timeframe=10, at_most=1), clock)["value"] == 1
    assert len(calls(sandbox, RESOLVED)) == 2


@in_each_mode
def test_a_report_about_a_period_is_about_the_last_hour_unless_told_otherwise(
    serve: Any, mode: str, clock: FakeClock
) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [closed("a", ms(NOW) - 60_000)]))
    assert wait(sensor(mode, **RESOLUTIONS, at_least=1), clock)["value"] == 1
    (call,) = calls(sandbox, RESOLVED)
    assert call.query["timeframe"] == "60"


@in_each_mode
@pytest.mark.parametrize(
    "arguments",
    [
        {"metric": "time", "skill_id": 12},
        {"report": "queue_health_by_group", "skill_id": 12, "group_id": -1},
        {**SEGMENTS, "agent_id": 4294967301},
        {**SEGMENTS, "agent_id": 4294967301, "skill_id": 12},
        {**RESOLUTIONS, "skill_id": 12},
        {**RESOLUTIONS, "agent_id": 4294967301, "skill_id": 12},
        {"report": "csat_distribution", "metric": "total_answers", "skill_id": 12, "at_least": 0},
        {"report": "skill_segments", "metric": "totalSkillConversationSegments", "skill_id": 12},
        {"report": "queue_health", "skill_id": 12},
    ],
    ids=str,
)
def test_each_subject_that_a_report_has_rows_of_is_found(
    serve: Any, mode: str, arguments: Any, clock: FakeClock
) -> None:
    surveyed = Conversation(
        "b", ms(NOW) - HOUR // 2, end_ms=ms(NOW) - 60_000, agent_ids=("4294967301",), skill_ids=(12,), csat=5
    )
    serve(account=LiveAccount.by(clock, [waiting("a"), surveyed]))
    seen = wait(sensor(mode, **{"at_least": 1, **arguments}), clock)
    assert seen["value"] >= 1
    assert [str(arguments[name]) for name in SUBJECT if name in arguments] == [
        seen[name] for name in SUBJECT if seen[name] is not None
    ]


@in_each_mode
def test_trouble_is_waited_out_and_a_refusal_is_final(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [waiting("a")]))
    sandbox.add_fault(Fault("error_500", times=2, path=CURRENT))
    assert wait(sensor(mode, at_least=1), clock)["value"] == 1
    assert [call.status for call in calls(sandbox, CURRENT)] == [500, 500, 200]
    assert clock.pauses == [60, 60]
    sandbox.add_fault(Fault("forbidden", times=None, path=CURRENT))
    with pytest.raises(AirflowFailException):
        wait(sensor(mode, at_least=2), clock)
    assert len(calls(sandbox, CURRENT)) == 4


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
        ({"at_least": 1, "agent_id": 5}, "by agent_id"),
        ({"at_least": 1, **RESOLUTIONS, "timeframe": "soon"}, "timeframe"),
        ({"at_least": 1, **RESOLUTIONS, "group_id": 17}, "no metrics by group_id.*for the account; skill_id; agent_id"),
        ({"at_least": 1, **RESOLUTIONS, "skill_id": 12, "group_id": 17}, "by skill_id and group_id"),
        ({"at_least": 1, "group_id": 17}, "by group_id"),
        ({"at_least": 1, "skill_id": 12, "group_id": 17}, "by skill_id and group_id"),
        ({"at_least": 1, **SEGMENTS, "skill_id": 12}, "by skill_id.*for the account; agent_id; skill_id and agent_id"),
        ({"at_least": 1, **SEGMENTS, "group_id": 17}, "by group_id"),
        ({"at_least": 1, "report": "queue_health_by_group"}, "by account.*give: skill_id and group_id"),
        (
            {"at_least": 1, "report": "queue_health_by_group", "skill_id": 12},
            "by skill_id.*give: skill_id and group_id",
        ),
        (
            {"at_least": 1, "report": "queue_health_by_group", "group_id": 17},
            "by group_id.*give: skill_id and group_id",
        ),
        ({"at_least": 1, "metric": "time"}, "metric='time'.*give skill_id"),
        ({"at_least": 1, "skill_id": "None"}, "skill_id="),
    ],
)
@in_each_mode
def test_a_wrong_argument_fails_at_once_without_a_request(
    serve: Any, mode: str, arguments: Any, named: str, clock: FakeClock
) -> None:
    sandbox = serve(account=LiveAccount.by(clock, []))
    with pytest.raises(AirflowFailException, match=named):
        wait(sensor(mode, **arguments), clock)
    assert sandbox.requests == []


def test_templates_may_fill_it() -> None:
    made = sensor(at_least="{{ limit }}", skill_id="{{ skill }}")
    made.render_template_fields({"limit": 3, "skill": 34})
    condition = made.condition({})
    assert (condition.at_least, condition.skill_id) == (3.0, "34")
