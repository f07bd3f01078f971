"""Who the consumers of a conversation are, as its record tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from airflow_provider_lp.export.redaction.json_text import encode
from airflow_provider_lp.export.redaction.members import folded
from airflow_provider_lp.export.redaction.pseudonyms import as_id

CONSUMER = "consumer"

_AGENTS = ("agentparticipants", "agentparticipantsactive", "agentparticipantsleave")
#: Where participants are named, and the member that says who one is.
_PARTICIPANTS = {"consumerparticipants": None, "messagerecords": "sentBy", "messagestatuses": "participantType"}
_NAMED = b'"participantId":'
#: The id of a participant, and who it is said to be.
Participant = tuple[Any, Any]


def consumer_ids(record: Mapping[str, Any], others: Iterable[Participant]) -> set[str]:
    """
    The ids of a record's consumers: of all participants that are not said, nor known, to be somebody else.

    :param others: participants that are in the record too, but have been read already.
    """
    named, agents = _parts(tuple(record))
    said: set[str] = set()
    unsaid: set[str] = set()
    named_here = [participant_of(row, says_who) for part, says_who in named for row in _rows(record[part])]
    for identity, who in (*named_here, *others):
        if isinstance(who, str) and who.casefold() != CONSUMER:
            continue
        known = as_id(identity)
        if known:
            (said if isinstance(who, str) else unsaid).add(known)
    if unsaid:
        unsaid -= {as_id(_member(row, "agentId")) for part in agents for row in _rows(record[part])}
    return said | unsaid


def participant_of(row: Mapping[str, Any], says_who: str | None) -> Participant:
    """
    The participant that a row names; a list or an object names none.

    :param says_who: the member that says who it is; ``None`` where only consumers are named.
    """
    return _plain(row, "participantId"), CONSUMER if says_who is None else _plain(row, says_who)


def as_participant(identity: str) -> bytes:
    """How rows name a participant, as JSON."""
    return _NAMED + encode(identity)


@lru_cache(1000)
def _parts(names: tuple[str, ...]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The parts of a record in which participants are named, with the member that says who one is; and agents."""
    known = [(name, folded(name)) for name in names]
    named = [(name, _PARTICIPANTS[part]) for name, part in known if part in _PARTICIPANTS]
    return named, [name for name, part in known if part in _AGENTS]


def _rows(part: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of a list, of a single object that stands for one, or of a list that an object wraps."""
    if isinstance(part, list):
        for item in part:
            if isinstance(item, dict):
                yield item
    elif isinstance(part, dict):
        yield part
        for name, value in part.items():
            if folded(name) in _PARTICIPANTS:
                yield from _rows(value)


def _plain(row: Mapping[str, Any], name: str) -> Any:
    value = _member(row, name)
    return None if isinstance(value, list | dict) else value


def _member(row: Mapping[str, Any], name: str) -> Any:
    """A member of a row, whatever its case."""
    return row[name] if name in row else row.get(_spelled(tuple(row), folded(name)))


@lru_cache(1000)
def _spelled(names: tuple[str, ...], known: str) -> str:
    """How a name is spelled among others; empty if it is none of them."""
    return next((name for name in names if folded(name) == known), "")
