from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonIncompleteDataError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.reports import AGENT_SEGMENT_METRICS, GROUP_QUEUE_METRICS
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
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
from tests.fake_clock import FakeClock
from tests.samples import DAY, HOUR, NOW, OAUTH1, at, ms
from tests.scripted import Say, Seen

NOW_MS = ms(NOW)
quick = settings(phases=(Phase.explicit, Phase.generate), max_examples=15)

COUNTED_QUEUE = (
    "unassignedConversations",
    "unassignedConversationsAndFirstTimeConsumer",
    "actionableConversations",
    "notActionableConversations",
    "actionableAndManualSla",
    "notActionableAndManualSla",
    "actionableAndDuringTransfer",
    "notActionableDuringTransfer",
    "actionableAndConsumerLastMessage",
)
WAITS = (
    *(
        f"avgWaitTimeForAgentAssignment_{kind}"
        for kind in ("NewConversation", "AfterTransfer", "AfterTransferFromBot", "AfterTransferFromAgent")
    ),
    "maxWaitTimeForAgentAssignment",
    "maxWaitTimeForAgentAssignment_AfterTransferFromAgent",
    "waitTimeForAgentAssignment_50thPercentile",
    "waitTimeForAgentAssignment_90thPercentile",
)
SCORES = tuple(f"csat_score{score}_answers" for score in range(1, 6))
SKILL_SEGMENTS = (
    "totalSkillConversationSegments",
    "skillSegmentsAbandonedByConsumers",
    "skillSegmentsAbandonedByConsumersInQueue",
    "skillSegmentsWithNonResponsiveConsumers",
    "skillSegmentsWithNonResponsiveAgents",
    "interactiveSkillSegments",
)
OVERDUE = ("overdueConversationsInQueue", "overdueConversationsAssigned", "overdueConversationsTotal")
FIRST_REPLY = "avgTimetoFirstAgentMessageFromAgentAssignment"
#: All columns of each report after the common ones, in their order, by their type.
COLUMNS: dict[str, dict[str, type]] = {
    "csat_distribution": {
        **dict.fromkeys((*SCORES, "total_answers", "positive_answers"), int),
        "csat_score": float,
    },
    "queue_health": dict.fromkeys((*COUNTED_QUEUE, *WAITS), float),
    "current_queue_health": {
        "time": int,
        **dict.fromkeys(COUNTED_QUEUE, int),
        **dict.fromkeys(WAITS, float),
        **dict.fromkeys(OVERDUE, int),
    },
    "queue_health_by_group": dict.fromkeys(GROUP_QUEUE_METRICS, int),
    "skill_segments": {**dict.fromkeys(SKILL_SEGMENTS, int), FIRST_REPLY: float},
    "agent_segments": {name: float if name.startswith("avg") else int for name in AGENT_SEGMENT_METRICS},
}
FRAMED = ("csat_distribution", "queue_health", "skill_segments", "agent_segments")


def metrics_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(list(row.items())[9:])


def dates(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["interval_start"], row["interval_end"]) for row in rows}


def nulled(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == -1 else value for name, value in metrics.items()}


def conversations(number: int = 120) -> list[Conversation]:
    """Some of the last day, among them such that changed hands, were surveyed, or still wait."""
    agents = ("4294967301", "981236", "88005553535")
    made = []
    for each in range(number):
        start = NOW_MS - DAY + each * 11 * MINUTE
        waits = each % 5 == 0
        made.append(
            Conversation(
                f"c{each}",
                start,
                end_ms=None if waits else start + 9 * MINUTE,
                conversation_end_ms=None if waits else start + 8 * MINUTE,
                skill_ids=(12, 3_141_592_653)[: 1 + each % 2],
                agent_ids=() if waits else agents[each % 3 : each % 3 + 1 + each % 2],
                queue_state="IN_QUEUE" if waits else "ACTIVE",
                csat=None if waits else 1 + each % 5,
                mcs=each % 100,
                agent_group_id=17,
            )
        )
    return made


# What each report's rows are: their columns, types and nulls.


@pytest.mark.parametrize("value", [7, "7", 7.0])
@pytest.mark.parametrize("report", COLUMNS)
def test_every_documented_metric_is_a_column_of_its_type(report: str, value: Any) -> None:
    metrics = dict.fromkeys(COLUMNS[report], value)
    body = {"skillGroupMetrics": {"12": {"17": metrics}}} if "by_group" in report else {"metricsTotals": metrics}
    with answering(body) as (_, client):
        (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    found = metrics_of(row)
    assert list(found) == list(COLUMNS[report])
    assert {name: type(each) for name, each in found.items()} == COLUMNS[report]
    assert {found[name] for name in found if name != "csat_score"} == {7}


@pytest.mark.parametrize("report", COLUMNS)
def test_no_data_is_null_in_every_column_and_zero_is_zero(report: str) -> None:
    for value in (-1, "-1", None, "NA", 0, "0"):
        metrics = dict.fromkeys(COLUMNS[report], value)
        body = {"skillGroupMetrics": {"12": {"17": metrics}}} if "by_group" in report else {"metricsTotals": metrics}
        with answering(body) as (_, client):
            (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
        assert set(metrics_of(row).values()) == ({0} if value in (0, "0") else {None})


def test_fractions_of_queues_stay() -> None:
    with answering({"metricsTotal": {"unassignedConversations": 2.5}}) as (_, client):
        (row,) = measured(client, "queue_health", timeframe=60)
    assert row["unassignedConversations"] == 2.5


@pytest.mark.parametrize("report", COLUMNS)
def test_what_nobody_documented_is_passed_on_where_it_is_not_added(report: str) -> None:
    extra = {
        "zeta": -1,
        "alpha": "some text",
        "nested": {"x": 1},
        "rate": 0.5,
        "count": "5",
        "share": "-1.0",
        "on": True,
        "large": 10**400,
        "void": "a\0b",
    }
    body = {"skillGroupMetrics": {"12": {"17": extra}}} if "by_group" in report else {"metricsTotals": extra}
    with answering(body) as (_, client):
        (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    assert list(row.items())[9 + len(COLUMNS[report]) :] == [
        ("alpha", "some text"), ("count", 5), ("large", None), ("on", True), ("rate", 0.5), ("share", None),
        ("void", "a\ufffdb"), ("zeta", None),
    ]  # fmt: skip


@pytest.mark.parametrize("report", [name for name in COLUMNS if name != "csat_distribution"])
def test_an_empty_answer_is_no_row_if_a_second_says_so(report: str) -> None:
    """A queue that LivePerson says nothing of is not one of zero."""
    query = {"timeframe": 60} if report in FRAMED else {}
    with answering({}) as (server, client):
        assert measured(client, report, **query) == []
        assert len(server.calls) == 2
    metrics = {"12": dict.fromkeys(COLUMNS[report], 7)}
    body = {"skillGroupMetrics": {"3": metrics}} if "by_group" in report else {"metricsTotals": metrics["12"]}
    answers: Any = iter([{}, body])
    with answering(lambda _: next(answers)) as (_, client):
        assert len(measured(client, report, **query)) == 1


@pytest.mark.parametrize("report", COLUMNS)
def test_no_content_is_no_answer(report: str) -> None:
    with answering(Say(204)) as (server, client), pytest.raises(LivePersonTransportError, match="HTTP 204"):
        measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    assert len(server.calls) > 1


# What people have really met.

CASES = Path(__file__).parents[2] / "cases"


def case(name: str) -> bytes:
    return (CASES / f"metrics_{name}.json").read_bytes()


def test_current_queues_as_accounts_have_them() -> None:
    with answering(Say(body=case("current_queue"))) as (_, client):
        rows = measured(client, "current_queue_health")
    assert [(row["level"], row["skill_id"]) for row in rows] == [
        ("account", None), ("skill", "1000000001"), ("skill", "1000000002"),
    ]  # fmt: skip
    assert {row["actionableConversations"] for row in rows} == {3}
    assert {row["avgWaitTimeForAgentAssignment_NewConversation"] for row in rows} == {None}
    assert rows[1]["time"] == 1_767_225_600_012


@pytest.mark.parametrize("interval", [None, 60])
def test_flat_summaries_and_intervals_are_the_accounts(interval: int | None) -> None:
    with answering(Say(body=case("flat_summary_and_rows")), 1_767_225_600_000 + HOUR) as (_, client):
        (row,) = measured(client, "queue_health", timeframe=60, interval=interval)
    assert (row["level"], row["interval_start"]) == ("account", "2026-01-01T00:00:00+00:00")
    assert (row["unassignedConversations"], row["maxWaitTimeForAgentAssignment"]) == (3, 2_000_000)
    assert row["avgWaitTimeForAgentAssignment_NewConversation"] is None


@pytest.mark.parametrize("query", [{"timeframe": 60}, {"window": Window(at(20, 12), at(20, 12, 30))}])
def test_an_average_of_nothing_is_null(query: dict[str, Any]) -> None:
    with answering(Say(body=case("nan_average")), at(20, 12, 32)) as (_, client):
        (row,) = measured(client, "messaging_conversation", **query)
    assert (row["totalResolvedConversations"], row["avgTime_resolvedConversations"]) == (0, None)


@pytest.mark.parametrize("query", [{"timeframe": 60}, {"window": Window(at(20, 12), at(20, 12, 30))}])
def test_a_quiet_hour_is_no_broken_answer(query: dict[str, Any]) -> None:
    with answering(Say(body=case("quiet_hour")), at(20, 12, 32)) as (server, client):
        (row,) = measured(client, "messaging_conversation", **query)
        assert len(server.calls) == 2
    assert row["totalResolvedConversations"] == 0


@pytest.mark.parametrize("report", [*COLUMNS, "messaging_conversation"])
def test_numbers_of_which_none_can_be_taken_are_no_empty_success(report: str) -> None:
    query = {} if "current" in report or "by_group" in report else {"timeframe": 60}
    intervals = {"metricsByIntervals": [{"timestamp": NOW_MS, "metricsData": {"metricsTotals": {"x": 1}}}]}
    for body in ({"queues": {"12": {"waiting": 4}}}, intervals):
        with answering(body) as (_, client), pytest.raises((LivePersonTransportError, LivePersonIncompleteDataError)):
            measured(client, report, **query)


def test_totals_that_are_missing_are_those_of_the_first_section() -> None:
    body = {"skillsMetrics": {str(skill): {"total_answers": skill} for skill in (1, 2)}}
    with answering(body) as (_, client):
        rows = measured(client, "csat_distribution", timeframe=60)
    assert [(row["level"], row["total_answers"]) for row in rows] == [("account", 3), ("skill", 1), ("skill", 2)]


# Surveys.


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


# Segments.


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


# On a generated account.


@pytest.mark.parametrize("report", ["csat_distribution", *COLUMNS])
def test_a_generated_account_has_all_of_it(report: str) -> None:
    account = Account(now=NOW, days=3, per_day=400)
    with Sandbox(account=account) as sandbox, connect(sandbox, FakeClock()) as client:
        rows = measured(client, report, **({"timeframe": 1440} if report in FRAMED else {}))
    assert rows
    for row in rows:
        for name, kind in COLUMNS[report].items():
            assert row[name] is None or type(row[name]) is kind
        assert -1 not in metrics_of(row).values()


@pytest.mark.parametrize(
    ("report", "query", "named"),
    [
        ("csat_distribution", {"interval": 5}, "interval"),
        ("csat_distribution", {"group_ids": "all"}, "group_ids"),
        ("queue_health", {"agent_ids": "all"}, "agent_ids"),
        ("queue_health", {"group_ids": ["17"]}, "group_ids"),
        ("queue_health", {"user_type": "all"}, "user_type"),
        ("queue_health", {"interval": 7}, "interval"),
        ("queue_health", {"interval": 4}, "interval"),
        ("current_queue_health", {"interval": 5}, "interval"),
        ("current_queue_health", {"agent_ids": "all"}, "agent_ids"),
        ("current_queue_health", {"metrics": ["interactiveAgentSegments"]}, "metrics"),
        ("current_queue_health", {"breakdown": "no"}, "breakdown"),
        ("queue_health_by_group", {"breakdown": False}, "breakdown"),
        ("queue_health_by_group", {"metrics": ["queue"]}, "metrics"),
        ("skill_segments", {"source": "APP"}, "source"),
        ("skill_segments", {"agent_ids": "all"}, "agent_ids"),
        ("skill_segments", {"user_type": "humans"}, "user_type"),
        ("skill_segments", {"interval": 7}, "interval"),
        ("agent_segments", {"source": "app"}, "source"),
        ("agent_segments", {"overdue_conversations": True}, "overdue_conversations"),
        ("messaging_conversation", {"metrics": ["all"]}, "metrics"),
        ("messaging_conversation", {"include_sub_groups": True}, "include_sub_groups"),
        ("messaging_conversation", {"interval": 7}, "interval"),
        ("messaging_conversation", {"interval": 12}, "interval"),
        ("messaging_conversation", {"interval": 25}, "interval"),
        ("messaging_conversation", {"skill_ids": []}, "skill_ids"),
        ("conversations", {}, "report"),
        ([], {}, "report"),
    ],
)
def test_what_has_no_meaning_for_a_report_is_refused(report: Any, query: dict[str, Any], named: str) -> None:
    with answering({}) as (server, client):
        with pytest.raises(LivePersonConfigurationError, match=named):
            measured(client, report, window=Window(at(20, 10), at(20, 11)), **query)
        assert not server.requests


def test_the_period_is_needed_where_the_report_is_about_one() -> None:
    with answering({}) as (_, client):
        for report in FRAMED:
            with pytest.raises(LivePersonConfigurationError, match="period"):
                measured(client, report)


def test_each_request_is_one_of_the_reports_own_path() -> None:
    def respond(seen: Seen) -> Say:
        return Say(body={"metricsTotals": {"x": 0}})

    paths = {}
    for report in COLUMNS:
        with answering(respond) as (server, client):
            measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
            paths[report] = [urlsplit(seen.path).path.partition("12345678/")[2] for seen in server.calls]
            assert all(dict(parse_qsl(urlsplit(seen.path).query))["v"] == "1" for seen in server.calls)
    assert paths == {
        "csat_distribution": ["msgcsatdistribution"],
        "queue_health": ["msgqueuehealth"],
        "current_queue_health": ["msgqueuehealth/current/"],
        "queue_health_by_group": ["msgqueuehealthbygroup/current/"],
        "skill_segments": ["msgskillsegments"],
        "agent_segments": ["msgagentsegments"],
    }
