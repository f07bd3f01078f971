"""What is done about JSON that is not valid: repaired where that costs nothing else, described where it cannot be."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
RECORDS = b'"conversationHistoryRecords"'

# Possessive, and a string that has no end is matched as well: looked at from each of its quotes anew, the megabytes
# that a cut answer ends with would take hours.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>")?'
_STRING_OR_NO_NUMBER = re.compile(_STRING + rb"|-?(?:NaN|Infinity)", re.DOTALL)
_STRING_OR_BRACKET = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_STRAY_BYTES = re.compile("\udced([\udca0-\udcbf])([\udc80-\udcbf])|[\udc80-\udcff]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ID = re.compile(rb'"conversationId"\s*:\s*("[\w.:-]{1,100}"|-?\d{1,30})')

_decode_text = msgspec.json.Decoder(str).decode


def repair(body: bytes) -> tuple[bytes, list[int]]:
    """
    Replace what no reader of JSON takes, and leave every other byte as it is.

    In texts: bytes that are not UTF-8 and halves of surrogate pairs become replacement characters, pairs that are
    encoded half by half are joined, bare control characters are escaped. ``NaN`` and ``Infinity`` become ``null``.

    :return: the repaired bytes, and where in them something was replaced, in order.
    """
    pieces: list[bytes] = []
    places: list[int] = []
    copied = length = 0
    for match in _STRING_OR_NO_NUMBER.finditer(body):
        token = match[0]
        is_text = token.startswith(b'"')
        if is_text and not match["end"]:
            break
        replacement = _valid(token) if is_text else b"null"
        if replacement is token:
            continue
        before = body[copied : match.start()]
        places.append(length + len(before))
        pieces += (before, replacement)
        length += len(before) + len(replacement)
        copied = match.end()
    return b"".join([*pieces, body[copied:]]), places


def _valid(token: bytes) -> bytes:
    try:
        _decode_text(token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = token[1:-1].decode("utf-8", "surrogateescape")
        text = _ESCAPE.sub(_unescaped, _STRAY_BYTES.sub(_without_stray_bytes, text))
        # Joins the halves of a pair, and replaces those that stay alone.
        return msgspec.json.encode(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return token


def _without_stray_bytes(match: re.Match[str]) -> str:
    """Half a surrogate pair from the three bytes that some encode it as; a replacement character for any other byte."""
    if match[1] is None:
        return "\N{REPLACEMENT CHARACTER}"
    return chr(0xD000 | (ord(match[1]) & 0x3F) << 6 | ord(match[2]) & 0x3F)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[0])


def records_with(places: Sequence[int], body: bytes, records: Sequence[msgspec.Raw]) -> frozenset[int]:
    """Which records of a page hold at least one of some places in its body; ``records`` are pieces of it, in order."""
    found = set()
    end = 0
    for number, record in enumerate(records):
        text = bytes(record)
        start = body.index(text, end)
        end = start + len(text)
        first = bisect_left(places, start)
        if first < len(places) and places[first] < end:
            found.add(number)
    return frozenset(found)


def conversation_id_in(record: bytes) -> str | None:
    """The id in a record that cannot be decoded, if it can be found."""
    match = _ID.search(record)
    return match[1].strip(b'"').decode() if match else None


def split(body: bytes) -> list[bytes] | None:
    """The records of a page that cannot be decoded, by its brackets alone; ``None`` if the page is cut short."""
    depth = start = 0
    last_text = b""
    is_in_records = False
    records = []
    for match in _STRING_OR_BRACKET.finditer(body):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
            is_in_records = is_in_records or (depth == 2 and token == b"[" and last_text == RECORDS)
            if is_in_records and depth == 3:
                start = match.start()
        elif token in (b"}", b"]"):
            if is_in_records and depth == 3:
                records.append(body[start : match.end()])
            depth -= 1
            is_in_records = is_in_records and depth > 1
        elif not match["end"]:
            return None
        elif depth == 1:
            last_text = token
    return None if depth or not body.strip() else records
