"""Sensors in each of Airflow's modes: the same outcome, the same value, the same requests."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.compat import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sensors.conversations import (
    LivePersonConversationsSensor,
    LivePersonConversationStatusSensor,
    LivePersonWindowReadySensor,
)
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import BY_ID, HOUR, NOW, at, crowd, ms

from .modes import MODES, options_of, wait
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


# LivePersonConversationsSensor.


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


# LivePersonConversationStatusSensor.


@in_each_mode
def test_all_must_have_the_status(serve: Any, mode: str, clock: FakeClock) -> None:
    closing = Conversation("closing", ms(NOW) - HOUR, end_ms=after_ms(90))
    sandbox = serve(account=LiveAccount.by(clock, [*crowd(2), closing]))
    ids = [*IDS[:2], "closing"]
    assert wait(status(mode, conversation_ids=ids), clock) == {"count": 3, "conversation_ids": ids}
    assert [call.body["conversationIds"] for call in calls(sandbox, BY_ID)] == [ids] * 3
    assert clock.pauses == [60, 60]


@in_each_mode
def test_what_liveperson_does_not_know_has_no_status(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(2))
    with pytest.raises(AirflowSensorTimeout, match="such as unknown"):
        wait(status(mode, conversation_ids=[*IDS[:2], "unknown"], timeout=THREE_POLLS_S), clock)
    # Each time, whether it is really unknown is asked twice.
    asked = [call.body.get("conversationIds") or [call.body["conversationId"]] for call in calls(sandbox, BY_ID)]
    assert asked == [[*IDS[:2], "unknown"], ["unknown"]] * 3


@in_each_mode
@pytest.mark.parametrize("fault", ["no_content", "records_missing"])
def test_ids_that_do_not_come_are_asked_for_again(serve: Any, mode: str, fault: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, path=BY_ID))
    assert wait(status(mode, timeout=0), clock)["count"] == 3
    assert len(calls(sandbox, BY_ID)) == 2
    assert clock.pauses[0] == 1


@in_each_mode
def test_ids_that_are_counted_and_do_not_come_are_asked_for_a_few_times(
    serve: Any, mode: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("count_off", rows=1, times=None, path=BY_ID))
    with pytest.raises(AirflowSensorTimeout, match="such as unknown"):
        wait(status(mode, conversation_ids=[IDS[0], "unknown"], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 4
    assert clock.pauses[:3] == [1, 2, 5]


@in_each_mode
def test_ids_are_not_asked_for_again_while_another_one_is_waited_for(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(Conversation("open", at(10)))
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=["open", "unknown"], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 1


@in_each_mode
def test_many_ids_go_in_calls_of_a_hundred_up_to_the_first_that_is_not_enough(
    serve: Any, mode: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(250))
    assert wait(status(mode, conversation_ids=IDS[:250]), clock) == {"count": 250, "conversation_ids": IDS[:250]}
    assert [len(call.body["conversationIds"]) for call in calls(sandbox, BY_ID)] == [100, 100, 50]
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=["unknown", *IDS[:250]], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 3 + 2


@in_each_mode
def test_open_is_a_status_too_and_ids_may_be_a_text(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(Conversation("a", at(10)), Conversation("b", at(10)))
    assert wait(status(mode, conversation_ids="['a', 'b']", status="OPEN"), clock)["count"] == 2


# LivePersonWindowReadySensor.


@in_each_mode
@pytest.mark.parametrize(("given", "settling_s"), [({}, 30), ({"settling_time": timedelta(minutes=7)}, 420)])
def test_a_window_is_ready_once_it_is_over_and_its_count_stands_still(
    serve: Any, mode: str, given: Any, settling_s: float, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    assert wait(window_ready(mode, **given, timeout=60), clock) == {
        "start": "2026-03-10T00:00:00+00:00",
        "end": "2026-03-11T00:00:00+00:00",
        "count": 3,
    }
    assert limits(sandbox) == ["1", "1"]
    assert clock.pauses == [settling_s]


@in_each_mode
def test_a_count_that_takes_in_the_next_mark_is_told_as_about_so_many(
    serve: Any, mode: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    serve(*crowd(2), Conversation("next", at(11), end_ms=at(11)))
    wait(window_ready(mode, timeout=60), clock)
    assert "LivePerson counts about 3 conversations by start within 2026-03-10" in caplog.text
    assert "LivePerson counts 3" not in caplog.text


@in_each_mode
def test_a_window_is_not_counted_before_its_delay_has_passed(
    serve: Any, mode: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = serve()
    # It is over after half a minute, and two and a half minutes later may be counted.
    end, delay = NOW + timedelta(seconds=30), timedelta(seconds=150)
    assert wait(window_ready(mode, start=NOW - timedelta(hours=1), end=end, delay=delay), clock)["count"] == 0
    assert caplog.text.count("are not counted before") == 3
    # That there are none is asked twice each time.
    assert clock.pauses == [60, 60, 60, 1, 30, 1]
    assert len(calls(sandbox)) == 4


@in_each_mode
def test_a_window_whose_count_moves_is_not_ready(serve: Any, mode: str, clock: FakeClock) -> None:
    # They start after the end, but LivePerson counts up to the next ten-minute mark: as if they were indexed late.
    # The first two polls find 1 and 2 of them, those after a minute 2 and 3, those after another minute 3 and 3.
    growing = [Conversation(f"c{number}", after_ms(seconds)) for number, seconds in enumerate([0, 20, 100])]
    sandbox = serve(account=LiveAccount.by(clock, growing))
    start, end = NOW - timedelta(hours=1), NOW - timedelta(minutes=2)
    assert wait(window_ready(mode, start=start, end=end), clock)["count"] == 3
    assert clock.pauses == [30, 60, 30, 60, 30]
    assert limits(sandbox) == ["1"] * 6


@pytest.mark.parametrize(("early_ms", "polls"), [(100, 0), (0, 2)])
def test_the_default_delay_is_two_minutes(serve: Any, clock: FakeClock, early_ms: int, polls: int) -> None:
    sandbox = serve(Conversation("on the hour", ms(NOW) - HOUR))
    end = NOW - timedelta(minutes=2) + timedelta(milliseconds=early_ms)
    sensor = window_ready(start=NOW - timedelta(hours=1), end=end, timeout=0)
    if polls:
        assert wait(sensor, clock)["count"] == 1
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor, clock)
    assert len(calls(sandbox)) == polls


@in_each_mode
@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
@pytest.mark.parametrize("after", [0, 1])
def test_that_a_window_is_empty_is_believed_only_twice(
    serve: Any, mode: str, kind: str, after: int, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    # Both polls would count as many, if each believed what it is told first.
    sandbox.add_fault(Fault(kind, after=after, every=2, times=2))
    assert wait(window_ready(mode), clock)["count"] == 3
    assert limits(sandbox)[:2] == ["1", "1"]


@in_each_mode
def test_a_count_that_is_capped_does_not_stand_still(
    serve: Any, mode: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_lp.export.counting.CAPPED_COUNT", 100)
    growing = [Conversation("late", after_ms(20)), *crowd(350, ms(NOW) - HOUR)]
    sandbox = serve(account=LiveAccount.by(clock, growing))
    sandbox.add_fault(Fault("count_capped", rows=100, times=None))
    start, end = NOW - timedelta(hours=2), NOW - timedelta(minutes=2)
    ready = wait(window_ready(mode, start=start, end=end), clock)
    # Not after the first two counts, between which another one came in. Parts without any are asked for again.
    assert [pause for pause in clock.pauses if pause > 1] == [30, 60, 30]
    assert ready["count"] >= 100
    assert set(limits(sandbox)) == {"1"}


# Trouble.


@in_each_mode
@pytest.mark.parametrize("fault", ["throttle", "error_500", "error_503", "cut_connection", "cut_body", "not_json"])
def test_trouble_that_passes_is_logged_and_waited_out(
    serve: Any, mode: str, fault: str, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, times=2))
    assert wait(conversations(mode), clock)["count"] == 3
    assert [call.fault for call in calls(sandbox)] == [fault, fault, None, None]
    assert caplog.text.count("Looking again later") == 2
    assert clock.pauses[:2] == [60, 60]


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_an_expired_token_is_renewed(serve: Any, mode: str, after: int, clock: FakeClock) -> None:
    sandbox = serve(account=late(clock, 4))
    sandbox.add_fault(Fault("expired_token", after=after))
    wait(conversations(mode, **AROUND_NOW), clock)
    # The poll during which it expired is none less: it goes on with the new one.
    expected = [200] * 6
    expected.insert(after, 401)
    assert [call.status for call in calls(sandbox)] == expected
    assert clock.pauses == [60] * 4
    logins = {"poke": 1, "deferrable": 1, "reschedule": 5}
    assert len(calls(sandbox, OAUTH2_TOKEN)) == logins[mode] + 1


@in_each_mode
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(("retry_after", "pause_s"), [("90", 90), (None, 5)])
def test_after_a_429_nothing_is_asked_before_it_is_time(
    serve: Any, mode: str, after: int, retry_after: str | None, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(
        account=LiveAccount.by(clock, [Conversation("early", after_ms(-60)), Conversation("late", after_ms(1.5))])
    )
    sandbox.add_fault(Fault("throttle", after=after, retry_after=retry_after))
    wait(conversations(mode, **AROUND_NOW, poke_interval=1), clock)
    assert [call.status for call in calls(sandbox)][: after + 2] == [200] * after + [429, 200]
    # To the readings of the clock in between.
    assert clock.pauses[: after + 1] == pytest.approx([1] * after + [pause_s], abs=0.1)


@in_each_mode
@pytest.mark.parametrize("fault", ["throttle", "error_503"])
def test_a_429_that_outlasts_the_timeout_ends_it_without_another_request(
    serve: Any, mode: str, fault: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, retry_after="600"))
    with pytest.raises(AirflowSensorTimeout, match=r"timed out after 90 seconds\. The last poll failed: .* HTTP"):
        wait(conversations(mode, timeout=90), clock)
    assert len(calls(sandbox)) == 1
    # A rescheduled one would not remember, so it does not wait for the end.
    assert clock.pauses == pytest.approx([] if mode == "reschedule" else [90], abs=0.1)


@in_each_mode
@pytest.mark.parametrize(("retry_after", "pause_s"), [(None, 5), ("20", 20)])
@pytest.mark.parametrize("fault", ["error_503", "cut_connection"])
def test_after_other_trouble_it_rests_however_short_the_interval(
    serve: Any, mode: str, fault: str, retry_after: str | None, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, times=2, retry_after=retry_after))
    wait(conversations(mode, poke_interval=1), clock)
    pause_s = pause_s if fault == "error_503" else 5
    assert clock.pauses == pytest.approx([pause_s] * 2, abs=0.1)


@in_each_mode
def test_a_short_timeout_leaves_a_last_poll_after_trouble(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(*crowd(3)).add_fault(Fault("error_500"))
    assert wait(conversations(mode, poke_interval=1, timeout=3), clock)["count"] == 3
    assert clock.pauses == pytest.approx([3], abs=0.1)


@in_each_mode
@pytest.mark.parametrize("fault", ["error_500", "throttle", "cut_body"])
def test_a_poll_of_many_requests_survives_that_some_fail(serve: Any, mode: str, fault: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1200))
    sandbox.add_fault(Fault(fault, times=None, after=2, every=4))
    assert wait(conversations(mode, min_count=1200), clock)["count"] == 1200
    assert wait(status(mode, conversation_ids=IDS), clock)["count"] == 1200


@pytest.mark.parametrize(("timeout_s", "tries"), [(HOUR / 1000, 4), (7, 2), (0, 1)])
def test_a_request_in_the_midst_of_a_poll_is_tried_again_as_long_as_there_is_time(
    serve: Any, timeout_s: float, tries: int, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=4, after=1))
    sensor = conversations(timeout=timeout_s)
    if tries == 4:
        assert wait(sensor, clock)["count"] == 3
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor, clock)
    assert [call.status for call in calls(sandbox)][: tries + 1] == [200] + [500] * tries
    assert clock.pauses[: tries - 1] == [5, 10, 15][: tries - 1]


@in_each_mode
def test_conversations_that_stay_truncated_count_too(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(3, is_partial=True))
    assert wait(conversations(mode, min_count=3), clock) == {"count": 3, "conversation_ids": IDS[:3]}
    assert calls(sandbox, BY_ID) == []


@in_each_mode
def test_credentials_may_be_replaced_while_it_waits(
    serve: Any, mode: str, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve(account=late(clock, 3))

    def replace() -> None:
        revoke(sandbox)
        user = {"login": sandbox.credentials["login"], "password": sandbox.credentials["password"]}
        extra = {"account_id": sandbox.account.account_id}
        described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra, **user}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))

    between_polls(clock, replace, number=2)
    assert wait(conversations(mode, **AROUND_NOW), clock)["count"] == 2
    assert clock.pauses == [60] * 3


@in_each_mode
def test_credentials_that_are_revoked_and_not_replaced_fail(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    between_polls(clock, lambda: revoke(sandbox), number=2)
    with pytest.raises(AirflowFailException, match="Check the credentials"):
        wait(conversations(mode, min_count=2), clock)
    assert clock.pauses == [60] * 2
    refused = [call for call in calls(sandbox, OAUTH2_TOKEN) if call.status == 401]
    # Once for the old token, and once for the connection that was read anew.
    assert len(refused) == (1 if mode == "reschedule" else 2)


@in_each_mode
def test_trouble_that_lasts_ends_with_the_timeout(
    serve: Any, mode: str, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, timeout=THREE_POLLS_S), clock)
    assert [call.status for call in calls(sandbox)] == [500] * 3
    assert caplog.text.count("Looking again later") == 3
    assert "HTTP 500" in caplog.text


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_what_cannot_get_better_fails_at_once(serve: Any, mode: str, after: int, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("forbidden", times=None, after=after))
    with pytest.raises(AirflowFailException, match="Airflow connection 'liveperson_default'"):
        wait(conversations(mode, min_count=2), clock)
    assert [call.status for call in calls(sandbox)] == [200] * after + [403]
    assert clock.pauses == ([60] * after or at_once(mode))


@in_each_mode
def test_wrong_credentials_fail_at_once_with_one_login(
    serve: Any, mode: str, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve()
    extra = {"account_id": sandbox.account.account_id, "client_id": "x", "client_secret": "wrong"}
    described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
    with pytest.raises(AirflowFailException):
        wait(conversations(mode), clock)
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1


@pytest.mark.parametrize(
    ("sensor", "named"),
    [
        (lambda mode: conversations(mode, filters={"nonsense": 1}), "nonsense"),
        (lambda mode: conversations(mode, filters=[1]), "filters="),
        (lambda mode: conversations(mode, time_field="middle"), "time_field="),
        (lambda mode: conversations(mode, min_count=0), "min_count="),
        (lambda mode: conversations(mode, min_count="x"), "min_count="),
        (lambda mode: conversations(mode, max_age="soon"), "max_age="),
        (lambda mode: conversations(mode, max_age="P1M"), "max_age="),
        (lambda mode: conversations(mode, end=None), "end is missing"),
        (lambda mode: conversations(mode, start=datetime(2999, 1, 1, tzinfo=UTC), end="2999-01-02T00:00Z"), "future"),
        (lambda mode: conversations(mode, start=datetime(2020, 1, 1, tzinfo=UTC)), "begins before"),
        (lambda mode: conversations(mode, end="9999-12-31T23:59:59Z"), "more than 13 months from now"),
        (lambda mode: window_ready(mode, end="9999-12-31T23:59:59-14:00"), "end=.*lies outside the years"),
        (lambda mode: conversations(mode, start=None, end=None), "does not say which period"),
        (lambda mode: status(mode, conversation_ids=5), "conversation_ids="),
        *[
            (lambda mode, text=text: status(mode, conversation_ids=text), "conversation_ids=")
            for text in ("LazySelectSequence([3 items])", "dict_keys(['a', 'b'])", "{'a', 'b'}", "<generator object>")
        ],
        (lambda mode: status(mode, status="closed"), "status="),
        (lambda mode: window_ready(mode, delay="a while"), "delay="),
        (lambda mode: window_ready(mode, settling_time="-1"), "settling_time="),
        (lambda mode: window_ready(mode, settling_time=timedelta(seconds=-1)), "settling_time="),
        (lambda mode: window_ready(mode, time_field="latest_update"), "latest_update"),
    ],
)
@in_each_mode
def test_a_wrong_argument_fails_at_once_without_a_request(
    serve: Any, mode: str, sensor: Callable[[str], Any], named: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        wait(sensor(mode), clock)
    assert sandbox.requests == []


@in_each_mode
def test_a_connection_that_is_not_found_is_left_to_airflows_retries(mode: str, clock: FakeClock) -> None:
    with pytest.raises(Exception, match="'nowhere' is not an Airflow connection") as caught:
        wait(conversations(mode, liveperson_conn_id="nowhere"), clock)
    assert not isinstance(caught.value, AirflowFailException)


# Airflow's options.


@in_each_mode
def test_a_timeout_fails_and_says_so(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    with pytest.raises(
        AirflowSensorTimeout, match=r"after 90 seconds\. At most 1 conversations by start within 2026-03-10"
    ):
        wait(conversations(mode, min_count=2, timeout=THREE_POLLS_S), clock)
    assert len(calls(sandbox)) == 3
    # The triggerer polls a last time as the time is over, Airflow's own loop at the interval after that.
    assert clock.pauses == pytest.approx([60, 30] if mode == "deferrable" else [60, 60], abs=0.1)


@in_each_mode
@pytest.mark.parametrize("option", ["soft_fail", "never_fail"])
@pytest.mark.parametrize(
    ("fault", "polls"),
    [(None, 3), (Fault("forbidden", times=None), 1), (Fault("forbidden", times=None, after=1), 2)],
)
def test_soft_fail_skips_instead_of_failing(
    serve: Any, mode: str, option: str, fault: Fault | None, polls: int, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    if fault:
        sandbox.add_fault(fault)
    with pytest.raises(AirflowSkipException):
        wait(conversations(mode, min_count=2, timeout=THREE_POLLS_S, **{option: True}), clock)
    assert len(calls(sandbox)) == polls


@in_each_mode
def test_a_timeout_of_zero_polls_once(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, min_count=2, timeout=0), clock)
    assert len(calls(sandbox)) == 1
    assert clock.pauses == at_once(mode)


@in_each_mode
@pytest.mark.parametrize("options", [{}, {"max_wait": 0}])
def test_exponential_backoff_polls_ever_less_often(
    serve: Any, mode: str, options: dict[str, Any], clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, min_count=2, exponential_backoff=True, **options), clock)
    *pauses, last = clock.pauses
    assert 30 <= pauses[0] <= 60
    # Each is half of the interval times a power of two, up to twice that; the last is what is left of the hour.
    assert pauses[-1] >= 8 * pauses[0]
    assert all(later >= earlier / 2 for earlier, later in pairwise(pauses))
    assert sum(pauses) + last == pytest.approx(3600, abs=2)
    # Every minute it would be 61.
    assert len(calls(sandbox)) == len(clock.pauses) + 1 <= 12


@in_each_mode
def test_max_wait_bounds_the_backoff(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, min_count=2, exponential_backoff=True, max_wait=300), clock)
    assert max(clock.pauses) == 300
    assert clock.pauses.count(300) >= 8
    assert len(calls(sandbox)) == len(clock.pauses) + 1


def test_deferrable_follows_airflows_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    import sys

    code = (
        "from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor as Sensor\n"
        "print(Sensor(task_id='x').deferrable)"
    )
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stdout.split()[-1] == "True", done.stderr
    assert LivePersonConversationsSensor(task_id="x").deferrable is False


def test_a_worker_that_defers_asks_nothing(serve: Any) -> None:
    sandbox = serve(*crowd(1))
    with pytest.raises(TaskDeferred):
        conversations("deferrable").execute({})
    # Fifty that are deferred would be fifty logins; in the triggerer they have one.
    assert sandbox.requests == []


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


def test_a_sensor_told_to_end_lets_its_request_go(
    serve: Any, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = serve()
    sandbox.latency_s = 60
    sensor = conversations()

    def end_it() -> None:
        while not calls(sandbox):
            time.sleep(0.01)
        sensor.on_kill()

    killer = threading.Thread(target=end_it, daemon=True)
    killer.start()
    with pytest.raises(AirflowException, match="told to end"):
        wait(sensor, clock)
    killer.join()
    # With the answer, a minute later, it would have seen that there are none.
    assert "Looking again later" not in caplog.text
    assert "0 conversations" not in caplog.text


@pytest.mark.parametrize("option", ["soft_fail", "never_fail", "silent_fail"])
def test_a_sensor_told_to_end_between_two_polls_does_not_wait_on(serve: Any, option: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sensor = conversations(min_count=2, **{option: True})
    between_polls(clock, sensor.on_kill)
    with pytest.raises(AirflowException, match="told to end"):
        wait(sensor, clock)
    assert len(calls(sandbox)) == 1
    assert clock.pauses == [60]


def test_moments_of_the_lab_are_those_of_the_sandbox() -> None:
    assert ms(START) == at(10)
