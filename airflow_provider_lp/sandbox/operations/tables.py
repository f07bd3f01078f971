"""The metrics of queues and segments: their documented names, each with a factor.

LivePerson does not say how it computes them, so the sandbox invents no computation: a value is the factor times the
number of conversations or segments counted. The factors are arbitrary but stable. They keep what LivePerson documents:
those that wait are actionable or not, a segment is of exactly one of four kinds, and what has no data is -1 where it is
an average, a maximum or a percentile, and 0 where it is a count.
"""

from __future__ import annotations

from collections.abc import Mapping

NO_DATA = -1
_WITHOUT_DATA_UNKNOWN = ("avg", "max", "waitTime")

QUEUE = {
    "unassignedConversations": 1,
    "actionableConversations": 1,
    "notActionableConversations": 0,
    "actionableAndManualSla": 1,
    "notActionableAndManualSla": 0,
    "actionableAndDuringTransfer": 0,
    "notActionableDuringTransfer": 0,
    "actionableAndConsumerLastMessage": 1,
    "unassignedConversationsAndFirstTimeConsumer": 1,
}
WAIT_TIMES_MS = {
    "avgWaitTimeForAgentAssignment_NewConversation": 20_000,
    "avgWaitTimeForAgentAssignment_AfterTransfer": 25_000,
    "avgWaitTimeForAgentAssignment_AfterTransferFromBot": 30_000,
    "avgWaitTimeForAgentAssignment_AfterTransferFromAgent": 35_000,
    "maxWaitTimeForAgentAssignment": 90_000,
    "maxWaitTimeForAgentAssignment_AfterTransferFromAgent": 80_000,
    "waitTimeForAgentAssignment_50thPercentile": 21_500,
    "waitTimeForAgentAssignment_90thPercentile": 70_000,
}
OVERDUE = {"overdueConversationsInQueue": 1, "overdueConversationsAssigned": 0, "overdueConversationsTotal": 1}
GROUP_QUEUE = {
    "unassignedConversations": 1,
    "unassignedConversationsAndFirstTimeConsumer": 1,
    "actionableConversations": 1,
    "actionableAndDuringTransferToAgent": 0,
    "actionableAndDuringTransferToSkill": 0,
    "actionableAndDuringBackToQueue": 0,
    "notActionableConversations": 0,
    "notActionableAndDuringTransferToAgent": 0,
    "notActionableAndDuringTransferToSkill": 0,
    "notActionableAndDuringBackToQueue": 0,
}
SKILL_SEGMENTS = {
    "totalSkillConversationSegments": 1,
    "interactiveSkillSegments": 1,
    "skillSegmentsAbandonedByConsumers": 0,
    "skillSegmentsAbandonedByConsumersInQueue": 0,
    "skillSegmentsWithNonResponsiveConsumers": 0,
    "skillSegmentsWithNonResponsiveAgents": 0,
    "avgTimetoFirstAgentMessageFromAgentAssignment": 15_000,
}
AGENT_SEGMENTS = {
    "totalAgentConversationSegments": 1,
    "avgAgentMessagesinAgentSegment": 2.5,
    "avgAgentSegmentDuration": 600_000,
    "interactiveAgentSegments": 1,
    "agentSegmentsAbandonedByConsumers": 0,
    "agentSegmentsWithNonResponsiveConsumers": 0,
    "agentSegmentsWithNonResponsiveAgents": 0,
    "avgTimetoFirstAgentMessageFromAgentAssignment": 15_000,
    "avgTimetoFirstAgentMessageFromAgentAssignment_AfterTransfer": 16_000,
    "avgTimetoFirstAgentMessageFromAgentAssignment_NewConversation": 14_000,
    "avgTimeToResponseFromAgentAssignment": 17_500,
}


def metrics(table: Mapping[str, float], number: int) -> dict[str, float]:
    """The metrics of a table for so many conversations or segments."""
    return {name: factor * number if number else _without_data(name) for name, factor in table.items()}


def chosen(table: Mapping[str, float], names: frozenset[str]) -> dict[str, float]:
    """The table of these names only."""
    return {name: factor for name, factor in table.items() if name in names}


def _without_data(name: str) -> int:
    return NO_DATA if name.startswith(_WITHOUT_DATA_UNKNOWN) else 0
