"""What no reader of JSON takes, in what LivePerson sends: repaired, and everything else left as it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.odd_json import repair, split
from airflow_provider_lp.client.records import Page, read_page

REPLACED = "\N{REPLACEMENT CHARACTER}"
GOOD = (
    b'{"info":{"conversationId":"good","startTimeL":1},"t":"\\u00e9 \xc3\xa9 \\ud83d\\ude00 \\u0000 NaN","n":[1.0,-0]}'
)


def page_with(*records: bytes) -> Page:
    body = b'{"_metadata":{"count":%d},"conversationHistoryRecords":[%b]}' % (len(records), b",".join(records))
    return read_page(Answer(200, body, {}), "conversations/search")


def record_with(value: bytes) -> bytes:
    return b'{"info":{"conversationId":"odd","startTimeL":1},"messageRecords":[],"x":' + value + b"}"


def strict(line: bytes) -> Any:
    """The value of a line that every reader takes."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    value = json.loads(line.decode(), parse_constant=refuse)
    assert msgspec.json.decode(line) == value
    return value


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b'"see you soon \\ud83d"', f"see you soon {REPLACED}"),
        (b'"\\ud83d and on"', f"{REPLACED} and on"),
        (b'"\\ud83d\\u0041"', f"{REPLACED}A"),
        (b'"\\ude00\\ud83d"', REPLACED * 2),
        (b'"\\uD83D\\uD83D\\uDE00"', f"{REPLACED}😀"),
        (b'"caf\xe9"', f"caf{REPLACED}"),
        (b'"\xff\xfe"', REPLACED * 2),
        (b'"\xed\xa0\xbd\xed\xb8\x80"', "😀"),
        (b'"\\ud83d\xed\xb8\x80"', "😀"),
        (b'"\xed\xa0\xbd\\ude00"', "😀"),
        (b'"\xed\xa0\xbd"', REPLACED),
        (b'"\xf0\x9f\x98"', REPLACED * 3),
        (b'"\xc0\x80"', REPLACED * 2),
        (b'"a\x00b"', "a\0b"),
        (b'"a\nb\tc"', "a\nb\tc"),
        (b'"a\\qb"', "a\\qb"),
        (b'"a\\u12zb"', "a\\u12zb"),
        (b'"\\\\ud83d \\" \xe9"', f'\\ud83d " {REPLACED}'),
        (b"NaN", None),
        (b"Infinity", None),
        (b"-Infinity", None),
    ],
)
def test_one_odd_value_is_repaired_and_costs_nothing_else(sent: bytes, text: str | None) -> None:
    page = page_with(GOOD, record_with(sent), GOOD)
    assert page.repaired == {1}
    assert [bytes(raw) for raw in page.raws[::2]] == [GOOD, GOOD]
    assert strict(bytes(page.raws[1]))["x"] == text
    assert page.heads[1].info.conversation_id == "odd"


def test_odd_members_are_repaired_wherever_they_are() -> None:
    sent = b'{"info":{"conversationId":"odd","startTimeL":NaN,"caf\xe9":"\\ud83d"},"messageRecords":[{"text":"\xe9"}]}'
    page = page_with(GOOD, sent)
    assert page.repaired == {1}
    assert strict(bytes(page.raws[1])) == {
        "info": {"conversationId": "odd", "startTimeL": None, f"caf{REPLACED}": REPLACED},
        "messageRecords": [{"text": REPLACED}],
    }


def test_a_byte_order_mark_is_no_part_of_any_record() -> None:
    body = b'\xef\xbb\xbf{"_metadata":{"count":1},"conversationHistoryRecords":[%b]}' % GOOD
    page = read_page(Answer(200, body, {}), "conversations/search")
    assert ([bytes(raw) for raw in page.raws], page.repaired) == ([GOOD], frozenset())


@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_sent_with_white_space_is_repaired_and_minified(indent: int | None) -> None:
    good = {"info": {"conversationId": "good"}, "x": "a b"}
    odd = {"info": {"conversationId": "odd"}, "x": "a \ud83d b", "y": float("nan")}
    body = json.dumps({"_metadata": {"count": 3}, "conversationHistoryRecords": [good, odd, good]}, indent=indent)
    page = read_page(Answer(200, body.encode(), {}), "conversations/search")
    assert page.repaired == {1}
    compact = json.dumps(good, separators=(",", ":")).encode()
    assert [bytes(raw) for raw in page.raws[::2]] == [compact, compact]
    assert strict(bytes(page.raws[1])) == {**odd, "x": f"a {REPLACED} b", "y": None}


def test_the_same_record_twice_is_told_apart() -> None:
    odd = record_with(b'"\xe9"')
    assert page_with(GOOD, odd, GOOD, odd, GOOD).repaired == {1, 3}


pieces = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"\\ud83d", b"\\ude00", b"\xed\xa0\xbd", b"\xed\xb8\x80", b"\\\\", b'\\"', b"\\u0000", b"{", b"]"]
    ),
    st.text(max_size=4).map(lambda text: json.dumps(text)[1:-1].encode()),
)


def as_text(content: bytes) -> bytes:
    """Some bytes inside a JSON string: whatever would end it is escaped."""
    ended = b""
    is_escaped = False
    for number in content:
        byte = bytes([number])
        if byte == b'"' and not is_escaped:
            byte = b'\\"'
        is_escaped = byte == b"\\" and not is_escaped
        ended += byte
    return b'"' + ended + (b"\\" if is_escaped else b"") + b'"'


@settings(max_examples=300)
@given(st.lists(st.lists(pieces, max_size=6).map(b"".join), min_size=1, max_size=4), st.integers(0, 3))
@example([b"\\"], 0)
@example([b"\xed\xa0\xbd\\ude00"], 0)
def test_whatever_bytes_are_in_texts_every_line_is_strict_and_all_others_stay(texts: list[bytes], place: int) -> None:
    odd = [record_with(as_text(text)) for text in texts]
    records = [GOOD, *odd, GOOD]
    records.insert(place, GOOD)
    page = page_with(*records)
    for number, (raw, sent) in enumerate(zip(page.raws, records, strict=True)):
        line = bytes(raw)
        assert b"\n" not in line
        strict(line)
        assert (number in page.repaired) == (line != sent)
        if sent == GOOD:
            assert line == GOOD


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_what_is_valid_is_left_alone(value: Any) -> None:
    for body in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")):
        assert repair(body) == (body, [])


CUT_BODIES = {
    "escaped quotes": b'\\"a\\":1,',
    "escaped quotes and NaN": b'\\"a\\":NaN,',
    "backslashes": b"\\\\",
    "half pairs": b"\\ud83d",
    "strings": b'a","',
}


@pytest.mark.parametrize("piece", CUT_BODIES.values(), ids=CUT_BODIES.keys())
def test_what_is_cut_short_is_found_out_in_one_look(piece: bytes) -> None:
    # Two megabytes: with a look from each quote anew, this would not end today.
    head = b'{"_metadata":{"count":1},"conversationHistoryRecords":[{"info":{"conversationId":"a"},"x":"'
    body = head + piece * (2_000_000 // len(piece))
    for cut in (body, body + b"\\"):
        with pytest.raises(LivePersonTransportError, match="is cut short"):
            read_page(Answer(200, cut, {}), "conversations/search")


@pytest.mark.parametrize("body", [b'"', b'"a', b'"a\\"', b'"\\', b'{"a":"\\ud83d', b'"\xff\\"', b'["a","b\\"'])
def test_a_text_without_end_is_left_as_it_is(body: bytes) -> None:
    assert repair(body) == (body, [])
    assert split(body) is None
