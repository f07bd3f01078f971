"""
The reports of Messaging Operations: what LivePerson documents of each, in one table.

To add a report, add a row to :data:`REPORTS`. Its requests, checks, rows and CSV header follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.report_parameters import (
    AGENT_IDS,
    CHANNELS,
    GROUP_IDS,
    HOURS,
    INTERVAL,
    MINUTES,
    SKILL_IDS,
    USER_TYPE,
    Parameter,
    flag,
    names,
)
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.client.versions import Version

MESSAGING_CONVERSATION = "messaging_conversation"
#: How far back Messaging Operations remembers.
REACH_HOURS = 24
CURRENT_QUEUE_HEALTH_HOURS = 72


OAUTH1_ONLY, OAUTH2_ONLY = frozenset({"oauth1"}), frozenset({"oauth2"})
#: What LivePerson documents of most reports: a first version for OAuth 1.0 keys; of other authentications, nothing.
OAUTH1_FIRST = Version(1, accepts=OAUTH1_ONLY)
UNDOCUMENTED_SECOND = Version(2, is_documented=False)


class Counting(Enum):
    """The ways in which LivePerson counts time. Each has its class in ``export/metrics/timing.py``."""

    BUCKETS = "whole five-minute buckets; an interval is stamped with its end"
    ROUNDED_FRAME = "the timeframe up to now, rounded outwards to five-minute buckets; no intervals"
    FRAME = "exactly the timeframe up to now; an interval is stamped with its start"
    PERIOD = "any period within the reach; with a timeframe like FRAME"
    SNAPSHOT = "the state at the moment of the request"


class Metric(msgspec.Struct, frozen=True):
    """
    One metric.

    :param kind: ``int`` or ``float``.
    :param unit: what it counts, or ``ms``, or ``ratio``.
    :param additive: whether it may be added up over time and subjects.
    :param ratio: for a metric that is recomputed: the metric to divide, and the one to divide it by.
    """

    kind: type[int] | type[float]
    unit: str
    additive: bool = False
    ratio: tuple[str, str] | None = None


class Report(msgspec.Struct, frozen=True):
    """
    One report.

    :param name: the operator's name for it.
    :param endpoint: the path after ``/operations/api/account/{account}/``.
    :param counting: how its numbers relate to time.
    :param parameters: what it may be asked for, by the operator's arguments.
    :param metrics: its metrics by LivePerson's names, in the order of columns.
    :param subjects: whom its rows may be about, each by the names of its ids; the account has none.
    :param versions: its versions, in the order in which to ask those of which it is not known whether they work.
    :param total: the metric of which a timeframe has as much as all its intervals together, if there is one.
    :param skill_metrics: metrics that skills have, but not the account.
    :param period_hours: how far back it takes periods; ``None`` if it takes none.
    :param posts: whether ids may go in the body of a POST; groups may not.
    :param groups_in_one: whether all ``group_ids`` must fit into one request.
    :param recomputable: whether ``export/metrics/recomputed.py`` can form it from conversations.
    """

    name: str
    endpoint: str
    counting: Counting
    parameters: Mapping[str, Parameter]
    metrics: Mapping[str, Metric]
    subjects: Collection[tuple[str, ...]]
    versions: Sequence[Version] = (OAUTH1_FIRST, UNDOCUMENTED_SECOND)
    total: str = ""
    skill_metrics: frozenset[str] = frozenset()
    period_hours: int | None = None
    posts: bool = False
    groups_in_one: bool = False
    recomputable: bool = False

    @property
    def additive(self) -> bool:
        """Whether all its metrics are additive, or ratios of such."""
        return all(metric.additive or metric.ratio for metric in self.metrics.values())

    def _arguments(self) -> set[str]:
        """The arguments of a metrics operator that mean something here."""
        period = {"start", "end", "window"} if self.has_period else set()
        return {*self.parameters, *period}

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """
        The arguments as LivePerson accepts them, without those that are ``None``.

        :raises LivePersonConfigurationError: naming one that has no meaning for this report, or cannot be right.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        for name in given:
            if name not in self.parameters:
                raise LivePersonConfigurationError(
                    f"{name} has no meaning for report={self.name!r}. It takes {', '.join(sorted(self._arguments()))}."
                )
        return {name: self.parameters[name].check(name, value) for name, value in given.items()}

    @property
    def account_metrics(self) -> Collection[str]:
        """The metrics that the account has."""
        return self.metrics.keys() - self.skill_metrics

    @property
    def needs_period(self) -> bool:
        """Whether it is about a period, and not about the present."""
        return self.counting is not Counting.SNAPSHOT

    @property
    def has_period(self) -> bool:
        """Whether it can be asked for a period."""
        return self.needs_period or self.period_hours is not None

    @property
    def reach(self) -> timedelta:
        """How far back it can be asked for."""
        return timedelta(hours=self.period_hours or REACH_HOURS)


ACCOUNT: tuple[str, ...] = ()
_BY_SKILL = (ACCOUNT, ("skill_id",))
_BY_AGENT = (ACCOUNT, ("agent_id",), ("skill_id", "agent_id"))
_BY_SKILL_AND_AGENT = (*_BY_SKILL, *_BY_AGENT[1:])


def _each(
    some: Iterable[str], kind: type[int] | type[float], unit: str, *, additive: bool = False
) -> dict[str, Metric]:
    return {name: Metric(kind, unit, additive) for name in some}


CLOSERS = ("byCCP", "byConsumer", "bySystem")
_SUFFIXES = tuple(f"_{closer}" for closer in CLOSERS)
_RESOLVED = {
    **_each((f"resolvedConversations{suffix}" for suffix in _SUFFIXES), int, "conversations", additive=True),
    **_each(("totalResolvedConversations",), int, "conversations", additive=True),
    **_each(
        (f"totalHandlingTime_resolvedConversations{suffix}" for suffix in (*_SUFFIXES, "")), int, "ms", additive=True
    ),
    **{
        f"avgTime_resolvedConversations{suffix}": Metric(
            float,
            "ms",
            ratio=(
                f"totalHandlingTime_resolvedConversations{suffix}",
                f"resolvedConversations{suffix}" if suffix else "totalResolvedConversations",
            ),
        )
        for suffix in (*_SUFFIXES, "")
    },
}
_CSAT = {
    **_each((f"csat_score{score}_answers" for score in range(1, 6)), int, "answers", additive=True),
    **_each(("total_answers", "positive_answers"), int, "answers", additive=True),
    "csat_score": Metric(float, "ratio", ratio=("positive_answers", "total_answers")),
}
_QUEUE = (
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
_WAITS = _each(
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
    "ms",
)
_OVERDUE = ("overdueConversationsInQueue", "overdueConversationsAssigned", "overdueConversationsTotal")
CURRENT_QUEUE_METRICS = ("queue", "waittimes", "overdue", "all")
GROUP_QUEUE_METRICS = (
    "unassignedConversations",
    "unassignedConversationsAndFirstTimeConsumer",
    "actionableConversations",
    "actionableAndDuringTransferToAgent",
    "actionableAndDuringTransferToSkill",
    "actionableAndDuringBackToQueue",
    "notActionableConversations",
    "notActionableAndDuringTransferToAgent",
    "notActionableAndDuringTransferToSkill",
    "notActionableAndDuringBackToQueue",
)
_SKILL_SEGMENTS = (
    "totalSkillConversationSegments",
    "skillSegmentsAbandonedByConsumers",
    "skillSegmentsAbandonedByConsumersInQueue",
    "skillSegmentsWithNonResponsiveConsumers",
    "skillSegmentsWithNonResponsiveAgents",
    "interactiveSkillSegments",
)
_FIRST_REPLY = "avgTimetoFirstAgentMessageFromAgentAssignment"
_SEGMENTS = "segments"
_AGENT_SEGMENTS = {
    "totalAgentConversationSegments": Metric(int, _SEGMENTS, additive=True),
    "avgAgentMessagesinAgentSegment": Metric(float, "messages"),
    "avgAgentSegmentDuration": Metric(float, "ms"),
    "interactiveAgentSegments": Metric(int, _SEGMENTS, additive=True),
    "agentSegmentsAbandonedByConsumers": Metric(int, _SEGMENTS, additive=True),
    "agentSegmentsWithNonResponsiveConsumers": Metric(int, _SEGMENTS, additive=True),
    "agentSegmentsWithNonResponsiveAgents": Metric(int, _SEGMENTS, additive=True),
    _FIRST_REPLY: Metric(float, "ms"),
    f"{_FIRST_REPLY}_AfterTransfer": Metric(float, "ms"),
    f"{_FIRST_REPLY}_NewConversation": Metric(float, "ms"),
    "avgTimeToResponseFromAgentAssignment": Metric(float, "ms"),
}
AGENT_SEGMENT_METRICS = tuple(_AGENT_SEGMENTS)

REPORTS = {
    report.name: report
    for report in (
        Report(
            MESSAGING_CONVERSATION,
            "msgconversation",
            Counting.BUCKETS,
            SKILL_IDS | AGENT_IDS | GROUP_IDS | MINUTES | INTERVAL,
            _RESOLVED,
            _BY_SKILL_AND_AGENT,
            total="totalResolvedConversations",
            posts=True,
            recomputable=True,
        ),
        Report(
            "csat_distribution",
            "msgcsatdistribution",
            Counting.ROUNDED_FRAME,
            SKILL_IDS | AGENT_IDS | MINUTES,
            _CSAT,
            _BY_SKILL_AND_AGENT,
        ),
        Report(
            "queue_health",
            "msgqueuehealth",
            Counting.PERIOD,
            SKILL_IDS | MINUTES | INTERVAL,
            {**_each(_QUEUE, float, "conversations"), **_WAITS},
            _BY_SKILL,
            versions=(OAUTH1_FIRST, Version(2, by_period=True)),
            period_hours=REACH_HOURS,
        ),
        Report(
            "current_queue_health",
            "msgqueuehealth/current/",
            Counting.SNAPSHOT,
            SKILL_IDS
            | GROUP_IDS
            | names("metrics", CURRENT_QUEUE_METRICS)
            | flag("overdue_conversations")
            | flag("breakdown"),
            {
                "time": Metric(int, "epoch ms"),
                **_each(_QUEUE, int, "conversations"),
                **_WAITS,
                **_each(_OVERDUE, int, "conversations"),
            },
            _BY_SKILL,
            versions=(
                Version(1, accepts=OAUTH1_ONLY, refuses=OAUTH2_ONLY),
                Version(2, by_period=True, accepts=OAUTH2_ONLY, refuses=OAUTH1_ONLY),
            ),
            skill_metrics=frozenset({"time"}),
            period_hours=CURRENT_QUEUE_HEALTH_HOURS,
            groups_in_one=True,
        ),
        Report(
            "queue_health_by_group",
            "msgqueuehealthbygroup/current/",
            Counting.SNAPSHOT,
            SKILL_IDS
            | {"group_ids": GROUP_IDS["group_ids"]._replace(wire="allocatedAgentGroupIds")}
            | names("metrics", (*GROUP_QUEUE_METRICS, "all"))
            | flag("include_sub_groups")
            | HOURS,
            _each(GROUP_QUEUE_METRICS, int, "conversations"),
            (("skill_id", "group_id"),),
        ),
        Report(
            "skill_segments",
            "msgskillsegments",
            Counting.FRAME,
            SKILL_IDS | MINUTES | INTERVAL | USER_TYPE,
            {**_each(_SKILL_SEGMENTS, int, _SEGMENTS, additive=True), _FIRST_REPLY: Metric(float, "ms")},
            _BY_SKILL,
            total="totalSkillConversationSegments",
        ),
        Report(
            "agent_segments",
            "msgagentsegments",
            Counting.FRAME,
            AGENT_IDS
            | SKILL_IDS
            | GROUP_IDS
            | MINUTES
            | INTERVAL
            | USER_TYPE
            | CHANNELS
            | names("metrics", (*AGENT_SEGMENT_METRICS, "all")),
            _AGENT_SEGMENTS,
            _BY_AGENT,
            total="totalAgentConversationSegments",
        ),
    )
}


def report_named(name: object) -> Report:
    """
    The report of that name.

    :raises LivePersonConfigurationError: if there is none.
    """
    if not isinstance(name, str) or name not in REPORTS:
        raise LivePersonConfigurationError(
            f"report={name!r} must be one of {', '.join(REPORTS)}.{nearest(name, REPORTS)}"
        )
    return REPORTS[name]
