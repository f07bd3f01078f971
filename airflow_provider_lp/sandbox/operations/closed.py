"""The methods of Messaging Operations about conversations that are over, counted in buckets of five minutes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.conversations.metrics import (
    Measure,
    Metrics,
    grouped,
    latest_agent,
    latest_skill,
    resolved_metrics,
    satisfaction_metrics,
)
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.operations import frames, parameters
from airflow_provider_lp.sandbox.operations.frames import Frame
from airflow_provider_lp.sandbox.operations.parameters import Parameters, Selection

_SATISFACTION = parameters.COMMON | {"timeframe", "skillIds", "agentIds"}
_RESOLVED_BODY = frozenset({"v", "timeframe", "interval", "skillIds", "agentIds"})


class ClosedOperations:
    """Answers the methods from an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def resolved(self, request: Request) -> Answer:
        """``GET msgconversation``: conversations that were closed."""
        return self._resolved(request.parameters(parameters.COMMON | _RESOLVED_BODY | {"groupIds"}))

    def resolved_by_post(self, request: Request) -> Answer:
        """``POST msgconversation``: the same, with the parameters as texts in the body."""
        request.parameters(frozenset({"source"}))
        body = request.json_object()
        if unknown := body.keys() - _RESOLVED_BODY:
            raise Refused(400, f"unknown member {min(unknown)!r}")
        if not all(isinstance(value, str) for value in body.values()):
            raise Refused(400, "the members of the body must be texts")
        return self._resolved(body)

    def satisfaction(self, request: Request) -> Answer:
        """``msgcsatdistribution``: surveys that were answered."""
        given = request.parameters(_SATISFACTION)
        parameters.version(given, "1")
        frame = frames.bucketed(self._account.clock_ms(), parameters.timeframe(given))
        skills, agents = (parameters.ids(given, name) for name in ("skillIds", "agentIds"))
        surveyed = self._account.surveyed_between(frame.start_ms, frame.end_ms)
        return json_answer(200, _sections(surveyed, satisfaction_metrics, skills, agents))

    def _resolved(self, given: Parameters) -> Answer:
        parameters.version(given, "1")
        timeframe = parameters.timeframe(given)
        interval = parameters.interval(given, timeframe)
        skills, agents, groups = (parameters.ids(given, name) for name in ("skillIds", "agentIds", "groupIds"))
        frame = frames.bucketed(self._account.clock_ms(), timeframe)
        closed = self._account.closed_between(frame.start_ms, frame.end_ms)
        if groups is not None:
            closed = [each for each in closed if _is_of(each, groups)]
        answer = _sections(closed, resolved_metrics, skills, agents)
        if interval is not None:
            answer["metricsByIntervals"] = [
                {
                    "timestamp": row.end_ms,
                    "metricsData": _sections(_closed_in(row, closed), resolved_metrics, skills, agents),
                }
                for row in frame.rows(interval)
            ]
        return json_answer(200, answer)


def _is_of(conversation: Conversation, groups: Selection) -> bool:
    """Whether the latest agent is of one of the groups; to ask for all is to ask for no filter."""
    return groups.ids is None or (bool(conversation.agent_ids) and groups.holds(conversation.agent_group_id))


def _closed_in(row: Frame, conversations: Iterable[Conversation]) -> list[Conversation]:
    return [each for each in conversations if row.holds(each.conversation_end_ms)]


def _sections(
    conversations: Sequence[Conversation], measure: Measure, skills: Selection | None, agents: Selection | None
) -> dict[str, Any]:
    """The members of an answer: one section for each list of ids, or the account's totals without any. The list of
    agents leaves the section of the skills as it is."""
    if skills is None and agents is None:
        return {"metricsTotals": measure(conversations)}
    found = {}
    if skills is not None:
        found["skillsMetricsPerAgent"] = _by_skill(conversations, measure, skills)
    if agents is not None:
        found["agentsMetrics"] = _by_agent(conversations, measure, agents)
    return found


def _by_skill(conversations: Iterable[Conversation], measure: Measure, wanted: Selection) -> dict[str, Any]:
    served = [each for each in conversations if wanted.holds(latest_skill(each))]
    per_skill = {
        skill: {"metricsPerAgent": _per_agent(members, measure), "metricsTotals": measure(members)}
        for skill, members in grouped(served, latest_skill).items()
    }
    return {"metricsPerSkill": per_skill, "metricsTotals": measure(served)}


def _by_agent(conversations: Iterable[Conversation], measure: Measure, wanted: Selection) -> dict[str, Any]:
    served = [each for each in conversations if each.agent_ids and wanted.holds(each.agent_ids[-1])]
    return {"metricsPerAgent": _per_agent(served, measure), "metricsTotals": measure(served)}


def _per_agent(conversations: Iterable[Conversation], measure: Measure) -> dict[str, Metrics]:
    return {agent: measure(members) for agent, members in grouped(conversations, latest_agent).items()}
