"""The methods of Messaging Operations about conversations that are over, counted in buckets of five minutes."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_lp.sandbox import frames, parameters
from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.frames import Frame
from airflow_provider_lp.sandbox.groupings import sections
from airflow_provider_lp.sandbox.parameters import Parameters, Selection
from airflow_provider_lp.sandbox.resolved import resolved_metrics
from airflow_provider_lp.sandbox.satisfaction import satisfaction_metrics

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
        return json_answer(200, sections(surveyed, satisfaction_metrics, skills, agents))

    def _resolved(self, given: Parameters) -> Answer:
        parameters.version(given, "1")
        timeframe = parameters.timeframe(given)
        interval = parameters.interval(given, timeframe)
        skills, agents, groups = (parameters.ids(given, name) for name in ("skillIds", "agentIds", "groupIds"))
        frame = frames.bucketed(self._account.clock_ms(), timeframe)
        closed = self._account.closed_between(frame.start_ms, frame.end_ms)
        if groups is not None:
            closed = [each for each in closed if _is_of(each, groups)]
        answer = sections(closed, resolved_metrics, skills, agents)
        if interval is not None:
            answer["metricsByIntervals"] = [
                {
                    "timestamp": row.end_ms,
                    "metricsData": sections(_closed_in(row, closed), resolved_metrics, skills, agents),
                }
                for row in frame.rows(interval)
            ]
        return json_answer(200, answer)


def _is_of(conversation: Conversation, groups: Selection) -> bool:
    """Whether the latest agent is of one of the groups; to ask for all is to ask for no filter."""
    return groups.ids is None or (bool(conversation.agent_ids) and groups.holds(conversation.agent_group_id))


def _closed_in(row: Frame, conversations: Iterable[Conversation]) -> list[Conversation]:
    return [each for each in conversations if row.holds(each.conversation_end_ms)]
