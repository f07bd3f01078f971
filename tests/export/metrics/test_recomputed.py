from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.export.metrics.export import export_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    AVERAGES,
    BUCKET,
    MINUTE,
    SUMMED,
    account_on,
    answering,
    by_key,
    clock_at,
    expected,
    floor5,
    iso,
    measured,
    pieces,
    rows_at,
)
from tests.export.metrics.strategies import (
    AGENTS,
    GROUPS,
    SKILLS,
    START,
    conversation,
    crowds,
    ids_of_agents,
    ids_of_skills,
    windows,
)
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import DAY, HOUR, NOW, at, ms
from tests.scripted import Say, Seen

LATER = ms(NOW)
DERIVED: dict[str, Any] = {"source_of_truth": "conversations"}
quick = settings(phases=(Phase.explicit, Phase.generate), max_examples=15)
ids_of_groups = st.sampled_from((None, None, "all", ["17"], [str(group) for group in GROUPS]))


def without_origin(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "derived"} for row in rows]


# The same rows as LivePerson's.


@settings(quick, max_examples=40)
@given(crowds(), windows(), ids_of_skills, ids_of_agents, ids_of_groups)
def test_derived_rows_are_those_of_messaging_operations(
    conversations: list[Conversation],
    window: tuple[int, int, int | None],
    skill_ids: Any,
    agent_ids: Any,
    group_ids: Any,
) -> None:
    start_ms, end_ms, interval = window
    query: dict[str, Any] = {
        "window": Window(start_ms, end_ms),
        "interval": interval,
        "skill_ids": skill_ids,
        "agent_ids": agent_ids,
        "group_ids": group_ids,
    }
    clock = clock_at(LATER)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        live, derived = measured(client, **query), measured(client, **query, **DERIVED)
    assert without_origin(derived) == without_origin(live)
    assert [list(row) for row in derived] == [list(row) for row in live]
    assert {row["derived"] for row in live} == {False}
    assert {row["derived"] for row in derived} == {True}


@settings(phases=(Phase.explicit, Phase.generate), max_examples=5)
@given(st.integers(0, 100), st.integers(0, 23))
def test_they_agree_on_a_generated_account(seed: int, hours_back: int) -> None:
    now = NOW.replace(hour=13, minute=2)
    stop = ms(NOW.replace(hour=13, minute=0, second=0, microsecond=0)) - hours_back * HOUR
    clock = FakeClock(now.timestamp())
    query: dict[str, Any] = {
        "window": Window(stop - HOUR, stop),
        "interval": 15,
        "skill_ids": "all",
        "agent_ids": "all",
    }
    account = Account(seed=seed, now=now, days=10, per_day=60)
    with Sandbox(account=account) as sandbox, connect(sandbox, clock) as client:
        live, derived = measured(client, **query), measured(client, **query, **DERIVED)
    assert without_origin(derived) == without_origin(live)


@pytest.mark.parametrize("filtered_by", ["end", "conversation_end", "full_dialog_end"])
def test_whichever_end_liveperson_searches_by(filtered_by: str) -> None:
    """It does not say. A survey moves some of the ends beyond the window, and others not."""
    conversations = [
        Conversation(
            f"c{number}",
            START,
            conversation_end_ms=START + HOUR + closed_ms,
            end_ms=START + HOUR + closed_ms + survey_ms,
            full_dialog_end_ms=START + HOUR + closed_ms + survey_ms + dialog_ms,
            message_count=2,
        )
        for number, (closed_ms, survey_ms, dialog_ms) in enumerate(
            (closed_ms, survey_ms, dialog_ms)
            for closed_ms in (-HOUR // 2, -1, 0, HOUR - 1, HOUR, HOUR + 5 * MINUTE)
            for survey_ms in (0, 1, 2 * HOUR)
            for dialog_ms in (0, 20 * MINUTE)
        )
    ]
    window = Window(START + HOUR, START + 2 * HOUR)
    clock = clock_at(LATER)
    account = Account.of(conversations, now=NOW)
    with Sandbox(account=account, end_filter_field=filtered_by) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, window=window, interval=5, **DERIVED)
    assert by_key(rows) == expected(conversations, pieces(window.start_ms, window.end_ms, 5))
    assert sum(row["totalResolvedConversations"] for row in rows) == 12


@pytest.mark.parametrize("survey_ms", [1, HOUR, DAY - 1])
@pytest.mark.parametrize("off_ms", [-1, 0])
def test_a_survey_does_not_move_a_close_into_another_window(survey_ms: int, off_ms: int) -> None:
    edge = at(10, 12)
    conversations = [
        Conversation("c", edge - HOUR, conversation_end_ms=edge + off_ms, end_ms=edge + off_ms + survey_ms, csat=4)
    ]
    counts = [
        rows_at(LATER, conversations, window=window, **DERIVED)[0]["totalResolvedConversations"]
        for window in (Window(edge - HOUR, edge), Window(edge, edge + HOUR))
    ]
    assert counts == ([1, 0] if off_ms < 0 else [0, 1])


@pytest.mark.parametrize(
    ("reason", "closer"),
    [("AGENT", "byCCP"), ("CONSUMER", "byConsumer"), ("SYSTEM", "bySystem")],
)
def test_the_close_reason_says_who_closed(reason: str, closer: str) -> None:
    conversations = [Conversation("c", START, end_ms=START + 7_000, close_reason=reason)]
    (row,) = rows_at(LATER, conversations, window=Window(START, START + BUCKET), **DERIVED)
    assert {name: row[name] for name in SUMMED if row[name]} == {
        f"resolvedConversations_{closer}": 1,
        "totalResolvedConversations": 1,
        f"totalHandlingTime_resolvedConversations_{closer}": 7_000,
        "totalHandlingTime_resolvedConversations": 7_000,
    }
    assert {name: row[name] for name in AVERAGES if row[name]} == {
        f"avgTime_resolvedConversations_{closer}": 7_000.0,
        "avgTime_resolvedConversations": 7_000.0,
    }


# For any past window.


@pytest.mark.parametrize("months", [1, 6, 12])
def test_windows_of_months_ago_are_recomputed(months: int) -> None:
    start = floor5(LATER - months * 30 * DAY)
    conversations = [
        Conversation(f"c{number}", start - 40 * DAY + number, end_ms=start + number * MINUTE, message_count=2)
        for number in range(30)
    ]
    rows = rows_at(LATER, conversations, window=Window(start, start + HOUR), interval=20, skill_ids="all", **DERIVED)
    assert by_key(rows) == expected(conversations, pieces(start, start + HOUR, 20), "all")
    with pytest.raises(LivePersonWindowError, match="source_of_truth='conversations'"):
        rows_at(LATER, conversations, window=Window(start, start + HOUR))


@quick
@given(st.lists(conversation(0), min_size=1, max_size=1), windows())
def test_long_conversations_count_as_far_back_as_max_age(
    conversations: list[Conversation], window: tuple[int, int, int | None]
) -> None:
    (row,) = rows_at(LATER, conversations, window=Window(*window[:2]), max_age=timedelta(days=4), **DERIVED)
    period = (floor5(window[0]), floor5(window[1]))
    assert row["totalResolvedConversations"] == len(
        [each for each in conversations if period[0] <= (each.conversation_end_ms or 0) < period[1]]
    )


def test_conversations_that_are_still_open_do_not_count() -> None:
    conversations = [Conversation("open", START), Conversation("later", START, end_ms=LATER + 1)]
    (row,) = rows_at(LATER, conversations, window=Window(START, floor5(LATER)), **DERIVED)
    assert row["totalResolvedConversations"] == 0


def test_a_window_that_still_runs_ends_with_the_bucket_that_does() -> None:
    conversations = [Conversation("c", START, end_ms=at(20, 12, 34, 50))]
    rows = [
        rows_at(LATER, conversations, window=Window(at(20, 12), at(20, 14)), interval=40, **origin)
        for origin in ({}, DERIVED)
    ]
    assert without_origin(rows[0]) == without_origin(rows[1])
    assert rows[1][-1]["interval_end"] == iso(at(20, 12, 35))


def test_a_day_takes_no_more_than_its_conversations_and_nothing_of_messaging_operations() -> None:
    clock = clock_at(LATER)
    conversations = [Conversation(f"c{number}", at(10), end_ms=at(10, 12), message_count=2) for number in range(250)]
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        (row,) = measured(client, window=Window(at(10), at(11)), **DERIVED)
        assert row["totalResolvedConversations"] == 250
        assert not [seen for seen in sandbox.requests if "/operations/" in seen.path]
        assert {tuple(seen.body["contentToRetrieve"]) for seen in calls(sandbox)} == {("summary",)}


def test_long_lists_of_ids_take_no_request_more() -> None:
    conversations = [Conversation("c", START, end_ms=START, skill_ids=(12,), agent_ids=AGENTS[:1])]
    ids = [str(number) for number in range(5_000)]
    query: dict[str, Any] = {"window": Window(START, START + BUCKET), "skill_ids": ids}
    clock = clock_at(LATER)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        live = measured(client, **query)
        derived = measured(client, **query, **DERIVED)
        searches = len(calls(sandbox))
        measured(client, **{**query, "skill_ids": "all"}, **DERIVED)
        assert len(calls(sandbox)) == 2 * searches
    assert without_origin(derived) == without_origin(live)
    assert [row["level"] for row in derived] == ["account", "skill", "skill_agent"]


def test_groups_without_an_agent_are_no_groups() -> None:
    """Live, a filter by groups is one by the groups of agents."""
    conversations = [
        Conversation("agent", START, end_ms=START, agent_ids=AGENTS[:1], agent_group_id=-1),
        Conversation("nobody", START, end_ms=START, agent_ids=(), queue_state="IN_QUEUE", agent_group_id=-1),
    ]
    query: dict[str, Any] = {"window": Window(START, START + BUCKET), "group_ids": ["-1"]}
    live, derived = rows_at(LATER, conversations, **query), rows_at(LATER, conversations, **query, **DERIVED)
    assert without_origin(derived) == without_origin(live)


def test_all_groups_are_no_filter() -> None:
    conversations = [Conversation("nobody", START, end_ms=START, agent_ids=(), queue_state="IN_QUEUE")]
    query: dict[str, Any] = {"window": Window(START, START + BUCKET), "group_ids": "all"}
    live, derived = rows_at(LATER, conversations, **query), rows_at(LATER, conversations, **query, **DERIVED)
    assert without_origin(derived) == without_origin(live)
    assert live[0]["totalResolvedConversations"] == 1


# Records that are not the sandbox's.


def searched(*infos: dict[str, Any]) -> Any:
    """A server that knows these conversations."""

    def respond(seen: Seen) -> Say:
        records = [{"info": {"conversationId": f"c{number}", **info}} for number, info in enumerate(infos)]
        return Say(body={"_metadata": {"count": len(records)}, "conversationHistoryRecords": records})

    return respond


def info(**more: Any) -> dict[str, Any]:
    closed = {"startTimeL": START, "endTimeL": START + 60_000, "conversationEndTimeL": START + 60_000}
    return {**closed, "closeReason": "CONSUMER", "latestSkillId": 12, "latestAgentId": "7", **more}


def derived_from(*infos: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    with answering(searched(*infos), LATER) as (_, client):
        return measured(client, window=Window(START, START + BUCKET), **query, **DERIVED)


@pytest.mark.parametrize("agent", [None, "", "null", "undefined", "-1", -1])
def test_nobody_is_no_agent(agent: Any) -> None:
    rows = derived_from(info(latestAgentId=agent), skill_ids="all", agent_ids="all")
    assert [(row["level"], row["skill_id"], row["agent_id"]) for row in rows] == [
        ("account", None, None),
        ("skill", "12", None),
    ]


@pytest.mark.parametrize("skill", [None, -1, "-1"])
def test_without_a_skill_it_is_the_unassigned_one(skill: Any) -> None:
    rows = derived_from(info(latestSkillId=skill), skill_ids="all")
    assert [row["skill_id"] for row in rows if row["level"] == "skill"] == ["-1"]


@pytest.mark.parametrize("reason", [None, "", "SOMEBODY"])
def test_an_unknown_close_reason_counts_in_the_totals_only(reason: Any, caplog: pytest.LogCaptureFixture) -> None:
    (row,) = derived_from(info(closeReason=reason), info())
    assert row["totalResolvedConversations"] == 2
    assert row["resolvedConversations_byConsumer"] == 1
    assert sum(row[name] for name in SUMMED[:3]) == 1
    assert "close reasons are not known" in caplog.text


@pytest.mark.parametrize("moments", [{"conversationEndTimeL": None}, {"conversationEndTimeL": -1}])
def test_without_the_moment_of_the_close_the_end_stands_for_it(moments: Any) -> None:
    (row,) = derived_from(info(**moments))
    assert (row["totalResolvedConversations"], row["totalHandlingTime_resolvedConversations"]) == (1, 60_000)


def test_moments_may_be_text() -> None:
    texts = {"startTimeL": str(START), "endTimeL": str(START + 1), "conversationEndTimeL": str(START + 1)}
    (row,) = derived_from(info(**texts))
    assert (row["totalResolvedConversations"], row["totalHandlingTime_resolvedConversations"]) == (1, 1)


def test_a_wide_id_of_a_skill_stays_exact() -> None:
    rows = derived_from(info(latestSkillId=SKILLS[2]), skill_ids=[str(SKILLS[2])])
    assert [row["skill_id"] for row in rows] == [None, "9007199254740993", "9007199254740993"]


# What is refused.


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"report": "csat_distribution", **DERIVED}, "source_of_truth"),
        ({"report": "queue_health", **DERIVED}, "source_of_truth"),
        ({"source_of_truth": "hearsay"}, "source_of_truth"),
        ({"max_age": timedelta(days=-1), **DERIVED}, "max_age"),
        ({"max_age": 90, **DERIVED}, "max_age"),
        ({"interval": 7, **DERIVED}, "interval"),
        ({"window": Window(START, START + 1), **DERIVED}, "five-minute"),
        ({"window": Window(LATER - 420 * DAY, LATER - 419 * DAY), **DERIVED}, "13 months"),
    ],
)
def test_what_cannot_be_recomputed_is_refused(query: Any, named: str) -> None:
    whole = {"window": Window(START, START + HOUR), **query}
    clock = clock_at(LATER)
    with account_on(clock, []) as sandbox, connect(sandbox, clock) as client:
        with pytest.raises(LivePersonConfigurationError, match=named):
            measured(client, **whole)
        assert not sandbox.requests


def test_the_summary_says_that_it_is_derived(tmp_path: Path) -> None:
    clock = clock_at(LATER)
    with account_on(clock, []) as sandbox, connect(sandbox, clock) as client:
        window = Window(START, START + HOUR)
        query = MetricsQuery.checked(window=window, now=client.now, source_of_truth="conversations")
        assert export_metrics(client, query, UPath(str(tmp_path / "x.csv")), format="csv")["derived"] is True
