"""Sensors under Airflow's own options: timeouts, soft failures, backoff, deferral, being told to end."""

from __future__ import annotations

import json
import logging
import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowException, AirflowSensorTimeout, AirflowSkipException, TaskDeferred
from airflow_provider_lp.sandbox import Fault
from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import at, crowd, ms

from .modes import wait
from .waiting import START, THREE_POLLS_S, at_once, between_polls, conversations, in_each_mode


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
