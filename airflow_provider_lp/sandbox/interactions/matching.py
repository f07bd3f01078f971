"""Whether a conversation is what a filter asks for, where that takes more than a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.records import transcript
from airflow_provider_lp.sandbox.records.record import attributes_of, summary_of

_TOO_MANY_DIGITS = re.compile(r"\d{4}")


def has_participant(conversation: Conversation, ids: frozenset[str] | None, permissions: Iterable[str]) -> bool:
    """Whether anyone (or one of ``ids``) took part under one of the permissions."""
    by_permission = {
        "ASSIGNED_AGENT": conversation.agent_ids,
        "AGENT": conversation.agent_ids,
        "AGENT_MANGER": conversation.manager_ids,
        "READER": conversation.reader_ids,
    }
    present = {agent_id for permission in permissions for agent_id in by_permission[permission]}
    return bool(present if ids is None else present & ids)


def duration_s(conversation: Conversation) -> float:
    """How long the conversation lasted, in seconds; of an open one, up to its latest update."""
    end_ms = conversation.latest_update_ms if conversation.end_ms is None else conversation.end_ms
    return (end_ms - conversation.start_ms) / 1_000


def uses_content(conversation: Conversation, kinds: Iterable[str]) -> bool:
    """Whether a message is of one of these kinds."""
    used = {transcript.content_type(position) for position in range(conversation.message_count)}
    return not used.isdisjoint(kinds)


def speaks_of(conversation: Conversation, phrase: str) -> bool:
    """Whether a message holds the words, or the phrase if it is in double quotes."""
    return any(_found(phrase, spoken) for spoken in transcript.spoken(conversation, conversation.message_count))


def is_noted(conversation: Conversation, phrase: str) -> bool:
    """Whether the agent's summary holds the words, or the phrase if it is in double quotes."""
    noted = summary_of(conversation)
    return noted is not None and _found(phrase, noted)


def has_attribute(conversation: Conversation, wanted: Mapping[str, str]) -> bool:
    """Whether any of the named kinds of engagement attribute holds its word. Words with more than three digits in a
    row are never found, as LivePerson documents."""
    for event in attributes_of(conversation)["events"]:
        for kind, word in wanted.items():
            known = kind in event and not _TOO_MANY_DIGITS.search(word)
            if known and word.casefold() in msgspec.json.encode(event[kind]).decode().casefold():
                return True
    return False


def _found(phrase: str, spoken: str) -> bool:
    text = spoken.casefold()
    if len(phrase) > 2 and phrase.startswith('"') and phrase.endswith('"'):
        return phrase[1:-1].casefold() in text
    return all(word in text for word in phrase.casefold().split())
