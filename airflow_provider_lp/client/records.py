"""Pages of conversations: the few fields an export needs are decoded, the records themselves stay bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError

Number = int | float | str | None


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


class _ShardsStatus(msgspec.Struct, rename="camel"):
    partial_result: bool | int | str | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    count: int | float | str
    shards_status_result: _ShardsStatus | None = None


class _Envelope(msgspec.Struct, rename="camel"):
    metadata: _Metadata = msgspec.field(name="_metadata")
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="conversationHistoryRecords")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_head: Callable[[Any], ConversationHead] = msgspec.json.Decoder(ConversationHead).decode


@dataclass(frozen=True, slots=True)
class Page:
    """
    One page of an answer.

    :param count: how many conversations the whole search matches, as LivePerson says.
    :param heads: the decoded part of each record.
    :param raws: each record as LivePerson sent it, minified JSON.
    :param bytes: size of the answer.
    """

    count: int
    heads: list[ConversationHead] = field(repr=False)
    raws: list[msgspec.Raw] = field(repr=False)
    bytes: int = 0

    def records(self) -> list[dict[str, Any]]:
        """The records, decoded."""
        return [msgspec.json.decode(raw) for raw in self.raws]


EMPTY_PAGE = Page(0, [], [])


def is_true(value: bool | int | str | None) -> bool:
    """LivePerson's booleans are also met as text."""
    return value in (True, 1) or (isinstance(value, str) and value.lower() == "true")


def milliseconds(value: Number) -> int | None:
    """A moment in epoch milliseconds, from a number or its text; ``None`` for absent, -1 and ``"undefined"``."""
    try:
        moment_ms = int(value)  # type: ignore[arg-type] # None is a TypeError, caught below
    except (TypeError, ValueError, OverflowError):
        return None
    return moment_ms if moment_ms > 0 else None


def read_page(answer: Answer, endpoint: str) -> Page:
    """
    The page that an answer holds.

    :raises LivePersonTransportError: if it is not LivePerson's JSON, for instance cut short.
    :raises LivePersonIncompleteDataError: if LivePerson says that some of its shards did not answer.
    """
    if answer.status == 204:
        return EMPTY_PAGE
    try:
        envelope = _decode_envelope(answer.body)
        if envelope.records and not _is_minified(answer.body, envelope.records[0]):
            envelope = _decode_envelope(msgspec.json.format(answer.body, indent=-1))
        count = int(envelope.metadata.count)
        if count < 0:
            raise ValueError("a negative count")
        records = envelope.records or []
        heads = [_decode_head(raw) for raw in records]
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise LivePersonTransportError(
            f"The answer to {endpoint} ({len(answer.body)} bytes) is cut short or not LivePerson's JSON.",
            endpoint=endpoint,
        ) from error
    status = envelope.metadata.shards_status_result
    if status and is_true(status.partial_result):
        raise LivePersonIncompleteDataError(
            f"LivePerson says that its answer to {endpoint} is only partial (partialResult).", endpoint=endpoint
        )
    return Page(count, heads, records, len(answer.body))


def _is_minified(body: bytes, first: msgspec.Raw) -> bool:
    # To minify a page costs as much as all else that is done to it, and most servers send no white space to remove:
    # a serialiser that spaces its output does so in every record. Line breaks, which no line may hold, cannot stand
    # inside a JSON string and so are looked for everywhere.
    sample = bytes(first)
    return not any(c in body for c in (b"\n", b"\r", b"\t")) and len(msgspec.json.format(sample, indent=-1)) == len(
        sample
    )
