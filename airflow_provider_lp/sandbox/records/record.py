"""A conversation as LivePerson's JSON record."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.records import facts, texts, transcript
from airflow_provider_lp.sandbox.records.facts import facts_of
from airflow_provider_lp.sandbox.records.samples import SAMPLES, Facts, as_texts, filled

_PADDED_BASE_BYTES = 4_500
_PADDED_MESSAGE_BYTES = 1_200

#: Parts that are lists: the sample of a row, and what is true of each row.
_ROWS: dict[str, tuple[str, Callable[[Conversation], list[Facts]]]] = {
    "agentParticipants": ("agentParticipants", facts.agents_joined),
    "agentParticipantsLeave": ("agentParticipants", facts.agents_left),
    "agentParticipantsActive": ("agentParticipants", facts.agents_active),
    "transfers": ("transfers", facts.transfers),
    "interactions": ("interactions", facts.assignments),
    "conversationSurveys": ("conversationSurveys", facts.surveys),
    "dialogs": ("dialogs", facts.dialogs),
    "previouslySubmittedAgentSurveys": ("latestAgentSurvey", lambda _: [{}]),
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
#: All methods take all of them, those included that LivePerson's own console sends and its documentation does not list.
KNOWN_CONTENT = frozenset(DEFAULT_CONTENT).union(_ROWS, SAMPLES) - {"info", "surveyAnswer"}


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
    """The record of ``conversation`` with ``info`` and the parts named in ``content``."""
    known = facts_of(conversation, account_id, now_ms, whole=whole)
    count = _message_count(conversation, record_bytes)
    if not whole:
        count = count // 2
    record: dict[str, Any] = {"info": filled("info", known)}
    for name in DEFAULT_CONTENT if content is None else content:
        part = _part(conversation, name, known, count, version)
        if part is not None:
            record[name] = part
    if record_bytes is not None and record.get("messageRecords"):
        _pad(record, record_bytes)
    return record


def attributes_of(conversation: Conversation, version: int = 2) -> dict[str, Any]:
    """``sdes``: one to three of the attributes; which ones is arbitrary but stable. The first version sends texts."""
    attributes: dict[str, Any] = filled("sdes", {"start_digits": str(conversation.start_ms)})
    kept = attributes["events"][: 1 + conversation.mcs % 3]
    return {"events": kept if version == 2 else as_texts(kept)}


def summary_of(conversation: Conversation) -> str | None:
    """The agent's note; only some conversations that were closed have one."""
    rng = random.Random(f"summary {conversation.conversation_id}")
    if conversation.conversation_end_ms is None or rng.random() < 0.5:
        return None
    return texts.summary_text(rng)


def _part(conversation: Conversation, name: str, known: Facts, count: int, version: int) -> Any:
    if name in _MESSAGE_PARTS:
        return _MESSAGE_PARTS[name](conversation, count)
    if name in _ROWS:
        sample, rows = _ROWS[name]
        return [filled(sample, {**known, **row}) for row in rows(conversation)]
    if name == "summary":
        text = summary_of(conversation)
        return text and {"text": text, "lastUpdatedTime": conversation.latest_update_ms}
    if name == "sdes":
        return attributes_of(conversation, version)
    # Only the second version knows attributes without a login. Which conversations were browsed together is arbitrary
    # but stable.
    if (name == "unAuthSdes" and version == 1) or (name == "coBrowseSessions" and conversation.mcs % 10):
        return None
    return filled(name, known)


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
