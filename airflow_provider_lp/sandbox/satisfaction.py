"""How content the consumers were who answered a survey (CSAT)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from airflow_provider_lp.sandbox.conversation import Conversation

_SCORES = range(1, 6)
_POSITIVE = (4, 5)


def satisfaction_metrics(conversations: Iterable[Conversation]) -> dict[str, float]:
    """The metrics of ``msgcsatdistribution`` for conversations whose survey was answered. ``csat_score`` is a fraction,
    0 without answers."""
    answers = Counter(conversation.csat for conversation in conversations)
    total = sum(answers[score] for score in _SCORES)
    positive = sum(answers[score] for score in _POSITIVE)
    metrics: dict[str, float] = {f"csat_score{score}_answers": answers[score] for score in _SCORES}
    return metrics | {
        "total_answers": total,
        "positive_answers": positive,
        "csat_score": positive / total if total else 0,
    }
