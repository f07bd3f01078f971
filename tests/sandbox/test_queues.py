from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from .caller import NOW, Caller, at, ms

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
    """An account whose queues are never empty, at a LivePerson that takes both versions."""
    with Sandbox(account=Account(now=NOW, days=4, per_day=600), year=2025) as sandbox:
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
    assert between(busy, NOW_MS - 3 * HOUR_MS, NOW_MS, interval=60) == answer


def test_every_metric_is_there_and_skills_agree_with_the_total(busy: Caller) -> None:
    answer = busy.measured(HEALTH, timeframe=90)
    total = answer["metricsTotal"]
    skills = list(answer["skillsMetrics"].values())
    assert len(skills) > 1
    for metrics in (*skills, total):
        assert metrics.keys() == COUNTS | TIMES
        waits = metrics["actionableConversations"] + metrics["notActionableConversations"]
        assert metrics["unassignedConversations"] == waits > 0
        assert metrics["waitTimeForAgentAssignment_50thPercentile"] <= metrics["maxWaitTimeForAgentAssignment"]
    for name in COUNTS:
        assert total[name] == sum(metrics[name] for metrics in skills)


@pytest.mark.parametrize(("method", "given"), [(HEALTH, {"timeframe": 1440}), (CURRENT, {})])
def test_skills_are_a_filter(busy: Caller, method: str, given: dict[str, Any]) -> None:
    everyone = busy.measured(method, **given)["skillsMetrics"]
    chosen = busy.measured(method, skillIds="12,404", **given)
    assert chosen["skillsMetrics"] == {"12": everyone["12"]}
    assert chosen["metricsTotal"] == {name: value for name, value in everyone["12"].items() if name != "time"}


def test_without_data_counts_are_zero_and_times_minus_one(serve: Callable[..., Caller]) -> None:
    caller = serve(Conversation("old", at(18), end_ms=at(18, 1)), year=2025)
    for answer in caller.measured(HEALTH, timeframe=60), caller.measured(CURRENT):
        assert answer == {"skillsMetrics": {}, "metricsTotal": dict.fromkeys(COUNTS, 0) | dict.fromkeys(TIMES, -1)}
    assert caller.measured(BY_GROUP) == {"skillGroupMetrics": {}}


def test_those_in_a_queue_wait_until_they_are_closed(serve: Callable[..., Caller]) -> None:
    caller = serve(
        waiting("open", at(20, 11)),
        waiting("left", at(20, 11), end_ms=at(20, 12)),
        Conversation("served", at(20, 11), skill_ids=(7,)),
        year=2025,
    )
    moments = {at(20, 10, 59): 0, at(20, 11): 2, at(20, 11, 59): 2, at(20, 12): 1}
    for moment_ms, count in moments.items():
        queue = between(caller, at(20, 10), moment_ms)
        assert queue["metricsTotal"]["unassignedConversations"] == count
        assert queue["skillsMetrics"].keys() == ({"7"} if count else set())
    assert caller.measured(CURRENT)["metricsTotal"]["unassignedConversations"] == 1


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
        (CURRENT, {"groupIds": "a"}),
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
    assert health["metricsTotal"] == current["metricsTotal"]
    assert current["skillsMetrics"] == {
        skill: metrics | {"time": NOW_MS} for skill, metrics in health["skillsMetrics"].items()
    }


def test_the_second_version_counts_those_that_started_in_its_period(serve: Callable[..., Caller]) -> None:
    caller = serve(*(waiting(str(hours), NOW_MS - hours * HOUR_MS) for hours in (2, 25, 200)), year=2025)
    assert caller.measured(CURRENT)["metricsTotal"]["unassignedConversations"] == 3
    of_period = between(caller, NOW_MS - 26 * HOUR_MS, NOW_MS - 3 * HOUR_MS, CURRENT)["metricsTotal"]
    assert of_period["unassignedConversations"] == 1


def test_since_oauth_1_has_ended_the_first_version_is_refused(serve: Callable[..., Caller]) -> None:
    caller = serve(waiting("a", NOW_MS - HOUR_MS))
    assert caller.metrics(CURRENT).status_code == 401
    of_period = between(caller, NOW_MS - 72 * HOUR_MS, NOW_MS, CURRENT)["metricsTotal"]
    assert of_period["unassignedConversations"] == 1
    assert caller.metrics(CURRENT, v="2").status_code == 400
    assert caller.measured(BY_GROUP)["skillGroupMetrics"]
    assert caller.measured(HEALTH, timeframe=60) == between(caller, NOW_MS - HOUR_MS, NOW_MS)


def test_who_waits_longer_than_an_hour_is_overdue(serve: Callable[..., Caller]) -> None:
    caller = serve(waiting("a", NOW_MS - HOUR_MS - 1), waiting("b", NOW_MS - HOUR_MS), year=2025)
    for filtered in {}, {"groupIds": "all"}, {"groupIds": "18"}:
        total = caller.measured(CURRENT, metrics="overdue", **filtered)["metricsTotal"]
        assert total.keys() == OVERDUE
        assert list(total.values()) == [1, 0, 1]


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
