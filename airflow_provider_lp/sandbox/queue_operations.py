"""The methods of Messaging Operations about queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider_lp.sandbox import frames, parameters
from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.current_queues import KINDS, Queue, queues_at
from airflow_provider_lp.sandbox.days import HOUR_MS, MINUTE_MS
from airflow_provider_lp.sandbox.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.frames import Frame
from airflow_provider_lp.sandbox.groupings import Metrics
from airflow_provider_lp.sandbox.journey import Wait, waits
from airflow_provider_lp.sandbox.parameters import EVERY, PERIOD, Parameters
from airflow_provider_lp.sandbox.queues import GROUP_METRICS, group_metrics, group_of, queue_metrics, wait_metrics

_HEALTH = parameters.COMMON | {"timeframe", "interval", "skillIds", *PERIOD}
_CURRENT = parameters.COMMON | {"skillIds", "overdueConversations", "breakdown", "metrics", "groupIds", *PERIOD}
_BY_GROUP = parameters.COMMON | {"timeframe", "skillIds", "allocatedAgentGroupIds", "includeSubGroups", "metrics"}
_HEALTH_HOURS = 24
_CURRENT_HOURS = 72


class QueueOperations:
    """Answers the methods from an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def health(self, request: Request) -> Answer:
        """``msgqueuehealth``. The counts are those at the end of the frame or interval, the times those of waits that
        an agent ended within it; LivePerson does not document which it takes."""
        given = request.parameters(_HEALTH)
        frame = self._frame(given)
        minutes = (frame.end_ms - frame.start_ms) // MINUTE_MS
        interval = parameters.interval(given, minutes, parameters.SHORTEST_INTERVAL_MINUTES)
        skills = parameters.ids(given, "skillIds") or EVERY
        now_ms = self._account.now_ms()
        waited = [
            wait
            for conversation in self._account.ongoing_since(frame.start_ms)
            for wait in waits(conversation)
            if skills.holds(wait.skill_id) and wait.since_ms <= now_ms
        ]
        summary = _health_in(frame, waited, now_ms)
        if interval is None:
            return json_answer(200, summary)
        rows = [_row(number, row, _health_in(row, waited, now_ms)) for number, row in enumerate(frame.rows(interval))]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def current(self, request: Request) -> Answer:
        """``msgqueuehealth/current/``: the queues now. The second version looks only at the conversations that started
        in its period, an interpretation of the sandbox's."""
        given = request.parameters(_CURRENT)
        started = self._started(given)
        kinds = parameters.names(given, "metrics", KINDS, "queue,waittimes")
        if parameters.flag(given, "overdueConversations", "false"):
            kinds |= {"overdue"}
        breakdown = parameters.flag(given, "breakdown", "true")
        now_ms = self._account.now_ms()
        queues = _wanted_queues(queues_at(now_ms, started), given, kinds)
        answer: dict[str, Any] = {"metricsTotal": _together(queues.values()).metrics(kinds, now_ms)}
        if breakdown:
            answer["skillsMetrics"] = {
                skill: queue.metrics(kinds, now_ms) | {"time": now_ms} for skill, queue in queues.items()
            }
        return json_answer(200, answer)

    def by_group(self, request: Request) -> Answer:
        """``msgqueuehealthbygroup/current/``: the queues now, by the group that is to take each conversation. The
        timeframe is in hours, and no group of the sandbox has sub groups."""
        given = request.parameters(_BY_GROUP)
        parameters.version(given, "1")
        hours = parameters.whole_number("timeframe", given.get("timeframe", "24"))
        if hours < 1:
            raise Refused(400, "timeframe must be at least 1 hour")
        skills = parameters.ids(given, "skillIds") or EVERY
        groups = parameters.ids(given, "allocatedAgentGroupIds") or EVERY
        parameters.flag(given, "includeSubGroups", "false")
        names = parameters.names(given, "metrics", GROUP_METRICS)
        now_ms = self._account.now_ms()
        grouped: dict[str, dict[str, list[Wait]]] = {}
        for skill, queue in queues_at(now_ms, self._account.ongoing_since(now_ms)).items():
            for wait in queue.waiting:
                updated = wait.conversation.latest_update_ms >= now_ms - hours * HOUR_MS
                if updated and skills.holds(skill) and groups.holds(group_of(wait)):
                    grouped.setdefault(skill, {}).setdefault(str(group_of(wait)), []).append(wait)
        metrics = {
            skill: {group: _only(names, group_metrics(members)) for group, members in by_group.items()}
            for skill, by_group in grouped.items()
        }
        return json_answer(200, {"skillGroupMetrics": metrics})

    def _frame(self, given: Parameters) -> Frame:
        clock_ms = self._account.clock_ms()
        if parameters.version(given, "1", "2") == "2":
            parameters.foreign(given, "timeframe")
            return parameters.period(given, clock_ms, _HEALTH_HOURS)
        parameters.foreign(given, *PERIOD)
        return frames.sliding(clock_ms, parameters.timeframe(given))

    def _started(self, given: Parameters) -> list[Conversation]:
        if parameters.version(given, "1", "2") == "2":
            frame = parameters.period(given, self._account.clock_ms(), _CURRENT_HOURS)
            return self._account.started_between(frame.start_ms, frame.end_ms - 1)
        parameters.foreign(given, *PERIOD)
        return self._account.ongoing_since(self._account.now_ms())


def _health_in(frame: Frame, waited: Iterable[Wait], now_ms: int) -> dict[str, Any]:
    by_skill: dict[str, list[Wait]] = {}
    for wait in waited:
        if wait.lasts_at(min(frame.end_ms, now_ms)) or _is_taken_in(frame, wait, now_ms):
            by_skill.setdefault(wait.skill_id, []).append(wait)
    everyone = [wait for members in by_skill.values() for wait in members]
    return {
        "skillsMetrics": {skill: _health_of(members, frame, now_ms) for skill, members in by_skill.items()},
        "metricsTotal": _health_of(everyone, frame, now_ms),
    }


def _health_of(members: Sequence[Wait], frame: Frame, now_ms: int) -> Metrics:
    waiting = [wait for wait in members if wait.lasts_at(min(frame.end_ms, now_ms))]
    taken = [wait for wait in members if _is_taken_in(frame, wait, now_ms)]
    return queue_metrics(waiting) | wait_metrics([(wait, wait.length_ms) for wait in taken])


def _is_taken_in(frame: Frame, wait: Wait, now_ms: int) -> bool:
    return wait.agent_id is not None and frame.holds(wait.until_ms) and (wait.until_ms or 0) <= now_ms


def _row(number: int, frame: Frame, metrics: dict[str, Any]) -> dict[str, Any]:
    """A row of an interval, in one of the two forms that LivePerson mixes in a single sample."""
    stamp = {"timestamp": frame.start_ms}
    return stamp | ({"metricsData": metrics} if number % 2 else metrics)


def _wanted_queues(queues: dict[str, Queue], given: Parameters, kinds: frozenset[str]) -> dict[str, Queue]:
    skills = parameters.ids(given, "skillIds") or EVERY
    groups = parameters.ids(given, "groupIds") or EVERY
    wanted = {}
    for skill, queue in queues.items():
        overdue = [each for each in queue.overdue if groups.holds(each.agent_group_id)] if "overdue" in kinds else []
        if skills.holds(skill) and (queue.waiting or overdue):
            wanted[skill] = Queue(queue.waiting, overdue)
    return wanted


def _together(queues: Iterable[Queue]) -> Queue:
    total = Queue()
    for queue in queues:
        total.waiting += queue.waiting
        total.overdue += queue.overdue
    return total


def _only(names: frozenset[str], metrics: Metrics) -> Metrics:
    return {name: value for name, value in metrics.items() if name in names}
