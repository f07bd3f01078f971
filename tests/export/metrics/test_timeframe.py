from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonIncompleteDataError
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import Window
from tests.export.metrics.measuring import (
    BUCKET,
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
from tests.lab import at, connect

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


@pytest.mark.parametrize("report", ["messaging_conversation", "csat_distribution"])
def test_on_a_mark_a_frame_is_as_long_as_asked(report: str) -> None:
    (row,) = rows_at(at(20, 13, 30), [], report=report, timeframe=30)
    assert (row["interval_start"], row["interval_end"]) == (iso(at(20, 13)), iso(at(20, 13, 30)))
    (row,) = rows_at(at(20, 13, 30, 0, 1), [], report=report, timeframe=30)
    assert (row["interval_start"], row["interval_end"]) == (iso(at(20, 13)), iso(at(20, 13, 35)))


# In general.


@quick
@given(
    st.integers(at(20), at(20) + 20 * BUCKET),
    st.sampled_from((1, 4, 5, 6, 7, 30, 60, 61, 120)),
    st.integers(1, 12),
)
def test_intervals_tile_the_rounded_frame_and_are_the_truth(now_ms: int, timeframe: int, parts: int) -> None:
    interval = timeframe // parts if timeframe % parts == 0 else timeframe
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
    clock = clock_at(at(20, 12, 59, 59, 500))
    with account_on(clock, each_minute(at(20, 12), 65)) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = 1  # type: ignore[attr-defined]
        rows = measured(client, timeframe=60, interval=interval)
        assert len([seen for seen in sandbox.requests if "/operations/" in seen.path]) == 2
    assert (rows[0]["interval_start"], rows[-1]["interval_end"]) == (iso(at(20, 12)), iso(at(20, 13, 5)))
    assert sum(row["totalResolvedConversations"] for row in rows) == 61


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
