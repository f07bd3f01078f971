"""The Messaging Operations API: metrics of at most the last 24 hours, by account, skill, agent and group."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from typing import Any

import msgspec

from airflow_provider_lp.client.calls import Authorization, Call, Caller
from airflow_provider_lp.client.domains import Domains
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import CODE, IDENTIFIER
from airflow_provider_lp.client.measurements import MetricsAnswer, read_metrics

SERVICE = "leDataReporting"
LONGEST_TIMEFRAME_MINUTES = 1440
#: The shortest interval that LivePerson documents for queue health and segments.
SHORTEST_INTERVAL_MINUTES = 5
#: How far back ``msgqueuehealth`` and ``msgqueuehealth/current`` take periods.
QUEUE_HEALTH_HOURS = 24
CURRENT_QUEUE_HEALTH_HOURS = 72
MS_PER_HOUR = 3_600_000
USER_TYPES = ("human", "bot", "all")
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
AGENT_SEGMENT_METRICS = (
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

ALL = "all"

#: Ids of skills, agents or groups: a list of them, one, ``"all"``, or ``None`` for LivePerson's default.
Ids = Collection[str | int] | str | int | None
Params = dict[str, str | int]


class MessagingOperations:
    """
    Metrics, as one account's client sees them. Every method answers for a timeframe that ends at the moment of the
    request, but for queue health in its second version.

    :param transport: how to send.
    :param domains: where to.
    :param authorization: how to sign.
    :param account_id: the LivePerson account.
    """

    def __init__(self, transport: Caller, domains: Domains, authorization: Authorization, account_id: str) -> None:
        self._transport = transport
        self._domains = domains
        self._authorization = authorization
        self._path = f"/operations/api/account/{account_id}"

    def messaging_conversation(
        self,
        timeframe_minutes: int,
        *,
        skill_ids: Ids = None,
        agent_ids: Ids = None,
        group_ids: Ids = None,
        interval_minutes: int | None = None,
        by_post: bool = False,
    ) -> MetricsAnswer:
        """
        Conversations that were closed, and their handling time (``msgconversation``).

        LivePerson counts in buckets of five minutes, whole ones at both ends of the timeframe, and stamps an interval
        with its end.

        :param timeframe_minutes: 1 to 1440.
        :param skill_ids: adds skills, split by agents; default none.
        :param agent_ids: adds agents; default none.
        :param group_ids: counts only these groups' agents; default no filter.
        :param interval_minutes: adds intervals of this length; must divide the timeframe.
        :param by_post: send the parameters in a body, which takes more ids than a URL but no groups; default no.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {
            **_timeframe(timeframe_minutes),
            **_ids(skill_ids=skill_ids, agent_ids=agent_ids, group_ids=group_ids),
            **_interval(interval_minutes, timeframe_minutes, shortest=1),
            "v": 1,
        }
        if not isinstance(by_post, bool):
            raise LivePersonConfigurationError(f"by_post={by_post!r} must be True or False.")
        if by_post and group_ids is not None:
            raise LivePersonConfigurationError("group_ids cannot be sent by POST: LivePerson takes them in URLs only.")
        return self._ask("msgconversation", params, by_post=by_post)

    def csat_distribution(
        self, timeframe_minutes: int, *, skill_ids: Ids = None, agent_ids: Ids = None
    ) -> MetricsAnswer:
        """
        Answers of satisfaction surveys by score (``msgcsatdistribution``), in whole buckets of five minutes.

        :param timeframe_minutes: 1 to 1440.
        :param skill_ids: adds skills, split by agents; default none.
        :param agent_ids: adds agents; default none.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {**_timeframe(timeframe_minutes), **_ids(skill_ids=skill_ids, agent_ids=agent_ids), "v": 1}
        return self._ask("msgcsatdistribution", params)

    def queue_health(
        self, timeframe_minutes: int, *, skill_ids: Ids = None, interval_minutes: int | None = None
    ) -> MetricsAnswer:
        """
        Conversations that waited in queues, and for how long (``msgqueuehealth``, version 1).

        LivePerson stamps an interval with its start, which is not rounded.

        :param timeframe_minutes: 1 to 1440.
        :param skill_ids: which skills; default all.
        :param interval_minutes: adds intervals of this length, at least 5; must divide the timeframe.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {
            **_timeframe(timeframe_minutes),
            **_ids(skill_ids=skill_ids),
            **_interval(interval_minutes, timeframe_minutes),
            "v": 1,
        }
        return self._ask("msgqueuehealth", params)

    def queue_health_between(self, start_ms: int, end_ms: int, *, skill_ids: Ids = None) -> MetricsAnswer:
        """
        Conversations that waited in queues within a period of the last 24 hours (``msgqueuehealth``, version 2).

        :param start_ms: start of the period, epoch milliseconds; LivePerson takes it up to 24 hours back.
        :param end_ms: its end, epoch milliseconds; at most now.
        :param skill_ids: which skills; default all.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params = {**_period(start_ms, end_ms, QUEUE_HEALTH_HOURS), **_ids(skill_ids=skill_ids)}
        return self._ask("msgqueuehealth", params)

    def current_queue_health(
        self,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        skill_ids: Ids = None,
        overdue_conversations: bool | None = None,
        breakdown: bool | None = None,
        metrics: Collection[str] | None = None,
        group_ids: Ids = None,
    ) -> MetricsAnswer:
        """
        Queues as they are now (``msgqueuehealth/current``); version 2 where a period is given.

        :param start_ms: start of the period, epoch milliseconds, up to 72 hours back; with ``end_ms``.
        :param end_ms: its end, epoch milliseconds; at most now.
        :param skill_ids: which skills; default all.
        :param overdue_conversations: whether to add the metrics of overdue conversations; LivePerson's default is no.
        :param breakdown: ``False`` gives totals only.
        :param metrics: some of ``queue``, ``waittimes``, ``overdue``, ``all``; LivePerson's default is the first two.
        :param group_ids: agent groups whose assigned conversations count as overdue.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        if (start_ms is None) != (end_ms is None):
            raise LivePersonConfigurationError(f"start_ms={start_ms}, end_ms={end_ms}: give both or neither.")
        params: Params = {
            **(
                {"v": 1}
                if start_ms is None or end_ms is None
                else _period(start_ms, end_ms, CURRENT_QUEUE_HEALTH_HOURS)
            ),
            **_ids(skill_ids=skill_ids, group_ids=group_ids),
            **_booleans(overdue_conversations=overdue_conversations, breakdown=breakdown),
            **_names("metrics", metrics, CURRENT_QUEUE_METRICS),
        }
        return self._ask("msgqueuehealth/current/", params)

    def queue_health_by_group(
        self,
        *,
        timeframe_hours: int | None = None,
        skill_ids: Ids = None,
        allocated_agent_group_ids: Ids = None,
        include_sub_groups: bool | None = None,
        metrics: Collection[str] | None = None,
    ) -> MetricsAnswer:
        """
        Queues as they are now, by skill and agent group (``msgqueuehealthbygroup/current``).

        :param timeframe_hours: conversations created or updated in so many **hours** count; LivePerson's default is 24.
        :param skill_ids: which skills; default all.
        :param allocated_agent_group_ids: which agent groups; default all.
        :param include_sub_groups: whether a group counts what its sub groups have too; LivePerson's default is no.
        :param metrics: which metrics; default all.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {
            **({} if timeframe_hours is None else {"timeframe": _whole("timeframe_hours", timeframe_hours, 1, None)}),
            **_ids(skill_ids=skill_ids, allocated_agent_group_ids=allocated_agent_group_ids),
            **_booleans(include_sub_groups=include_sub_groups),
            **_names("metrics", metrics, (*GROUP_QUEUE_METRICS, "all")),
            "v": 1,
        }
        return self._ask("msgqueuehealthbygroup/current/", params)

    def skill_segments(
        self,
        timeframe_minutes: int,
        *,
        skill_ids: Ids = None,
        interval_minutes: int | None = None,
        user_type: str | None = None,
    ) -> MetricsAnswer:
        """
        Stays of conversations in skills (``msgskillsegments``). Interval stamps are starts, not rounded.

        :param timeframe_minutes: 1 to 1440.
        :param skill_ids: which skills; default all.
        :param interval_minutes: adds intervals of this length, at least 5; must divide the timeframe.
        :param user_type: ``human``, ``bot`` or ``all``; default LivePerson's own.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {
            **_timeframe(timeframe_minutes),
            **_ids(skill_ids=skill_ids),
            **_interval(interval_minutes, timeframe_minutes),
            **_user_type(user_type),
            "v": 1,
        }
        return self._ask("msgskillsegments", params)

    def agent_segments(
        self,
        timeframe_minutes: int,
        *,
        agent_ids: Ids = None,
        skill_ids: Ids = None,
        group_ids: Ids = None,
        interval_minutes: int | None = None,
        user_type: str | None = None,
        source: Collection[str] | str | None = None,
        metrics: Collection[str] | None = None,
    ) -> MetricsAnswer:
        """
        Stays of conversations with agents (``msgagentsegments``). Interval stamps are starts, not rounded.

        :param timeframe_minutes: 1 to 1440.
        :param agent_ids: which agents; default all.
        :param skill_ids: adds a split by these skills; default none.
        :param group_ids: only these groups' agents; default no filter.
        :param interval_minutes: adds intervals of this length, at least 5; must divide the timeframe.
        :param user_type: ``human``, ``bot`` or ``all``; default LivePerson's own.
        :param source: channels, such as ``APP`` or ``FACEBOOK``, or ``all``; default LivePerson's own.
        :param metrics: which metrics, or ``all``; default LivePerson's own.
        :raises LivePersonConfigurationError: for arguments that LivePerson would refuse; nothing is sent.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        params: Params = {
            **_timeframe(timeframe_minutes),
            **_ids(agent_ids=agent_ids, skill_ids=skill_ids, group_ids=group_ids),
            **_interval(interval_minutes, timeframe_minutes),
            **_user_type(user_type),
            **_channels(source),
            **_names("metrics", metrics, (*AGENT_SEGMENT_METRICS, "all")),
            "v": 1,
        }
        return self._ask("msgagentsegments", params)

    def _ask(self, endpoint: str, params: Params, *, by_post: bool = False) -> MetricsAnswer:
        url = f"{self._domains.base_url(SERVICE)}{self._path}/{endpoint}"
        if by_post:
            body = msgspec.json.encode({name: str(value) for name, value in params.items()})
            call = Call(endpoint, "POST", url, content=body, headers={"Content-Type": "application/json"})
        else:
            call = Call(endpoint, "GET", url, params)
        return self._transport.call(call, lambda answer: read_metrics(answer, endpoint), self._authorization)


def check_ids(name: str, ids: Ids) -> list[str] | None:
    """
    Ids as LivePerson takes them, each once; ``["all"]`` for all, ``None`` for LivePerson's default.

    :raises LivePersonConfigurationError: for what cannot be ids.
    """
    if ids is None:
        return None
    given = [ids] if isinstance(ids, int) else _listed(ids)
    words = [str(some) for some in given if isinstance(some, str | int) and not isinstance(some, bool)]
    if not words or len(words) < len(given) or not all(IDENTIFIER.fullmatch(word) for word in words):
        raise LivePersonConfigurationError(f"{name}={ids!r} must be a list of ids that is not empty, 'all', or None.")
    if "None" in words:
        raise LivePersonConfigurationError(
            f"{name}={ids!r} holds a text None, which comes from a template whose value this run does not have."
        )
    words = [ALL if word.lower() == ALL else word for word in words]
    if ALL in words and len(words) > 1:
        raise LivePersonConfigurationError(f"{name}={ids!r}: give ids only, or 'all' alone.")
    return list(dict.fromkeys(words))


def check_interval(interval_minutes: int, timeframe_minutes: int, shortest: int = SHORTEST_INTERVAL_MINUTES) -> int:
    """
    The length of an interval, if LivePerson takes it.

    :raises LivePersonConfigurationError: if it is too short or does not divide the timeframe.
    """
    interval = _whole("interval", interval_minutes, shortest, LONGEST_TIMEFRAME_MINUTES)
    if timeframe_minutes % interval:
        raise LivePersonConfigurationError(
            f"interval={interval} (minutes) must divide the timeframe of {timeframe_minutes} minutes without a rest: "
            "LivePerson refuses others."
        )
    return interval


def check_timeframe(timeframe_minutes: int) -> int:
    """
    A timeframe that LivePerson takes.

    :raises LivePersonConfigurationError: for anything but 1 to 1440 minutes.
    """
    return _whole("timeframe", timeframe_minutes, 1, LONGEST_TIMEFRAME_MINUTES)


def _whole(name: str, value: object, lowest: int, highest: int | None) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest or value > (highest or value):
        limits = f"from {lowest} to {highest}" if highest else f"of at least {lowest}"
        raise LivePersonConfigurationError(f"{name}={value!r} must be a whole number {limits}.")
    return value


def _timeframe(timeframe_minutes: int) -> Params:
    return {"timeframe": check_timeframe(timeframe_minutes)}


def _interval(
    interval_minutes: int | None, timeframe_minutes: int, shortest: int = SHORTEST_INTERVAL_MINUTES
) -> Params:
    if interval_minutes is None:
        return {}
    return {"interval": check_interval(interval_minutes, timeframe_minutes, shortest)}


def _period(start_ms: int, end_ms: int, longest_hours: int) -> Params:
    if type(start_ms) is not int or type(end_ms) is not int or start_ms >= end_ms:
        raise LivePersonConfigurationError(
            f"start_ms={start_ms!r}, end_ms={end_ms!r} must be whole epoch milliseconds, in that order of time."
        )
    if start_ms < 0 or end_ms - start_ms > longest_hours * MS_PER_HOUR:
        raise LivePersonConfigurationError(
            f"start_ms={start_ms}, end_ms={end_ms} must be a period of the last {longest_hours} hours."
        )
    return {"v": 2, "fromMillis": start_ms, "toMillis": end_ms}


def _ids(**ids: Ids) -> Params:
    checked = {name: check_ids(name, value) for name, value in ids.items()}
    return {_wire_name(name): ",".join(value) for name, value in checked.items() if value is not None}


def _booleans(**flags: bool | None) -> Params:
    for name, flag in flags.items():
        if flag is not None and not isinstance(flag, bool):
            raise LivePersonConfigurationError(f"{name}={flag!r} must be True or False.")
    return {_wire_name(name): str(flag).lower() for name, flag in flags.items() if flag is not None}


def _wire_name(name: str) -> str:
    """``skill_ids`` is ``skillIds`` to LivePerson."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def check_names(name: str, values: Collection[str] | str, allowed: Collection[str]) -> list[str]:
    """
    Names out of those that LivePerson knows.

    :raises LivePersonConfigurationError: for others.
    """
    names = _listed(values)
    if not names or not all(isinstance(each, str) and each in allowed for each in names):
        raise LivePersonConfigurationError(f"{name}={values!r} must be some of {', '.join(allowed)}.")
    return list(dict.fromkeys(names))


def check_user_type(user_type: str) -> str:
    """
    Whose segments: ``human``, ``bot`` or ``all``.

    :raises LivePersonConfigurationError: for anything else.
    """
    if user_type not in USER_TYPES:
        raise LivePersonConfigurationError(f"user_type={user_type!r} must be one of {', '.join(USER_TYPES)}.")
    return user_type


def check_channels(source: Collection[str] | str) -> list[str]:
    """
    Channels as LivePerson names them.

    :raises LivePersonConfigurationError: for what cannot be channels.
    """
    channels = _listed(source)
    if not channels or not all(isinstance(some, str) and (some == ALL or CODE.fullmatch(some)) for some in channels):
        raise LivePersonConfigurationError(
            f"source={source!r} must be channels such as APP, FACEBOOK, SMS, or 'all'. (In this report LivePerson's "
            "source is a channel, not the caller's name.)"
        )
    if ALL in channels and len(set(channels)) > 1:
        raise LivePersonConfigurationError(f"source={source!r}: give channels only, or 'all' alone.")
    return list(dict.fromkeys(channels))


def _listed(values: object) -> list[Any]:
    """What was given as a list; one text is a list of one."""
    if isinstance(values, str):
        return [values]
    return list(values) if isinstance(values, Sequence | Set) and not isinstance(values, bytes | bytearray) else []


def _names(name: str, values: Collection[str] | str | None, allowed: Collection[str]) -> Params:
    return {} if values is None else {name: ",".join(check_names(name, values, allowed))}


def _user_type(user_type: str | None) -> Params:
    return {} if user_type is None else {"userType": check_user_type(user_type)}


def _channels(source: Collection[str] | str | None) -> Params:
    return {} if source is None else {"source": ",".join(check_channels(source))}
