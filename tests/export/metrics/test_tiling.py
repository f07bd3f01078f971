from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonWindowError
from airflow_provider_lp.export.formats import encoded
from airflow_provider_lp.export.metrics.export import covered_by
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import (
    AVERAGES,
    BUCKET,
    KEY,
    MINUTE,
    SUMMED,
    account_on,
    added,
    by_key,
    clock_at,
    expected,
    floor5,
    hour,
    iso,
    measured,
    pieces,
    rows_at,
)
from tests.export.metrics.strategies import (
    AGENTS,
    END,
    SKILLS,
    START,
    crowds,
    ids_of_agents,
    ids_of_skills,
    windows,
)
from tests.exported import calls, connect
from tests.samples import DAY, HOUR, NOW, at, ms

LATER = ms(NOW)
MSGCONVERSATION = "/msgconversation"
#: Over sockets, shrinking takes minutes.
quick = settings(phases=(Phase.explicit, Phase.generate), max_examples=15)


def closed(*moments: int, **traits: Any) -> list[Conversation]:
    """Conversations of a minute that are closed at these moments."""
    return [
        Conversation(f"c{number:04}", moment - MINUTE, end_ms=moment, message_count=2, **traits)
        for number, moment in enumerate(moments)
    ]


# Rows tile the window, and each row has exactly what was closed in it.


@settings(quick, max_examples=40)
@given(crowds(), windows(), ids_of_skills, ids_of_agents)
def test_rows_are_the_truth_of_tiles_of_the_window(
    conversations: list[Conversation], window: tuple[int, int, int | None], skill_ids: Any, agent_ids: Any
) -> None:
    start_ms, end_ms, interval = window
    rows = rows_at(
        LATER,
        conversations,
        window=Window(start_ms, end_ms),
        interval=interval,
        skill_ids=skill_ids,
        agent_ids=agent_ids,
    )
    periods = pieces(floor5(start_ms), floor5(end_ms), interval)
    assert by_key(rows) == expected(conversations, periods, skill_ids, agent_ids)
    accounts = [row for row in rows if row["level"] == "account"]
    assert [(row["interval_start"], row["interval_end"]) for row in accounts] == [
        (iso(begin), iso(stop)) for begin, stop in periods
    ]
    assert not any(row["derived"] for row in rows)


@quick
@given(crowds(20), st.sets(st.integers(START, END - 1), max_size=6), st.booleans())
def test_windows_that_adjoin_neither_double_nor_skip(
    conversations: list[Conversation], cuts: set[int], on_marks: bool
) -> None:
    edges = sorted({START, END, *(floor5(cut) if on_marks else cut for cut in cuts)})
    clock = clock_at(LATER)
    parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        for begin, stop in pairwise(edges):
            if floor5(begin) == floor5(stop):
                with pytest.raises(LivePersonWindowError, match="five-minute"):
                    measured(client, window=Window(begin, stop))
                continue
            rows = measured(client, window=Window(begin, stop), skill_ids="all", agent_ids="all")
            for key, metrics in by_key(rows).items():
                parts.setdefault(key[:3], []).append(metrics)
    whole = expected(conversations, [(START, END)], "all", "all")
    assert {key: added(each) for key, each in parts.items()} == {key[:3]: metrics for key, metrics in whole.items()}


@settings(phases=(Phase.explicit, Phase.generate), max_examples=3)
@given(crowds(30), st.integers(0, 23 * 60))
def test_the_hourly_runs_of_a_day_are_the_day(conversations: list[Conversation], late_minutes: int) -> None:
    day_ms = START - START % HOUR
    parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for number in range(24):
        window = hour(day_ms, number)
        rows = rows_at(
            window.end_ms + late_minutes * MINUTE, conversations, window=window, skill_ids="all", agent_ids="all"
        )
        assert covered_by(rows) == {"start": iso(window.start_ms), "end": iso(window.end_ms)}
        for key, metrics in by_key(rows).items():
            parts.setdefault(key[:3], []).append(metrics)
    at_once = rows_at(
        day_ms + DAY, conversations, window=Window(day_ms, day_ms + DAY), skill_ids="all", agent_ids="all"
    )
    assert {key: added(each) for key, each in parts.items()} == {
        key[:3]: metrics for key, metrics in by_key(at_once).items()
    }


@pytest.mark.parametrize("off_ms", [-1, 0, 1])
def test_a_close_on_the_edge_belongs_to_the_window_that_it_begins(off_ms: int) -> None:
    edge = START + 3 * BUCKET
    conversations = closed(edge + off_ms)
    counts = [
        rows_at(LATER, conversations, window=Window(begin, stop))[0]["totalResolvedConversations"]
        for begin, stop in ((START, edge), (edge, edge + BUCKET), (START, edge + BUCKET))
    ]
    assert counts == ([1, 0, 1] if off_ms < 0 else [0, 1, 1])


# What follows from it.


@quick
@given(crowds(20), windows())
def test_averages_are_totals_by_counts_and_the_account_is_the_sum_of_its_skills(
    conversations: list[Conversation], window: tuple[int, int, int | None]
) -> None:
    start_ms, end_ms, interval = window
    rows = rows_at(LATER, conversations, window=Window(start_ms, end_ms), interval=interval, skill_ids="all")
    for row in rows:
        for name, (time, count) in AVERAGES.items():
            assert row[name] == (row[time] / row[count] if row[count] else 0)
    for account in (row for row in rows if row["level"] == "account"):
        same_time = [row for row in rows if row["interval_start"] == account["interval_start"]]
        for level in ("skill",):
            parts = [row for row in same_time if row["level"] == level]
            assert added(parts) == {name: account[name] for name in (*SUMMED, *AVERAGES)}
        for skill in (row for row in same_time if row["level"] == "skill"):
            agents = [
                row for row in same_time if row["level"] == "skill_agent" and row["skill_id"] == skill["skill_id"]
            ]
            assert all(added(agents)[name] <= skill[name] for name in SUMMED)


@quick
@given(crowds(20), windows())
def test_the_same_window_gives_the_same_bytes(
    conversations: list[Conversation], window: tuple[int, int, int | None]
) -> None:
    start_ms, end_ms, interval = window
    query = {"window": Window(start_ms, end_ms), "interval": interval, "skill_ids": "all", "agent_ids": "all"}
    first = rows_at(LATER, conversations, **query)
    second = rows_at(LATER + 1_000, reversed(conversations), **query)
    assert list(encoded(first, list(first[0]), "ndjson")) == list(encoded(second, list(first[0]), "ndjson"))
    assert list(encoded(first, list(first[0]), "csv")) == list(encoded(second, list(first[0]), "csv"))


def test_rows_are_ordered_by_time_then_level_then_id() -> None:
    conversations = [
        Conversation(
            f"c{number}",
            START,
            end_ms=START + number * MINUTE,
            skill_ids=(SKILLS[number % 3],),
            agent_ids=(AGENTS[number % 2],),
            message_count=2,
        )
        for number in range(10)
    ]
    window = Window(START, START + 2 * BUCKET)
    rows = rows_at(LATER, conversations, window=window, interval=5, skill_ids="all", agent_ids="all")
    levels = ["account", "skill", "agent", "skill_agent"]
    keys = [
        (row["interval_start"], levels.index(row["level"]), row["skill_id"] or "", row["agent_id"] or "")
        for row in rows
    ]
    assert keys == sorted(keys)
    assert len({key[0] for key in keys}) == 2


def test_a_row_says_what_it_is() -> None:
    (row,) = rows_at(LATER, closed(START), window=Window(START, START + BUCKET))
    assert list(row)[:9] == ["report", "account_id", *KEY, "derived"]
    assert {name: row[name] for name in ("report", "account_id", "level", "derived")} == {
        "report": "messaging_conversation",
        "account_id": "12345678",
        "level": "account",
        "derived": False,
    }
    assert [row["skill_id"], row["agent_id"], row["group_id"]] == [None, None, None]
    assert {type(row[name]) for name in SUMMED} == {int}
    assert {type(row[name]) for name in AVERAGES} == {float}
    assert set(list(row)[9:]) == {*SUMMED, *AVERAGES}


def test_a_window_without_any_conversation_has_zeros_for_the_account() -> None:
    rows = rows_at(LATER, [], window=Window(START, START + HOUR), interval=5, skill_ids="all", agent_ids="all")
    assert [(row["level"], row["totalResolvedConversations"]) for row in rows] == [("account", 0)] * 12


@pytest.mark.parametrize("interval", [timedelta(minutes=30), 30])
def test_an_interval_may_be_a_timedelta(interval: Any) -> None:
    rows = rows_at(LATER, closed(START), window=Window(START, START + HOUR), interval=interval)
    assert [row["totalResolvedConversations"] for row in rows] == [1, 0]


def test_groups_narrow_the_count() -> None:
    conversations = [
        Conversation(f"c{number}", START, end_ms=START + number, agent_ids=AGENTS[:1], agent_group_id=group)
        for number, group in enumerate((17, 17, 18, -1))
    ]
    for groups, count in ((["17"], 2), (["17", 18], 3), ([-1], 1), ("all", 4)):
        (row,) = rows_at(LATER, conversations, window=Window(START, START + BUCKET), group_ids=groups)
        assert row["totalResolvedConversations"] == count
        assert row["group_id"] is None


# Long lists of ids.

MANY = [str(4_294_967_296 + number) for number in range(1_300)]


def many_skills() -> list[Conversation]:
    """One conversation or two of every third of the skills, and of agents likewise."""
    return [
        Conversation(
            f"c{number:04}",
            START,
            end_ms=START + number % 10 * MINUTE,
            skill_ids=(int(MANY[3 * number % 1_300]),),
            agent_ids=(MANY[7 * number % 1_300],),
            message_count=2,
        )
        for number in range(500)
    ]


@pytest.mark.parametrize(
    ("skills", "agents", "posts"),
    [
        (1, None, 0),
        (100, None, 0),
        (200, None, 1),
        (400, None, 1),
        (501, None, 2),
        (1_300, None, 3),
        (None, 400, 1),
        (None, 1_300, 3),
        (400, 400, 1),
        (501, 3, 3),
        (1_300, 501, 5),
    ],
)
def test_any_number_of_ids_gives_what_all_gives_of_them(skills: Any, agents: Any, posts: int) -> None:
    conversations = many_skills()
    window = Window(START, START + 2 * BUCKET)
    asked: dict[str, Any] = {"skill_ids": skills and MANY[:skills], "agent_ids": agents and MANY[:agents]}
    clock = clock_at(LATER)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, window=window, interval=5, **asked)
        sent = calls(sandbox, MSGCONVERSATION)
        all_of: dict[str, Any] = {name: ids and "all" for name, ids in asked.items()}
        every = measured(client, window=window, interval=5, **all_of)
    assert [seen.method for seen in sent] == (["POST"] * posts or ["GET"])
    assert all(seen.status == 200 for seen in sent)
    of_all = {
        key: metrics
        for key, metrics in by_key(every).items()
        if (key[0] in ("skill", "skill_agent") and key[1] in (asked["skill_ids"] or ()))
        or (key[0] == "agent" and key[2] in (asked["agent_ids"] or ()))
    }
    found = by_key(rows)
    assert {key: metrics for key, metrics in found.items() if key[0] != "account"} == of_all
    level = "skill" if skills else "agent"
    for key, metrics in found.items():
        if key[0] == "account":
            parts = [each for other, each in of_all.items() if other[0] == level and other[3:] == key[3:]]
            assert metrics == added(parts)
    assert len([key for key in found if key[0] == "account"]) == 2


def test_ids_given_twice_count_once() -> None:
    conversations = closed(START, skill_ids=(12,))
    asked = [str(number) for number in range(2_000)]
    rows = rows_at(LATER, conversations, window=Window(START, START + BUCKET), skill_ids=[*asked, *asked])
    assert [row["totalResolvedConversations"] for row in rows] == [1, 1, 1]


def test_many_groups_go_in_short_urls() -> None:
    conversations = [
        Conversation(
            f"c{number:04}", START, end_ms=START, skill_ids=(12,), agent_ids=AGENTS[:1], agent_group_id=int(group)
        )
        for number, group in enumerate(MANY[:300])
    ]
    clock = clock_at(LATER)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        rows = measured(client, window=Window(START, START + BUCKET), group_ids=MANY[:299], skill_ids=["12"])
        sent = calls(sandbox, MSGCONVERSATION)
    assert [(row["level"], row["totalResolvedConversations"]) for row in rows] == [
        ("account", 299), ("skill", 299), ("skill_agent", 299),
    ]  # fmt: skip
    assert {seen.method for seen in sent} == {"GET"}
    assert all(len(str(seen.query)) < 2_000 for seen in sent)


# Windows that still run, and clocks that move on meanwhile.


def test_a_window_that_still_runs_ends_with_the_bucket_that_does() -> None:
    window = Window(at(20, 12), at(20, 13))
    rows = rows_at(at(20, 12, 34, 56, 789), closed(at(20, 12), at(20, 12, 34), at(20, 12, 34, 57)), window=window)
    assert [(row["interval_start"], row["interval_end"]) for row in rows] == [(iso(at(20, 12)), iso(at(20, 12, 35)))]
    assert rows[0]["totalResolvedConversations"] == 2


def test_intervals_of_a_window_that_still_runs_do_not_reach_beyond_now() -> None:
    window = Window(at(20, 12), at(20, 13))
    rows = rows_at(at(20, 12, 34), closed(at(20, 12, 33)), window=window, interval=20)
    assert [(row["interval_start"], row["interval_end"], row["totalResolvedConversations"]) for row in rows] == [
        (iso(at(20, 12)), iso(at(20, 12, 20)), 0),
        (iso(at(20, 12, 20)), iso(at(20, 12, 35)), 1),
    ]


@quick
@given(
    crowds(20),
    windows(),
    st.sampled_from((0.001, 0.5, 30.0, 200.0)),
    st.sampled_from((-100.0, -0.5, 0.0, 0.5, 100.0)),
    st.sampled_from((0, 1, 100, BUCKET - 1)),
)
def test_a_window_that_is_over_is_the_same_however_slow_and_fast_the_clocks(
    conversations: list[Conversation],
    window: tuple[int, int, int | None],
    slowness_s: float,
    ahead_s: float,
    before_mark_ms: int,
) -> None:
    start_ms, end_ms, _ = window
    start_ms = max(start_ms, START + HOUR)
    end_ms = max(end_ms, start_ms + 2 * BUCKET)
    clock = clock_at(END + BUCKET - before_mark_ms)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s, sandbox.account.ahead_s = slowness_s, ahead_s  # type: ignore[attr-defined]
        rows = measured(client, window=Window(start_ms, min(end_ms, END)), skill_ids="all", agent_ids="all")
    periods = pieces(floor5(start_ms), floor5(min(end_ms, END)), None)
    assert by_key(rows) == expected(conversations, periods, "all", "all")


@pytest.mark.parametrize("skills", [3, 1_300])
@pytest.mark.parametrize("interval", [None, 5])
@pytest.mark.parametrize("slowness_s", [0.2, 1.0, 100.0])
def test_a_window_that_runs_on_while_it_is_read_has_one_set_of_rows_that_says_what_it_covers(
    skills: int, interval: int | None, slowness_s: float
) -> None:
    mark = at(20, 12, 35)
    late = [
        Conversation(f"late{number}", START, end_ms=mark + number, skill_ids=(int(MANY[number * 600]),))
        for number in range(3)
    ]
    conversations = [*closed(at(20, 12, 31), skill_ids=(int(MANY[0]),)), *late]
    clock = clock_at(mark - 300)
    with account_on(clock, conversations) as sandbox, connect(sandbox, clock) as client:
        sandbox.account.slowness_s = slowness_s  # type: ignore[attr-defined]
        rows = measured(
            client, window=Window(mark - 2 * BUCKET, mark + HOUR), interval=interval, skill_ids=MANY[:skills]
        )
    accounts = [row for row in rows if row["level"] == "account"]
    edges = [(row["interval_start"], row["interval_end"]) for row in accounts]
    assert edges[0][0] == iso(mark - 2 * BUCKET)
    assert all(stop == begin for (_, stop), (begin, _) in pairwise(edges))
    assert interval is not None or len(edges) == 1
    assert {(row["interval_start"], row["interval_end"]) for row in rows} == set(edges)
    in_time = (
        1 if edges[-1][1] == iso(mark) else 1 + len([each for each in late if str(each.skill_ids[0]) in MANY[:skills]])
    )
    assert sum(row["totalResolvedConversations"] for row in accounts) == in_time
