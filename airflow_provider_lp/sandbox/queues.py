"""Metrics of queues: who waits at a moment, and how long those had waited who were taken by an agent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from airflow_provider_lp.sandbox import cast
from airflow_provider_lp.sandbox.figures import average, highest, percentile
from airflow_provider_lp.sandbox.journey import Wait

GROUP_METRICS = (
    "unassignedConversations",
    "unassignedConversationsAndFirstTimeConsumer",
    "actionableConversations",
    "actionableAndDuringTransferToAgent",
    "actionableAndDuringTransferToSkill",
    "actionableAndDuringBackToQueue",
    "notActionableConversations",
    "notActionableAndDuringTransferToAgent",
    "notActionableAndDuringTransferToSkill",
    "notActionableAndDuringBackToQueue",
)


class _Transfer(IntEnum):
    """How a conversation that had an agent came back to a queue."""

    TO_AGENT = 0
    TO_SKILL = 1
    BACK_TO_QUEUE = 2


def queue_metrics(waiting: Sequence[Wait]) -> dict[str, float]:
    """How many wait, by what is known of them."""
    actionable = [wait for wait in waiting if _is_actionable(wait)]
    others = [wait for wait in waiting if not _is_actionable(wait)]
    return {
        "unassignedConversations": len(waiting),
        "actionableConversations": len(actionable),
        "notActionableConversations": len(others),
        "actionableAndManualSla": _count(_has_manual_sla(wait) for wait in actionable),
        "notActionableAndManualSla": _count(_has_manual_sla(wait) for wait in others),
        "actionableAndDuringTransfer": _count(wait.number > 0 for wait in actionable),
        "notActionableDuringTransfer": _count(wait.number > 0 for wait in others),
        "actionableAndConsumerLastMessage": len(actionable),
        "unassignedConversationsAndFirstTimeConsumer": _count(wait.conversation.is_first for wait in waiting),
    }


def wait_metrics(lengths: Sequence[tuple[Wait, int]]) -> dict[str, float]:
    """How long waits took, in milliseconds, each given with its length."""
    every = [length_ms for _, length_ms in lengths]
    new = [length_ms for wait, length_ms in lengths if not wait.number]
    transferred = [length_ms for wait, length_ms in lengths if wait.number]
    from_bot = [length_ms for wait, length_ms in lengths if _comes_from(wait, bot=True)]
    from_agent = [length_ms for wait, length_ms in lengths if _comes_from(wait, bot=False)]
    return {
        "avgWaitTimeForAgentAssignment_NewConversation": average(new),
        "avgWaitTimeForAgentAssignment_AfterTransfer": average(transferred),
        "avgWaitTimeForAgentAssignment_AfterTransferFromBot": average(from_bot),
        "avgWaitTimeForAgentAssignment_AfterTransferFromAgent": average(from_agent),
        "maxWaitTimeForAgentAssignment": highest(every),
        "maxWaitTimeForAgentAssignment_AfterTransferFromAgent": highest(from_agent),
        "waitTimeForAgentAssignment_50thPercentile": percentile(every, 50),
        "waitTimeForAgentAssignment_90thPercentile": percentile(every, 90),
    }


def overdue_metrics(in_queue: int, assigned: int) -> dict[str, float]:
    """How many conversations are overdue."""
    return {
        "overdueConversationsInQueue": in_queue,
        "overdueConversationsAssigned": assigned,
        "overdueConversationsTotal": in_queue + assigned,
    }


def group_metrics(waiting: Sequence[Wait]) -> dict[str, float]:
    """How many wait for a group, by how they came to do so."""
    metrics: dict[str, float] = {
        "unassignedConversations": len(waiting),
        "unassignedConversationsAndFirstTimeConsumer": _count(wait.conversation.is_first for wait in waiting),
    }
    for prefix, wanted in ("actionable", True), ("notActionable", False):
        members = [wait for wait in waiting if _is_actionable(wait) is wanted]
        came = [_transfer(wait) for wait in members]
        metrics[f"{prefix}Conversations"] = len(members)
        metrics[f"{prefix}AndDuringTransferToAgent"] = came.count(_Transfer.TO_AGENT)
        metrics[f"{prefix}AndDuringTransferToSkill"] = came.count(_Transfer.TO_SKILL)
        metrics[f"{prefix}AndDuringBackToQueue"] = came.count(_Transfer.BACK_TO_QUEUE)
    return metrics


def group_of(wait: Wait) -> int:
    """The group whose agent will take the conversation, or that it was left to."""
    return wait.conversation.agent_group_id if wait.agent_id is None else cast.agent_of(wait.agent_id).group_id


def _is_actionable(wait: Wait) -> bool:
    return wait.trait % 4 != 0


def _has_manual_sla(wait: Wait) -> bool:
    return wait.trait % 5 == 0


def _comes_from(wait: Wait, *, bot: bool) -> bool:
    earlier = wait.earlier_agent_id
    return earlier is not None and cast.agent_of(earlier).is_bot is bot


def _transfer(wait: Wait) -> _Transfer | None:
    return _Transfer(wait.trait % len(_Transfer)) if wait.number else None


def _count(facts: Iterable[bool]) -> int:
    return sum(facts)
