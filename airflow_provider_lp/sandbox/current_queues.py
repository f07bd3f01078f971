"""The queues of the skills as they are at a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.days import DAY_MS, HOUR_MS
from airflow_provider_lp.sandbox.groupings import Metrics, latest_skill
from airflow_provider_lp.sandbox.journey import Wait, waits
from airflow_provider_lp.sandbox.queues import overdue_metrics, queue_metrics, wait_metrics

KINDS = ("queue", "waittimes", "overdue")
_OVERDUE_AFTER_MS = HOUR_MS
# LivePerson's notes say four days, its table five.
_OVERDUE_WITHIN_MS = 4 * DAY_MS


@dataclass
class Queue:
    """Who waits, and the conversations with an agent who is overdue."""

    waiting: list[Wait] = field(default_factory=list)
    overdue: list[Conversation] = field(default_factory=list)

    def metrics(self, kinds: frozenset[str], now_ms: int) -> Metrics:
        """The metrics of these kinds. Of those who wait, the times are of conversations of the last 24 hours only."""
        metrics: Metrics = {}
        if "queue" in kinds:
            metrics |= queue_metrics(self.waiting)
        if "waittimes" in kinds:
            recent = [wait for wait in self.waiting if wait.conversation.start_ms >= now_ms - DAY_MS]
            metrics |= wait_metrics([(wait, now_ms - wait.since_ms) for wait in recent])
        if "overdue" in kinds:
            waiting = [wait for wait in self.waiting if _is_overdue(wait.conversation, wait.since_ms, now_ms)]
            metrics |= overdue_metrics(len(waiting), len(self.overdue))
        return metrics


def queues_at(now_ms: int, conversations: Iterable[Conversation]) -> dict[str, Queue]:
    """The queue of each skill that has one."""
    queues: dict[str, Queue] = {}
    for conversation in conversations:
        waiting = [wait for wait in waits(conversation) if wait.lasts_at(now_ms)]
        for wait in waiting:
            queues.setdefault(wait.skill_id, Queue()).waiting.append(wait)
        if not waiting and _is_unanswered(conversation, now_ms):
            queues.setdefault(latest_skill(conversation), Queue()).overdue.append(conversation)
    return queues


def _is_unanswered(conversation: Conversation, now_ms: int) -> bool:
    """Whether an agent has left the consumer without an answer. The consumer's messages are every other one."""
    asked = conversation.conversation_end_ms is None and conversation.message_count % 2 == 1
    return asked and _is_overdue(conversation, conversation.message_ms(conversation.message_count - 1), now_ms)


def _is_overdue(conversation: Conversation, since_ms: int, now_ms: int) -> bool:
    return conversation.start_ms >= now_ms - _OVERDUE_WITHIN_MS and since_ms < now_ms - _OVERDUE_AFTER_MS
