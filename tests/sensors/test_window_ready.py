"""The sensor for a period that is over, in each of Airflow's modes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowSensorTimeout
from airflow_provider_lp.sandbox import Conversation, Fault
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, at, crowd, ms

from .modes import wait
from .virtual_time import LiveAccount
from .waiting import after_ms, in_each_mode, limits, window_ready


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
