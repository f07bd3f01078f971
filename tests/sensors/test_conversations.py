"""Sensors in each of Airflow's modes: the same outcome, the same value, the same requests."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_provider_lp.sandbox import Account, Conversation, Fault
from airflow_provider_lp.sensors.conversations import (
    LivePersonConversationsSensor,
    LivePersonConversationStatusSensor,
    LivePersonWindowReadySensor,
)
from tests.lab import BY_ID, HOUR, MARK, at, calls, crowd, ms

from .waiting import MODES, options_of, wait

START, END = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
IDS = [f"c{number:05}" for number in range(1200)]
OAUTH2_TOKEN = "/app/token"

in_each_mode = pytest.mark.parametrize("mode", MODES)


def conversations(mode: str = "poke", **arguments: Any) -> LivePersonConversationsSensor:
    given = {"start": START, "end": END, "poke_interval": 0.05, "timeout": 20} | options_of(mode) | arguments
    return LivePersonConversationsSensor(task_id="wait", **given)


def status(mode: str = "poke", **arguments: Any) -> LivePersonConversationStatusSensor:
    given = {"conversation_ids": IDS[:3], "poke_interval": 0.05, "timeout": 20} | options_of(mode) | arguments
    return LivePersonConversationStatusSensor(task_id="wait", **given)


def window_ready(mode: str = "poke", **arguments: Any) -> LivePersonWindowReadySensor:
    given = {"start": START, "end": END, "settling_time": timedelta(seconds=0.1), "poke_interval": 0.05, "timeout": 20}
    return LivePersonWindowReadySensor(task_id="wait", **(given | options_of(mode) | arguments))


def now_ms() -> int:
    return int(time.time() * 1000)


def appearing(after_s: float, **traits: Any) -> Conversation:
    """A conversation that starts a little later."""
    return Conversation("late", now_ms() + int(after_s * 1000), **traits)


# LivePersonConversationsSensor.


@in_each_mode
def test_what_is_there_already_is_given_at_once(serve: Any, mode: str) -> None:
    sandbox = serve(*crowd(3))
    assert wait(conversations(mode)) == {"count": 3, "conversation_ids": IDS[:3]}
    assert len(calls(sandbox)) == 2


@in_each_mode
def test_what_comes_later_is_waited_for(serve: Any, mode: str) -> None:
    now = datetime.now(UTC)
    late = appearing(0.8)
    sandbox = serve(account=Account.of([late]))
    value = wait(conversations(mode, start=now - timedelta(hours=1), end=now + timedelta(hours=1), poke_interval=0.2))
    assert value == {"count": 1, "conversation_ids": ["late"]}
    assert 3 <= len(calls(sandbox)) <= 12


@in_each_mode
def test_waiting_costs_one_login_and_a_request_of_one_row_a_look(serve: Any, mode: str) -> None:
    sandbox = serve(account=Account.of([appearing(0.6)]))
    now = datetime.now(UTC)
    wait(conversations(mode, start=now - timedelta(hours=1), end=now + timedelta(hours=1), poke_interval=0.1))
    *looks, found = calls(sandbox)
    assert {look.query["limit"] for look in looks} == {"1"}
    assert found.query["limit"] == "100"
    # A rescheduled sensor is a new process for each look; a deferred one is on a worker first, then in the triggerer.
    logins = {"poke": 1, "deferrable": 2, "reschedule": len(looks)}
    assert len(calls(sandbox, OAUTH2_TOKEN)) == logins[mode]


@in_each_mode
@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_the_rounded_bounds_are_trimmed_before_counting(serve: Any, mode: str, min_count: int) -> None:
    start, end = START + timedelta(minutes=3), START + timedelta(minutes=7)
    # LivePerson finds all five of them: it rounds to 00:00 and 00:10, both included.
    serve(
        Conversation("before", at(10, 0, 2, 59, 999)),
        Conversation("first", at(10, 0, 3)),
        Conversation("last", at(10, 0, 6, 59, 999)),
        Conversation("after", at(10, 0, 7)),
        Conversation("mark", at(10, 0, 10)),
    )
    sensor = conversations(mode, start=start, end=end, min_count=min_count, timeout=0.3)
    if min_count <= 2:
        assert wait(sensor) == {"count": 2, "conversation_ids": ["first", "last"]}
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor)


@in_each_mode
def test_only_the_first_thousand_ids_are_returned(serve: Any, mode: str) -> None:
    serve(*crowd(1200))
    assert wait(conversations(mode, min_count=1200)) == {"count": 1200, "conversation_ids": IDS[:1000]}


@in_each_mode
def test_filters_and_time_fields_narrow(serve: Any, mode: str) -> None:
    serve(
        Conversation("bad", at(9), end_ms=at(10, 5), csat=1),
        Conversation("good", at(9), end_ms=at(10, 5), csat=5),
        Conversation("elsewhere", at(9), end_ms=at(11, 5), csat=1),
    )
    sensor = conversations(mode, time_field="end", filters={"csat": {"from": 1, "to": 2}, "status": ["CLOSE"]})
    assert wait(sensor) == {"count": 1, "conversation_ids": ["bad"]}


@pytest.mark.parametrize(
    "context",
    [
        {"data_interval_start": pendulum.datetime(2026, 3, 10), "data_interval_end": pendulum.datetime(2026, 3, 11)},
        {"logical_date": pendulum.datetime(2026, 3, 11)},
        {"dag_run": SimpleNamespace(run_after=pendulum.datetime(2026, 3, 11))},
    ],
)
@in_each_mode
def test_the_period_is_the_runs_in_every_look(serve: Any, mode: str, context: Any) -> None:
    sandbox = serve(Conversation("before", at(10) - 1), Conversation("in", at(10)), Conversation("after", at(11)))
    window = None if "data_interval_start" in context else timedelta(days=1)
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, start=None, end=None, window=window, min_count=2, timeout=0.4), context)
    assert {(look.body["start"]["from"], look.body["start"]["to"]) for look in calls(sandbox)} == {(at(10), at(11) - 1)}
    assert len(calls(sandbox)) >= 4


def test_templates_may_fill_what_an_author_would_template(serve: Any) -> None:
    serve(*crowd(3))
    sensor = conversations(start="{{ x }}", end="{{ y }}", filters={"status": ["{{ status }}"]})
    sensor.render_template_fields({"x": START.isoformat(), "y": END.isoformat(), "status": "CLOSE"})
    assert wait(sensor)["count"] == 3
    assert set(LivePersonConversationsSensor.template_fields) >= {
        "start", "end", "time_field", "filters", "liveperson_conn_id"
    }  # fmt: skip


# LivePersonConversationStatusSensor.


@in_each_mode
def test_all_must_have_the_status(serve: Any, mode: str) -> None:
    closing = Conversation("closing", now_ms() - HOUR, end_ms=now_ms() + 700)
    sandbox = serve(account=Account.of([*crowd(2), closing]))
    value = wait(status(mode, conversation_ids=[*IDS[:2], "closing"], poke_interval=0.15))
    assert value == {"count": 3, "conversation_ids": [*IDS[:2], "closing"]}
    assert len(calls(sandbox, BY_ID)) >= 3


@in_each_mode
def test_what_liveperson_does_not_know_has_no_status(serve: Any, mode: str) -> None:
    serve(*crowd(2))
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=[*IDS[:2], "unknown"], timeout=0.3))


@in_each_mode
def test_many_ids_go_in_calls_of_a_hundred_up_to_the_first_that_is_not_enough(serve: Any, mode: str) -> None:
    sandbox = serve(*crowd(250))
    assert wait(status(mode, conversation_ids=IDS[:250])) == {"count": 250, "conversation_ids": IDS[:250]}
    assert [len(call.body["conversationIds"]) for call in calls(sandbox, BY_ID)] == [100, 100, 50]
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=["unknown", *IDS[:250]], timeout=0))
    assert len(calls(sandbox, BY_ID)) == 4


@in_each_mode
def test_open_is_a_status_too_and_ids_may_be_a_text(serve: Any, mode: str) -> None:
    serve(Conversation("a", at(10)), Conversation("b", at(10)))
    assert wait(status(mode, conversation_ids="['a', 'b']", status="OPEN"))["count"] == 2


# LivePersonWindowReadySensor.


@in_each_mode
def test_a_window_is_ready_once_it_is_over_and_its_count_stands_still(serve: Any, mode: str) -> None:
    sandbox = serve(*crowd(3))
    assert wait(window_ready(mode)) == {
        "start": "2026-03-10T00:00:00+00:00",
        "end": "2026-03-11T00:00:00+00:00",
        "count": 3,
    }
    first, second = calls(sandbox)
    assert second.at - first.at >= 0.1


@in_each_mode
def test_a_window_is_not_looked_at_before_its_delay_has_passed(serve: Any, mode: str) -> None:
    sandbox = serve()
    now = datetime.now(UTC)
    sensor = window_ready(
        mode, start=now - timedelta(hours=1), end=now + timedelta(seconds=0.3), delay=timedelta(seconds=0.3)
    )
    before = time.monotonic()
    wait(sensor)
    looks = calls(sandbox)
    assert len(looks) == 2
    assert looks[0].at - before >= 0.5


@in_each_mode
def test_a_window_whose_count_moves_is_not_ready(serve: Any, mode: str) -> None:
    now = now_ms()
    # Each of the first looks finds one more conversation: they seem to be indexed late, as they start after the end.
    growing = [Conversation(f"c{number}", now + 150 * number) for number in range(8)]
    sandbox = serve(account=Account.of(growing))
    end = datetime.fromtimestamp(now / 1000 - 0.001, UTC)
    value = wait(
        window_ready(
            mode, start=end - timedelta(hours=1), end=end, delay=timedelta(0), settling_time=timedelta(seconds=0.3)
        )
    )
    counted = value["count"]
    in_bounds = [each for each in growing if each.start_ms <= -(-now // MARK) * MARK]
    assert counted == len(in_bounds)
    assert len(calls(sandbox)) >= (4 if len(in_bounds) == 8 else 2)


def test_the_default_delay_is_two_minutes(serve: Any) -> None:
    sandbox = serve()
    now = datetime.now(UTC)
    sensor = LivePersonWindowReadySensor(
        task_id="wait", start=now - timedelta(hours=1), end=now - timedelta(seconds=110), timeout=0, deferrable=False
    )
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor)
    assert calls(sandbox) == []


# Trouble.


@in_each_mode
@pytest.mark.parametrize("fault", ["throttle", "error_500", "error_503", "cut_connection", "cut_body", "not_json"])
def test_trouble_that_passes_is_logged_and_waited_out(
    serve: Any, mode: str, fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_lp.client.retry.LEAST_LOGIN_THROTTLE_PAUSE_S", 0.3)
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, times=2))
    assert wait(conversations(mode))["count"] == 3
    assert len([call for call in calls(sandbox) if call.fault == fault]) == 2
    assert caplog.text.count("Looking again later") == 2


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_an_expired_token_is_renewed(serve: Any, mode: str, after: int) -> None:
    sandbox = serve(account=Account.of([appearing(0.5)]))
    sandbox.add_fault(Fault("expired_token", after=after))
    now = datetime.now(UTC)
    wait(conversations(mode, start=now - timedelta(hours=1), end=now + timedelta(hours=1), poke_interval=0.1))
    assert [call.fault for call in calls(sandbox)].count("expired_token") == 1


@in_each_mode
@pytest.mark.parametrize(("retry_after", "least_s"), [("1", 1.0), (None, 0.5)])
def test_after_a_429_nothing_is_asked_before_it_is_time(
    serve: Any, mode: str, retry_after: str | None, least_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_lp.client.retry.LEAST_LOGIN_THROTTLE_PAUSE_S", 0.5)
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("throttle", retry_after=retry_after))
    wait(conversations(mode))
    throttled, following, *_ = calls(sandbox)
    assert following.at - throttled.at >= least_s


@in_each_mode
def test_trouble_that_lasts_ends_with_the_timeout(serve: Any, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, timeout=0.4))
    assert len(calls(sandbox)) >= 3
    assert "HTTP 500" in caplog.text


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_what_cannot_get_better_fails_at_once(serve: Any, mode: str, after: int) -> None:
    sandbox = serve()
    sandbox.add_fault(Fault("forbidden", times=None, after=after))
    with pytest.raises(AirflowFailException, match="Airflow connection 'liveperson_default'"):
        wait(conversations(mode))
    assert len(calls(sandbox)) == after + 1


@in_each_mode
def test_wrong_credentials_fail_at_once_with_one_login(serve: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve()
    extra = {"account_id": sandbox.account.account_id, "client_id": "x", "client_secret": "wrong"}
    described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
    with pytest.raises(AirflowFailException):
        wait(conversations(mode))
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1


@pytest.mark.parametrize(
    ("sensor", "named"),
    [
        (lambda mode: conversations(mode, filters={"nonsense": 1}), "nonsense"),
        (lambda mode: conversations(mode, filters=[1]), "filters="),
        (lambda mode: conversations(mode, time_field="middle"), "time_field="),
        (lambda mode: conversations(mode, min_count=0), "min_count="),
        (lambda mode: conversations(mode, max_age=90), "max_age="),
        (lambda mode: conversations(mode, end=None), "end is missing"),
        (lambda mode: conversations(mode, start=datetime(2999, 1, 1, tzinfo=UTC), end="2999-01-02T00:00Z"), "future"),
        (lambda mode: conversations(mode, start=datetime(2020, 1, 1, tzinfo=UTC)), "begins before"),
        (lambda mode: conversations(mode, start=None, end=None), "does not say which period"),
        (lambda mode: conversations(mode, liveperson_conn_id="nowhere"), "nowhere"),
        (lambda mode: status(mode, conversation_ids=5), "conversation_ids="),
        (lambda mode: status(mode, status="closed"), "status="),
        (lambda mode: window_ready(mode, delay=120), "delay="),
        (lambda mode: window_ready(mode, settling_time=timedelta(seconds=-1)), "settling_time="),
        (lambda mode: window_ready(mode, time_field="latest_update"), "latest_update"),
    ],
)
@in_each_mode
def test_a_wrong_argument_fails_at_once_without_a_request(serve: Any, mode: str, sensor: Any, named: str) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        wait(sensor(mode))
    assert sandbox.requests == []


# Airflow's options.


@in_each_mode
def test_a_timeout_fails_and_says_so(serve: Any, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    serve()
    before = time.monotonic()
    with pytest.raises(AirflowSensorTimeout) as raised:
        wait(conversations(mode, timeout=0.5))
    assert 0.45 <= time.monotonic() - before < 3
    assert "0 conversations by start within 2026-03-10" in (str(raised.value) if mode == "deferrable" else caplog.text)


@in_each_mode
@pytest.mark.parametrize("option", ["soft_fail", "never_fail"])
@pytest.mark.parametrize("fault", [None, Fault("forbidden", times=None), Fault("forbidden", times=None, after=1)])
def test_soft_fail_skips_instead_of_failing(serve: Any, mode: str, option: str, fault: Fault | None) -> None:
    if option == "never_fail" and fault is None and mode != "deferrable":
        pytest.skip("Airflow's own poke loop lets timeouts fail in spite of never_fail")
    sandbox = serve()
    if fault:
        sandbox.add_fault(fault)
    with pytest.raises(AirflowSkipException):
        wait(conversations(mode, timeout=0.3, **{option: True}))


@in_each_mode
def test_a_timeout_of_zero_looks_once(serve: Any, mode: str) -> None:
    sandbox = serve()
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, timeout=0))
    assert len(calls(sandbox)) == 1


@in_each_mode
def test_exponential_backoff_looks_ever_less_often(serve: Any, mode: str) -> None:
    sandbox = serve()
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, poke_interval=0.1, timeout=4, exponential_backoff=True))
    assert 3 <= len(calls(sandbox)) <= 6


@in_each_mode
def test_max_wait_bounds_the_backoff(serve: Any, mode: str) -> None:
    sandbox = serve()
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, poke_interval=0.1, timeout=3, exponential_backoff=True, max_wait=0.3))
    assert 6 <= len(calls(sandbox)) <= 16


def test_deferrable_follows_airflows_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    code = (
        "from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor as Sensor\n"
        "print(Sensor(task_id='x').deferrable)"
    )
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split()[-1] == "True", done.stderr
    assert LivePersonConversationsSensor(task_id="x").deferrable is False


def test_a_sensor_whose_condition_is_met_does_not_defer(serve: Any) -> None:
    serve(*crowd(1))
    assert conversations("deferrable").execute({})["count"] == 1


def test_an_event_that_is_none_of_ours_fails(serve: Any) -> None:
    with pytest.raises(Exception, match="does not know"):
        conversations("deferrable").resume_execution("execute_complete", {"event": {"status": "success"}}, {})


def test_the_serialised_trigger_holds_no_secrets(serve: Any) -> None:
    sandbox = serve()
    with pytest.raises(TaskDeferred) as deferred:
        conversations("deferrable").execute({})
    serialised = json.dumps(deferred.value.trigger.serialize())
    assert "liveperson_default" in serialised
    for secret in (*sandbox.credentials.values(), "client_secret"):
        assert secret not in serialised


def test_a_sensor_told_to_end_lets_its_request_go(serve: Any) -> None:
    sandbox = serve()
    sandbox.latency_s = 5
    sensor = conversations(timeout=0)
    threading.Timer(0.5, sensor.on_kill).start()
    before = time.monotonic()
    with pytest.raises(AirflowSensorTimeout):
        wait(sensor)
    assert time.monotonic() - before < 3


def test_moments_of_the_lab_are_those_of_the_sandbox() -> None:
    assert ms(START) == at(10)
