"""A conversation as LivePerson's JSON record."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from airflow_provider_lp.sandbox import cast, engagement, participants, surveys, texts, transcript
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.days import MINUTE_MS
from airflow_provider_lp.sandbox.moments import UNDEFINED, twins

_PADDED_BASE_BYTES = 4_500
_PADDED_MESSAGE_BYTES = 1_200

_PARTS: dict[str, Callable[[Conversation], Any]] = {
    "campaign": engagement.campaign,
    "monitoring": engagement.monitoring,
    "agentParticipants": participants.agent_participants,
    "agentParticipantsLeave": participants.agents_left,
    "agentParticipantsActive": participants.agents_active,
    "consumerParticipants": participants.consumer_participants,
    "transfers": participants.transfers,
    "interactions": participants.interactions,
    "conversationSurveys": surveys.consumer_surveys,
    "dialogs": surveys.dialogs,
    "latestAgentSurvey": surveys.agent_survey,
    "previouslySubmittedAgentSurveys": lambda conversation: [surveys.agent_survey(conversation)],
    "skillChanges": lambda _: [],
    "pageView": lambda _: [],
    "responseTime": lambda _: {"latestEffectiveResponseDueTime": -1, "configuredResponseTime": 3_000},
    "uniqueIntents": lambda _: [{"intentName": "order.status", "intentLabel": "Order status"}],
}
_MESSAGE_PARTS: dict[str, Callable[[Conversation, int], Any]] = {
    "messageRecords": transcript.messages,
    "messageScores": transcript.message_scores,
    "messageStatuses": transcript.message_statuses,
}
DEFAULT_CONTENT = (
    "campaign",
    "messageRecords",
    "agentParticipants",
    "agentParticipantsLeave",
    "agentParticipantsActive",
    "consumerParticipants",
    "transfers",
    "interactions",
    "messageScores",
    "messageStatuses",
    "conversationSurveys",
    "coBrowseSessions",
    "summary",
    "sdes",
)
CONSUMER_CONTENT = frozenset(DEFAULT_CONTENT) | {"unAuthSdes", "monitoring", "responseTime", "pageView"}
KNOWN_CONTENT = CONSUMER_CONTENT.union(_PARTS, {"intents"})


def render_record(
    conversation: Conversation,
    *,
    account_id: str,
    now_ms: int,
    content: Iterable[str] | None = None,
    whole: bool = True,
    version: int = 2,
    record_bytes: int | None = None,
) -> dict[str, Any]:
    """The record of ``conversation`` with ``info`` and the containers named in ``content``."""
    wanted = tuple(DEFAULT_CONTENT if content is None else content)
    count = _message_count(conversation, record_bytes)
    if not whole:
        count = count // 2
    record: dict[str, Any] = {"info": _info(conversation, account_id, now_ms, whole=whole)}
    for name in wanted:
        part = _part(conversation, name, count, version)
        if part is not None:
            record[name] = part
    if record_bytes is not None and record.get("messageRecords"):
        _pad(record, record_bytes)
    return record


def summary_of(conversation: Conversation) -> str | None:
    """The agent's note; only some conversations that were closed have one."""
    rng = random.Random(f"summary {conversation.conversation_id}")
    if conversation.conversation_end_ms is None or rng.random() < 0.5:
        return None
    return texts.summary_text(rng)


def _part(conversation: Conversation, name: str, count: int, version: int) -> Any:
    if name in _MESSAGE_PARTS:
        return _MESSAGE_PARTS[name](conversation, count)
    if name in _PARTS:
        return _PARTS[name](conversation)
    if name == "sdes":
        return engagement.attributes(conversation, version)
    if name == "unAuthSdes":
        return engagement.anonymous_attributes(conversation) if version == 2 else None
    if name == "summary":
        text = summary_of(conversation)
        return text and {"text": text, "lastUpdatedTime": conversation.latest_update_ms}
    if name == "intents":
        return _intents(conversation)
    if name == "coBrowseSessions":
        return engagement.cobrowse_sessions(conversation) if conversation.mcs % 10 == 0 else None
    raise ValueError(f"unknown content {name!r}")


def _info(conversation: Conversation, account_id: str, now_ms: int, *, whole: bool) -> dict[str, Any]:
    info: dict[str, Any] = {"conversationId": conversation.conversation_id, "brandId": account_id}
    info["status"] = conversation.status
    info["fullDialogStatus"] = "OPEN" if conversation.full_dialog_end_ms is None else "CLOSE"
    info |= twins("startTime", conversation.start_ms)
    info |= twins("endTime", conversation.end_ms)
    info |= twins("conversationEndTime", conversation.conversation_end_ms)
    info |= twins("fullDialogEndTime", conversation.full_dialog_end_ms)
    info["duration"] = max(0, (conversation.end_ms or now_ms // MINUTE_MS * MINUTE_MS) - conversation.start_ms)
    if conversation.end_ms is not None:
        info["closeReason"] = conversation.close_reason
        info["closeReasonDescription"] = conversation.close_reason_description
    info |= {"firstConversation": conversation.is_first, "mcs": conversation.mcs}
    if conversation.csat is not None:
        info |= {"csat": conversation.csat, "csatRate": float(conversation.csat)}
    info |= {"alertedMCS": conversation.alerted_mcs, "source": conversation.source, "device": UNDEFINED}
    info |= _latest(conversation)
    info |= {"browser": "NA", "browserVersion": "NA", "operatingSystem": "NA", "operatingSystemVersion": "NA"}
    info |= {"latestQueueState": conversation.queue_state, "isPartial": not whole}
    info |= {"sessionId": UNDEFINED, "interactionContextId": UNDEFINED, "timeZone": "Etc/UTC", "language": "en-US"}
    info |= {"features": ["PHOTO_SHARING", "QUICK_REPLIES", "RICH_CONTENT"], "integration": "WEB_SDK"}
    info |= {"integrationVersion": "3.0.0", "appId": "webAsync", "appVersion": "NA", "ipAddress": "192.0.2.7"}
    return info


def _latest(conversation: Conversation) -> dict[str, Any]:
    skill_id = conversation.skill_ids[-1]
    latest: dict[str, Any] = {"latestSkillId": skill_id, "latestSkillName": cast.skill_name(skill_id)}
    if conversation.agent_ids:
        agent = cast.agent_of(conversation.agent_ids[-1])
        latest |= {"latestAgentId": agent.id, "latestAgentLoginName": agent.login}
        latest |= {"latestAgentNickname": agent.nickname, "latestAgentFullName": agent.full_name}
    latest |= {"agentDeleted": False, "latestAgentGroupId": conversation.agent_group_id}
    latest |= {"latestAgentGroupName": cast.group_name(conversation.agent_group_id)}
    return latest


def _intents(conversation: Conversation) -> list[dict[str, Any]]:
    chosen = {
        "intentName": "order.status",
        "intentLabel": "Order status",
        "confidenceScore": 0.934,
        "versions": [{"modelName": "Sandbox", "modelVersion": "1.0"}],
    }
    message_id = f"ms::dialog:{conversation.conversation_id}::msg:0"
    return [{"messageId": message_id, "selectedClassification": chosen, "allClassifications": [chosen]}]


def _message_count(conversation: Conversation, record_bytes: int | None) -> int:
    if record_bytes is None:
        return conversation.message_count
    room = (record_bytes - _PADDED_BASE_BYTES) // _PADDED_MESSAGE_BYTES
    return max(1, min(conversation.message_count, room))


def _pad(record: dict[str, Any], record_bytes: int) -> None:
    """Lengthen the first message until the record has ``record_bytes``; one that is longer stays."""
    spoken = record["messageRecords"][0]["messageData"]["msg"]
    missing = record_bytes - len(msgspec.json.encode(record))
    if missing > 0:
        filler = "All work and no play makes a sandbox dull. "
        spoken["text"] += (filler * (missing // len(filler) + 1))[:missing]
