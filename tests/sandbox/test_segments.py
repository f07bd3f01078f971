from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation

from .caller import NOW, Caller, ms

SKILLS, AGENTS = "msgskillsegments", "msgagentsegments"
NOW_MS = ms(NOW)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
KINDS = {
    SKILLS: (
        "interactiveSkillSegments",
        "skillSegmentsAbandonedByConsumers",
        "skillSegmentsWithNonResponsiveConsumers",
        "skillSegmentsWithNonResponsiveAgents",
    ),
    AGENTS: (
        "interactiveAgentSegments",
        "agentSegmentsAbandonedByConsumers",
        "agentSegmentsWithNonResponsiveConsumers",
        "agentSegmentsWithNonResponsiveAgents",
    ),
}
TOTAL = {SKILLS: "totalSkillConversationSegments", AGENTS: "totalAgentConversationSegments"}
METHODS = pytest.mark.parametrize("method", [SKILLS, AGENTS])


def groups(method: str, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["skillsMetrics"] if method == SKILLS else answer["agentsMetrics"]["metricsPerAgent"]
    return found


def spoken(name: str, messages: int, **facts: Any) -> Conversation:
    """A conversation of an hour that is over half an hour before now, a message every five minutes."""
    start_ms = NOW_MS - 90 * MINUTE_MS
    given = {"end_ms": start_ms + HOUR_MS, "skill_ids": (7,), "agent_ids": ("1",)} | facts
    return Conversation(name, start_ms, message_count=messages, message_interval_ms=5 * MINUTE_MS, **given)


@METHODS
@pytest.mark.parametrize("timeframe", [5, 60, 1440])
def test_every_segment_is_of_one_kind_and_in_one_group(steady: Caller, method: str, timeframe: int) -> None:
    answer = steady.measured(method, timeframe=timeframe)
    members = groups(method, answer)
    for metrics in (*members.values(), answer["metricsTotal"]):
        assert metrics[TOTAL[method]] == sum(metrics[kind] for kind in KINDS[method])
    for name in (*KINDS[method], TOTAL[method]):
        assert answer["metricsTotal"][name] == sum(metrics[name] for metrics in members.values())


@METHODS
def test_segments_outnumber_the_conversations(steady: Caller, method: str) -> None:
    closed = steady.sandbox.account.closed_between(NOW_MS - 24 * HOUR_MS, NOW_MS)
    assert steady.measured(method, timeframe=1440)["metricsTotal"][TOTAL[method]] > len(closed)


def test_a_conversation_has_a_segment_for_each_skill_and_agent(serve: Callable[..., Caller]) -> None:
    caller = serve(
        *(spoken(str(number), 9, skill_ids=(7, 9)[: 1 + number % 2], agent_ids=("1", "2")) for number in range(6))
    )
    assert caller.measured(SKILLS, timeframe=1440)["metricsTotal"][TOTAL[SKILLS]] == 9
    by_agent = groups(AGENTS, caller.measured(AGENTS, timeframe=1440))
    assert {agent: metrics[TOTAL[AGENTS]] for agent, metrics in by_agent.items()} == {"1": 6, "2": 6}
    by_skill = groups(SKILLS, caller.measured(SKILLS, timeframe=1440))
    assert {skill: metrics[TOTAL[SKILLS]] for skill, metrics in by_skill.items()} == {"7": 6, "9": 3}
    per_skill = caller.measured(AGENTS, timeframe=1440, skillIds="9")["metricsPerSkill"]
    assert {agent: each[TOTAL[AGENTS]] for agent, each in per_skill["9"]["metricsPerAgent"].items()} == {"2": 3}


def test_rows_add_up_to_the_frame_in_the_order_and_form_of_each_method(steady: Caller) -> None:
    for method in SKILLS, AGENTS:
        answer = steady.measured(method, timeframe=180, interval=60)
        assert answer.keys() == {"metricsByIntervals", "timeframeSummary"}
        assert answer["timeframeSummary"] == steady.measured(method, timeframe=180)
        rows = answer["metricsByIntervals"]
        stamps = [NOW_MS - hours * HOUR_MS for hours in ((1, 2, 3) if method == SKILLS else (3, 2, 1))]
        assert [row["timestamp"] for row in rows] == stamps
        assert all(("metricsData" in row) is (method == AGENTS) for row in rows)
        totals = [row.get("metricsData", row)["metricsTotal"] for row in rows]
        for name in (*KINDS[method], TOTAL[method]):
            assert answer["timeframeSummary"]["metricsTotal"][name] == sum(total[name] for total in totals)


@METHODS
def test_an_hour_stays_as_it_was(steady: Caller, serve: Callable[..., Caller], method: str) -> None:
    later = serve(account=Account(now=NOW + timedelta(hours=1), days=4, per_day=60))
    rows = later.measured(method, timeframe=120, interval=60)["metricsByIntervals"]
    (same,) = (row for row in rows if row.pop("timestamp") == NOW_MS - HOUR_MS)
    assert same.get("metricsData", same) == steady.measured(method, timeframe=60)


@METHODS
def test_without_data_counts_are_zero_and_averages_minus_one(serve: Callable[..., Caller], method: str) -> None:
    answer = serve(spoken("a", 3)).measured(method, timeframe=5)
    assert groups(method, answer) == {}
    for name, value in answer["metricsTotal"].items():
        assert value == (-1 if name.startswith("avg") else 0)


def test_skills_add_a_section_to_the_agents(steady: Caller) -> None:
    plain = steady.measured(AGENTS, timeframe=1440)
    assert plain.keys() == {"agentsMetrics", "metricsTotal"}
    assert plain["agentsMetrics"].keys() == {"metricsPerAgent"}
    split = steady.measured(AGENTS, timeframe=1440, skillIds="all")
    per_skill = split.pop("metricsPerSkill")
    assert split == plain
    shares = [section["metricsPerAgent"].get("981236", {}).get(TOTAL[AGENTS], 0) for section in per_skill.values()]
    assert sum(shares) == groups(AGENTS, plain)["981236"][TOTAL[AGENTS]] > 0
    chosen = steady.measured(AGENTS, timeframe=1440, skillIds="12", agentIds="981236")
    assert chosen["metricsPerSkill"] == {
        "12": {"metricsPerAgent": {"981236": per_skill["12"]["metricsPerAgent"]["981236"]}}
    }
    rows = steady.measured(AGENTS, timeframe=60, interval=30, skillIds="all")["metricsByIntervals"]
    assert all(row["metricsData"].keys() == {*plain, "metricsPerSkill"} for row in rows)


def count(caller: Caller, method: str = AGENTS, **filters: str) -> int:
    return int(caller.measured(method, timeframe=1440, **filters)["metricsTotal"][TOTAL[method]])


def test_filters_share_out_the_segments(steady: Caller) -> None:
    everything = count(steady)
    assert count(steady, userType="all") == everything
    assert count(steady, userType="human") + count(steady, userType="bot") == everything
    assert count(steady, userType="bot") == count(steady, agentIds="88005553535") == count(steady, groupIds="-1") > 0
    assert count(steady, groupIds="17") + count(steady, groupIds="8589934592,-1") == everything
    assert count(steady, source="all") == everything
    assert count(steady, source="APP,SHARK") + count(steady, source="SMS,FACEBOOK,AGENT") == everything
    assert count(steady, source="TWITTER") == 0
    skills = ("12", "3141592653", "27182818284", "9007199254740993", "1618033988", "-1")
    assert sum(count(steady, SKILLS, skillIds=skill) for skill in skills) == count(steady, SKILLS)
    assert count(steady, SKILLS, userType="human") + count(steady, SKILLS, userType="bot") == count(steady, SKILLS)


def test_metrics_of_agents_can_be_chosen_and_the_total_always_comes(steady: Caller) -> None:
    name = "avgAgentSegmentDuration"
    whole = steady.measured(AGENTS, timeframe=1440)
    chosen = steady.measured(AGENTS, timeframe=1440, metrics=name)
    assert chosen["metricsTotal"] == {each: whole["metricsTotal"][each] for each in (TOTAL[AGENTS], name)}
    assert steady.measured(AGENTS, timeframe=1440, metrics="all") == whole


def test_the_name_of_a_caller_is_no_channel(steady: Caller) -> None:
    assert steady.metrics(AGENTS, timeframe="60", source="SandboxTests").status_code == 400
    assert steady.measured(SKILLS, timeframe=60, source="SandboxTests") == steady.measured(SKILLS, timeframe=60)


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        (SKILLS, {"userType": "robot"}),
        (SKILLS, {"interval": "4"}),
        (SKILLS, {"interval": "7"}),
        (SKILLS, {"metrics": "all"}),
        (SKILLS, {"v": "2"}),
        (AGENTS, {"timeframe": "1441"}),
        (AGENTS, {"metrics": "totalSkillConversationSegments"}),
        (AGENTS, {"userType": "Human"}),
        (AGENTS, {"groupIds": "x"}),
    ],
)
def test_parameters_are_read_strictly(steady: Caller, method: str, changed: dict[str, str]) -> None:
    refused = steady.metrics(method, **({"timeframe": "60"} | changed))
    assert refused.status_code == 400
    assert next(iter(changed)) in refused.json()["message"]
