from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    AVERAGES,
    BUCKET,
    MINUTE,
    SUMMED,
    account_on,
    answering,
    clock_at,
    iso,
    measured,
    pieces,
    rows_at,
)
from tests.exported import calls, connect
from tests.samples import at
from tests.scripted import Say, Seen

NOW_MS = at(20, 12, 32)
START, END = at(20, 12), at(20, 12, 30)
MARKS = range(START + BUCKET, END + 1, BUCKET)
WINDOW = Window(START, END)


def figures(count: int, each_ms: int = 60_000) -> dict[str, Any]:
    """All metrics of so many conversations that consumers closed."""
    zeros = dict.fromkeys((*SUMMED, *AVERAGES), 0)
    total = count * each_ms
    return zeros | {
        "resolvedConversations_byConsumer": count,
        "totalResolvedConversations": count,
        "totalHandlingTime_resolvedConversations_byConsumer": total,
        "totalHandlingTime_resolvedConversations": total,
        "avgTime_resolvedConversations_byConsumer": total / count if count else 0,
        "avgTime_resolvedConversations": total / count if count else 0,
    }


def answer(counts: dict[int, int], missing: Iterable[int] = (), frame: int | None = None) -> dict[str, Any]:
    """An answer of the account's metrics with an interval for each of these marks, but for those missing."""
    return {
        "metricsByIntervals": [
            {"timestamp": mark, "metricsData": {"metricsTotals": figures(count)}}
            for mark, count in reversed(counts.items())
            if mark not in missing
        ],
        "metricsTotals": figures(sum(counts.values()) if frame is None else frame),
    }


COUNTS = {mark: number for number, mark in enumerate(MARKS)}


def total(rows: list[dict[str, Any]]) -> int:
    return sum(row["totalResolvedConversations"] for row in rows if row["level"] == "account")


# Missing intervals.


def test_intervals_that_are_missing_are_empty_when_the_others_hold_everything() -> None:
    empty = [mark for mark, count in COUNTS.items() if not count]
    with answering(answer(COUNTS, missing=empty), NOW_MS) as (server, client):
        rows = measured(client, window=WINDOW, interval=5)
        assert len(server.calls) == 1
    assert [(row["interval_end"], row["totalResolvedConversations"]) for row in rows] == [
        (iso(mark), count) for mark, count in COUNTS.items()
    ]
    assert {name: rows[0][name] for name in AVERAGES} == dict.fromkeys(AVERAGES, 0.0)


@pytest.mark.parametrize("missing", [[MARKS[1]], [MARKS[-1]], list(MARKS)])
def test_intervals_that_are_missing_but_not_empty_fail_in_the_end(missing: list[int]) -> None:
    clock = clock_at(NOW_MS)
    with answering(answer(COUNTS, missing=missing), clock=clock) as (server, client):
        with pytest.raises(LivePersonIncompleteDataError, match=r"lacks intervals.*Nothing was published") as caught:
            measured(client, window=WINDOW)
        assert len(server.calls) > 2
    assert sum(clock.pauses) > 5
    assert caught.value.retry_helps
    assert str(WINDOW) in str(caught.value)


def test_a_later_answer_that_is_whole_heals() -> None:
    answers = iter([answer(COUNTS, missing=[MARKS[3]]), answer(COUNTS, missing=[MARKS[3], MARKS[2]]), answer(COUNTS)])
    clock = clock_at(NOW_MS)
    with answering(lambda _: next(answers), clock=clock) as (server, client):
        assert total(measured(client, window=WINDOW)) == sum(COUNTS.values())
        assert len(server.calls) == 3
    assert clock.pauses


def test_a_shortfall_of_one_section_is_seen_beside_a_whole_one() -> None:
    def sections(of_skills: int, of_agents: int) -> dict[str, Any]:
        skills, agents = figures(of_skills), figures(of_agents)
        return {
            "skillsMetricsPerAgent": {"metricsPerSkill": {"12": {"metricsTotals": skills}}, "metricsTotals": skills},
            "agentsMetrics": {"metricsPerAgent": {"7": agents}, "metricsTotals": agents},
        }

    rows = [{"timestamp": mark, "metricsData": sections(1, 1)} for mark in MARKS[1:]]
    body = {"metricsByIntervals": rows, **sections(5, 6)}
    with answering(body, NOW_MS) as (_, client), pytest.raises(LivePersonIncompleteDataError, match="lacks intervals"):
        measured(client, window=WINDOW, skill_ids="all", agent_ids="all")
    with answering({**body, **sections(5, 5)}, NOW_MS) as (_, client):
        assert total(measured(client, window=WINDOW, skill_ids="all", agent_ids="all")) == 5


@pytest.mark.parametrize("body", [{"metricsTotals": figures(3)}, {"agentsMetrics": {"7": figures(1)}}])
def test_an_answer_without_the_intervals_that_were_asked_for_is_not_whole(body: dict[str, Any]) -> None:
    with answering(body, NOW_MS) as (_, client), pytest.raises(LivePersonIncompleteDataError, match="no intervals"):
        measured(client, window=WINDOW)


def test_intervals_off_the_five_minute_marks_cannot_tile() -> None:
    body = answer({mark + MINUTE: 1 for mark in MARKS})
    with answering(body, NOW_MS) as (_, client), pytest.raises(LivePersonIncompleteDataError, match="five-minute"):
        measured(client, window=WINDOW)


def test_an_answer_that_is_none_is_asked_for_again() -> None:
    answers: Any = iter([Say(body=b'{"metricsByInt'), Say(body=b"<html>"), Say(204), Say(body=answer(COUNTS))])
    with answering(lambda _: next(answers), NOW_MS) as (server, client):
        assert total(measured(client, window=WINDOW)) == sum(COUNTS.values())
        assert len(server.calls) == 4


def test_an_hour_is_not_lost_for_one_empty_answer() -> None:
    for empty in (Say(body={}), Say(204)):
        answers: Any = iter([empty, Say(body=answer(COUNTS))])
        with answering(lambda _, answers=answers: next(answers), NOW_MS) as (_, client):
            assert total(measured(client, window=WINDOW)) == sum(COUNTS.values())


HOLLOW = [
    {},
    {"metricsTotals": {}},
    {"metricsTotal": None},
    {"metricsByIntervals": []},
    {"skillsMetricsPerAgent": {}, "agentsMetrics": {}},
    {"timeframeSummary": {}, "metricsByIntervals": [{"timestamp": NOW_MS - 60 * MINUTE}]},
]


@pytest.mark.parametrize("hollow", HOLLOW, ids=str)
@pytest.mark.parametrize("report", ["messaging_conversation", "csat_distribution", "queue_health", "skill_segments"])
def test_an_answer_that_holds_nothing_is_believed_only_when_a_second_one_says_so(hollow: Any, report: str) -> None:
    whole = {"metricsTotals": {"x": 3}, "skillsMetrics": {"12": {"x": 3}}}
    answers: Any = iter([Say(body=hollow), Say(body=whole)])
    with answering(lambda _: next(answers), NOW_MS) as (server, client):
        rows = measured(client, report, timeframe=60, skill_ids=["12"])
        assert [(row["level"], row["x"]) for row in rows] == [("account", 3), ("skill", 3)]
        assert len(server.calls) == 2


def test_an_answer_that_stays_none_fails() -> None:
    with answering(Say(body=b"{"), NOW_MS) as (_, client), pytest.raises(LivePersonTransportError):
        measured(client, window=WINDOW)


# Answers without data.

NOTHING: dict[str, Any] = {
    "an empty object": {},
    "no intervals": {"metricsByIntervals": [], "metricsTotals": figures(0)},
    "no sections": {"metricsByIntervals": [], "skillsMetricsPerAgent": {}, "agentsMetrics": {}},
    "no sections, nor intervals": {"skillsMetricsPerAgent": {}, "agentsMetrics": {}},
    "null intervals": {"metricsByIntervals": None, "skillsMetricsPerAgent": None},
    "empty intervals": {
        "metricsByIntervals": [
            {"timestamp": mark, "metricsData": {"skillsMetricsPerAgent": {}, "agentsMetrics": {}}} for mark in MARKS
        ],
        "skillsMetricsPerAgent": {},
        "agentsMetrics": {},
    },
    "zeros": answer(dict.fromkeys(MARKS, 0)),
}


@pytest.mark.parametrize("interval", [5, 10, None])
@pytest.mark.parametrize("body", NOTHING.values(), ids=NOTHING.keys())
def test_a_quiet_window_has_zeros_for_the_account_in_each_tile(body: Any, interval: int | None) -> None:
    with answering(body, NOW_MS) as (_, client):
        rows = measured(client, window=WINDOW, interval=interval, skill_ids="all", agent_ids="all")
    assert [(row["level"], row["interval_start"], row["interval_end"]) for row in rows] == [
        ("account", iso(begin), iso(stop)) for begin, stop in pieces(START, END, interval)
    ]
    for row in rows:
        assert {name: row[name] for name in SUMMED} == dict.fromkeys(SUMMED, 0)
        assert {name: row[name] for name in AVERAGES} == dict.fromkeys(AVERAGES, 0.0)


SILENT: tuple[dict[str, Any], ...] = (
    {"metricsByIntervals": []},
    {"metricsByIntervals": None, "metricsTotals": None},
    {"metricsTotals": {}},
    {"skillsMetricsPerAgent": {}, "agentsMetrics": {}},
)


@pytest.mark.parametrize(
    ("report", "period"),
    [
        ("messaging_conversation", {"window": WINDOW}),
        ("messaging_conversation", {"timeframe": 60}),
        ("messaging_conversation", {"timeframe": 60, "interval": 5}),
        ("csat_distribution", {"window": WINDOW}),
    ],
)
@pytest.mark.parametrize("body", SILENT, ids=str)
def test_an_answer_without_the_accounts_totals_is_no_zero(body: Any, report: str, period: dict[str, Any]) -> None:
    clock = clock_at(NOW_MS)
    with answering(body, clock=clock) as (server, client):
        with pytest.raises(LivePersonIncompleteDataError, match="lacks the account's totals"):
            measured(client, report, **period)
        assert len(server.calls) == 4
    with answering(Say(204), NOW_MS) as (server, client), pytest.raises(LivePersonTransportError, match="HTTP 204"):
        measured(client, report, **period)


def test_an_answer_without_the_accounts_totals_heals() -> None:
    answers: Any = iter([{"metricsByIntervals": []}, answer(COUNTS)])
    with answering(lambda _: next(answers), NOW_MS) as (_, client):
        assert total(measured(client, window=WINDOW)) == 15


# What stands beside the intervals is never added to them.


@pytest.mark.parametrize("frame_name", [None, "timeframeSummary"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_the_frame_beside_the_intervals_never_counts(frame_name: str | None, wrapped: bool) -> None:
    frame = {"metricsTotals": figures(15)}
    rows = [
        {
            "timestamp": mark,
            **({"metricsData": {"metricsTotals": figures(count)}} if wrapped else {"metricsTotals": figures(count)}),
        }
        for mark, count in COUNTS.items()
    ]
    body = {"metricsByIntervals": rows, **({frame_name: frame} if frame_name else frame)}
    with answering(body, NOW_MS) as (_, client):
        assert total(measured(client, window=WINDOW)) == 15
        assert [row["totalResolvedConversations"] for row in measured(client, window=WINDOW, interval=10)] == [1, 5, 9]


def test_buckets_outside_the_window_never_count() -> None:
    counts = {START: 100, **COUNTS, END + BUCKET: 100}
    with answering(answer(counts), NOW_MS) as (_, client):
        assert total(measured(client, window=WINDOW)) == sum(COUNTS.values())


def test_totals_that_exceed_the_sum_of_their_parts_are_no_shortfall() -> None:
    """LivePerson's totals may not add up; the documentation's own do not."""
    odd = {**figures(1), "totalResolvedConversations": 5}
    body = {
        "metricsByIntervals": [{"timestamp": mark, "metricsData": {"metricsTotals": odd}} for mark in MARKS],
        "metricsTotals": {**figures(6), "totalResolvedConversations": 30},
    }
    with answering(body, NOW_MS) as (_, client):
        (row,) = measured(client, window=WINDOW)
    assert (row["totalResolvedConversations"], row["resolvedConversations_byConsumer"]) == (30, 6)


@pytest.mark.parametrize(
    ("counts", "frame"), [(COUNTS, 16), (dict.fromkeys(MARKS, 0), 180)], ids=["one too few", "all zero"]
)
def test_intervals_that_have_all_come_but_hold_less_than_the_frame_are_not_whole(
    counts: dict[int, int], frame: int
) -> None:
    less = pytest.raises(LivePersonIncompleteDataError, match=rf"of {frame} conversations")
    with answering(answer(counts, frame=frame), NOW_MS) as (_, client), less:
        measured(client, window=WINDOW)


@pytest.mark.parametrize(
    "hollow",
    [
        {"skillsMetricsPerAgent": {}, "agentsMetrics": {}},
        {"skillsMetricsPerAgent": {"metricsPerSkill": {}}, "agentsMetrics": {"metricsPerAgent": {}}},
        {"skillsMetricsPerAgent": {"metricsTotals": figures(1)}},
    ],
    ids=["no sections", "no ids", "one section"],
)
def test_intervals_that_have_all_come_but_are_hollow_are_not_whole(hollow: dict[str, Any]) -> None:
    body = {
        "metricsByIntervals": [{"timestamp": mark, "metricsData": hollow} for mark in MARKS],
        "skillsMetricsPerAgent": {"metricsTotals": figures(6)},
        "agentsMetrics": {"metricsTotals": figures(6)},
    }
    with answering(body, NOW_MS) as (_, client), pytest.raises(LivePersonIncompleteDataError, match="0 of 6"):
        measured(client, window=WINDOW, skill_ids="all", agent_ids="all")


# Values.


def one_bucket(**metrics: Any) -> Callable[[Seen], dict[str, Any]]:
    return lambda _: {
        "metricsByIntervals": [{"timestamp": START + BUCKET, "metricsTotals": metrics}],
        "metricsTotals": {},
    }


TOO_LARGE = (10**400, "1" * 400, "1" * 9_000, "1e400")


@pytest.mark.parametrize(
    "value",
    [-1, "-1", -1.0, None, "null", "undefined", "NA", "", "-", "1_000", "٣", "0x10", "inf", "nan", True, *TOO_LARGE],
    ids=lambda value: str(value)[:12],
)
def test_what_has_no_data_is_null(value: Any) -> None:
    with answering(one_bucket(totalResolvedConversations=value), NOW_MS) as (_, client):
        (row,) = measured(client, window=Window(START, START + BUCKET))
    assert row["totalResolvedConversations"] is None
    assert row["avgTime_resolvedConversations"] is None


def test_metrics_that_are_absent_are_null_and_zeros_stay() -> None:
    with answering(one_bucket(totalResolvedConversations=0, avgTime_resolvedConversations=0), NOW_MS) as (_, client):
        (row,) = measured(client, window=Window(START, START + BUCKET))
    assert (row["totalResolvedConversations"], row["avgTime_resolvedConversations"]) == (0, 0.0)
    assert row["resolvedConversations_byCCP"] is None
    assert set(row) >= {*SUMMED, *AVERAGES}


@pytest.mark.parametrize("skill_ids", [None, "all"])
@pytest.mark.parametrize("unknown", [{}, {"totalHandlingTime_resolvedConversations": -1}])
def test_an_average_whose_total_is_not_known_is_null(unknown: dict[str, int], skill_ids: Any) -> None:
    metrics = {"totalResolvedConversations": 2, "avgTime_resolvedConversations": 61.5, **unknown}
    content = (
        {"skillsMetricsPerAgent": {"metricsPerSkill": {"12": {"metricsTotals": metrics}}}}
        if skill_ids
        else {"metricsTotals": metrics}
    )
    body = {"metricsByIntervals": [{"timestamp": START + BUCKET, **content}], **content}
    with answering(body, NOW_MS) as (_, client):
        rows = measured(client, window=Window(START, START + BUCKET), skill_ids=skill_ids)
    assert {row["totalResolvedConversations"] for row in rows} == {2}
    assert {row["totalHandlingTime_resolvedConversations"] for row in rows} == {None}
    assert {row["avgTime_resolvedConversations"] for row in rows} == {None}


@pytest.mark.parametrize("interval", [5, None])
def test_numbers_may_be_text(interval: int | None) -> None:
    count = {"totalResolvedConversations": "2", "totalHandlingTime_resolvedConversations": "61.0"}
    rows = [{"timestamp": str(mark), "metricsTotals": count} for mark in MARKS]
    with answering({"metricsByIntervals": rows, "metricsTotals": {}}, NOW_MS) as (_, client):
        row = measured(client, window=WINDOW, interval=interval)[-1]
    times = 1 if interval else 6
    assert (row["totalResolvedConversations"], row["totalHandlingTime_resolvedConversations"]) == (
        2 * times,
        61 * times,
    )
    assert {type(row[name]) for name in count} == {int}
    assert row["avgTime_resolvedConversations"] == 30.5


def test_no_data_is_not_summed_in() -> None:
    counts = [3, -1, 4, -1, 0, -1]
    rows = [
        {"timestamp": mark, "metricsTotals": {"totalResolvedConversations": count}}
        for mark, count in zip(MARKS, counts, strict=True)
    ]
    with answering({"metricsByIntervals": rows, "metricsTotals": {}}, NOW_MS) as (_, client):
        assert [row["totalResolvedConversations"] for row in measured(client, window=WINDOW)] == [7]


def test_unassigned_ids_are_ids() -> None:
    sections = {
        "skillsMetricsPerAgent": {
            "metricsPerSkill": {"-1": {"metricsPerAgent": {"-1": figures(1)}, "metricsTotals": figures(1)}},
            "metricsTotals": figures(1),
        },
    }
    body = {"metricsByIntervals": [{"timestamp": START + BUCKET, **sections}], **sections}
    with answering(body, NOW_MS) as (_, client):
        rows = measured(client, window=Window(START, START + BUCKET), skill_ids=["-1"])
    assert [(row["level"], row["skill_id"], row["agent_id"]) for row in rows] == [
        ("account", None, None), ("skill", "-1", None), ("skill_agent", "-1", "-1"),
    ]  # fmt: skip


def test_the_averages_of_the_documented_sample_are_its_totals_by_its_counts() -> None:
    sample = dict(
        zip(
            (*SUMMED, *AVERAGES),
            [21, 41, 226, 103, 426, 1411, 215, 3248, 20.285715, 34.414635, 0.95132744, 31.533981],
            strict=True,
        )
    )
    with answering(one_bucket(**sample), NOW_MS) as (_, client):
        (row,) = measured(client, window=Window(START, START + BUCKET))
    assert {name: row[name] for name in sample} == pytest.approx(sample)
    assert row["avgTime_resolvedConversations_byCCP"] == 426 / 21


@pytest.mark.parametrize("interval", [5, 10])
def test_figures_that_nobody_documented_are_never_added_up(interval: int, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"timestamp": mark, "metricsTotals": {**figures(1), "maxTime_new": 7}} for mark in MARKS]
    body = {"metricsByIntervals": rows, "metricsTotals": {**figures(6), "maxTime_new": 7}}
    with answering(body, NOW_MS) as (_, client):
        found = measured(client, window=WINDOW, interval=interval)
    assert {"maxTime_new" in row for row in found} == {False}
    assert "maxTime_new" in caplog.text


# What is asked for.


def test_more_than_needed_is_asked_for_so_that_a_server_ahead_still_has_the_start() -> None:
    clock = clock_at(END)
    with account_on(clock, [Conversation("c", START, end_ms=START)]) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.ahead_s = 300  # type: ignore[attr-defined]
        assert total(measured(client, window=WINDOW)) == 1
        (seen,) = calls(sandbox, "/msgconversation")
    assert seen.query["interval"] == "5"


def test_a_clock_that_stands_on_a_mark_needs_no_more() -> None:
    rows = rows_at(END, [], window=WINDOW)
    assert [(row["interval_start"], row["interval_end"]) for row in rows] == [(iso(START), iso(END))]
