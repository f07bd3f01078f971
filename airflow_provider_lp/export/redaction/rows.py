"""
The parts of which a record has most rows: its messages, their statuses and their scores.

Most of these rows hold nothing that is taken out but a consumer's id. They are read just as far as is needed to know
that, and stay bytes. Every other row, and a part that is not as LivePerson documents it, is left to the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from airflow_provider_lp.export.redaction.codes import MOMENT_BYTES, are_codes, are_moments
from airflow_provider_lp.export.redaction.consumers import (
    Participant,
    as_participant,
    is_elsewhere,
    is_plain,
    may_hide,
    participant_of,
)
from airflow_provider_lp.export.redaction.json_text import decode, encode
from airflow_provider_lp.export.redaction.members import Kind
from airflow_provider_lp.export.redaction.paths import Node
from airflow_provider_lp.export.redaction.texts import those_that_may_hold_anything

if TYPE_CHECKING:
    from airflow_provider_lp.export.redaction.walk import Walk

#: The parts, and the member of their rows that says who a participant is.
PARTS: Mapping[str, str | None] = {
    "messageRecords": "sentBy",
    "messageStatuses": "participantType",
    "messageScores": None,
}

_DATA, _TEXT = "messageData", "msg"
#: Takes the place of what has been taken out of a row.
_TAKEN: Any = 0
_TAKEN_BYTES = len(b"0")
_TYPES: Mapping[Kind, Any] = {
    Kind.CODE: str | int | float | bool | None,
    Kind.TIME: str | int | float | bool | None,
    Kind.WHO: str | None,
}
#: How long a message that is a text is without that text, with a comma or a bracket.
_TEXT_BYTES = len(b'{"msg":{"text":}},')
_split: Callable[[Any], list[Raw]] = msgspec.json.Decoder(list[Raw]).decode


class Text(NamedTuple):
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
        self._members = {
            name: {each: below for each, below in _known(found).items() if below.member and below.member.kind}
            for name, found in _known(place).items()
        }
        self.type = _struct(
            _DATA,
            {name: _struct(name, dict.fromkeys(members, Raw)) for name, members in self._members.items()},
        )
        others = [name for name in self._members if name != _TEXT]
        self._others = attrgetter(*others)
        self._no_others = (UNSET,) * len(others)

    def values(self, datas: Mapping[int, Any], length: int) -> tuple[list[Raw], list[int]]:
        """
        All values in the data of messages, in the order of :meth:`texts`, and the numbers of their rows.

        :param length: of the data, as JSON.
        """
        try:
            texts = [data.msg.text for data in datas.values()]
            if len(b"".join(texts)) + len(texts) * _TEXT_BYTES + 1 == length:
                # There is nothing but texts.
                return texts, [*datas]
        except (AttributeError, TypeError):
            # One is not there.
            pass
        found: list[Raw] = []
        numbers: list[int] = []
        for number, data in datas.items():
            if self._others(data) != self._no_others:
                values = [text.raw for text in self.texts(number, data)]
                found += values
                numbers += [number] * len(values)
            elif data.msg is not UNSET and data.msg.text is not UNSET:
                found.append(data.msg.text)
                numbers.append(number)
        return found, numbers

    def texts(self, number: int, data: Any) -> Iterator[Text]:
        """All values in the data of a message, in order."""
        for name, members in self._members.items():
            if (read := getattr(data, name)) is not UNSET:
                for member, place in members.items():
                    if (raw := getattr(read, member)) is not UNSET:
                        yield Text(raw, member, place, number)


class Reader:
    """
    How the rows of a part are read, as far as they are plain: of documented members, none of which a rule names.

    :param place: of the rows.
    :param says_who: the member that says who a participant is, if rows name one.
    """

    def __init__(self, place: Node, says_who: str | None) -> None:
        known = _known(place)
        self.place = place
        self.says_who = says_who
        self.data = MessageData(known.pop(_DATA)) if _DATA in known else None
        fields = {name: _TYPES[below.kind] for name, below in known.items() if below.kind in _TYPES}
        row = _struct("Row", fields | ({} if self.data is None else {_DATA: self.data.type}))
        self._rows = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._row = msgspec.json.Decoder(row).decode
        self._who = attrgetter("participantId", says_who) if says_who else None

    def read(self, raw: Raw) -> Rows | None:
        """The rows; ``None`` if the part is not as LivePerson documents it, or holds something that is no code."""
        pieces: list[Raw] = []
        try:
            try:
                rows = plain = self._rows(raw)
                length = len(memoryview(raw))
            except msgspec.ValidationError:
                pieces = _split(raw)
                rows = [self._read_row(row) for row in pieces]
                plain = [row for row in rows if type(row) is not dict]
                length = len(encode([raw for raw, row in zip(pieces, rows, strict=True) if type(row) is not dict]))
        except (msgspec.DecodeError, RecursionError):
            return None
        participants: list[Participant] = [*{*map(self._who, plain)}] if self._who else []
        times, datas = _take_out(rows, has_data=self.data is not None)
        codes = encode(plain)
        written = len(codes) + len(times) * (MOMENT_BYTES - _TAKEN_BYTES)
        length_of_datas = len(encode([*datas.values()])) if datas else 0
        if datas:
            # A list has as many commas and brackets as values, and one more.
            written += length_of_datas - 1 - len(datas) * (1 + _TAKEN_BYTES)
        # What is shorter when it is written again has more in it: for instance the same member twice.
        if not (are_codes(codes) and are_moments(times) and written == length):
            return None
        odd = {number: row for number, row in enumerate(rows) if type(row) is dict} if pieces else {}
        if self.says_who:
            participants += (participant_of(row, self.says_who) for row in odd.values())
        return Rows(self, raw, codes, datas, length_of_datas, pieces, odd, participants)

    def _read_row(self, raw: Raw) -> Any:
        """A row as it is read if it is plain, and as a dict if it is not."""
        try:
            return self._row(raw)
        except msgspec.ValidationError:
            row = decode(raw)
            if not isinstance(row, dict):
                raise
            return row


def _take_out(rows: Iterable[Any], *, has_data: bool) -> tuple[list[Any], dict[int, Any]]:
    """Take times out of plain rows, and data of messages by the numbers of their rows: only codes are left there."""
    times, datas = [], {}
    for number, row in enumerate(rows):
        if type(row) is dict:
            continue
        if row.time is not UNSET:
            times.append(row.time)
            row.time = _TAKEN
        if has_data and row.messageData is not UNSET:
            datas[number] = row.messageData
            row.messageData = _TAKEN
    return times, datas


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


class Rows:
    """
    The rows of a part. Made by :meth:`Reader.read`.

    :param reader: what has read them.
    :param raw: the part.
    :param codes: the codes in rows that are plain, as JSON.
    :param datas: the data of messages in them, by the numbers of the rows.
    :param length_of_datas: as JSON.
    :param pieces: all rows as JSON, if they had to be told apart.
    :param odd: the rows that are not plain, by their numbers.
    :param participants: the participants that rows name.
    """

    def __init__(
        self,
        reader: Reader,
        raw: Raw,
        codes: bytes,
        datas: Mapping[int, Any],
        length_of_datas: int,
        pieces: list[Raw],
        odd: Mapping[int, Any],
        participants: list[Participant],
    ) -> None:
        self.raw = raw
        self.participants = participants
        #: Whether something may be spelled in another way in rows that are not plain.
        self.may_hide = any(may_hide(bytes(pieces[number])) for number in odd)
        self._reader = reader
        self._codes = codes
        self._datas = datas
        self._length_of_datas = length_of_datas
        self._pieces = pieces
        self._odd = odd

    def redacted(self, walk: Walk) -> bytes | None:
        """
        The part without personal data; ``None`` if the walk must read all of it for that.

        :param walk: through the record.
        """
        consumers = walk.consumer_ids.intersection([each for each, _ in self.participants if isinstance(each, str)])
        if not all(map(is_plain, consumers)):
            # An id that is spelled in another way would stay.
            return None
        if walk.must_see_texts and any(is_elsewhere(identity, self._codes) for identity in walk.sought):
            return None
        data = bytes(self.raw)
        if cleaned := self._cleaned(walk):
            data = b"[%b]" % b",".join([cleaned.get(number, row) for number, row in enumerate(self._split())])
        for identity in consumers:
            # In rows that were cleaned, it has been replaced.
            member = as_participant(identity)
            pseudonym = walk.pseudonym_of_consumer(identity)
            if pseudonym is None:
                data, number = _without(data, member)
            else:
                data, number = _replaced(data, member, as_participant(pseudonym))
            walk.count_consumer(number)
        return data

    def _split(self) -> list[Raw]:
        self._pieces = self._pieces or _split(self.raw)
        return self._pieces

    def _cleaned(self, walk: Walk) -> dict[int, bytes]:
        """The rows in which there is more to take out than a participant, without it, by their numbers."""
        cleaned = {number: encode(walk.row(row, self._reader.place)) for number, row in self._odd.items()}
        for text in self._texts(walk):
            given = decode(text.raw)
            clean = walk.value(given, text.place)
            if clean != given or not isinstance(given, str):
                piece = cleaned.get(text.row) or bytes(self._split()[text.row])
                member = encode(text.name) + b":"
                cleaned[text.row] = piece.replace(member + bytes(text.raw), member + encode(clean), 1)
        return cleaned

    def _texts(self, walk: Walk) -> list[Text]:
        """The texts that have to be read."""
        data = self._reader.data
        if data is None or not self._datas:
            return []
        if walk.must_see_texts:
            return [text for number, each in self._datas.items() for text in data.texts(number, each)]
        values, numbers = data.values(self._datas, self._length_of_datas)
        found = []
        for place in those_that_may_hold_anything(values):
            number = numbers[place]
            found.append([*data.texts(number, self._datas[number])][place - numbers.index(number)])
        return found


def _replaced(data: bytes, member: bytes, by: bytes) -> tuple[bytes, int]:
    """JSON with a member replaced by another one, and how often it was."""
    replaced = data.replace(member, by)
    longer = len(by) - len(member)
    return replaced, (len(replaced) - len(data)) // longer if longer else data.count(member)


def _without(data: bytes, member: bytes) -> tuple[bytes, int]:
    """JSON of objects without a member, and how often it was there: after others, before others, or alone."""
    total = 0
    for written in (b"," + member, member + b",", member):
        data, number = _replaced(data, written, b"")
        total += number
    return data, total
