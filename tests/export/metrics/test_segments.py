"""Reports about segments, and long lists of ids, where totals do not add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonIncompleteDataError
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import MINUTE, account_on, answering, clock_at, iso, measured, rows_at
from tests.exported import calls, connect
from tests.samples import HOUR, at

from .reported import FRAMED, NOW_MS, conversations, dates, quick


@quick
@given(st.integers(1, 6 * HOUR), st.sampled_from((5, 20, 60, 480)), st.sampled_from(("skill", "agent")))
def test_a_segment_is_in_the_interval_in_which_it_ended(ago_ms: int, interval: int, kind: str) -> None:
    ended = NOW_MS - ago_ms
    one = Conversation("c", ended - 20 * MINUTE, end_ms=ended, skill_ids=(12,), agent_ids=("981236",), message_count=6)
    window = Window(NOW_MS - 7 * HOUR, NOW_MS)
    rows = rows_at(NOW_MS, [one], report=f"{kind}_segments", window=window, interval=interval)
    total = "totalSkillConversationSegments" if kind == "skill" else "totalAgentConversationSegments"
    accounts = [row for row in rows if row["level"] == "account"]
    assert [iso(ended)] == [
        iso(ended) for row in accounts if row[total] and row["interval_start"] <= iso(ended) < row["interval_end"]
    ]
    assert sum(row[total] for row in accounts) == 1
    assert accounts[-1]["interval_end"] == iso(NOW_MS)
    edges = [row["interval_start"] for row in accounts[1:]]
    assert edges == [row["interval_end"] for row in accounts[:-1]]
    assert accounts[0]["interval_start"] <= iso(window.start_ms) < accounts[0]["interval_end"]


@pytest.mark.parametrize("report", ["skill_segments", "agent_segments"])
def test_intervals_of_segments_that_lie_outside_the_window_are_left_out(report: str) -> None:
    window = Window(NOW_MS - 5 * HOUR - 1, NOW_MS - 3 * HOUR)
    rows = rows_at(NOW_MS, conversations(), report=report, window=window, interval=60)
    assert sorted(dates(rows)) == [
        (iso(NOW_MS - hours * HOUR), iso(NOW_MS - (hours - 1) * HOUR)) for hours in (6, 5, 4)
    ]


def segments(report: str, counts: dict[int, int], counted: int) -> dict[str, Any]:
    """An answer with so many segments in each of these intervals, and what the whole frame has."""
    total = "totalSkillConversationSegments" if report == "skill_segments" else "totalAgentConversationSegments"
    return {
        "metricsByIntervals": [{"timestamp": stamp, "metricsTotal": {total: n}} for stamp, n in counts.items()],
        "timeframeSummary": {"metricsTotal": {total: counted}},
    }


@pytest.mark.parametrize("report", ["skill_segments", "agent_segments"])
def test_intervals_of_segments_that_hold_less_than_the_frame_are_not_whole(report: str) -> None:
    counts = {at(20, 11): 3, at(20, 12): 2}
    query = {"timeframe": 180, "interval": 60}
    with answering(segments(report, counts, 6), at(20, 13)) as (server, client):
        with pytest.raises(LivePersonIncompleteDataError, match="hold 5 of 6 segments"):
            measured(client, report, **query)
        assert len(server.calls) == 4
    with answering(segments(report, counts, 5), at(20, 13)) as (_, client):
        assert dates(measured(client, report, **query)) == {
            (iso(at(20, 11)), iso(at(20, 12))), (iso(at(20, 12)), iso(at(20, 13))),
        }  # fmt: skip


@pytest.mark.parametrize("report", ["skill_segments", "agent_segments"])
def test_intervals_of_segments_without_the_frame_are_whole_if_all_have_come(report: str) -> None:
    counts = {at(20, hour): hour for hour in (10, 11, 12)}
    body = segments(report, counts, 0) | {"timeframeSummary": {}}
    with answering(body, at(20, 13)) as (_, client):
        assert len(measured(client, report, timeframe=180, interval=60)) == 3
        with pytest.raises(LivePersonIncompleteDataError, match="the total that would show"):
            measured(client, report, timeframe=240, interval=60)


@pytest.mark.parametrize("report", ["skill_segments", "agent_segments"])
def test_without_an_interval_segments_reach_up_to_now(report: str) -> None:
    window = Window(NOW_MS - 5 * HOUR - 1, NOW_MS - 3 * HOUR)
    rows = rows_at(NOW_MS, conversations(), report=report, window=window)
    assert dates(rows) == {(iso(NOW_MS - 301 * MINUTE), iso(NOW_MS))}
    assert len({(row["level"], row["skill_id"], row["agent_id"]) for row in rows}) == len(rows) > 2


def test_segments_of_agents_are_split_by_the_skills_that_are_asked_for() -> None:
    rows = rows_at(NOW_MS, conversations(), report="agent_segments", timeframe=1440, skill_ids=["12"])
    assert {row["level"] for row in rows} == {"account", "agent", "skill_agent"}
    assert {row["skill_id"] for row in rows if row["level"] == "skill_agent"} == {"12"}
    rows = rows_at(NOW_MS, conversations(), report="agent_segments", timeframe=1440)
    assert {row["level"] for row in rows} == {"account", "agent"}


def test_the_options_of_segments_are_sent() -> None:
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(
            client,
            "agent_segments",
            timeframe=60,
            agent_ids=["981236"],
            group_ids="all",
            user_type="human",
            source=["APP"],
            metrics=["interactiveAgentSegments"],
        )
        (seen,) = calls(sandbox, "/msgagentsegments")
    assert seen.query == {
        "v": "1",
        "timeframe": "60",
        "agentIds": "981236",
        "groupIds": "all",
        "userType": "human",
        "source": "APP",
        "metrics": "interactiveAgentSegments",
    }
    assert {row["avgAgentSegmentDuration"] for row in rows} == {None}
    assert {type(row["interactiveAgentSegments"]) for row in rows} == {int}


@pytest.mark.parametrize("report", ["skill_segments", "agent_segments", "queue_health"])
def test_the_whole_frame_is_never_among_the_intervals(report: str) -> None:
    rows = rows_at(NOW_MS, conversations(), report=report, timeframe=1440, interval=60)
    assert len(dates(rows)) == 24
    lengths = {(stop[11:13], start[11:13]) for start, stop in dates(rows)}
    assert len(lengths) == 24
    keys = [(row["level"], row["skill_id"], row["agent_id"], row["interval_start"]) for row in rows]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("report", ["queue_health", "skill_segments"])
def test_both_wrappers_of_intervals_give_the_same_rows(report: str) -> None:
    inner = {"skillsMetrics": {"12": {"x": 1}}, "metricsTotal": {"x": 2}}
    first, second = at(20, 6, 51, 55), at(20, 7, 51, 55)
    body = {
        "metricsByIntervals": [{"timestamp": second, **inner}, {"timestamp": first, "metricsData": inner}],
        "timeframeSummary": {"skillsMetrics": {"12": {"x": 100}}, "metricsTotal": {"x": 100}},
    }
    with answering(body, at(20, 8, 51, 55)) as (_, client):
        rows = measured(client, report, timeframe=120, interval=60)
    assert [(row["interval_start"], row["level"], row["x"]) for row in rows] == [
        (iso(first), "account", 2), (iso(first), "skill", 1), (iso(second), "account", 2), (iso(second), "skill", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("report", ["queue_health", "skill_segments", "agent_segments"])
def test_intervals_that_were_asked_for_must_come(report: str) -> None:
    with answering({"metricsTotal": {"x": 1}}) as (_, client), pytest.raises(LivePersonIncompleteDataError):
        measured(client, report, timeframe=120, interval=60)


# Long lists of ids, where totals do not add up.


@pytest.mark.parametrize(
    ("report", "name"),
    [
        ("queue_health", "skill_ids"),
        ("current_queue_health", "skill_ids"),
        ("skill_segments", "skill_ids"),
        ("agent_segments", "agent_ids"),
    ],
)
def test_many_ids_give_each_its_row_once_and_no_total(report: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    few = ["12", "3141592653"] if name == "skill_ids" else ["4294967301", "981236", "88005553535"]
    many = [*few[:1], *(str(number) for number in range(100_000, 100_400)), *few[1:]]
    query: dict[str, Any] = {"timeframe": 1440} if report in FRAMED else {}
    clock = clock_at(NOW_MS)
    # One request after the other, so that no time passes between them.
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock, max_concurrency=1) as client:
        rows = measured(client, report, **{name: many}, **query)
        urls = [len(str(seen.query)) for seen in sandbox.requests if "/operations/" in seen.path]
        every = measured(client, report, **{name: few}, **query)
    assert len(urls) > 1
    assert max(urls) < 2_000
    assert rows == [row for row in every if row["level"] != "account"]
    assert {row[name[:-1]] for row in rows} == set(few)
    assert "left out" in caplog.text


def test_agents_that_come_with_each_part_of_the_skills_get_their_row_once() -> None:
    asked = ["12", *(str(number) for number in range(100_000, 100_400)), "3141592653"]
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, "agent_segments", timeframe=1440, skill_ids=asked, agent_ids=["981236"])
        assert len(calls(sandbox, "/msgagentsegments")) > 1
    assert [(row["level"], row["skill_id"], row["agent_id"]) for row in rows] == [
        ("agent", None, "981236"), ("skill_agent", "12", "981236"), ("skill_agent", "3141592653", "981236"),
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"breakdown": False}, {"skill_ids": ["12"]}])
def test_groups_whose_conversations_count_as_overdue_are_asked_for_at_once_or_not_at_all(
    options: dict[str, Any],
) -> None:
    """Each request would give the same skills, with the overdue conversations of its own groups only."""
    groups = [str(100_000 + number) for number in range(300)]
    with answering({}) as (server, client):
        with pytest.raises(LivePersonConfigurationError, match="group_ids has 300 ids"):
            measured(client, "current_queue_health", overdue_conversations=True, group_ids=groups, **options)
        assert not server.requests


def test_totals_of_many_skills_are_refused_beside_few_groups() -> None:
    skills = [str(100_000 + number) for number in range(300)]
    with answering({}) as (server, client):
        with pytest.raises(LivePersonConfigurationError, match="so many skill_ids"):
            measured(client, "current_queue_health", breakdown=False, skill_ids=skills, group_ids=["17"])
        assert not server.requests
