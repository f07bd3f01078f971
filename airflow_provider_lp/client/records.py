"""Pages of conversations: the few fields an export needs are decoded, the records themselves stay bytes."""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError
from airflow_provider_lp.client.odd_json import BYTE_ORDER_MARK, conversation_id_in, records_with, repair, split

Number = int | float | str | None

#: How much of an answer is checked at a time.
CHECKED_BYTES = 64 << 10
#: What LivePerson's booleans may be as text, and how it may say that no shard has failed.
TRUE_WORDS = frozenset({"true", "1", "yes"})
NO_SHARDS = frozenset({b"0", b'"0"', b"null", b"false", b"[]"})
_NULL = msgspec.Raw(b"null")


class ConversationInfo(msgspec.Struct, rename="camel"):
    """What an export reads of a record's ``info``; moments in epoch milliseconds UTC."""

    conversation_id: str
    status: str | None = None
    is_partial: bool | int | str | None = None
    start: Number = msgspec.field(default=None, name="startTimeL")
    end: Number = msgspec.field(default=None, name="endTimeL")
    full_dialog_end: Number = msgspec.field(default=None, name="fullDialogEndTimeL")


class ConversationHead(msgspec.Struct, rename="camel"):
    """The decoded part of a conversation record."""

    info: ConversationInfo
    message_records: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None


class _OddInfo(msgspec.Struct, rename="camel"):
    conversation_id: msgspec.Raw
    status: msgspec.Raw = _NULL
    is_partial: msgspec.Raw = _NULL
    start: msgspec.Raw = msgspec.field(default=_NULL, name="startTimeL")
    end: msgspec.Raw = msgspec.field(default=_NULL, name="endTimeL")
    full_dialog_end: msgspec.Raw = msgspec.field(default=_NULL, name="fullDialogEndTimeL")


class _OddHead(msgspec.Struct, rename="camel"):
    info: _OddInfo
    message_records: msgspec.Raw = _NULL


class _ShardsStatus(msgspec.Struct, rename="camel"):
    partial_result: bool | int | str | None = None
    failure_shards: msgspec.Raw = _NULL


class _Metadata(msgspec.Struct, rename="camel"):
    count: int | float | str
    shards_status_result: _ShardsStatus | None = None


class _Envelope(msgspec.Struct, rename="camel"):
    metadata: _Metadata = msgspec.field(name="_metadata")
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="conversationHistoryRecords")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_head: Callable[[Any], ConversationHead] = msgspec.json.Decoder(ConversationHead).decode
_decode_odd_head: Callable[[Any], _OddHead] = msgspec.json.Decoder(_OddHead).decode
_decode_messages: Callable[[Any], list[msgspec.Raw] | dict[str, msgspec.Raw] | None] = msgspec.json.Decoder(
    list[msgspec.Raw] | dict[str, msgspec.Raw] | None
).decode


@dataclass(frozen=True, slots=True)
class Page:
    """
    One page of an answer.

    :param count: how many conversations the whole search matches, as LivePerson says.
    :param heads: the decoded part of each record.
    :param raws: each record as LivePerson sent it, minified JSON.
    :param bytes: size of the answer.
    :param repaired: which records held something that is no valid JSON, by their numbers from 0 on.
    """

    count: int
    heads: list[ConversationHead] = field(repr=False)
    raws: list[msgspec.Raw] = field(repr=False)
    bytes: int = 0
    repaired: frozenset[int] = frozenset()

    def records(self) -> list[dict[str, Any]]:
        """The records, decoded."""
        return [msgspec.json.decode(raw) for raw in self.raws]


EMPTY_PAGE = Page(0, [], [])


def is_true(value: bool | int | str | None) -> bool:
    """LivePerson's booleans are also met as text."""
    return value in (True, 1) or (isinstance(value, str) and value.strip().lower() in TRUE_WORDS)


def milliseconds(value: Number) -> int | None:
    """A moment in epoch milliseconds, from a number or its text; ``None`` for absent, -1 and ``"undefined"``."""
    try:
        moment_ms = int(value)  # type: ignore[arg-type] # None is a TypeError, caught below
    except (TypeError, ValueError, OverflowError):
        return None
    return moment_ms if moment_ms > 0 else None


def read_page(answer: Answer, endpoint: str, *, offset: int = 0) -> Page:
    """
    The page that an answer holds.

    What no reader of JSON takes is repaired, record by record; all others stay as they were sent.

    :param offset: how many rows were skipped, to say which one cannot be read.
    :raises LivePersonTransportError: if it is not LivePerson's JSON, for instance cut short.
    :raises LivePersonIncompleteDataError: if LivePerson says that some of its shards did not answer.
    """
    if answer.status == 204:
        return EMPTY_PAGE
    body = answer.body.removeprefix(BYTE_ORDER_MARK)
    try:
        envelope, repaired = _read_envelope(body)
        count = int(envelope.metadata.count)
        if count < 0:
            raise ValueError("a negative count")
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise LivePersonTransportError(
            f"The answer to {endpoint} ({len(answer.body)} bytes) {_fault(body, offset, error)}.", endpoint=endpoint
        ) from error
    records = envelope.records or []
    heads = [_read_head(raw, endpoint, row) for row, raw in enumerate(records, offset)]
    status = envelope.metadata.shards_status_result
    if status and (is_true(status.partial_result) or bytes(status.failure_shards) not in NO_SHARDS):
        raise LivePersonIncompleteDataError(
            f"LivePerson says that its answer to {endpoint} is only partial (partialResult).", endpoint=endpoint
        )
    return Page(count, heads, records, len(answer.body), repaired)


def _read_envelope(body: bytes) -> tuple[_Envelope, frozenset[int]]:
    """The envelope with its records minified, and which of them had to be repaired for that."""
    repaired: frozenset[int] = frozenset()
    try:
        envelope = _decode_envelope(body)
        _check_utf8(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        body, places = repair(body)
        envelope = _decode_envelope(body)
        repaired = records_with(places, body, envelope.records or [])
    if envelope.records and not _is_minified(body, envelope.records[0]):
        envelope = _decode_envelope(msgspec.json.format(body, indent=-1))
    return envelope, repaired


def _check_utf8(body: bytes) -> None:
    """Raise :class:`UnicodeDecodeError` for what is not UTF-8, which the decoder does not look at where it skips."""
    if body.isascii():
        return
    # Piece by piece, since the whole of it would be several times as large as text.
    view, checked = memoryview(body), 0
    while checked < len(body):
        end = checked + CHECKED_BYTES
        checked += utf_8_decode(view[checked:end], "strict", end >= len(body))[1]


def _read_head(raw: msgspec.Raw, endpoint: str, row: int) -> ConversationHead:
    try:
        return _decode_head(raw)
    except msgspec.ValidationError:
        pass
    try:
        return _read_odd_head(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise LivePersonTransportError(
            f"The answer to {endpoint} cannot be read: {_named(bytes(raw), row)}: {error}.", endpoint=endpoint
        ) from error


def _read_odd_head(raw: msgspec.Raw) -> ConversationHead:
    """A head whose members have other types than LivePerson documents, as far as it can be understood."""
    odd = _decode_odd_head(raw)
    info = odd.info
    conversation_id = _plain(info.conversation_id)
    if not conversation_id or isinstance(conversation_id, bool | list | dict):
        raise ValueError("its conversationId is no text and no number")
    status, is_partial = _plain(info.status), _plain(info.is_partial)
    moments = [_plain(member) for member in (info.start, info.end, info.full_dialog_end)]
    return ConversationHead(
        ConversationInfo(
            conversation_id if isinstance(conversation_id, str) else bytes(info.conversation_id).decode(),
            None if status is None else str(status),
            is_partial if isinstance(is_partial, str) else bool(is_partial),
            *(moment if isinstance(moment, int | float | str) else None for moment in moments),
        ),
        _messages(odd.message_records),
    )


def _plain(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:  # a number out of range
        return None


def _messages(raw: msgspec.Raw) -> list[msgspec.Raw] | dict[str, msgspec.Raw] | None:
    try:
        return _decode_messages(raw)
    except msgspec.DecodeError:
        return None


def _fault(body: bytes, offset: int, error: Exception) -> str:
    """What is wrong with an answer that cannot be read, in words."""
    records = split(body)
    if records is None:
        return "is cut short"
    for row, record in enumerate(records, offset):
        try:
            _decode_envelope(b'{"_metadata":{"count":0},"conversationHistoryRecords":[%b]}' % repair(record)[0])
        except RecursionError:
            return f"cannot be read: {_named(record, row)} is nested too deeply"
        except msgspec.DecodeError as own:
            return f"cannot be read: {_named(record, row)}: {own}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"is not LivePerson's JSON: {error}"


def _named(record: bytes, row: int) -> str:
    """A record, for people."""
    conversation_id = conversation_id_in(record)
    return (
        f"the record of conversation {conversation_id} (row {row})" if conversation_id else f"the record in row {row}"
    )


def _is_minified(body: bytes, first: msgspec.Raw) -> bool:
    # To minify a page costs as much as all else that is done to it, and most servers send no white space to remove:
    # a serialiser that spaces its output does so in every record. Line breaks, which no line may hold, cannot stand
    # inside a JSON string and so are looked for everywhere.
    sample = bytes(first)
    return not any(c in body for c in (b"\n", b"\r", b"\t")) and len(msgspec.json.format(sample, indent=-1)) == len(
        sample
    )
