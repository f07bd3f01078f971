"""Who took part in a conversation, and how it moved between them."""

from __future__ import annotations

from typing import Any

from airflow_provider_lp.sandbox import cast
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.moments import UNDEFINED, twins

_USER_TYPES = ("System", "Human", "Bot")


def agent_participants(conversation: Conversation) -> list[dict[str, Any]]:
    """``agentParticipants``: those assigned, then readers and managers."""
    joined = [(agent_id, "ASSIGNED_AGENT") for agent_id in conversation.agent_ids]
    joined += [(agent_id, "READER") for agent_id in conversation.reader_ids]
    joined += [(agent_id, "AGENT_MANAGER") for agent_id in conversation.manager_ids]
    return [_agent_row(conversation, agent_id, permission) for agent_id, permission in joined]


def agents_left(conversation: Conversation) -> list[dict[str, Any]]:
    """``agentParticipantsLeave``: all assigned agents but the latest."""
    return [_agent_row(conversation, agent_id, "ASSIGNED_AGENT") for agent_id in conversation.agent_ids[:-1]]


def agents_active(conversation: Conversation) -> list[dict[str, Any]]:
    """``agentParticipantsActive``: the latest assigned agent."""
    return [_agent_row(conversation, agent_id, "ASSIGNED_AGENT") for agent_id in conversation.agent_ids[-1:]]


def consumer_participants(conversation: Conversation) -> list[dict[str, Any]]:
    """``consumerParticipants``, with the many ways of LivePerson to say that nothing is known."""
    return [
        {
            "participantId": conversation.consumer_id,
            "firstName": "Testa",
            "lastName": f"Consúmer-{conversation.consumer_id[:4]}",
            "token": UNDEFINED,
            "email": UNDEFINED,
            "phone": "0",
            "avatarURL": UNDEFINED,
            **twins("time", conversation.start_ms),
            **twins("joinTime", conversation.start_ms),
            "consumerName": f"Testa Consúmer-{conversation.consumer_id[:4]}",
            "dialogId": conversation.conversation_id,
        }
    ]


def transfers(conversation: Conversation) -> list[dict[str, Any]]:
    """``transfers``: one to each skill after the first; a skill as target means that no agent is named."""
    rows = []
    for position, (source, target) in enumerate(
        zip(conversation.skill_ids, conversation.skill_ids[1:], strict=False), start=1
    ):
        row: dict[str, Any] = twins("time", conversation.message_ms(min(position, conversation.message_count - 1)))
        row |= _identity("assignedAgent", None)
        row |= {"targetSkillId": target, "targetSkillName": cast.skill_name(target)}
        row |= {"sourceSkillId": source, "sourceSkillName": cast.skill_name(source), "reason": "Skill"}
        row |= _identity("sourceAgent", conversation.agent_ids[0] if conversation.agent_ids else None)
        row |= {"by": row["sourceAgentId"], "contextData": {}, "dialogId": conversation.conversation_id}
        rows.append(row)
    return rows


def interactions(conversation: Conversation) -> list[dict[str, Any]]:
    """``interactions``: the agents in the order in which they answered."""
    return [
        {
            **_identity("assignedAgent", agent_id),
            **twins("interactionTime", conversation.message_ms(min(1, conversation.message_count - 1))),
            "interactiveSequence": sequence,
            "dialogId": conversation.conversation_id,
        }
        for sequence, agent_id in enumerate(conversation.agent_ids, start=1)
    ]


def _identity(prefix: str, agent_id: str | None) -> dict[str, Any]:
    if agent_id is None:
        return {f"{prefix}Id": "null"}
    agent = cast.agent_of(agent_id)
    return {
        f"{prefix}Id": agent.id,
        f"{prefix}LoginName": agent.login,
        f"{prefix}Nickname": agent.nickname,
        f"{prefix}FullName": agent.full_name,
    }


def _agent_row(conversation: Conversation, agent_id: str, permission: str) -> dict[str, Any]:
    agent = cast.agent_of(agent_id)
    return {
        **_identity("agent", agent_id),
        "agentDeleted": False,
        **twins("time", conversation.start_ms),
        "role": "AGENT",
        "userType": str(agent.user_type),
        "userTypeName": _USER_TYPES[agent.user_type],
        "agentGroupId": agent.group_id,
        "agentGroupName": cast.group_name(agent.group_id),
        "permission": permission,
        "dialogId": conversation.conversation_id,
    }
