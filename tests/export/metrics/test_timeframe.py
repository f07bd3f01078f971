from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonIncompleteDataError
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    BUCKET,
    CLOCK_DIFFERENCE,
    MINUTE,
    account_on,
    answering,
    by_key,
    clock_at,
    expected,
    floor5,
    iso,
    measured,
    rows_at,
)
from tests.exported import connect
from tests.samples import at

quick = settings(phases=(Phase.explicit, Phase.generate), max_examples=15)


def each_minute(first_ms: int, number: int) -> list[Conversation]:
    return [
        Conversation(f"c{minute}", first_ms - MINUTE, end_ms=first_ms + minute * MINUTE, message_count=2)
        for minute in range(number)
    ]


def periods(rows: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [
        (row["interval_start"][11:16], row["interval_end"][11:16], row["totalResolvedConversations"]) for row in rows
    ]


# Both worked examples of the documentation.


def test_seven_minutes_before_1329_are_the_buckets_from_1320_on() -> None:
    rows = rows_at(at(20, 13, 29), each_minute(at(20, 13), 60), timeframe=7)
    assert periods(rows) == [("13:20", "13:30", 10)]


def test_twenty_minutes_before_807_by_ten_are_three_intervals() -> None:
    rows = rows_at(at(20, 8, 7), each_minute(at(20, 7, 30), 60), timeframe=20, interval=10)
    assert periods(rows) == [("07:45", "07:50", 5), ("07:50", "08:00", 10), ("08:00", "08:10", 8)]


def test_on_a_mark_a_frame_is_as_long_as_asked() -> None:
    assert [period[:2] for period in periods(rows_at(at(20, 13, 30), [], timeframe=30, interval=30))] == [
        ("13:00", "13:30")
    ]
    assert [period[:2] for period in periods(rows_at(at(20, 13, 30, 0, 1), [], timeframe=30, interval=30))] == [
        ("13:00", "13:05"), ("13:05", "13:35"),
    ]  # fmt: skip


# In general.


def rounded(now_ms: int, timeframe: int) -> tuple[int, int]:
    return floor5(now_ms - timeframe * MINUTE), -(-now_ms // BUCKET) * BUCKET


def past_marks(now_ms: int, timeframe: int) -> int:
    """The earliest moment from now on at which a timeframe is rounded to the same by all clocks."""
    while rounded(now_ms - CLOCK_DIFFERENCE, timeframe) != rounded(now_ms + CLOCK_DIFFERENCE, timeframe):
        now_ms += 1
    return now_ms


@quick
@given(
    st.integers(at(20), at(20) + 20 * BUCKET),
    st.sampled_from((5, 15, 30, 60, 120)),
    st.integers(1, 12),
)
def test_intervals_tile_the_rounded_frame_and_are_the_truth(now_ms: int, timeframe: int, parts: int) -> None:
    interval = timeframe // parts if timeframe % (5 * parts) == 0 else timeframe
    conversations = each_minute(at(19, 21), 300)
    rows = rows_at(now_ms, conversations, timeframe=timeframe, interval=interval)
    start_ms, end_ms = floor5(now_ms - timeframe * MINUTE), -(-now_ms // BUCKET) * BUCKET
    stops = list(range(end_ms, start_ms, -interval * MINUTE))
    tiles = [(max(stop - interval * MINUTE, start_ms), stop) for stop in reversed(stops)]
    happened = [each for each in conversations if (each.end_ms or 0) <= now_ms]
    assert by_key(rows) == expected(happened, tiles)


@quick
@given(st.integers(at(20), at(20) + 3 * BUCKET), st.sampled_from((1, 5, 7, 60, 1440)))
def test_without_an_interval_a_frame_is_one_set_of_rows(now_ms: int, timeframe: int) -> None:
    conversations = each_minute(at(19, 22), 150)
    rows = rows_at(now_ms, conversations, timeframe=timeframe, skill_ids="all", agent_ids="all")
    now_ms = past_marks(now_ms, timeframe)
    period = (floor5(now_ms - timeframe * MINUTE), -(-now_ms // BUCKET) * BUCKET)
    happened = [each for each in conversations if (each.end_ms or 0) <= now_ms]
    assert by_key(rows) == expected(happened, [period], "all", "all")


def test_intervals_without_the_frame_beside_them() -> None:
    rows = rows_at(at(20, 13), each_minute(at(20, 12), 60), timeframe=60, interval=60)
    assert periods(rows) == [("12:00", "13:00", 60)]


def test_a_window_is_not_looked_at_when_there_is_a_timeframe() -> None:
    (row,) = rows_at(at(20, 13), [], timeframe=60, window=Window(at(1), at(2)))
    assert row["interval_start"] == iso(at(20, 12))


# Clocks.


@pytest.mark.parametrize("interval", [None, 5])
def test_an_answer_during_which_a_bucket_began_is_asked_for_again(interval: int | None) -> None:
    """What it covers could not be told."""
    clock = clock_at(at(20, 12, 59, 59, 500) - (CLOCK_DIFFERENCE if interval is None else 0))
    with account_on(clock, each_minute(at(20, 12), 65)) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = 1  # type: ignore[attr-defined]
        rows = measured(client, timeframe=60, interval=interval)
        assert len([seen for seen in sandbox.requests if "/operations/" in seen.path]) == 2
    assert (rows[0]["interval_start"], rows[-1]["interval_end"]) == (iso(at(20, 12)), iso(at(20, 13, 5)))
    assert sum(row["totalResolvedConversations"] for row in rows) == 61


@settings(quick, max_examples=40)
@given(
    st.integers(at(20) + BUCKET, at(20) + 5 * BUCKET),
    st.sampled_from((0, 1, 300, CLOCK_DIFFERENCE, CLOCK_DIFFERENCE + 1, BUCKET // 2)),
    st.sampled_from((-CLOCK_DIFFERENCE, -1_000, -1, 0, 1, 1_000, CLOCK_DIFFERENCE)),
    st.sampled_from(({"timeframe": 5}, {"timeframe": 7}, {"timeframe": 60}, {"window": Window(at(20), at(20, 0, 5))})),
    st.sampled_from((-1, 1)),
)
def test_a_frame_is_the_truth_of_what_it_says_by_whichever_clock(
    now_ms: int, off_ms: int, ahead_ms: int, period: dict[str, Any], side: int
) -> None:
    """Just at a mark, another clock is in another bucket."""
    now_ms = floor5(now_ms) + side * off_ms
    surveyed = [
        Conversation(
            f"c{second}",
            at(19, 22),
            end_ms=at(19, 23) + second * 1_000,
            full_dialog_end_ms=at(19, 23) + second * 1_000,
            csat=5,
        )
        for second in range(0, 5_400, 10)
    ]
    report = "csat_distribution" if "window" in period else "messaging_conversation"
    clock = clock_at(now_ms)
    with account_on(clock, surveyed) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.ahead_s = ahead_ms / 1000  # type: ignore[attr-defined]
        (row,) = measured(client, report, **period)
    known_ms = round(clock.now() * 1000) + ahead_ms
    ends = [each.end_ms for each in surveyed if each.end_ms is not None and each.end_ms <= known_ms]
    count = row["total_answers"] if "window" in period else row["totalResolvedConversations"]
    assert count == len([end_ms for end_ms in ends if row["interval_start"] <= iso(end_ms) < row["interval_end"]])
    assert sum(clock.pauses) <= 2 * CLOCK_DIFFERENCE / 1000 + 0.001


def test_a_frame_far_from_a_mark_is_not_waited_for() -> None:
    clock = clock_at(at(20, 13, 0, 2, 1))
    with account_on(clock, []) as sandbox, connect(sandbox, clock) as client:
        assert measured(client, timeframe=60)
    assert not clock.pauses


def test_answers_that_always_take_longer_than_a_bucket_fail() -> None:
    clock = clock_at(at(20, 12, 59))
    with account_on(clock, []) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = 301  # type: ignore[attr-defined]
        with pytest.raises(LivePersonIncompleteDataError, match="so slowly"):
            measured(client, timeframe=60)


def test_many_ids_in_one_frame_are_about_one_frame() -> None:
    ids = [str(number) for number in range(1_200)]
    conversations = [
        Conversation(f"c{number}", at(20, 12, 50), end_ms=at(20, 12, 59), skill_ids=(number,))
        for number in range(1_200)
    ]
    clock = clock_at(at(20, 12, 59, 59, 800))
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = 0.15  # type: ignore[attr-defined]
        rows = measured(client, timeframe=5, skill_ids=ids)
    accounts = [row for row in rows if row["level"] == "account"]
    assert [(row["interval_end"], row["totalResolvedConversations"]) for row in accounts] == [
        (iso(at(20, 13, 5)), 1_200)
    ]


# What has no intervals though it was asked for some.


def test_a_frame_without_the_intervals_that_were_asked_for_is_not_whole() -> None:
    body = {"metricsTotals": {"totalResolvedConversations": 1}}
    with answering(body, at(20, 13)) as (_, client), pytest.raises(LivePersonIncompleteDataError, match="intervals"):
        measured(client, timeframe=60, interval=5)


@pytest.mark.parametrize(
    "query",
    [
        {"timeframe": 0},
        {"timeframe": 1441},
        {"timeframe": 60, "interval": 31},
        {"timeframe": 60, "interval": 61},
        {"timeframe": 60, "interval": 0},
        {"timeframe": 60, "interval": 4},
        {"timeframe": 60, "interval": 12},
        {"timeframe": 7, "interval": 7},
        {"timeframe": 60, "source_of_truth": "conversations"},
        {"timeframe": True},
        {"timeframe": "60"},
        {"report": "queue_health", "timeframe": 60, "interval": 4},
        {"report": "skill_segments", "timeframe": 60, "interval": 2},
        {"report": "queue_health_by_group", "timeframe": 90},
        {"report": "current_queue_health", "timeframe": 60},
        {"report": "csat_distribution", "timeframe": 60, "interval": 5},
    ],
)
def test_a_timeframe_that_liveperson_would_refuse_is_refused(query: dict[str, Any]) -> None:
    with answering({}, at(20)) as (server, client):
        with pytest.raises(LivePersonConfigurationError, match=r"timeframe|interval"):
            measured(client, **query)
        assert not server.requests
