"""Metrics of closed conversations and of answered surveys, by their latest skill and agent.

LivePerson documents neither how long a handling time is nor which skill and agent a conversation counts for. The
sandbox takes the time from the start to the close, and the last skill and agent that a conversation had. One without an
agent counts for its skill and for the account only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from airflow_provider_lp.sandbox.conversations.conversation import Conversation

Metrics = dict[str, float]
Measure = Callable[[Iterable[Conversation]], Metrics]
#: A skill and an agent; ``None`` stands for all of them.
Subject = tuple[str | None, str | None]
Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

_CLOSERS = {"AGENT": "_byCCP", "CONSUMER": "_byConsumer", "SYSTEM": "_bySystem"}
_ALL = ""
_SCORES = range(1, 6)
_POSITIVE = (4, 5)


def resolved_metrics(conversations: Iterable[Conversation]) -> Metrics:
    """The metrics of ``msgconversation`` for conversations that are closed. Times are milliseconds."""
    counts: Counter[str] = Counter()
    handling_ms: Counter[str] = Counter()
    for conversation in conversations:
        closed_ms = conversation.conversation_end_ms or conversation.start_ms
        for closer in (_CLOSERS[conversation.close_reason], _ALL):
            counts[closer] += 1
            handling_ms[closer] += closed_ms - conversation.start_ms
    metrics: Metrics = {}
    for closer in (*_CLOSERS.values(), _ALL):
        metrics[f"resolvedConversations{closer}" if closer else "totalResolvedConversations"] = counts[closer]
        metrics[f"totalHandlingTime_resolvedConversations{closer}"] = handling_ms[closer]
        average = handling_ms[closer] / counts[closer] if counts[closer] else 0
        metrics[f"avgTime_resolvedConversations{closer}"] = average
    return metrics


def satisfaction_metrics(conversations: Iterable[Conversation]) -> Metrics:
    """The metrics of ``msgcsatdistribution`` for conversations whose survey was answered. ``csat_score`` is a fraction,
    0 without answers."""
    answers = Counter(conversation.csat for conversation in conversations)
    total = sum(answers[score] for score in _SCORES)
    positive = sum(answers[score] for score in _POSITIVE)
    metrics: Metrics = {f"csat_score{score}_answers": answers[score] for score in _SCORES}
    return metrics | {
        "total_answers": total,
        "positive_answers": positive,
        "csat_score": positive / total if total else 0,
    }


def by_subject(conversations: Iterable[Conversation], measure: Measure) -> dict[Subject, Metrics]:
    """Every metric there is: of the account, of each skill, each agent and each agent within a skill."""
    groups: dict[Subject, list[Conversation]] = {(None, None): []}
    for conversation in conversations:
        skill, agent = latest_skill(conversation), latest_agent(conversation)
        subjects: set[Subject] = {(None, None), (skill, None), (None, agent), (skill, agent)}
        for subject in subjects:
            groups.setdefault(subject, []).append(conversation)
    return {subject: measure(members) for subject, members in groups.items()}


def latest_skill(conversation: Conversation) -> str:
    """The skill that a conversation counts for."""
    return str(conversation.skill_ids[-1])


def latest_agent(conversation: Conversation) -> str | None:
    """The agent that a conversation counts for, if it had any."""
    return conversation.agent_ids[-1] if conversation.agent_ids else None


def grouped(items: Iterable[Item], key: Callable[[Item], Key | None]) -> dict[Key, list[Item]]:
    """The items by their key; those without one are left out."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        group = key(item)
        if group is not None:
            groups.setdefault(group, []).append(item)
    return groups
