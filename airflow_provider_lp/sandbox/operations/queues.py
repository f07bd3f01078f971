"""The methods of Messaging Operations about queues. A conversation ``IN_QUEUE`` waits until it is closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.conversations.metrics import Metrics, grouped, latest_skill
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.moments import HOUR_MS, MINUTE_MS
from airflow_provider_lp.sandbox.operations import frames, parameters, tables
from airflow_provider_lp.sandbox.operations.frames import Frame
from airflow_provider_lp.sandbox.operations.parameters import EVERY, PERIOD, Parameters, Selection

_HEALTH = parameters.COMMON | {"timeframe", "interval", "skillIds", *PERIOD}
_CURRENT = parameters.COMMON | {"skillIds", "overdueConversations", "breakdown", "metrics", "groupIds", *PERIOD}
_BY_GROUP = parameters.COMMON | {"timeframe", "skillIds", "allocatedAgentGroupIds", "includeSubGroups", "metrics"}
#: The first version takes OAuth 1.0 only, and the second OAuth 2.0 only, since OAuth 1.0 has ended.
CURRENT_VERSIONS = ("1", "2")
CURRENT_VERSIONS_OF_OAUTH2 = ("2",)
_KINDS = ("queue", "waittimes", "overdue")
_HEALTH_HOURS = 24
_CURRENT_HOURS = 72
_OVERDUE_AFTER_MS = HOUR_MS


class QueueOperations:
    """Answers the methods from an account."""

    def __init__(self, account: Account, current_versions: tuple[str, ...]) -> None:
        self._account = account
        self._current_versions = current_versions

    def health(self, request: Request) -> Answer:
        """``msgqueuehealth``: who waits at the end of the frame, and of each interval. LivePerson does not document
        which moment it takes."""
        given = request.parameters(_HEALTH)
        frame = self._frame(given)
        minutes = (frame.end_ms - frame.start_ms) // MINUTE_MS
        interval = parameters.interval(given, minutes, parameters.SHORTEST_INTERVAL_MINUTES)
        skills = parameters.ids(given, "skillIds") or EVERY
        summary = self._health_at(frame.end_ms, skills)
        if interval is None:
            return json_answer(200, summary)
        rows = [
            _row(number, row, self._health_at(row.end_ms, skills)) for number, row in enumerate(frame.rows(interval))
        ]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def current(self, request: Request) -> Answer:
        """``msgqueuehealth/current/``: who waits now. The second version counts only conversations that started in its
        period, an interpretation of the sandbox's."""
        given = request.parameters(_CURRENT)
        if parameters.version(given, *CURRENT_VERSIONS) not in self._current_versions:
            raise Refused(401, {"message": "This version does not take this authentication"})
        kinds = parameters.names(given, "metrics", _KINDS, "queue,waittimes")
        if parameters.flag(given, "overdueConversations", "false"):
            kinds |= {"overdue"}
        breakdown = parameters.flag(given, "breakdown", "true")
        # Filters the overdue conversations that an agent has, of which the sandbox has none.
        parameters.ids(given, "groupIds")
        skills = parameters.ids(given, "skillIds") or EVERY
        started, now_ms = self._started(given), self._account.now_ms()
        waiting = [each for each in _waiting_at(now_ms, started) if skills.holds(latest_skill(each))]
        answer: dict[str, Any] = {"metricsTotal": _current_metrics(waiting, kinds, now_ms)}
        if breakdown:
            answer["skillsMetrics"] = {
                skill: _current_metrics(members, kinds, now_ms) | {"time": now_ms}
                for skill, members in grouped(waiting, latest_skill).items()
            }
        return json_answer(200, answer)

    def by_group(self, request: Request) -> Answer:
        """``msgqueuehealthbygroup/current/``: who waits now, by group. The timeframe is in hours, and no group of the
        sandbox has sub groups."""
        given = request.parameters(_BY_GROUP)
        parameters.version(given, "1")
        hours = parameters.whole_number("timeframe", given.get("timeframe", "24"), at_least=1)
        skills = parameters.ids(given, "skillIds") or EVERY
        groups = parameters.ids(given, "allocatedAgentGroupIds") or EVERY
        parameters.flag(given, "includeSubGroups", "false")
        table = tables.chosen(tables.GROUP_QUEUE, parameters.names(given, "metrics", tuple(tables.GROUP_QUEUE)))
        now_ms = self._account.now_ms()
        waiting = [
            each
            for each in _waiting_at(now_ms, self._account.ongoing_since(now_ms))
            if each.latest_update_ms >= now_ms - hours * HOUR_MS
            and skills.holds(latest_skill(each))
            and groups.holds(each.agent_group_id)
        ]
        by_skill = {
            skill: {
                group: tables.metrics(table, len(queue))
                for group, queue in grouped(members, lambda each: str(each.agent_group_id)).items()
            }
            for skill, members in grouped(waiting, latest_skill).items()
        }
        return json_answer(200, {"skillGroupMetrics": by_skill})

    def _frame(self, given: Parameters) -> Frame:
        clock_ms = self._account.clock_ms()
        if parameters.version(given, "1", "2") == "2":
            parameters.foreign(given, "timeframe")
            return parameters.period(given, clock_ms, _HEALTH_HOURS)
        parameters.foreign(given, *PERIOD)
        return frames.sliding(clock_ms, parameters.timeframe(given))

    def _started(self, given: Parameters) -> list[Conversation]:
        if given["v"] == "2":
            frame = parameters.period(given, self._account.clock_ms(), _CURRENT_HOURS)
            return self._account.started_between(frame.start_ms, frame.end_ms - 1)
        parameters.foreign(given, *PERIOD)
        return self._account.ongoing_since(self._account.now_ms())

    def _health_at(self, moment_ms: int, skills: Selection) -> dict[str, Any]:
        waiting = _waiting_at(moment_ms, self._account.ongoing_since(moment_ms))
        wanted = [each for each in waiting if skills.holds(latest_skill(each))]
        table = tables.QUEUE | tables.WAIT_TIMES_MS
        by_skill = grouped(wanted, latest_skill)
        return {
            "skillsMetrics": {skill: tables.metrics(table, len(members)) for skill, members in by_skill.items()},
            "metricsTotal": tables.metrics(table, len(wanted)),
        }


def _waiting_at(moment_ms: int, conversations: Iterable[Conversation]) -> list[Conversation]:
    return [
        each
        for each in conversations
        if each.queue_state == "IN_QUEUE"
        and each.start_ms <= moment_ms
        and (each.conversation_end_ms is None or moment_ms < each.conversation_end_ms)
    ]


def _current_metrics(waiting: list[Conversation], kinds: frozenset[str], now_ms: int) -> Metrics:
    metrics: Metrics = {}
    if "queue" in kinds:
        metrics |= tables.metrics(tables.QUEUE, len(waiting))
    if "waittimes" in kinds:
        metrics |= tables.metrics(tables.WAIT_TIMES_MS, len(waiting))
    if "overdue" in kinds:
        overdue = [each for each in waiting if each.start_ms < now_ms - _OVERDUE_AFTER_MS]
        metrics |= tables.metrics(tables.OVERDUE, len(overdue))
    return metrics


def _row(number: int, frame: Frame, metrics: dict[str, Any]) -> dict[str, Any]:
    """A row of an interval, in one of the two forms that LivePerson mixes in a single sample."""
    stamp = {"timestamp": frame.start_ms}
    return stamp | ({"metricsData": metrics} if number % 2 else metrics)
