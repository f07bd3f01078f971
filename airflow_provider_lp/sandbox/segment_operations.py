"""The methods of Messaging Operations about segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from airflow_provider_lp.sandbox import cast, frames, parameters
from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.exchange import Answer, Request, json_answer
from airflow_provider_lp.sandbox.frames import Frame
from airflow_provider_lp.sandbox.groupings import Metrics
from airflow_provider_lp.sandbox.journey import Stay, agent_stays, skill_stays
from airflow_provider_lp.sandbox.parameters import EVERY, Parameters, Selection
from airflow_provider_lp.sandbox.segments import AGENT_METRICS, agent_metrics, skill_metrics

_BY_SKILL = parameters.COMMON | {"timeframe", "interval", "skillIds", "userType"}
_BY_AGENT = _BY_SKILL | {"agentIds", "groupIds", "metrics"}


class SegmentOperations:
    """Answers the methods from an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def by_skill(self, request: Request) -> Answer:
        """``msgskillsegments``. A segment that no agent took is of no type of user, so it shows under ``all`` only."""
        given = request.parameters(_BY_SKILL)
        frame, interval = self._frame(given)
        skills = parameters.ids(given, "skillIds") or EVERY
        user_type = parameters.user_type(given)
        stays = [
            stay
            for stay in self._over_in(frame, skill_stays)
            if skills.holds(stay.skill_id) and _is_of_type(user_type, stay)
        ]
        summary = _by_skill(stays)
        if interval is None:
            return json_answer(200, summary)
        rows = [{"timestamp": row.start_ms, **_by_skill(_over_in(row, stays))} for row in frame.rows(interval)]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def by_agent(self, request: Request) -> Answer:
        """``msgagentsegments``. ``source`` is a channel here."""
        given = request.parameters(_BY_AGENT)
        frame, interval = self._frame(given)
        skills = parameters.ids(given, "skillIds")
        names = parameters.names(given, "metrics", AGENT_METRICS) | {AGENT_METRICS[0]}
        wanted = _agent_filter(given)
        stays = [stay for stay in self._over_in(frame, agent_stays) if wanted(stay)]
        summary = _by_agent(stays, skills, names)
        if interval is None:
            return json_answer(200, summary)
        rows = [
            {"timestamp": row.start_ms, "metricsData": _by_agent(_over_in(row, stays), skills, names)}
            for row in reversed(frame.rows(interval))
        ]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def _frame(self, given: Parameters) -> tuple[Frame, int | None]:
        parameters.version(given, "1")
        timeframe = parameters.timeframe(given)
        interval = parameters.interval(given, timeframe, parameters.SHORTEST_INTERVAL_MINUTES)
        return frames.sliding(self._account.clock_ms(), timeframe), interval

    def _over_in(self, frame: Frame, stays_of: Callable[[Conversation], list[Stay]]) -> list[Stay]:
        now_ms = self._account.now_ms()
        ongoing = self._account.ongoing_since(frame.start_ms)
        over = (stay for each in ongoing for stay in stays_of(each) if (stay.end_ms or 0) <= now_ms)
        return _over_in(frame, over)


def _over_in(frame: Frame, stays: Iterable[Stay]) -> list[Stay]:
    return [stay for stay in stays if frame.holds(stay.end_ms)]


def _agent_filter(given: Parameters) -> Callable[[Stay], bool]:
    agents = parameters.ids(given, "agentIds") or EVERY
    groups = parameters.ids(given, "groupIds") or EVERY
    user_type, channels = parameters.user_type(given), parameters.channels(given)

    def wanted(stay: Stay) -> bool:
        agent = stay.agent_id or ""
        known = agents.holds(agent) and groups.holds(cast.agent_of(agent).group_id)
        return known and channels.holds(stay.conversation.source) and _is_of_type(user_type, stay)

    return wanted


def _is_of_type(user_type: str, stay: Stay) -> bool:
    if user_type == "all":
        return True
    return stay.agent_id is not None and cast.agent_of(stay.agent_id).is_bot is (user_type == "bot")


def _by_skill(stays: list[Stay]) -> dict[str, Any]:
    by_skill = _grouped(stays, lambda stay: stay.skill_id)
    return {
        "skillsMetrics": {skill: skill_metrics(members) for skill, members in by_skill.items()},
        "metricsTotal": skill_metrics(stays),
    }


def _by_agent(stays: list[Stay], skills: Selection | None, names: frozenset[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"agentsMetrics": _per_agent(stays, names), "metricsTotal": _measured(stays, names)}
    if skills is not None:
        by_skill = _grouped(stays, lambda stay: stay.skill_id)
        answer["metricsPerSkill"] = {
            skill: _per_agent(members, names) for skill, members in by_skill.items() if skills.holds(skill)
        }
    return answer


def _per_agent(stays: list[Stay], names: frozenset[str]) -> dict[str, Any]:
    by_agent = _grouped(stays, lambda stay: stay.agent_id or "")
    return {"metricsPerAgent": {agent: _measured(members, names) for agent, members in by_agent.items()}}


def _measured(stays: list[Stay], names: frozenset[str]) -> Metrics:
    return {name: value for name, value in agent_metrics(stays).items() if name in names}


def _grouped(stays: Iterable[Stay], key: Callable[[Stay], str]) -> dict[str, list[Stay]]:
    grouped: dict[str, list[Stay]] = {}
    for stay in stays:
        grouped.setdefault(key(stay), []).append(stay)
    return grouped
