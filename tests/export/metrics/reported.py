"""The reports as LivePerson documents them, and conversations that they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import Phase, settings

from airflow_provider_lp.client.reports import AGENT_SEGMENT_METRICS, GROUP_QUEUE_METRICS
from airflow_provider_lp.sandbox import Conversation
from tests.export.metrics.helpers import MINUTE
from tests.samples import DAY, NOW, ms

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
