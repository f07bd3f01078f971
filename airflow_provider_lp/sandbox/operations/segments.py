"""The methods of Messaging Operations about segments.

LivePerson does not say when a segment counts. In the sandbox all segments of a conversation count when it is closed:
one for each of its skills, and one for each of its agents. Which skill an agent had it with goes by their positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversations import cast
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.conversations.metrics import grouped
from airflow_provider_lp.sandbox.http.exchange import Answer, Request, json_answer
from airflow_provider_lp.sandbox.operations import frames, parameters, tables
from airflow_provider_lp.sandbox.operations.frames import Frame
from airflow_provider_lp.sandbox.operations.parameters import EVERY, Parameters, Selection

_BY_SKILL = parameters.COMMON | {"timeframe", "interval", "skillIds", "userType"}
_BY_AGENT = _BY_SKILL | {"agentIds", "groupIds", "metrics"}
_TOTAL = "totalAgentConversationSegments"


@dataclass(frozen=True, slots=True)
class _Segment:
    """The time that a conversation was with a skill or an agent. One that no agent took is of no type of user."""

    skill_id: str
    agent_id: str | None
    source: str
    end_ms: int | None

    def is_of(self, user_type: str) -> bool:
        if user_type == "all":
            return True
        return self.agent_id is not None and cast.agent_of(self.agent_id).is_bot is (user_type == "bot")


class SegmentOperations:
    """Answers the methods from an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def by_skill(self, request: Request) -> Answer:
        """``msgskillsegments``: rows newest first, with the metrics beside the stamp."""
        given = request.parameters(_BY_SKILL)
        frame, interval = self._frame(given)
        skills = parameters.ids(given, "skillIds") or EVERY
        user_type = parameters.user_type(given)
        segments = [
            each
            for each in self._ended_in(frame, _skill_segments)
            if skills.holds(each.skill_id) and each.is_of(user_type)
        ]
        summary = _by_skill(segments)
        if interval is None:
            return json_answer(200, summary)
        rows = [{"timestamp": row.start_ms, **_by_skill(_ended_in(row, segments))} for row in frame.rows(interval)]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def by_agent(self, request: Request) -> Answer:
        """``msgagentsegments``: rows oldest first, with the metrics under ``metricsData``. ``source`` is a channel."""
        given = request.parameters(_BY_AGENT)
        frame, interval = self._frame(given)
        skills = parameters.ids(given, "skillIds")
        names = parameters.names(given, "metrics", tuple(tables.AGENT_SEGMENTS)) | {_TOTAL}
        table = tables.chosen(tables.AGENT_SEGMENTS, names)
        wanted = _agent_filter(given)
        segments = [each for each in self._ended_in(frame, _agent_segments) if wanted(each)]
        summary = _by_agent(segments, skills, table)
        if interval is None:
            return json_answer(200, summary)
        rows = [
            {"timestamp": row.start_ms, "metricsData": _by_agent(_ended_in(row, segments), skills, table)}
            for row in reversed(frame.rows(interval))
        ]
        return json_answer(200, {"metricsByIntervals": rows, "timeframeSummary": summary})

    def _frame(self, given: Parameters) -> tuple[Frame, int | None]:
        parameters.version(given, "1")
        timeframe = parameters.timeframe(given)
        interval = parameters.interval(given, timeframe, parameters.SHORTEST_INTERVAL_MINUTES)
        return frames.sliding(self._account.clock_ms(), timeframe), interval

    def _ended_in(self, frame: Frame, segments_of: Callable[[Conversation], list[_Segment]]) -> list[_Segment]:
        closed = self._account.closed_between(frame.start_ms, frame.end_ms)
        return [segment for conversation in closed for segment in segments_of(conversation)]


def _skill_segments(conversation: Conversation) -> list[_Segment]:
    agent_id = conversation.agent_ids[-1] if conversation.agent_ids else None
    end_ms = conversation.conversation_end_ms
    return [_Segment(str(skill_id), agent_id, conversation.source, end_ms) for skill_id in conversation.skill_ids]


def _agent_segments(conversation: Conversation) -> list[_Segment]:
    skills, end_ms = conversation.skill_ids, conversation.conversation_end_ms
    return [
        _Segment(str(skills[min(position, len(skills) - 1)]), agent_id, conversation.source, end_ms)
        for position, agent_id in enumerate(conversation.agent_ids)
    ]


def _ended_in(row: Frame, segments: list[_Segment]) -> list[_Segment]:
    return [each for each in segments if row.holds(each.end_ms)]


def _agent_filter(given: Parameters) -> Callable[[_Segment], bool]:
    agents = parameters.ids(given, "agentIds") or EVERY
    groups = parameters.ids(given, "groupIds") or EVERY
    user_type, channels = parameters.user_type(given), parameters.channels(given)

    def wanted(segment: _Segment) -> bool:
        agent = segment.agent_id or ""
        known = agents.holds(agent) and groups.holds(cast.agent_of(agent).group_id)
        return known and channels.holds(segment.source) and segment.is_of(user_type)

    return wanted


def _by_skill(segments: list[_Segment]) -> dict[str, Any]:
    by_skill = grouped(segments, lambda each: each.skill_id)
    return {
        "skillsMetrics": {
            skill: tables.metrics(tables.SKILL_SEGMENTS, len(members)) for skill, members in by_skill.items()
        },
        "metricsTotal": tables.metrics(tables.SKILL_SEGMENTS, len(segments)),
    }


def _by_agent(segments: list[_Segment], skills: Selection | None, table: dict[str, float]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "agentsMetrics": _per_agent(segments, table),
        "metricsTotal": tables.metrics(table, len(segments)),
    }
    if skills is not None:
        by_skill = grouped(segments, lambda each: each.skill_id)
        answer["metricsPerSkill"] = {
            skill: _per_agent(members, table) for skill, members in by_skill.items() if skills.holds(skill)
        }
    return answer


def _per_agent(segments: list[_Segment], table: dict[str, float]) -> dict[str, Any]:
    by_agent = grouped(segments, lambda each: each.agent_id)
    return {"metricsPerAgent": {agent: tables.metrics(table, len(members)) for agent, members in by_agent.items()}}
