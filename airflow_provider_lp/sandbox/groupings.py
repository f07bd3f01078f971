"""Metrics of conversations by their latest skill and agent.

Which skill and agent a conversation counts for is the sandbox's definition, since LivePerson documents none: the last
ones it had. Without an agent it counts for its skill and for the account only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.parameters import Selection

Metrics = dict[str, float]
Measure = Callable[[Iterable[Conversation]], Metrics]
#: A skill and an agent; ``None`` stands for all of them.
Subject = tuple[str | None, str | None]


def sections(
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


def by_subject(conversations: Iterable[Conversation], measure: Measure) -> dict[Subject, Metrics]:
    """Every metric there is: of the account, of each skill, each agent and each agent within a skill."""
    grouped: dict[Subject, list[Conversation]] = {(None, None): []}
    for conversation in conversations:
        skill, agent = latest_skill(conversation), latest_agent(conversation)
        subjects: set[Subject] = {(None, None), (skill, None), (None, agent), (skill, agent)}
        for subject in subjects:
            grouped.setdefault(subject, []).append(conversation)
    return {subject: measure(members) for subject, members in grouped.items()}


def latest_skill(conversation: Conversation) -> str:
    """The skill that a conversation counts for."""
    return str(conversation.skill_ids[-1])


def latest_agent(conversation: Conversation) -> str | None:
    """The agent that a conversation counts for, if it had any."""
    return conversation.agent_ids[-1] if conversation.agent_ids else None


def _by_skill(conversations: Iterable[Conversation], measure: Measure, wanted: Selection) -> dict[str, Any]:
    served = [each for each in conversations if wanted.holds(latest_skill(each))]
    per_skill = {
        skill: {"metricsPerAgent": _per_agent(members, measure), "metricsTotals": measure(members)}
        for skill, members in _grouped(served, latest_skill).items()
    }
    return {"metricsPerSkill": per_skill, "metricsTotals": measure(served)}


def _by_agent(conversations: Iterable[Conversation], measure: Measure, wanted: Selection) -> dict[str, Any]:
    served = [each for each in conversations if each.agent_ids and wanted.holds(each.agent_ids[-1])]
    return {"metricsPerAgent": _per_agent(served, measure), "metricsTotals": measure(served)}


def _per_agent(conversations: Iterable[Conversation], measure: Measure) -> dict[str, Metrics]:
    return {agent: measure(members) for agent, members in _grouped(conversations, latest_agent).items()}


def _grouped(
    conversations: Iterable[Conversation], key: Callable[[Conversation], str | None]
) -> dict[str, list[Conversation]]:
    grouped: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        group = key(conversation)
        if group is not None:
            grouped.setdefault(group, []).append(conversation)
    return grouped
