"""The reports of Messaging Operations: what each measures, whom it groups by, and how it dates its numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from airflow_provider_lp.client.operations import (
    AGENT_SEGMENT_METRICS,
    CURRENT_QUEUE_HEALTH_HOURS,
    CURRENT_QUEUE_METRICS,
    GROUP_QUEUE_METRICS,
)

MESSAGING_CONVERSATION = "messaging_conversation"
CURRENT_QUEUE_HEALTH = "current_queue_health"


class Dating(Enum):
    """How a report's numbers relate to time."""

    BUCKETS = "whole five-minute buckets up to now; intervals are stamped with their end"
    FRAME = "exactly the timeframe up to now; intervals are stamped with their start"
    PERIOD = "any period of the last 24 hours; otherwise as FRAME"
    SNAPSHOT = "the state at the moment of the request"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric that is recomputed: ``total`` divided by ``count``."""

    total: str
    count: str


@dataclass(frozen=True, slots=True)
class Report:
    """
    One report.

    :param name: the operator's name for it.
    :param dating: how its numbers relate to time.
    :param metrics: LivePerson's names of its metrics, and their types.
    :param subjects: whom its rows may be about, each by the names of the ids that it has; the account has none.
    :param ratios: the metrics among them that are recomputed from two others.
    :param arguments: the operator's arguments that have a meaning for it, beside those of every report.
    :param additive: whether its other metrics may be added up over time and subjects.
    :param count: the metric of which the whole frame has as much as all its intervals together, where there is one.
    :param counted: what that counts, for people.
    :param skill_metrics: the metrics that skills have, but not the account.
    :param up_to_now: whether its numbers reach up to the moment of the request, however early the period ends.
    :param period_reach: for a report of the present that may be asked for a period: how far back that may begin.
    """

    name: str
    dating: Dating
    metrics: Mapping[str, type[int] | type[float]]
    arguments: frozenset[str]
    subjects: Collection[tuple[str, ...]]
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    additive: bool = False
    count: str = ""
    counted: str = ""
    skill_metrics: frozenset[str] = frozenset()
    up_to_now: bool = False
    period_reach: timedelta | None = None

    @property
    def needs_period(self) -> bool:
        """Whether it is about a period, and not about the present."""
        return self.dating is not Dating.SNAPSHOT

    @property
    def has_period(self) -> bool:
        """Whether it can be asked for a period."""
        return self.needs_period or self.period_reach is not None


ACCOUNT: tuple[str, ...] = ()
_BY_SKILL = (ACCOUNT, ("skill_id",))
_BY_AGENT = (ACCOUNT, ("agent_id",), ("skill_id", "agent_id"))
_BY_SKILL_AND_AGENT = (*_BY_SKILL, *_BY_AGENT[1:])

CLOSERS = ("byCCP", "byConsumer", "bySystem")
_RESOLVED = {f"resolvedConversations_{closer}": int for closer in CLOSERS} | {"totalResolvedConversations": int}
_HANDLING = {
    "totalHandlingTime_resolvedConversations" + suffix: int for suffix in (*(f"_{closer}" for closer in CLOSERS), "")
}
_AVERAGES = {
    f"avgTime_resolvedConversations_{closer}": Ratio(
        f"totalHandlingTime_resolvedConversations_{closer}", f"resolvedConversations_{closer}"
    )
    for closer in CLOSERS
} | {
    "avgTime_resolvedConversations": Ratio("totalHandlingTime_resolvedConversations", "totalResolvedConversations"),
}
_QUEUE = dict.fromkeys(
    (
        "unassignedConversations",
        "unassignedConversationsAndFirstTimeConsumer",
        "actionableConversations",
        "notActionableConversations",
        "actionableAndManualSla",
        "notActionableAndManualSla",
        "actionableAndDuringTransfer",
        "notActionableDuringTransfer",
        "actionableAndConsumerLastMessage",
    ),
    float,
)
_WAITS = dict.fromkeys(
    (
        "avgWaitTimeForAgentAssignment_NewConversation",
        "avgWaitTimeForAgentAssignment_AfterTransfer",
        "avgWaitTimeForAgentAssignment_AfterTransferFromBot",
        "avgWaitTimeForAgentAssignment_AfterTransferFromAgent",
        "maxWaitTimeForAgentAssignment",
        "maxWaitTimeForAgentAssignment_AfterTransferFromAgent",
        "waitTimeForAgentAssignment_50thPercentile",
        "waitTimeForAgentAssignment_90thPercentile",
    ),
    float,
)
_OVERDUE = dict.fromkeys(
    ("overdueConversationsInQueue", "overdueConversationsAssigned", "overdueConversationsTotal"), int
)
_CSAT = {f"csat_score{score}_answers": int for score in range(1, 6)} | {"total_answers": int, "positive_answers": int}
_SKILL_SEGMENTS = dict.fromkeys(
    (
        "totalSkillConversationSegments",
        "skillSegmentsAbandonedByConsumers",
        "skillSegmentsAbandonedByConsumersInQueue",
        "skillSegmentsWithNonResponsiveConsumers",
        "skillSegmentsWithNonResponsiveAgents",
        "interactiveSkillSegments",
    ),
    int,
)

REPORTS = {
    report.name: report
    for report in (
        Report(
            MESSAGING_CONVERSATION,
            Dating.BUCKETS,
            {**_RESOLVED, **_HANDLING, **dict.fromkeys(_AVERAGES, float)},
            frozenset({"skill_ids", "agent_ids", "group_ids", "interval", "timeframe", "source_of_truth", "max_age"}),
            _BY_SKILL_AND_AGENT,
            ratios=_AVERAGES,
            additive=True,
            count="totalResolvedConversations",
            counted="conversations",
        ),
        Report(
            "csat_distribution",
            Dating.BUCKETS,
            {**_CSAT, "csat_score": float},
            frozenset({"skill_ids", "agent_ids", "timeframe"}),
            _BY_SKILL_AND_AGENT,
            ratios={"csat_score": Ratio("positive_answers", "total_answers")},
            additive=True,
            up_to_now=True,
        ),
        Report(
            "queue_health",
            Dating.PERIOD,
            {**_QUEUE, **_WAITS},
            frozenset({"skill_ids", "interval", "timeframe"}),
            _BY_SKILL,
        ),
        Report(
            CURRENT_QUEUE_HEALTH,
            Dating.SNAPSHOT,
            {"time": int, **dict.fromkeys(_QUEUE, int), **_WAITS, **_OVERDUE},
            frozenset({"skill_ids", "group_ids", "metrics", "overdue_conversations", "breakdown"}),
            _BY_SKILL,
            skill_metrics=frozenset({"time"}),
            period_reach=timedelta(hours=CURRENT_QUEUE_HEALTH_HOURS),
        ),
        Report(
            "queue_health_by_group",
            Dating.SNAPSHOT,
            dict.fromkeys(GROUP_QUEUE_METRICS, int),
            frozenset({"skill_ids", "group_ids", "metrics", "include_sub_groups", "timeframe"}),
            (("skill_id", "group_id"),),
        ),
        Report(
            "skill_segments",
            Dating.FRAME,
            {**_SKILL_SEGMENTS, "avgTimetoFirstAgentMessageFromAgentAssignment": float},
            frozenset({"skill_ids", "interval", "timeframe", "user_type"}),
            _BY_SKILL,
            count="totalSkillConversationSegments",
            counted="segments",
            up_to_now=True,
        ),
        Report(
            "agent_segments",
            Dating.FRAME,
            {name: float if name.startswith("avg") else int for name in AGENT_SEGMENT_METRICS},
            frozenset(
                {"skill_ids", "agent_ids", "group_ids", "interval", "timeframe", "user_type", "source", "metrics"}
            ),
            _BY_AGENT,
            count="totalAgentConversationSegments",
            counted="segments",
            up_to_now=True,
        ),
    )
}

#: What the argument ``metrics`` may name, by report.
CHOICES = {
    CURRENT_QUEUE_HEALTH: CURRENT_QUEUE_METRICS,
    "queue_health_by_group": (*GROUP_QUEUE_METRICS, "all"),
    "agent_segments": (*AGENT_SEGMENT_METRICS, "all"),
}
