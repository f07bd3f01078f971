from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import (
    LivePersonBadRequestError,
    LivePersonIncompleteDataError,
    LivePersonWindowError,
)
from airflow_provider_lp.export.metrics.export import export_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    BUCKET,
    CLOCK_DIFFERENCE,
    MINUTE,
    account_on,
    answering,
    clock_at,
    floor5,
    measured,
    rows_at,
)
from tests.exported import connect
from tests.samples import DAY, HOUR, at
from tests.scripted import Say, Seen

DAY_WINDOW = Window(at(19), at(20))
FIRST = Conversation("first", at(18, 23), end_ms=at(19), message_count=2)
LAST = Conversation("last", at(19, 23), end_ms=at(20) - 1, message_count=2)


# A day is whole for as long as LivePerson holds its first bucket.


@pytest.mark.parametrize("late_ms", [0, 1, MINUTE, BUCKET - CLOCK_DIFFERENCE - 1])
def test_a_day_is_whole_while_its_first_bucket_is_held(late_ms: int) -> None:
    (row,) = rows_at(at(20) + late_ms, [FIRST, LAST], window=DAY_WINDOW)
    assert row["totalResolvedConversations"] == 2


@pytest.mark.parametrize(
    ("late_ms", "lost", "late"),
    [
        (BUCKET - CLOCK_DIFFERENCE, "its first 5 min are", "4 min after"),
        (BUCKET, "its first 5 min are", "5 min after"),
        (BUCKET + 1, "its first 5 min are", "5 min after"),
        (6 * HOUR + 7 * MINUTE, "its first 6 h 5 min are", "6 h 7 min after"),
        (DAY - CLOCK_DIFFERENCE - 1, "its first 23 h 55 min are", "23 h 59 min after"),
        (DAY + BUCKET, "all of it is", "24 h 5 min after"),
        (100 * DAY, "all of it is", "2400 h 0 min after"),
    ],
)
def test_a_day_that_comes_too_late_says_how_late_and_what_would_do(late_ms: int, lost: str, late: str) -> None:
    with answering({}, at(20) + late_ms) as (server, client):
        with pytest.raises(LivePersonWindowError) as caught:
            measured(client, window=DAY_WINDOW)
        assert not server.requests
    message = str(caught.value)
    assert str(DAY_WINDOW) in message
    assert f"{lost} out of its reach" in message
    assert f"This task asks {late} the window's end" in message
    assert 'CronDataIntervalTimetable("0 * * * *", timezone="UTC")' in message
    assert "source_of_truth='conversations'" in message
    assert not caught.value.retry_helps


def test_a_window_that_is_not_over_is_not_late() -> None:
    lost = pytest.raises(LivePersonWindowError, match="its first 1 h 0 min are out of its reach")
    with answering({}, at(20, 12)) as (_, client), lost as caught:
        measured(client, window=Window(at(19, 11), at(20, 13)))
    assert "after the window's end" not in str(caught.value)
    assert "hourly" in str(caught.value)


def test_an_hour_has_23_hours_to_be_retried_in() -> None:
    window = Window(at(19), at(19, 1))
    (row,) = rows_at(at(20) + BUCKET - CLOCK_DIFFERENCE - 1, [FIRST], window=window)
    assert row["totalResolvedConversations"] == 1
    with pytest.raises(LivePersonWindowError, match="23 h 5 min after"):
        rows_at(at(20) + BUCKET, [FIRST], window=window)


@pytest.mark.parametrize("report", ["queue_health", "skill_segments", "agent_segments"])
def test_reports_that_do_not_round_hold_24_hours_by_any_clock(report: str) -> None:
    window = Window(at(19), at(19, 1))
    rows = rows_at(at(20) - CLOCK_DIFFERENCE, [FIRST], report=report, window=window)
    assert {row["interval_start"][:19] for row in rows} <= {"2026-03-19T00:00:00", "2026-03-18T23:59:58"}
    with answering({}, at(20) - CLOCK_DIFFERENCE + 1) as (server, client):
        with pytest.raises(LivePersonWindowError, match=r"its first 1 min are.*22 h 59 min after"):
            measured(client, report, window=window)
        assert not server.requests


def test_surveys_are_counted_in_buckets_too() -> None:
    assert rows_at(at(20) + BUCKET - CLOCK_DIFFERENCE - 1, [FIRST], report="csat_distribution", window=DAY_WINDOW)
    with pytest.raises(LivePersonWindowError):
        rows_at(at(20) + BUCKET, [FIRST], report="csat_distribution", window=DAY_WINDOW)


def test_the_present_is_held_for_72_hours() -> None:
    window = Window(at(17), at(18))
    query: dict[str, Any] = {"report": "current_queue_health", "window": window}
    assert rows_at(at(20) - CLOCK_DIFFERENCE, [FIRST], **query)
    with pytest.raises(LivePersonWindowError, match="72 h 0 min"):
        rows_at(at(20) - CLOCK_DIFFERENCE + 1, [FIRST], **query)


@pytest.mark.parametrize("trouble", [Fault("error_503"), Fault("throttle", retry_after="10")], ids=["503", "429"])
@pytest.mark.parametrize(("report", "hours"), [("queue_health", 24), ("current_queue_health", 72)])
def test_a_start_that_goes_out_of_reach_while_a_request_is_repeated_says_so(
    report: str, hours: int, trouble: Fault
) -> None:
    start_ms = at(20) - hours * HOUR + CLOCK_DIFFERENCE + 1_000
    clock = clock_at(at(20))
    with account_on(clock, [FIRST]) as sandbox, connect(sandbox, clock) as client:
        sandbox.add_fault(replace(trouble, path="/msgqueuehealth"))
        with pytest.raises(LivePersonWindowError, match=rf"{hours} h"):
            measured(client, report, window=Window(start_ms, start_ms + HOUR))
        assert [seen.status for seen in sandbox.requests if "/msgqueuehealth" in seen.path][1:] == [400]


def test_a_refusal_for_another_reason_stays_what_it_is() -> None:
    with answering(Say(400), at(20)) as (_, client), pytest.raises(LivePersonBadRequestError):
        measured(client, "queue_health", window=Window(at(19, 10), at(19, 11)))


# Nothing is touched, and nothing is given out that is not whole.


def test_nothing_at_the_path_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    clock = clock_at(at(20))
    with account_on(clock, [FIRST]) as sandbox, connect(sandbox, clock) as client:
        query = MetricsQuery.checked(window=DAY_WINDOW, now=client.now)
        clock.pass_time(300)
        with pytest.raises(LivePersonWindowError):
            export_metrics(client, query, UPath(str(path)), format="ndjson")
        assert not [seen for seen in sandbox.requests if "/operations/" in seen.path]
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("slowness_s", [5, 60, 400])
def test_an_answer_that_comes_after_the_start_has_gone_is_not_taken(slowness_s: int) -> None:
    """LivePerson may have formed it before or after: its clock is not known."""
    clock = clock_at(at(20) + BUCKET - CLOCK_DIFFERENCE - 500)
    with account_on(clock, [FIRST, LAST]) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = slowness_s  # type: ignore[attr-defined]
        with pytest.raises((LivePersonWindowError, LivePersonIncompleteDataError)):
            measured(client, window=DAY_WINDOW)
        assert [seen for seen in sandbox.requests if "/operations/" in seen.path]


@pytest.mark.parametrize("ahead_s", [1.9, 10, 240])
@pytest.mark.parametrize("before_ms", [1, CLOCK_DIFFERENCE + 1, BUCKET])
def test_a_server_whose_clock_has_passed_the_reach_never_costs_the_first_bucket(ahead_s: float, before_ms: int) -> None:
    """Its answer lacks the first bucket; that it has one later than our clock allows gives it away."""
    clock = clock_at(at(20) + BUCKET - before_ms)
    with account_on(clock, [FIRST, LAST]) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.ahead_s = ahead_s  # type: ignore[attr-defined]
        try:
            (row,) = measured(client, window=DAY_WINDOW)
        except (LivePersonWindowError, LivePersonIncompleteDataError):
            return
    assert row["totalResolvedConversations"] == 2


@pytest.mark.parametrize("report", ["queue_health", "csat_distribution", "skill_segments", "agent_segments"])
def test_a_slow_answer_never_makes_rows_begin_after_the_window(report: str) -> None:
    """Each answer takes so long that the start goes out of reach: whatever comes back covers the start, or nothing."""
    clock = clock_at(at(20) - 2_000)

    def respond(seen: Seen) -> Any:
        clock.pass_time(1 if "fromMillis" in seen.path else 400)
        return {"metricsTotals": {}, "skillsMetrics": {"12": {"total_answers": 1}}}

    with answering(respond, clock=clock) as (_, client):
        try:
            rows = measured(client, report, window=Window(at(19), at(19, 1)))
        except (LivePersonWindowError, LivePersonIncompleteDataError):
            return
    assert all(row["interval_start"] <= "2026-03-19T00:00:00+00:00" for row in rows)


def test_a_timeframe_is_never_out_of_reach() -> None:
    (row,) = rows_at(at(20, 0, 3), [FIRST, LAST], timeframe=1440)
    assert row["interval_start"] == "2026-03-19T00:00:00+00:00"
    assert row["totalResolvedConversations"] == 2


def test_the_edge_of_the_reach_is_a_mark() -> None:
    now_ms = at(20, 12, 34, 56, 789)
    start_ms = floor5(now_ms - DAY)
    clock = clock_at(now_ms)
    with account_on(clock, []) as sandbox, connect(sandbox, clock) as client:
        assert measured(client, window=Window(start_ms, start_ms + HOUR))
        # A window that begins within the first bucket holds all of it.
        assert measured(client, window=Window(start_ms + 1, start_ms + HOUR))
        with pytest.raises(LivePersonWindowError):
            measured(client, window=Window(start_ms - 1, start_ms + HOUR))
