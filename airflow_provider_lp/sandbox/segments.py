"""Metrics of segments, the stays of conversations with skills and agents.

A segment counts when it is over, for only then is it known what became of it. This definition is the sandbox's:
LivePerson does not say when one counts. What became of it follows from the messages within it, so that every segment
is of exactly one of four kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum

from airflow_provider_lp.sandbox.figures import average
from airflow_provider_lp.sandbox.journey import Stay

AGENT_METRICS = (
    "totalAgentConversationSegments",
    "avgAgentMessagesinAgentSegment",
    "avgAgentSegmentDuration",
    "interactiveAgentSegments",
    "agentSegmentsAbandonedByConsumers",
    "agentSegmentsWithNonResponsiveConsumers",
    "agentSegmentsWithNonResponsiveAgents",
    "avgTimetoFirstAgentMessageFromAgentAssignment",
    "avgTimetoFirstAgentMessageFromAgentAssignment_AfterTransfer",
    "avgTimetoFirstAgentMessageFromAgentAssignment_NewConversation",
    "avgTimeToResponseFromAgentAssignment",
)


class Outcome(Enum):
    """What became of a segment."""

    INTERACTIVE = "the consumer replied to an agent"
    NO_CONSUMER = "an agent wrote, and the consumer did not reply"
    NO_AGENT = "no agent wrote"
    ABANDONED = "no agent wrote until the consumer closed the conversation"


def outcome(stay: Stay) -> Outcome:
    """What became of a segment that is over."""
    if stay.agent_messages:
        return Outcome.INTERACTIVE if stay.is_answered else Outcome.NO_CONSUMER
    left = stay.is_last and stay.conversation.close_reason == "CONSUMER"
    return Outcome.ABANDONED if left else Outcome.NO_AGENT


def skill_metrics(stays: Sequence[Stay]) -> dict[str, float]:
    """The metrics of ``msgskillsegments``."""
    outcomes = Counter(outcome(stay) for stay in stays)
    in_queue = sum(outcome(stay) is Outcome.ABANDONED and stay.agent_id is None for stay in stays)
    return {
        "totalSkillConversationSegments": len(stays),
        "skillSegmentsAbandonedByConsumers": outcomes[Outcome.ABANDONED],
        "skillSegmentsAbandonedByConsumersInQueue": in_queue,
        "skillSegmentsWithNonResponsiveConsumers": outcomes[Outcome.NO_CONSUMER],
        "skillSegmentsWithNonResponsiveAgents": outcomes[Outcome.NO_AGENT],
        "interactiveSkillSegments": outcomes[Outcome.INTERACTIVE],
        "avgTimetoFirstAgentMessageFromAgentAssignment": _first_reply(stays),
    }


def agent_metrics(stays: Sequence[Stay]) -> dict[str, float]:
    """The metrics of ``msgagentsegments``."""
    outcomes = Counter(outcome(stay) for stay in stays)
    values = (
        len(stays),
        average([len(stay.agent_messages) for stay in stays]),
        average([stay.length_ms for stay in stays]),
        outcomes[Outcome.INTERACTIVE],
        outcomes[Outcome.ABANDONED],
        outcomes[Outcome.NO_CONSUMER],
        outcomes[Outcome.NO_AGENT],
        _first_reply(stays),
        _first_reply(stay for stay in stays if stay.number),
        _first_reply(stay for stay in stays if not stay.number),
        average([reply_ms for stay in stays for reply_ms in stay.replies_ms]),
    )
    return dict(zip(AGENT_METRICS, values, strict=True))


def _first_reply(stays: Iterable[Stay]) -> float:
    return average([stay.replies_ms[0] for stay in stays if stay.agent_messages])
