"""
The parts of which a record has most rows: its messages, their statuses and their scores.

Most of these rows hold nothing that is taken out but a consumer's id. They are read just as far as is needed to know
that, and stay bytes. Every other row, and a part that is not as LivePerson documents it, is left to the walk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Raw

from airflow_provider_lp.export.redaction.codes import are_codes, are_times
from airflow_provider_lp.export.redaction.consumers import Participant, participant_of
from airflow_provider_lp.export.redaction.json_text import decode, encode
from airflow_provider_lp.export.redaction.members import Kind, Member, documented
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

_PARTICIPANT = b'"participantId":'
_PLAIN = str | int | float | bool | None
_split: Callable[[Any], list[Raw]] = msgspec.json.Decoder(list[Raw]).decode


class _Text(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: Raw


class _Data(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    msg: _Text


_text_of = attrgetter("messageData.msg.text")


class Reader(NamedTuple):
    """
    How the rows of a part are read, as far as they are plain: of documented members, and of text messages only.

    :param rows: reads all of them, if all are plain.
    :param row: reads one.
    :param codes: gives a row's codes.
    :param times: gives its times.
    :param who: gives its participant, and who that is; ``None`` where rows name none.
    :param says_who: the member that says who a participant is, if there is one.
    :param has_texts: whether there are texts in the rows.
    """

    rows: Callable[[Any], list[Any]]
    row: Callable[[Any], Any]
    codes: Callable[[Any], Any]
    times: Callable[[Any], Any]
    who: Callable[[Any], Participant] | None
    says_who: str | None
    has_texts: bool

    @classmethod
    def of(cls, part: Member, says_who: str | None) -> Reader:
        """The reader of a part."""
        names = [(member.path.rpartition(".")[2], member.kind) for member in part.members.values()]
        has_texts = any(name == "messageData" for name, _ in names)
        codes, times = _fields(names, Kind.CODE, _PLAIN), _fields(names, Kind.TIME, _PLAIN)
        fields = [*codes, *times, *_fields(names, Kind.WHO, str | None)]
        # What a field has to have goes before what it may have.
        fields = [("messageData", _Data), *fields] if has_texts else fields
        row: Any = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
        return cls(
            msgspec.json.Decoder(list[row]).decode,
            msgspec.json.Decoder(row).decode,
            attrgetter(*(name for name, *_ in codes)),
            attrgetter(*(name for name, *_ in times)),
            attrgetter("participantId", says_who) if says_who else None,
            says_who,
            has_texts,
        )


def _fields(names: Sequence[tuple[str, Kind | None]], wanted: Kind, kind_of_value: Any) -> list[Any]:
    return [(name, kind_of_value, None) for name, kind in names if kind is wanted]


def readers(root: Node) -> dict[str, Reader]:
    """
    The readers of the parts in which no rule names a member, by their names.

    :param root: where the rules' paths begin.
    """
    parts = ((name, documented().members[name.lower()], says_who) for name, says_who in PARTS.items())
    return {name: Reader.of(part, says_who) for name, part, says_who in parts if _is_free(root[name])}


def _is_free(place: Node) -> bool:
    """Whether no rule names the member in this place, its rows, or what is in a plain one."""
    rows = place.element()
    texts = [rows["messageData"], rows["messageData"]["msg"], rows["messageData"]["msg"]["text"]]
    names = rows.member.members if rows.member else ()
    return all(each.rule is None for each in (place, rows, *texts, *(rows[name] for name in names)))


class Rows:
    """
    The rows of a part. Made by :meth:`read`.

    :param raw: the part.
    :param rows: its rows: plain ones as they were read, others as dicts.
    :param plain: the plain ones.
    :param reader: what has read them.
    """

    def __init__(self, raw: Raw, rows: list[Any], plain: list[Any], reader: Reader) -> None:
        self.raw = raw
        self._bytes = bytes(raw)
        self._pieces: list[Raw] = []
        self._rows = rows
        self._plain = plain
        self._odd = [] if len(plain) == len(rows) else [row for row in rows if isinstance(row, dict)]
        self._reader = reader
        #: The participants that rows name, and how many rows do.
        self.participants: Counter[Participant] = Counter()
        if reader.who:
            odd = [participant_of(row, reader.says_who) for row in self._odd]
            self.participants = Counter([*map(reader.who, plain), *odd])

    @classmethod
    def read(cls, raw: Raw, reader: Reader) -> Rows | None:
        """The rows; ``None`` if the part is not as LivePerson documents it, or holds something that is no code."""
        try:
            try:
                rows = plain = reader.rows(raw)
            except msgspec.ValidationError:
                rows = [_read(row, reader) for row in _split(raw)]
                plain = [row for row in rows if not isinstance(row, dict)]
        except (msgspec.DecodeError, RecursionError):
            return None
        codes, times = encode(list(map(reader.codes, plain))), encode(list(map(reader.times, plain)))
        if not are_codes(codes) or not are_times(times):
            return None
        return cls(raw, rows, plain, reader)

    def redacted(self, walk: Walk, place: Node) -> bytes | None:
        """
        The part without personal data; ``None`` if the walk must read all of it for that.

        :param walk: through the record.
        :param place: of the rows.
        """
        named = dict.fromkeys(walk.consumer_ids, 0)
        for (identity, _), number in self.participants.items():
            if identity in named:
                named[identity] += number
        members = {identity: _PARTICIPANT + encode(identity) for identity, number in named.items() if number}
        if not walk.spells_ids_plainly and any(
            self._bytes.count(member) != named[identity] for identity, member in members.items()
        ):
            # An id that is spelled in another way would stay.
            return None
        cleaned = {number: encode(row) for number, row in self._cleaned(walk, place)}
        data = self._bytes
        if cleaned:
            data = b"[%b]" % b",".join(cleaned.get(number, row) for number, row in enumerate(self._split()))
        for identity, member in members.items():
            # In rows that were cleaned, it has been replaced.
            number = data.count(member) if self._odd else named[identity]
            pseudonym = walk.instead_of_consumer(identity, number)
            if pseudonym is None:
                data = _without(data, member, number)
            else:
                data = data.replace(member, _PARTICIPANT + encode(pseudonym))
        return data

    def _split(self) -> list[Raw]:
        self._pieces = self._pieces or _split(self.raw)
        return self._pieces

    def _cleaned(self, walk: Walk, place: Node) -> Iterator[tuple[int, Any]]:
        """The rows in which there is more to take out than a participant, without it, and their numbers."""
        texts = list(map(_text_of, self._plain)) if self._reader.has_texts else []
        worth = range(len(texts)) if walk.must_see_texts else those_that_may_hold_anything(texts) if texts else ()
        changed: dict[int, Any] = {}
        if worth:
            text_place = place["messageData"]["msg"]["text"]
            for number in worth:
                text = decode(texts[number])
                if not isinstance(text, str):
                    changed[number] = walk.value(text, text_place)
                elif (new := walk.text(text, text_place)) != text:
                    changed[number] = new
        if not changed and not self._odd:
            return
        number_of_plain = -1
        for number, row in enumerate(self._rows):
            if isinstance(row, dict):
                yield number, walk.row(row, place)
                continue
            number_of_plain += 1
            if number_of_plain in changed:
                decoded = decode(self._split()[number])
                decoded["messageData"]["msg"]["text"] = changed[number_of_plain]
                yield number, decoded


def _read(raw: Raw, reader: Reader) -> Any:
    """A row as it is read if it is plain, and as a dict if it is not."""
    try:
        return reader.row(raw)
    except msgspec.ValidationError:
        row = decode(raw)
        if not isinstance(row, dict):
            raise
        return row


def _without(data: bytes, member: bytes, number: int) -> bytes:
    """JSON of objects without a member that is in so many of them: after others, before others, or alone."""
    for written in (b"," + member, member + b",", member):
        shorter = data.replace(written, b"")
        number -= (len(data) - len(shorter)) // len(written)
        data = shorter
        if not number:
            break
    return data
