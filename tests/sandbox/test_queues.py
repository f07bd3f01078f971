from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from .calling import NOW, Caller, at, ms

HEALTH, CURRENT, BY_GROUP = "msgqueuehealth", "msgqueuehealth/current/", "msgqueuehealthbygroup/current/"
NOW_MS = ms(NOW)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
COUNTS = {
    "unassignedConversations",
    "actionableConversations",
    "notActionableConversations",
    "actionableAndManualSla",
    "notActionableAndManualSla",
    "actionableAndDuringTransfer",
    "notActionableDuringTransfer",
    "actionableAndConsumerLastMessage",
    "unassignedConversationsAndFirstTimeConsumer",
}
TIMES = {
    "avgWaitTimeForAgentAssignment_NewConversation",
    "avgWaitTimeForAgentAssignment_AfterTransfer",
    "avgWaitTimeForAgentAssignment_AfterTransferFromBot",
    "avgWaitTimeForAgentAssignment_AfterTransferFromAgent",
    "maxWaitTimeForAgentAssignment",
    "maxWaitTimeForAgentAssignment_AfterTransferFromAgent",
    "waitTimeForAgentAssignment_50thPercentile",
    "waitTimeForAgentAssignment_90thPercentile",
}
OVERDUE = {"overdueConversationsInQueue", "overdueConversationsAssigned", "overdueConversationsTotal"}


@pytest.fixture(scope="module")
def busy() -> Iterator[Caller]:
    """An account whose queues are never empty."""
    with Sandbox(account=Account(now=NOW, days=4, per_day=600)) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.session.close()


def members(row: dict[str, Any]) -> dict[str, Any]:
    """The metrics of a row, in either of the two forms."""
    rest = {name: value for name, value in row.items() if name != "timestamp"}
    return rest.get("metricsData", rest)


def between(caller: Caller, from_ms: int, to_ms: int, method: str = HEALTH, **more: Any) -> Any:
    return caller.measured(method, v="2", fromMillis=from_ms, toMillis=to_ms, **more)


def waiting(name: str, start_ms: int, skill: int = 7, **facts: Any) -> Conversation:
    return Conversation(name, start_ms, skill_ids=(skill,), queue_state="IN_QUEUE", message_count=1, **facts)


def test_both_versions_tell_the_same_of_the_same_period(busy: Caller) -> None:
    assert busy.measured(HEALTH, timeframe=180) == between(busy, NOW_MS - 180 * MINUTE_MS, NOW_MS)


def test_rows_are_stamped_with_their_start_newest_first_and_in_two_forms(busy: Caller) -> None:
    answer = busy.measured(HEALTH, timeframe=180, interval=60)
    rows = answer["metricsByIntervals"]
    assert answer.keys() == {"metricsByIntervals", "timeframeSummary"}
    assert answer["timeframeSummary"] == busy.measured(HEALTH, timeframe=180)
    assert [row["timestamp"] for row in rows] == [NOW_MS - hours * HOUR_MS for hours in (1, 2, 3)]
    assert ["metricsData" in row for row in rows] == [False, True, False]
    for row in rows:
        assert members(row) == between(busy, row["timestamp"], row["timestamp"] + HOUR_MS)


def test_an_interval_in_the_second_version(busy: Caller) -> None:
    answer = between(busy, NOW_MS - 2 * HOUR_MS, NOW_MS, interval=60)
    assert answer == busy.measured(HEALTH, timeframe=120, interval=60)


@pytest.mark.parametrize("timeframe", [1, 90, 1440])
def test_every_metric_is_there_and_skills_agree_with_the_total(busy: Caller, timeframe: int) -> None:
    answer = busy.measured(HEALTH, timeframe=timeframe)
    total = answer["metricsTotal"]
    skills = list(answer["skillsMetrics"].values())
    assert skills
    for metrics in (*skills, total):
        assert metrics.keys() == COUNTS | TIMES
        waits = metrics["actionableConversations"] + metrics["notActionableConversations"]
        assert metrics["unassignedConversations"] == waits
        assert metrics["waitTimeForAgentAssignment_50thPercentile"] <= metrics["maxWaitTimeForAgentAssignment"]
        assert metrics["avgWaitTimeForAgentAssignment_NewConversation"] <= metrics["maxWaitTimeForAgentAssignment"]
        assert any(metrics[name] for name in COUNTS) or metrics["maxWaitTimeForAgentAssignment"] >= 0
    for name in COUNTS:
        assert total[name] == sum(metrics[name] for metrics in skills)
    assert total["maxWaitTimeForAgentAssignment"] == max(each["maxWaitTimeForAgentAssignment"] for each in skills)


def test_skills_are_a_filter(busy: Caller) -> None:
    everyone = busy.measured(HEALTH, timeframe=1440)["skillsMetrics"]
    chosen = busy.measured(HEALTH, timeframe=1440, skillIds="12,404")
    assert chosen == {"skillsMetrics": {"12": everyone["12"]}, "metricsTotal": everyone["12"]}


def test_without_data_counts_are_zero_and_times_minus_one(serve: Callable[..., Caller]) -> None:
    caller = serve(Conversation("old", at(18), end_ms=at(18, 1)))
    for answer in caller.measured(HEALTH, timeframe=60), caller.measured(CURRENT):
        assert answer == {"skillsMetrics": {}, "metricsTotal": dict.fromkeys(COUNTS, 0) | dict.fromkeys(TIMES, -1)}
    assert caller.measured(BY_GROUP) == {"skillGroupMetrics": {}}


def test_those_without_an_agent_wait_until_they_are_closed(serve: Callable[..., Caller]) -> None:
    caller = serve(
        waiting("open", at(20, 11), mcs=3),
        waiting("left", at(20, 11), end_ms=at(20, 12)),
        Conversation("served", at(20, 11), skill_ids=(7,), agent_ids=("1",), message_interval_ms=MINUTE_MS),
    )
    queue = caller.measured(HEALTH, timeframe=60)
    assert queue["skillsMetrics"].keys() == {"7"}
    assert queue["metricsTotal"]["unassignedConversations"] == 1
    assert queue["metricsTotal"]["unassignedConversationsAndFirstTimeConsumer"] == 1
    assert queue["metricsTotal"]["maxWaitTimeForAgentAssignment"] == -1
    both_waited = between(caller, at(20, 11, 10), at(20, 11, 59))
    assert both_waited["metricsTotal"]["unassignedConversations"] == 2
    first_minutes = between(caller, at(20, 11), at(20, 11, 10))["metricsTotal"]
    assert 0 < first_minutes["maxWaitTimeForAgentAssignment"] < 5 * MINUTE_MS
    assert first_minutes["avgWaitTimeForAgentAssignment_AfterTransfer"] == -1


def test_waits_after_a_transfer_say_whom_they_came_from(serve: Callable[..., Caller]) -> None:
    facts: dict[str, Any] = {"end_ms": at(20, 12), "message_count": 11, "message_interval_ms": 6 * MINUTE_MS}
    caller = serve(
        Conversation("bot", at(20, 11), skill_ids=(7,), agent_ids=("88005553535", "1"), **facts),
        Conversation("human", at(20, 11), skill_ids=(9,), agent_ids=("4294967301", "1"), **facts),
    )
    skills = caller.measured(HEALTH, timeframe=120)["skillsMetrics"]
    name = "avgWaitTimeForAgentAssignment_AfterTransfer"
    assert (skills["7"][f"{name}FromBot"], skills["7"][f"{name}FromAgent"]) == (skills["7"][name], -1)
    assert (skills["9"][f"{name}FromBot"], skills["9"][f"{name}FromAgent"]) == (-1, skills["9"][name])
    assert skills["9"]["maxWaitTimeForAgentAssignment_AfterTransferFromAgent"] == skills["9"][name] > 0


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        (HEALTH, {"timeframe": None}),
        (HEALTH, {"interval": "4"}),
        (HEALTH, {"interval": "45"}),
        (HEALTH, {"v": "3"}),
        (HEALTH, {"fromMillis": str(NOW_MS - HOUR_MS)}),
        (HEALTH, {"timeframe": "60", "v": "2", "fromMillis": str(NOW_MS - HOUR_MS), "toMillis": str(NOW_MS)}),
        (HEALTH, {"groupIds": "1"}),
        (CURRENT, {"timeframe": "60"}),
        (CURRENT, {"breakdown": "yes"}),
        (CURRENT, {"overdueConversations": "True"}),
        (CURRENT, {"metrics": "queue,nonsense"}),
        (CURRENT, {"toMillis": str(NOW_MS)}),
        (CURRENT, {"skillIds": "a"}),
        (CURRENT, {"v": None}),
        (BY_GROUP, {"v": "2"}),
        (BY_GROUP, {"timeframe": "0"}),
        (BY_GROUP, {"includeSubGroups": "1"}),
        (BY_GROUP, {"metrics": "avgWaitTime"}),
        (BY_GROUP, {"groupIds": "17"}),
    ],
)
def test_parameters_are_read_strictly(busy: Caller, method: str, changed: dict[str, Any]) -> None:
    given = {"timeframe": "60"} if method == HEALTH else {}
    refused = busy.metrics(method, **(given | changed))
    assert refused.status_code == 400, refused.text
    assert next(iter(changed)) in refused.json()["message"]


@pytest.mark.parametrize(("method", "hours"), [(HEALTH, 24), (CURRENT, 72)])
def test_periods_reach_back_so_far_and_end_now(busy: Caller, method: str, hours: int) -> None:
    earliest = NOW_MS - hours * HOUR_MS
    assert between(busy, earliest, NOW_MS, method)["skillsMetrics"]
    for from_ms, to_ms in (
        (earliest - 1, NOW_MS),
        (earliest, NOW_MS + 1),
        (NOW_MS, NOW_MS),
        (NOW_MS, earliest),
        (None, NOW_MS),
        (earliest, None),
        ("yesterday", NOW_MS),
    ):
        assert busy.metrics(method, v="2", fromMillis=from_ms, toMillis=to_ms).status_code == 400


def test_the_queues_now_agree_with_the_health_until_now(busy: Caller) -> None:
    health, current = busy.measured(HEALTH, timeframe=1), busy.measured(CURRENT)
    assert {name: current["metricsTotal"][name] for name in COUNTS} == {
        name: health["metricsTotal"][name] for name in COUNTS
    }
    assert current["metricsTotal"].keys() == COUNTS | TIMES
    assert len(current["skillsMetrics"]) > 1
    for skill, metrics in current["skillsMetrics"].items():
        assert metrics["unassignedConversations"] == health["skillsMetrics"][skill]["unassignedConversations"] > 0
        assert metrics["time"] == NOW_MS


def test_waits_until_now_leave_out_old_conversations(serve: Callable[..., Caller]) -> None:
    caller = serve(
        waiting("recent", NOW_MS - 2 * HOUR_MS), waiting("day old", NOW_MS - 25 * HOUR_MS), waiting("ancient", at(10))
    )
    metrics = caller.measured(CURRENT, overdueConversations="true")["metricsTotal"]
    assert metrics["unassignedConversations"] == 3
    assert metrics["maxWaitTimeForAgentAssignment"] == 2 * HOUR_MS
    assert metrics["avgWaitTimeForAgentAssignment_NewConversation"] == 2 * HOUR_MS
    assert metrics["overdueConversationsInQueue"] == 2
    of_period = between(caller, NOW_MS - 26 * HOUR_MS, NOW_MS - 3 * HOUR_MS, CURRENT)["metricsTotal"]
    assert of_period["unassignedConversations"] == 1


def test_overdue_conversations_with_an_agent_are_filtered_by_group(serve: Callable[..., Caller]) -> None:
    asked: dict[str, Any] = {"message_count": 3, "message_interval_ms": MINUTE_MS, "agent_ids": ("1",)}
    caller = serve(
        Conversation("a", NOW_MS - 3 * HOUR_MS, skill_ids=(7,), agent_group_id=17, **asked),
        Conversation("b", NOW_MS - 3 * HOUR_MS, skill_ids=(9,), agent_group_id=18, **asked),
        Conversation("fresh", NOW_MS - HOUR_MS, skill_ids=(9,), agent_group_id=18, **asked),
        Conversation("answered", NOW_MS - 3 * HOUR_MS, agent_group_id=18, **(asked | {"message_count": 2})),
        waiting("c", NOW_MS - 3 * HOUR_MS, skill=9),
    )
    totals = [
        caller.measured(CURRENT, metrics="overdue", **filtered)["metricsTotal"]
        for filtered in ({}, {"groupIds": "all"}, {"groupIds": "17"}, {"skillIds": "9"})
    ]
    assert [list(metrics.values()) for metrics in totals] == [[1, 2, 3], [1, 2, 3], [1, 1, 2], [1, 1, 2]]
    assert all(metrics.keys() == OVERDUE for metrics in totals)
    assert caller.measured(CURRENT)["skillsMetrics"].keys() == {"9"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, COUNTS | TIMES),
        ({"metrics": "queue"}, COUNTS),
        ({"metrics": "waittimes"}, TIMES),
        ({"metrics": "queue,overdue"}, COUNTS | OVERDUE),
        ({"metrics": "all"}, COUNTS | TIMES | OVERDUE),
        ({"metrics": "queue", "overdueConversations": "true"}, COUNTS | OVERDUE),
    ],
)
def test_the_caller_chooses_what_to_measure(busy: Caller, asked: dict[str, str], names: set[str]) -> None:
    answer = busy.measured(CURRENT, **asked)
    assert answer["metricsTotal"].keys() == names
    assert all(metrics.keys() == names | {"time"} for metrics in answer["skillsMetrics"].values())


def test_a_breakdown_can_be_left_out(busy: Caller) -> None:
    whole = busy.measured(CURRENT, breakdown="true")
    assert whole == busy.measured(CURRENT)
    assert busy.measured(CURRENT, breakdown="false") == {"metricsTotal": whole["metricsTotal"]}


def test_groups_share_out_the_queues(busy: Caller) -> None:
    now = busy.measured(CURRENT)["skillsMetrics"]
    groups = busy.measured(BY_GROUP, timeframe=1000)["skillGroupMetrics"]
    assert groups.keys() == now.keys()
    for skill, by_group in groups.items():
        for name in "unassignedConversations", "actionableConversations", "notActionableConversations":
            assert sum(metrics[name] for metrics in by_group.values()) == now[skill][name]


def test_the_timeframe_of_groups_is_in_hours(serve: Callable[..., Caller]) -> None:
    caller = serve(waiting("a", NOW_MS - 30 * HOUR_MS), waiting("b", NOW_MS - 3 * HOUR_MS, agent_group_id=17))
    assert caller.measured(BY_GROUP)["skillGroupMetrics"]["7"].keys() == {"17"}
    assert caller.measured(BY_GROUP, timeframe=2)["skillGroupMetrics"] == {}
    assert caller.measured(BY_GROUP, timeframe=72)["skillGroupMetrics"]["7"].keys() == {"-1", "17"}
    chosen = {"timeframe": "72", "allocatedAgentGroupIds": "-1", "includeSubGroups": "true"}
    assert caller.measured(BY_GROUP, **chosen)["skillGroupMetrics"]["7"].keys() == {"-1"}
    assert caller.measured(BY_GROUP, metrics="unassignedConversations") == {
        "skillGroupMetrics": {"7": {"17": {"unassignedConversations": 1}}}
    }
    assert caller.measured(BY_GROUP, skillIds="8") == {"skillGroupMetrics": {}}


def test_the_slash_before_the_query_is_needed(busy: Caller) -> None:
    assert busy.metrics(CURRENT.rstrip("/")).status_code == 404
    assert busy.metrics(BY_GROUP.rstrip("/")).status_code == 404
