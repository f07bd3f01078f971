"""The messages of a conversation, with their statuses and scores.

Kinds, audiences and scores go by the position of a message: arbitrary but stable.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.moments import UNDEFINED, twins
from airflow_provider_lp.sandbox.records import texts

_LONG_ONE_IN = 400
MESSAGES_PER_AGENT = 4
_RICH = '{"type":"vertical","elements":[{"type":"text","text":"Choose \\u2728"},{"type":"button","title":"Yes"}]}'
_BOT_ANSWER = {
    "externalConversationId": "sandbox-bot-session",
    "businessCases": ["orders"],
    "intents": [{"id": "order.status", "name": "Order status", "confidence": "high", "confidenceScore": 0.934}],
}


def messages(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    """``messageRecords`` of the first ``count`` messages."""
    return [_message(conversation, position, text) for position, text in enumerate(spoken(conversation, count))]


def spoken(conversation: Conversation, count: int) -> Iterator[str]:
    """The texts of the first ``count`` messages; those of a shorter view are always the beginning of a longer one."""
    rng = random.Random(f"texts {conversation.conversation_id}")
    long_position = 1 if rng.randrange(_LONG_ONE_IN) == 0 else -1
    for position in range(count):
        if position == long_position:
            yield texts.long_text(rng)
        else:
            yield texts.message_text(rng, by_consumer=_is_consumers(conversation, position))


def content_type(position: int) -> str:
    """The kind of the message at a position."""
    return "RICH_CONTENT" if position % 9 == 7 else "HOSTED_FILE" if position % 11 == 8 else "TEXT_PLAIN"


def message_statuses(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    """``messageStatuses``: each message accepted, and read."""
    rows = []
    for position in range(count):
        reader = _speaker(conversation, position + 1)
        for status in ("ACCEPT", "READ"):
            row: dict[str, Any] = {"messageId": _message_id(conversation, position), "seq": position}
            row |= twins("time", conversation.message_ms(position))
            row |= {"messageDeliveryStatus": status, "participantId": reader["participantId"]}
            row |= {"participantType": reader["sentBy"], "dialogId": conversation.conversation_id}
            rows.append(row)
    return rows


def message_scores(conversation: Conversation, count: int) -> list[dict[str, Any]]:
    """``messageScores``: one for each message of the consumer."""
    return [
        {
            "messageId": _message_id(conversation, position),
            "messageRawScore": (position * 37 + conversation.mcs) % 101 - 50,
            "mcs": (position * 11 + conversation.mcs) % 101,
            **twins("time", conversation.message_ms(position)),
        }
        for position in range(count)
        if _is_consumers(conversation, position)
    ]


def _message(conversation: Conversation, position: int, text: str) -> dict[str, Any]:
    kind = content_type(position)
    message: dict[str, Any] = {"type": kind, "messageData": _message_data(kind, text)}
    message |= {"messageId": _message_id(conversation, position), "seq": position}
    message |= {"dialogId": conversation.conversation_id, **_speaker(conversation, position)}
    message |= twins("time", conversation.message_ms(position))
    message |= {"source": UNDEFINED, "device": UNDEFINED}
    message["audience"] = "AGENTS_AND_MANAGERS" if position % 13 == 11 else "ALL"
    if position % 5 == 3:
        message["contextData"] = {
            "rawMetadata": '[{"type":"BotResponse"}]',
            "structuredMetadata": [{"botResponse": _BOT_ANSWER}],
        }
    return message


def _message_data(kind: str, text: str) -> dict[str, Any]:
    if kind == "RICH_CONTENT":
        return {"richContent": {"content": _RICH}}
    if kind == "HOSTED_FILE":
        return {"file": {"relativePath": "sandbox/photo.jpg", "fileType": "JPG", "caption": text[:100]}}
    return {"msg": {"text": text}}


def _message_id(conversation: Conversation, position: int) -> str:
    return f"ms::dialog:{conversation.conversation_id}::msg:{position}"


def _is_consumers(conversation: Conversation, position: int) -> bool:
    return position % 2 == 0 or not conversation.agent_ids


def _speaker(conversation: Conversation, position: int) -> dict[str, str]:
    if _is_consumers(conversation, position):
        return {"participantId": conversation.consumer_id, "sentBy": "Consumer"}
    takeovers = position // MESSAGES_PER_AGENT
    agent_id = conversation.agent_ids[min(takeovers, len(conversation.agent_ids) - 1)]
    return {"participantId": agent_id, "sentBy": "Agent"}
