"""Reports about surveys and queues."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.sandbox import Account
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    BUCKET,
    CLOCK_DIFFERENCE,
    MINUTE,
    account_on,
    answering,
    clock_at,
    floor5,
    iso,
    measured,
    rows_at,
)
from tests.exported import calls, connect
from tests.samples import HOUR, NOW, OAUTH1, at

from .reported import COLUMNS, NOW_MS, OVERDUE, SCORES, WAITS, conversations, dates, metrics_of, nulled, quick


@quick
@given(st.integers(0, 23 * 12), st.integers(0, BUCKET - 1), st.sampled_from((None, "all", ["12"])))
def test_surveys_are_counted_from_the_start_of_the_window_up_to_now(mark: int, off_ms: int, skill_ids: Any) -> None:
    start = floor5(NOW_MS) - mark * BUCKET - off_ms
    rows = rows_at(
        NOW_MS, conversations(), report="csat_distribution", window=Window(start, start + BUCKET), skill_ids=skill_ids
    )
    period = (floor5(start), floor5(NOW_MS) + BUCKET)
    assert dates(rows) == {(iso(period[0]), iso(period[1]))}
    truth = Account.of(conversations(), now=NOW).csat_truth(*period)
    if skill_ids is None:
        (row,) = rows
        assert metrics_of(row) == truth[None, None]
        return
    found = {(row["skill_id"], row["agent_id"]): metrics_of(row) for row in rows if row["skill_id"]}
    assert found == {key: each for key, each in truth.items() if key[0] and (skill_ids == "all" or key[0] in skill_ids)}
    account = metrics_of(rows[0])
    parts = [each for (skill, agent), each in found.items() if agent is None]
    assert all(account[name] == sum(part[name] for part in parts) for name in SCORES)


def test_surveys_of_a_window_shorter_than_a_bucket() -> None:
    """The window only says from when on."""
    window = Window(at(20, 12, 31), at(20, 12, 34))
    assert dates(rows_at(NOW_MS, [], report="csat_distribution", window=window)) == {
        (iso(at(20, 12, 30)), iso(at(20, 12, 35)))
    }


def test_the_score_is_recomputed_as_a_fraction() -> None:
    counts = {"csat_score4_answers": 1, "csat_score1_answers": 3, "total_answers": 4, "positive_answers": 1}
    with answering({"metricsTotals": {**counts, "csat_score": 25}}) as (_, client):
        (row,) = measured(client, "csat_distribution", timeframe=60)
    assert row["csat_score"] == 0.25


def test_many_ids_of_surveys_add_up() -> None:
    asked = [str(number) for number in range(1_500)]
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, "csat_distribution", timeframe=1440, skill_ids=asked, agent_ids="all")
        every = measured(client, "csat_distribution", timeframe=1440, skill_ids=["12"], agent_ids="all")
        sent = calls(sandbox, "/msgcsatdistribution")
    assert len(sent) > 3
    assert all(len(seen.query.get("skillIds", "")) < 2_000 for seen in sent)
    assert rows == every


# Queues.


@pytest.mark.parametrize("interval", [None, 5, 7, 30])
def test_queue_health_covers_exactly_the_window_an_interval_at_a_time(interval: int | None) -> None:
    start, end = NOW_MS - 9 * HOUR + 1_234, NOW_MS - 9 * HOUR + 1_234 + 210 * MINUTE
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, "queue_health", window=Window(start, end), interval=interval, skill_ids="all")
        step = (interval or 210) * MINUTE
        for begin in range(start, end, step):
            own = [row for row in rows if row["interval_start"] == iso(begin)]
            request = MetricsRequest.checked("queue_health", period=(begin, begin + step), skill_ids="all")
            answer = client.operations.send(request)
            assert {row["interval_end"] for row in own} == {iso(begin + step)}
            assert {(row["level"], row["skill_id"]): metrics_of(row) for row in own} == {
                (each.subject.level, each.subject.skill_id): nulled(each.metrics)
                | {name: None for name in COLUMNS["queue_health"] if name not in each.metrics}
                for each in answer.frame
            }
    assert len(dates(rows)) == 210 // (interval or 210)


def test_a_queue_that_still_runs_is_measured_up_to_what_is_past_by_any_clock() -> None:
    window = Window(at(20, 12), at(20, 13))
    rows = rows_at(NOW_MS, conversations(), report="queue_health", window=window, interval=20)
    assert dates(rows) == {
        (iso(at(20, 12)), iso(at(20, 12, 20))),
        (iso(at(20, 12, 20)), iso(NOW_MS - CLOCK_DIFFERENCE)),
    }


def test_intervals_of_a_queue_are_stamped_with_their_start_which_is_not_rounded() -> None:
    """The worked example of the documentation: 8:51:55, 120 minutes by 60."""
    now_ms = at(20, 8, 51, 55)
    rows = rows_at(now_ms, conversations(), report="queue_health", timeframe=120, interval=60)
    assert dates(rows) == {
        (iso(at(20, 6, 51, 55)), iso(at(20, 7, 51, 55))),
        (iso(at(20, 7, 51, 55)), iso(at(20, 8, 51, 55))),
    }
    (row, *_) = rows_at(now_ms, conversations(), report="queue_health", timeframe=120)
    assert (row["interval_start"], row["interval_end"]) == (iso(at(20, 6, 51, 55)), iso(now_ms))


def test_the_queues_of_now_are_dated_with_the_moment_of_the_request() -> None:
    rows = rows_at(NOW_MS, conversations(), report="current_queue_health", metrics=["all"])
    assert dates(rows) == {(iso(NOW_MS), iso(NOW_MS))}
    assert {row["level"] for row in rows} == {"account", "skill"}
    assert {row["time"] for row in rows if row["level"] == "skill"} == {NOW_MS}
    assert [row["time"] for row in rows if row["level"] == "account"] == [None]
    assert rows[0]["unassignedConversations"] == sum(row["unassignedConversations"] for row in rows[1:]) == 24
    assert rows[0]["overdueConversationsInQueue"] > 0


def test_what_the_queues_of_now_are_not_asked_for_is_null() -> None:
    rows = rows_at(NOW_MS, conversations(), report="current_queue_health", metrics=["queue"], breakdown=False)
    (row,) = rows
    assert row["level"] == "account"
    assert {row[name] for name in (*WAITS, *OVERDUE)} == {None}
    (row, *_) = rows_at(NOW_MS, conversations(), report="current_queue_health", overdue_conversations=True)
    assert row["overdueConversationsTotal"] is not None


def test_the_queues_of_now_may_be_asked_for_a_period() -> None:
    window = Window(NOW_MS - 3 * HOUR, NOW_MS - HOUR)
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, "current_queue_health", window=window)
        (seen,) = calls(sandbox, "/current/")
    assert seen.query == {"v": "2", "fromMillis": str(window.start_ms), "toMillis": str(window.end_ms)}
    assert dates(rows) == {(iso(window.start_ms), iso(window.end_ms))}


def test_the_queues_of_now_are_those_of_the_last_day_under_oauth2() -> None:
    """LivePerson gives it another version, which needs a period; rows are the present's all the same."""
    query: dict[str, Any] = {"report": "current_queue_health", "metrics": ["queue"]}
    under_oauth2 = rows_at(NOW_MS, conversations(), **query)
    assert [{**row, "time": None} for row in under_oauth2] == [
        {**row, "time": None} for row in rows_at(NOW_MS, conversations(), credentials=OAUTH1, **query)
    ]
    assert dates(under_oauth2) == {(iso(NOW_MS), iso(NOW_MS))}


def test_queues_by_group_have_a_row_for_each_group_of_a_skill() -> None:
    rows = rows_at(NOW_MS, conversations(), report="queue_health_by_group")
    assert dates(rows) == {(iso(NOW_MS), iso(NOW_MS))}
    assert {(row["level"], row["group_id"], row["agent_id"]) for row in rows} == {("skill", "17", None)}
    assert {row["skill_id"] for row in rows} <= {"12", "3141592653"}
    assert sum(row["unassignedConversations"] for row in rows) > 10


@pytest.mark.parametrize("hours", [1, 24, 72])
def test_queues_by_group_are_asked_for_in_hours(hours: int) -> None:
    clock = clock_at(NOW_MS)
    with account_on(clock, conversations()) as sandbox, connect(sandbox, clock) as client:
        rows = measured(
            client, "queue_health_by_group", timeframe=60 * hours, group_ids=["17"], include_sub_groups=True
        )
        seen = calls(sandbox, "/msgqueuehealthbygroup/current/")
    # Nothing is believed only when a second answer says so.
    assert len(seen) == (1 if rows else 2)
    assert seen[0].query == {
        "v": "1", "timeframe": str(hours), "allocatedAgentGroupIds": "17", "includeSubGroups": "true",
    }  # fmt: skip
    assert dates(rows) <= {(iso(NOW_MS - hours * HOUR), iso(NOW_MS))}
    assert rows or hours == 1
