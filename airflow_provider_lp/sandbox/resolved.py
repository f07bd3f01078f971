"""What Messaging Operations calls resolved conversations: how many were closed, by whom, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from airflow_provider_lp.sandbox.conversation import Conversation

_CLOSERS = {"AGENT": "_byCCP", "CONSUMER": "_byConsumer", "SYSTEM": "_bySystem"}
_ALL = ""


def resolved_metrics(conversations: Iterable[Conversation]) -> dict[str, float]:
    """The metrics of ``msgconversation`` for conversations that are closed.

    The handling time is taken from the start of the conversation to its close, in milliseconds. This definition is the
    sandbox's: LivePerson documents none.
    """
    counts: Counter[str] = Counter()
    handling_ms: Counter[str] = Counter()
    for conversation in conversations:
        for closer in (_CLOSERS[conversation.close_reason], _ALL):
            counts[closer] += 1
            handling_ms[closer] += _handling_ms(conversation)
    closers = (*_CLOSERS.values(), _ALL)
    metrics: dict[str, float] = {_count_name(closer): counts[closer] for closer in closers}
    metrics |= {f"totalHandlingTime_resolvedConversations{closer}": handling_ms[closer] for closer in closers}
    for closer in closers:
        average = handling_ms[closer] / counts[closer] if counts[closer] else 0
        metrics[f"avgTime_resolvedConversations{closer}"] = average
    return metrics


def _handling_ms(conversation: Conversation) -> int:
    return (conversation.conversation_end_ms or conversation.start_ms) - conversation.start_ms


def _count_name(closer: str) -> str:
    return f"resolvedConversations{closer}" if closer else "totalResolvedConversations"
