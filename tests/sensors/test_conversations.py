"""The sensor for conversations in each of Airflow's modes: the same outcome, the same value, the same requests."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.compat import AirflowSensorTimeout
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import at, crowd

from .modes import wait
from .waiting import (
    AROUND_NOW,
    END,
    IDS,
    OAUTH2_TOKEN,
    START,
    THREE_POLLS_S,
    at_once,
    conversations,
    in_each_mode,
    late,
    limits,
    window_ready,
)


@in_each_mode
def test_what_is_there_already_is_given_at_once(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(3))
    assert wait(conversations(mode), clock) == {"count": 3, "conversation_ids": IDS[:3]}
    assert len(calls(sandbox)) == 2
    assert clock.pauses == at_once(mode)


@in_each_mode
@pytest.mark.parametrize("polls", [1, 2, 5])
def test_what_comes_later_is_waited_for(serve: Any, mode: str, polls: int, clock: FakeClock) -> None:
    sandbox = serve(account=late(clock, polls))
    assert wait(conversations(mode, **AROUND_NOW), clock) == {"count": 2, "conversation_ids": ["early", "late"]}
    assert limits(sandbox) == ["1"] * (polls + 1) + ["100"]
    assert clock.pauses == [60] * polls


@in_each_mode
def test_waiting_costs_one_login_and_a_request_of_one_row_a_poll(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(account=late(clock, 4))
    wait(conversations(mode, **AROUND_NOW), clock)
    assert limits(sandbox) == ["1"] * 5 + ["100"]
    # A rescheduled sensor is a new process for each poll.
    logins = {"poke": 1, "deferrable": 1, "reschedule": 5}
    assert len(calls(sandbox, OAUTH2_TOKEN)) == logins[mode]


@in_each_mode
def test_that_there_are_none_is_asked_twice(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve()
    with pytest.raises(AirflowSensorTimeout, match="0 conversations by start"):
        wait(conversations(mode, timeout=THREE_POLLS_S), clock)
    assert limits(sandbox) == ["1", "1"] * 3
    assert clock.pauses[:4] == [1, 60, 1, clock.pauses[3]]


@in_each_mode
@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
def test_a_single_answer_that_there_are_none_is_not_believed(
    serve: Any, mode: str, kind: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(kind))
    assert wait(conversations(mode, timeout=0), clock)["count"] == 3
    assert limits(sandbox) == ["1", "1", "100"]


@in_each_mode
@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_the_rounded_bounds_are_trimmed_before_counting(
    serve: Any, mode: str, min_count: int, clock: FakeClock
) -> None:
    start, end = START + timedelta(minutes=3), START + timedelta(minutes=7)
    # LivePerson finds all five of them: it rounds to 00:00 and 00:10, both included.
    sandbox = serve(
        Conversation("before", at(10, 0, 2, 59, 999)),
        Conversation("first", at(10, 0, 3)),
        Conversation("last", at(10, 0, 6, 59, 999)),
        Conversation("after", at(10, 0, 7)),
        Conversation("mark", at(10, 0, 10)),
    )
    sensor = conversations(mode, start=start, end=end, min_count=min_count, timeout=THREE_POLLS_S)
    if min_count <= 2:
        assert wait(sensor, clock) == {"count": 2, "conversation_ids": ["first", "last"]}
        assert limits(sandbox) == ["1", "100"]
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor, clock)
        assert limits(sandbox) == ["1", "100"] * 3


@in_each_mode
def test_only_the_first_thousand_ids_are_returned(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(*crowd(1200))
    assert wait(conversations(mode, min_count=1200), clock) == {"count": 1200, "conversation_ids": IDS[:1000]}


@in_each_mode
def test_filters_and_time_fields_narrow(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(
        Conversation("bad", at(9), end_ms=at(10, 5), csat=1),
        Conversation("good", at(9), end_ms=at(10, 5), csat=5),
        Conversation("elsewhere", at(9), end_ms=at(11, 5), csat=1),
    )
    sensor = conversations(mode, time_field="end", filters={"csat": {"from": 1, "to": 2}, "status": ["CLOSE"]})
    assert wait(sensor, clock) == {"count": 1, "conversation_ids": ["bad"]}


@pytest.mark.parametrize(
    "context",
    [
        {"data_interval_start": pendulum.datetime(2026, 3, 10), "data_interval_end": pendulum.datetime(2026, 3, 11)},
        {"logical_date": pendulum.datetime(2026, 3, 11)},
        {"dag_run": SimpleNamespace(run_after=pendulum.datetime(2026, 3, 11))},
    ],
)
@in_each_mode
def test_the_period_is_the_runs_in_every_look(serve: Any, mode: str, context: Any, clock: FakeClock) -> None:
    sandbox = serve(Conversation("before", at(10) - 1), Conversation("in", at(10)), Conversation("after", at(11)))
    window = None if "data_interval_start" in context else timedelta(days=1)
    sensor = conversations(mode, start=None, end=None, window=window, min_count=2, timeout=THREE_POLLS_S)
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor, clock, context)
    assert {(call.body["start"]["from"], call.body["start"]["to"]) for call in calls(sandbox)} == {(at(10), at(11) - 1)}
    assert limits(sandbox) == ["1", "100"] * 3


@pytest.mark.parametrize("length", [86_400, 86_400.0, "86400", "P1D", "PT24H", "1 day, 0:00:00", timedelta(days=1)])
def test_lengths_of_time_may_be_seconds_or_iso_text(serve: Any, length: Any, clock: FakeClock) -> None:
    serve(*crowd(3))
    context = {"logical_date": pendulum.datetime(2026, 3, 11)}
    given = {"start": None, "end": None, "window": length, "time_field": "end", "max_age": length}
    assert wait(conversations(**given), clock, context)["count"] == 3
    ready = window_ready(**given, delay=length, settling_time="PT7M")
    assert wait(ready, clock, context)["count"] == 3
    assert clock.pauses == [420]
    assert set(ready.template_fields) >= {"window", "max_age", "delay", "settling_time"}


def test_a_max_age_in_seconds_that_was_meant_in_days_is_warned_of(
    serve: Any, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    serve(*crowd(3))
    wait(conversations(time_field="end", max_age=90), clock)
    assert "max_age=90 means" in caplog.text


def test_templates_may_fill_what_an_author_would_template(serve: Any, clock: FakeClock) -> None:
    serve(*crowd(3))
    filters = {"status": "{{ statuses }}", "duration": {"from": "{{ least }}", "to": 10_000_000}}
    sensor = conversations(start="{{ x }}", end="{{ y }}", filters=filters, min_count="{{ n }}")
    values = {"statuses": ["CLOSE"], "least": 0, "n": 2}
    sensor.render_template_fields({"x": START.isoformat(), "y": END.isoformat(), **values})
    assert wait(sensor, clock)["count"] == 3
    assert set(LivePersonConversationsSensor.template_fields) >= {
        "start", "end", "time_field", "filters", "liveperson_conn_id"
    }  # fmt: skip


def test_a_single_poke_works_by_itself(serve: Any) -> None:
    others = set(threading.enumerate())
    serve(*crowd(3))
    poked = conversations().poke({})
    assert bool(poked)
    assert poked.xcom_value == {"count": 3, "conversation_ids": IDS[:3]}
    assert not conversations(min_count=4).poke({})
    deadline = time.monotonic() + 30
    while ours := {thread for thread in threading.enumerate() if thread.name.startswith("liveperson")} - others:
        assert time.monotonic() < deadline, ours
        time.sleep(0.01)
