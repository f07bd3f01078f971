"""What is true of a conversation, by the names that the samples of records use."""

from __future__ import annotations

from typing import Any

from airflow_provider_lp.sandbox.conversations import cast
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.moments import MINUTE_MS, UNDEFINED, stamp
from airflow_provider_lp.sandbox.records.samples import ABSENT, Facts, filled

_USER_TYPES = ("System", "Human", "Bot")


def facts_of(conversation: Conversation, account_id: str, now_ms: int, *, whole: bool) -> dict[str, Any]:
    """The facts that all parts of a record may use."""
    closed = conversation.end_ms is not None
    skill_id = conversation.skill_ids[-1]
    latest_agent = conversation.agent_ids[-1] if conversation.agent_ids else None
    return {
        "account_id": account_id,
        "conversation_id": conversation.conversation_id,
        "consumer_id": conversation.consumer_id,
        "status": conversation.status,
        "full_dialog_status": _status(conversation.full_dialog_end_ms),
        **_moment("start", conversation.start_ms),
        **_moment("end", conversation.end_ms),
        **_moment("conversation_end", conversation.conversation_end_ms),
        **_moment("full_dialog_end", conversation.full_dialog_end_ms),
        "start_digits": str(conversation.start_ms),
        "latest_update_ms": conversation.latest_update_ms,
        "duration_ms": max(0, (conversation.end_ms or now_ms // MINUTE_MS * MINUTE_MS) - conversation.start_ms),
        "close_reason": conversation.close_reason,
        "close_words": conversation.close_reason_description,
        "close_reason_if_closed": conversation.close_reason if closed else ABSENT,
        "close_words_if_closed": conversation.close_reason_description if closed else ABSENT,
        "is_first": conversation.is_first,
        "is_partial": not whole,
        "mcs": conversation.mcs,
        "alerted_mcs": conversation.alerted_mcs,
        "csat_if_any": ABSENT if conversation.csat is None else conversation.csat,
        "csat_rate_if_any": ABSENT if conversation.csat is None else float(conversation.csat),
        "source": conversation.source,
        "device": conversation.device,
        "queue_state": conversation.queue_state,
        "skill_id": skill_id,
        "skill_name": cast.skill_name(skill_id),
        "group_id": conversation.agent_group_id,
        "group_name": cast.group_name(conversation.agent_group_id),
        **_agent("latest_agent", latest_agent),
    }


def agents_joined(conversation: Conversation) -> list[Facts]:
    """Those assigned, then readers and managers."""
    joined = [(agent_id, "ASSIGNED_AGENT") for agent_id in conversation.agent_ids]
    joined += [(agent_id, "READER") for agent_id in conversation.reader_ids]
    joined += [(agent_id, "AGENT_MANAGER") for agent_id in conversation.manager_ids]
    return [_agent("agent", agent_id) | {"permission": permission} for agent_id, permission in joined]


def agents_left(conversation: Conversation) -> list[Facts]:
    """All assigned agents but the latest."""
    return agents_joined(conversation)[: max(0, len(conversation.agent_ids) - 1)]


def agents_active(conversation: Conversation) -> list[Facts]:
    """The latest assigned agent."""
    return agents_joined(conversation)[len(agents_left(conversation)) : len(conversation.agent_ids)]


def transfers(conversation: Conversation) -> list[Facts]:
    """One to each skill after the first; a skill as target means that no agent is named."""
    source = _agent("agent", conversation.agent_ids[0] if conversation.agent_ids else None)
    skills = conversation.skill_ids
    return [
        source
        | _moment("moved", conversation.message_ms(min(position, conversation.message_count - 1)))
        | {"source_skill_id": skills[position - 1], "source_skill_name": cast.skill_name(skills[position - 1])}
        | {"target_skill_id": skills[position], "target_skill_name": cast.skill_name(skills[position])}
        for position in range(1, len(skills))
    ]


def assignments(conversation: Conversation) -> list[Facts]:
    """The agents in the order in which they answered."""
    moved = _moment("moved", conversation.message_ms(min(1, conversation.message_count - 1)))
    return [
        moved | _agent("agent", agent_id) | {"sequence": sequence}
        for sequence, agent_id in enumerate(conversation.agent_ids, start=1)
    ]


def surveys(conversation: Conversation) -> list[Facts]:
    """The consumer's survey, if any question of it was answered."""
    given = [("csat", conversation.csat), ("nps", conversation.nps), ("fcr", conversation.fcr)]
    answers = [
        filled("surveyAnswer", {"kind": kind, "answer": str(answer), "sequence": str(sequence)})
        for sequence, (kind, answer) in enumerate(given, start=1)
        if answer is not None
    ]
    return [{"answers": answers}] if answers else []


def dialogs(conversation: Conversation) -> list[Facts]:
    """The main one, whose id is the conversation's, and the survey's if it had one."""
    main_id, closed_ms = conversation.conversation_id, conversation.conversation_end_ms
    rows = [_dialog("MAIN", main_id, conversation.start_ms, closed_ms)]
    if closed_ms is not None and conversation.csat is not None:
        rows.append(_dialog("POST_SURVEY", f"survey-{main_id}", closed_ms, conversation.full_dialog_end_ms))
    return rows


def _dialog(kind: str, dialog_id: str, opened_ms: int, closed_ms: int | None) -> Facts:
    named = {"dialog_type": kind, "dialog_id": dialog_id, "dialog_status": _status(closed_ms)}
    return named | _moment("opened", opened_ms) | _moment("closed", closed_ms)


def _status(end_ms: int | None) -> str:
    return "OPEN" if end_ms is None else "CLOSE"


def _moment(name: str, moment_ms: int | None) -> dict[str, Any]:
    if moment_ms is None:
        return {f"{name}_text": UNDEFINED, f"{name}_ms": -1}
    return {f"{name}_text": stamp(moment_ms), f"{name}_ms": moment_ms}


def _agent(name: str, agent_id: str | None) -> dict[str, Any]:
    if agent_id is None:
        return {f"{name}_id": "null"} | {f"{name}_{fact}": ABSENT for fact in ("login", "nickname", "full_name")}
    agent = cast.agent_of(agent_id)
    return {
        f"{name}_id": agent.id,
        f"{name}_login": agent.login,
        f"{name}_nickname": agent.nickname,
        f"{name}_full_name": agent.full_name,
        f"{name}_group_id": agent.group_id,
        f"{name}_group_name": cast.group_name(agent.group_id),
        "user_type": str(agent.user_type),
        "user_type_name": _USER_TYPES[agent.user_type],
    }
