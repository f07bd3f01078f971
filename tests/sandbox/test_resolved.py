from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation

from .caller import ACCOUNT_ID, NOW, Caller, at, ms

METHOD = "msgconversation"
BUCKET_MS = 300_000
MINUTE_MS = 60_000
SIDES = {"AGENT": "byCCP", "CONSUMER": "byConsumer", "SYSTEM": "bySystem"}
COUNT, TIME = "totalResolvedConversations", "totalHandlingTime_resolvedConversations"
ALL = {"skillIds": "all", "agentIds": "all"}


def closed(name: str, end_ms: int, **facts: Any) -> Conversation:
    return Conversation(name, facts.pop("start_ms", end_ms - 10 * MINUTE_MS), end_ms=end_ms, **facts)


def moment(hour: int, minute: int, second: int = 0, milli: int = 0) -> int:
    return at(20, hour, minute, second, milli)


def account_at(hour: int, minute: int, *conversations: Conversation, second: int = 0) -> Account:
    return Account.of(conversations, now=datetime(2026, 3, 20, hour, minute, second, tzinfo=UTC))


def every_minute(from_ms: int, to_ms: int) -> list[Conversation]:
    return [closed(f"c{end_ms}", end_ms) for end_ms in range(from_ms, to_ms, MINUTE_MS)]


def expected(conversations: list[Conversation]) -> dict[str, float]:
    """The metrics, worked out in another way than the sandbox does."""
    metrics: dict[str, float] = {}
    sides = {f"_{side}": [each for each in conversations if each.close_reason == name] for name, side in SIDES.items()}
    for side, members in (sides | {"": conversations}).items():
        total = sum((each.conversation_end_ms or 0) - each.start_ms for each in members)
        metrics[f"resolvedConversations{side}" if side else COUNT] = len(members)
        metrics[f"{TIME}{side}"] = total
        metrics[f"avgTime_resolvedConversations{side}"] = total / len(members) if members else 0
    return metrics


def visible(account: Account, start_ms: int, end_ms: int) -> list[Conversation]:
    return [each for each in account.conversations() if start_ms <= (each.conversation_end_ms or 0) < end_ms]


def test_the_documented_frame_that_is_rounded_outwards(serve: Callable[..., Caller]) -> None:
    """13:29 with a timeframe of 7 takes in 13:20 to 13:29."""
    caller = serve(account=account_at(13, 29, *every_minute(moment(13, 0), moment(13, 40))))
    assert caller.measured(METHOD, timeframe=7)["metricsTotals"][COUNT] == 10
    (row,) = caller.measured(METHOD, timeframe=5, interval=5)["metricsByIntervals"][:1]
    assert row["timestamp"] == moment(13, 30)


def test_the_documented_intervals(serve: Callable[..., Caller]) -> None:
    """8:07 with a timeframe of 20 and an interval of 10 gives three rows, the earliest of five minutes."""
    caller = serve(account=account_at(8, 7, *every_minute(moment(7, 0), moment(9, 0))))
    answer = caller.measured(METHOD, timeframe=20, interval=10)
    rows = {row["timestamp"]: row["metricsData"]["metricsTotals"][COUNT] for row in answer["metricsByIntervals"]}
    assert rows == {moment(8, 10): 8, moment(8, 0): 10, moment(7, 50): 5}
    assert list(rows) == sorted(rows, reverse=True)
    assert answer["metricsTotals"][COUNT] == 23


def test_buckets_are_half_open_and_nothing_comes_before_it_happens(serve: Callable[..., Caller]) -> None:
    edges = [moment(12, 0), moment(12, 5) - 1, moment(12, 5), moment(12, 10) - 1, moment(12, 10), moment(12, 12) + 1]
    caller = serve(account=account_at(12, 12, *(closed(f"e{end_ms}", end_ms) for end_ms in edges)))
    rows = caller.measured(METHOD, timeframe=10, interval=5)["metricsByIntervals"]
    assert [(row["timestamp"], row["metricsData"]["metricsTotals"][COUNT]) for row in rows] == [
        (moment(12, 15), 1),
        (moment(12, 10), 2),
        (moment(12, 5), 2),
    ]


def test_on_a_mark_the_frame_is_as_long_as_asked(serve: Callable[..., Caller]) -> None:
    caller = serve(account=account_at(12, 10, *every_minute(moment(11, 0), moment(13, 0))))
    answer = caller.measured(METHOD, timeframe=60, interval=30)
    assert answer["metricsTotals"][COUNT] == 60
    assert [row["timestamp"] for row in answer["metricsByIntervals"]] == [moment(12, 10), moment(11, 40)]


@pytest.mark.parametrize(("timeframe", "interval"), [(1440, 5), (1440, 60), (1440, 1440), (77, 7), (3, 3), (90, 1)])
def test_rows_tile_the_frame_and_add_up_to_it(steady: Caller, timeframe: int, interval: int) -> None:
    answer = steady.measured(METHOD, timeframe=timeframe, interval=interval)
    rows = answer["metricsByIntervals"]
    start_ms = (ms(NOW) - timeframe * MINUTE_MS) // BUCKET_MS * BUCKET_MS
    edges = [row["timestamp"] for row in rows] + [start_ms]
    assert edges[0] == -(-ms(NOW) // BUCKET_MS) * BUCKET_MS
    assert all(0 < later - earlier <= interval * MINUTE_MS for later, earlier in pairwise(edges))
    for (later, earlier), row in zip(pairwise(edges), rows, strict=True):
        found = visible(steady.sandbox.account, earlier, later)
        assert row["metricsData"] == {"metricsTotals": pytest.approx(expected(found))}
    whole = answer["metricsTotals"]
    for name in whole:
        if not name.startswith("avg"):
            assert whole[name] == sum(row["metricsData"]["metricsTotals"][name] for row in rows)


def test_sections_agree_with_the_truth_of_the_account(steady: Caller) -> None:
    answer = steady.measured(METHOD, timeframe=1440, **ALL)
    assert answer.keys() == {"skillsMetricsPerAgent", "agentsMetrics"}
    start_ms = (ms(NOW) - 1440 * MINUTE_MS) // BUCKET_MS * BUCKET_MS
    truth = steady.sandbox.account.resolved_truth(start_ms, ms(NOW) + 1)
    skills, agents = answer["skillsMetricsPerAgent"], answer["agentsMetrics"]
    assert skills["metricsTotals"] == truth.pop((None, None))
    found = {(None, agent): metrics for agent, metrics in agents["metricsPerAgent"].items()}
    for skill, section in skills["metricsPerSkill"].items():
        found[skill, None] = section["metricsTotals"]
        found |= {(skill, agent): metrics for agent, metrics in section["metricsPerAgent"].items()}
    assert found == truth
    assert len(truth) > 20


def test_the_truth_counts_what_conversations_say(steady: Caller) -> None:
    account = steady.sandbox.account
    start_ms, end_ms = at(18), at(19)
    found = visible(account, start_ms, end_ms)
    truth = account.resolved_truth(start_ms, end_ms)
    assert truth[None, None] == expected(found)
    skill, agent = str(found[0].skill_ids[-1]), found[0].agent_ids[-1]
    of_skill = [each for each in found if str(each.skill_ids[-1]) == skill]
    assert truth[skill, None] == expected(of_skill)
    assert truth[skill, agent] == expected([each for each in of_skill if each.agent_ids[-1:] == (agent,)])
    assert truth[None, agent] == expected([each for each in found if each.agent_ids[-1:] == (agent,)])
    assert account.resolved_truth(5, 5) == {(None, None): expected([])}
    assert account.closed_between(start_ms, end_ms) == found


MIXED = [
    closed("a", moment(12, 0), skill_ids=(12, 7), agent_ids=("1", "2"), agent_group_id=17, close_reason="AGENT"),
    closed("b", moment(12, 1), skill_ids=(7,), agent_ids=("6",), agent_group_id=18, close_reason="SYSTEM"),
    closed("c", moment(12, 2), skill_ids=(9,), agent_ids=("2",), agent_group_id=17, close_reason="CONSUMER"),
    closed("d", moment(12, 3), skill_ids=(9,), queue_state="IN_QUEUE", close_reason="CONSUMER"),
    Conversation("e", moment(11, 0), skill_ids=(7,), agent_ids=("2",)),
]
BY_NAME = {each.conversation_id: each for each in MIXED}


def of(names: str) -> dict[str, float]:
    return expected([BY_NAME[name] for name in names])


@pytest.fixture
def mixed(serve: Callable[..., Caller]) -> Caller:
    return serve(*MIXED)


def test_no_ids_give_the_totals_of_the_account(mixed: Caller) -> None:
    assert mixed.measured(METHOD, timeframe=60) == {"metricsTotals": of("abcd")}


def test_skills_are_split_by_their_agents(mixed: Caller) -> None:
    assert mixed.measured(METHOD, timeframe=60, skillIds="9,7,12") == {
        "skillsMetricsPerAgent": {
            "metricsPerSkill": {
                "7": {"metricsPerAgent": {"2": of("a"), "6": of("b")}, "metricsTotals": of("ab")},
                "9": {"metricsPerAgent": {"2": of("c")}, "metricsTotals": of("cd")},
            },
            "metricsTotals": of("abcd"),
        }
    }


def test_agents_count_what_they_had_last(mixed: Caller) -> None:
    assert mixed.measured(METHOD, timeframe=60, agentIds="all") == {
        "agentsMetrics": {"metricsPerAgent": {"2": of("ac"), "6": of("b")}, "metricsTotals": of("abc")}
    }


def test_the_agents_do_not_filter_the_skills(mixed: Caller) -> None:
    answer = mixed.measured(METHOD, timeframe=60, skillIds="7", agentIds="2,2")
    assert answer.keys() == {"skillsMetricsPerAgent", "agentsMetrics"}
    assert answer["skillsMetricsPerAgent"]["metricsPerSkill"]["7"]["metricsPerAgent"].keys() == {"2", "6"}
    assert answer["skillsMetricsPerAgent"]["metricsTotals"] == of("ab")
    assert answer["agentsMetrics"] == {"metricsPerAgent": {"2": of("ac")}, "metricsTotals": of("ac")}


def test_groups_are_a_filter(mixed: Caller) -> None:
    assert mixed.measured(METHOD, timeframe=60, groupIds="17") == {"metricsTotals": of("ac")}
    assert mixed.measured(METHOD, timeframe=60, groupIds="18,17") == {"metricsTotals": of("abc")}
    assert mixed.measured(METHOD, timeframe=60, groupIds="all") == {"metricsTotals": of("abcd")}
    assert mixed.measured(METHOD, timeframe=60, groupIds="18", agentIds="all")["agentsMetrics"]["metricsTotals"] == of(
        "b"
    )


def test_without_data_maps_are_empty_and_totals_zero(mixed: Caller) -> None:
    nothing = of("")
    assert set(nothing.values()) == {0}
    assert mixed.measured(METHOD, timeframe=5) == {"metricsTotals": nothing}
    assert mixed.measured(METHOD, timeframe=60, skillIds="12,404", agentIds="404") == {
        "skillsMetricsPerAgent": {"metricsPerSkill": {}, "metricsTotals": nothing},
        "agentsMetrics": {"metricsPerAgent": {}, "metricsTotals": nothing},
    }


def test_interval_rows_have_the_shape_of_the_whole(mixed: Caller) -> None:
    answer = mixed.measured(METHOD, timeframe=60, interval=60, skillIds="9", agentIds="6")
    (newest, _) = rows = answer.pop("metricsByIntervals")
    assert answer["skillsMetricsPerAgent"]["metricsTotals"] == of("cd")
    assert newest["metricsData"] == answer
    assert all(row["metricsData"].keys() == answer.keys() for row in rows)


def test_a_body_asks_for_the_same(steady: Caller) -> None:
    parameters = {"timeframe": "1440", "v": "1", "interval": "60", "skillIds": "12,3141592653", "agentIds": "all"}
    url = steady.operations(METHOD)
    sent = steady.session.post(url, json=parameters, params={"source": "x"}, auth=steady.auth, timeout=10)
    assert sent.status_code == 200
    assert sent.json() == steady.measured(METHOD, **parameters)


@pytest.mark.parametrize(
    "changed",
    [{"groupIds": "17"}, {"timeframe": 60}, {"skillIds": ["12"]}, {"v": None}, {"colour": "red"}, {"interval": "7"}],
)
def test_a_body_is_read_strictly(steady: Caller, changed: dict[str, Any]) -> None:
    body = {"timeframe": "60", "v": "1"} | changed
    refused = steady.session.post(steady.operations(METHOD), json=body, auth=steady.auth, timeout=10)
    assert refused.status_code == 400
    assert refused.json()["message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"timeframe": None},
        {"timeframe": "0"},
        {"timeframe": "1441"},
        {"timeframe": "60.0"},
        {"timeframe": "-5"},
        {"timeframe": ""},
        {"interval": "31"},
        {"interval": "61"},
        {"interval": "0"},
        {"interval": "five"},
        {"v": None},
        {"v": "2"},
        {"skillIds": ""},
        {"skillIds": "12,"},
        {"skillIds": "12, 13"},
        {"skillIds": "sales"},
        {"skillIds": "12,all"},
        {"groupIds": "north"},
        {"agentIds": "1;2"},
        {"fromMillis": "1"},
        {"skillIDs": "12"},
    ],
)
def test_a_query_is_read_strictly(steady: Caller, changed: dict[str, Any]) -> None:
    refused = steady.metrics(METHOD, **({"timeframe": "60"} | changed))
    assert refused.status_code == 400, refused.text
    assert next(iter(changed)) in refused.json()["message"]


def test_the_caller_may_name_itself(steady: Caller) -> None:
    assert steady.measured(METHOD, timeframe=60, source="SandboxTests") == steady.measured(METHOD, timeframe=60)


def test_metrics_are_guarded_as_conversations_are(steady: Caller) -> None:
    url = steady.operations(METHOD)
    assert steady.session.get(url, params={"v": 1, "timeframe": 5}, timeout=5).status_code == 401
    other = url.replace(ACCOUNT_ID, "87654321")
    assert steady.session.get(other, params={"v": 1, "timeframe": 5}, auth=steady.auth, timeout=5).status_code == 401


def test_records_say_who_closed(steady: Caller) -> None:
    reasons = set()
    for record in steady.search(at(18), at(19), {"contentToRetrieve": ["dialogs"], "status": ["CLOSE"]})[
        "conversationHistoryRecords"
    ]:
        conversation = steady.sandbox.account.find(record["info"]["conversationId"])
        assert conversation is not None
        assert record["info"]["closeReason"] == conversation.close_reason
        assert {row["closeReason"] for row in record["dialogs"]} == {conversation.close_reason}
        reasons.add(record["info"]["closeReason"])
    assert reasons == set(SIDES)


def test_an_unknown_close_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="close_reason"):
        Conversation("a", 1, close_reason="BOREDOM")


def test_the_truth_of_metrics_by_http(steady: Caller) -> None:
    query = "report=messaging_conversation&start=2026-03-18T00:00:00Z&end=2026-03-19T00:00:00Z"
    answer = steady.get(f"/sandbox/truth?{query}").json()
    truth = steady.sandbox.account.resolved_truth(at(18), at(19))
    assert {(row.pop("skill_id"), row.pop("agent_id")): row for row in answer["rows"]} == truth
    for wrong in "report=messaging_conversation&start=2026-03-18T00:00:00Z", query.replace("messaging", "no"):
        assert steady.get(f"/sandbox/truth?{wrong}").status_code == 400


def test_the_clock_of_a_generated_account_does_not_step() -> None:
    account = Account(days=0, per_day=1)
    before = ms(datetime.now(UTC))
    clock, now = account.clock_ms(), account.now_ms()
    assert before <= clock <= ms(datetime.now(UTC))
    assert now % MINUTE_MS == 0
    assert 0 <= clock - now < 2 * MINUTE_MS
