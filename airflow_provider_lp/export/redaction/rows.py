"""
The parts of which a record has most rows: its messages, their statuses and their scores.

Most of these rows hold nothing that is taken out but a consumer's id. They are read just as far as is needed to know
that, and stay bytes. Every other row, and a part that is not as LivePerson documents it, is left to the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from airflow_provider_lp.export.redaction.codes import MOMENT_BYTES, are_codes, are_moments
from airflow_provider_lp.export.redaction.consumers import Participant, as_participant, participant_of
from airflow_provider_lp.export.redaction.json_text import decode, encode
from airflow_provider_lp.export.redaction.looks import those_that_may_hold_anything
from airflow_provider_lp.export.redaction.members import Kind
from airflow_provider_lp.export.redaction.paths import Node

if TYPE_CHECKING:
    from airflow_provider_lp.export.redaction.walk import Walk

#: The parts, and the member of their rows that says who a participant is.
PARTS: Mapping[str, str | None] = {
    "messageRecords": "sentBy",
    "messageStatuses": "participantType",
    "messageScores": None,
}

_DATA, _MSG, _TEXT = "messageData", "msg", "text"
#: Takes the place of what has been taken out of a row.
_TAKEN: Any = 0
_TAKEN_BYTES = len(b"0")
_TYPES: Mapping[Kind, Any] = {
    # Fractions may be longer when they are written again, and make up for what else is in a row.
    Kind.CODE: str | int | bool | None,
    Kind.TIME: str | int | bool | None,
    Kind.WHO: str | None,
}
#: How long the data of a message that is a text are without that text.
_TEXT_BYTES = len(b'{"msg":{"text":}}')
_split: Callable[[Any], list[Raw]] = msgspec.json.Decoder(list[Raw]).decode


class Value(NamedTuple):
    """
    A value in a message.

    :param raw: the value, as JSON.
    :param name: of the member that holds it.
    :param place: where that member is.
    :param row: the number of its row.
    """

    raw: Raw
    name: str
    place: Node
    row: int


class MessageData:
    """
    How the data of messages are read: objects that have documented members, none of which a rule names.

    :param place: of the data.
    """

    def __init__(self, place: Node) -> None:
        members = {
            name: {each: below for each, below in _known(found).items() if below.member and below.member.kind}
            for name, found in _known(place).items()
        }
        self.type = _struct(
            _DATA,
            {name: _struct(name, dict.fromkeys(below, Raw)) for name, below in members.items()},
        )
        self._text = members[_MSG][_TEXT]
        self._other_members = {name: below for name, below in members.items() if name != _MSG}
        self._others = attrgetter(*self._other_members)
        self._no_others = (UNSET,) * len(self._other_members)

    def to_be_read(self, datas: Mapping[int, Any], length: int) -> list[Value] | None:
        """
        The values in the data of messages that it is worth to read; ``None`` if something else is there, too.

        :param datas: by the numbers of the rows.
        :param length: of all of them, as JSON.
        """
        numbers = [number for number, data in datas.items() if data.msg and data.msg.text]
        texts = [datas[number].msg.text for number in numbers]
        others: list[Value] = []
        left = length - len(b"".join(texts)) - len(texts) * _TEXT_BYTES
        if left:
            # Most messages are a text and nothing else.
            rest = {number: data for number, data in datas.items() if not data.msg}
            if not _is_as_long([*rest.values()], left):
                rest = {number: data for number, data in datas.items() if self._others(data) != self._no_others}
                if not _is_as_long([*datas.values()], length):
                    return None
            for number, data in rest.items():
                others += self._values(number, data)
        found = those_that_may_hold_anything(texts)
        return others + [Value(texts[place], _TEXT, self._text, numbers[place]) for place in found]

    def _values(self, number: int, data: Any) -> Iterator[Value]:
        """All but the text."""
        for name, members in self._other_members.items():
            if (read := getattr(data, name)) is not UNSET:
                for member, place in members.items():
                    if (raw := getattr(read, member)) is not UNSET:
                        yield Value(raw, member, place, number)


class Reader:
    """
    How the rows of a part are read, as far as they are plain: of documented members, none of which a rule names.

    :param place: of the rows.
    :param says_who: the member that says who a participant is, if rows name one.
    """

    def __init__(self, place: Node, says_who: str | None) -> None:
        known = _known(place)
        self.place = place
        self._says_who = says_who
        self._data = MessageData(known.pop(_DATA)) if _DATA in known else None
        fields = {name: _TYPES[below.kind] for name, below in known.items() if below.kind in _TYPES}
        row = _struct("Row", fields | ({} if self._data is None else {_DATA: self._data.type}))
        self._rows = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._row = msgspec.json.Decoder(row).decode
        self._who = attrgetter("participantId", says_who) if says_who else None

    def read(self, raw: Raw) -> Rows | None:
        """The rows; ``None`` if the part is not as LivePerson documents it, or holds something that is no code."""
        pieces: list[Raw] = []
        odd: dict[int, Any] = {}
        try:
            try:
                plain = self._rows(raw)
                numbers: Sequence[int] = range(len(plain))
                length = len(memoryview(raw))
            except msgspec.ValidationError:
                pieces = _split(raw)
                rows = [self._read_row(row) for row in pieces]
                odd = {number: row for number, row in enumerate(rows) if type(row) is dict}
                numbers = [number for number in range(len(rows)) if number not in odd]
                plain = [rows[number] for number in numbers]
                length = len(encode([pieces[number] for number in numbers]))
        except (msgspec.DecodeError, RecursionError):
            return None
        participants: list[Participant] = [*{*map(self._who, plain)}] if self._who else []
        if self._says_who:
            participants += [participant_of(row, self._says_who) for row in odd.values()]
        times = _times_taken_out(plain)
        datas = _data_taken_out(plain, numbers) if self._data else {}
        codes = encode(plain)
        # What is shorter when it is written again has more in it: for instance the same member twice.
        left = length - len(codes) - len(times) * (MOMENT_BYTES - _TAKEN_BYTES) + len(datas) * _TAKEN_BYTES
        if not (are_codes(codes) and are_moments(times)):
            return None
        values = self._data.to_be_read(datas, left) if self._data and datas else None if left else []
        return None if values is None else Rows(self.place, raw, pieces, odd, values, participants)

    def _read_row(self, raw: Raw) -> Any:
        """A row as it is read if it is plain, and as a dict if it is not."""
        try:
            return self._row(raw)
        except msgspec.ValidationError:
            row = decode(raw)
            if not isinstance(row, dict):
                raise
            return row


def _is_as_long(values: Sequence[Any], length: int) -> bool:
    # A list has as many commas and brackets as values, and one more.
    return len(encode(values)) == length + len(values) + 1


def _times_taken_out(rows: Sequence[Any]) -> list[Any]:
    times = []
    for row in rows:
        if row.time is not UNSET:
            times.append(row.time)
            row.time = _TAKEN
    return times


def _data_taken_out(rows: Sequence[Any], numbers: Sequence[int]) -> dict[int, Any]:
    """The data of messages, by the numbers of their rows."""
    datas = {}
    for number, row in zip(numbers, rows, strict=True):
        if row.messageData is not UNSET:
            datas[number] = row.messageData
            row.messageData = _TAKEN
    return datas


def _known(place: Node) -> dict[str, Node]:
    """The documented members in a place that no rule names and that are no lists, and have none."""
    members = place.member.members.values() if place.member else ()
    return {
        member.name: place[member.name]
        for member in members
        if place[member.name].rule is None
        and not member.is_list
        and not any(below.is_list for below in member.members.values())
    }


def _struct(name: str, fields: Mapping[str, Any]) -> Any:
    types = [(field, kind | UnsetType, UNSET) for field, kind in fields.items()]
    return msgspec.defstruct(name, types, forbid_unknown_fields=True, gc=False)


def readers(root: Node) -> dict[str, Reader]:
    """
    The readers of the parts whose rows no rule names, by their names.

    :param root: where the rules' paths begin.
    """
    return {name: Reader(root[name].element(), who) for name, who in PARTS.items() if _is_free(root[name])}


def _is_free(part: Node) -> bool:
    """Whether no rule names a part, its rows, or a member of them."""
    rows = part.element()
    names = rows.member.members if rows.member else ()
    return all(each.rule is None for each in (part, rows, *(rows[name] for name in names)))


class Rows(NamedTuple):
    """
    The rows of a part. Made by :meth:`Reader.read`.

    :param place: of the rows.
    :param raw: the part.
    :param pieces: all rows as JSON, if they had to be told apart.
    :param odd: the rows that are not plain, by their numbers.
    :param values: what has to be read in those that are plain.
    :param participants: the participants that rows name.
    """

    place: Node
    raw: Raw
    pieces: list[Raw]
    odd: Mapping[int, Any]
    values: list[Value]
    participants: list[Participant]

    def redacted(self, walk: Walk) -> bytes:
        """
        The part without personal data.

        :param walk: through the record.
        """
        data = bytes(self.raw)
        cleaned = {number: encode(walk.row(row, self.place)) for number, row in self.odd.items()}
        values = [*self._cleaned(walk)]
        if cleaned or values:
            rows = [cleaned.get(number, row) for number, row in enumerate(self.pieces or _split(self.raw))]
            for value, clean in values:
                member = encode(value.name) + b":"
                rows[value.row] = bytes(rows[value.row]).replace(member + bytes(value.raw), member + encode(clean), 1)
            data = b"[%b]" % b",".join(rows)
        named = [each for each, _ in self.participants if isinstance(each, str)]
        for identity in walk.consumer_ids.intersection(named):
            # In rows that were cleaned, it has been replaced.
            first, *others = data.split(as_participant(identity))
            walk.count_consumer(len(others))
            pseudonym = walk.pseudonym_of_consumer(identity)
            data = _without(first, others) if pseudonym is None else as_participant(pseudonym).join([first, *others])
        return data

    def _cleaned(self, walk: Walk) -> Iterator[tuple[Value, Any]]:
        """The values in plain rows out of which something is taken, and what is left of them."""
        for value in self.values:
            given = decode(value.raw)
            clean = walk.value(given, value.place)
            if clean != given or not isinstance(given, str):
                yield value, clean


def _without(first: bytes, others: Sequence[bytes]) -> bytes:
    """JSON without a member of objects, from what stands before it and after it each time."""
    pieces = [first]
    for after in others:
        if after.startswith(b","):
            pieces.append(after[1:])
        else:
            # It was the last one of its object, or the only one.
            pieces[-1] = pieces[-1].removesuffix(b",")
            pieces.append(after)
    return b"".join(pieces)
