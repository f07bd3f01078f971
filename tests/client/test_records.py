from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError
from airflow_provider_lp.client.records import EMPTY_PAGE, is_true, milliseconds, read_page

numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), numbers, st.text(), st.sampled_from(['"', "\\", '": ', '", ', ", ", ": ", "\u2028"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=15,
)
#: How serialisers are known to space their output.
separators = st.sampled_from(
    [(",", ":"), (", ", ": "), (",", ": "), (", ", ":"), (" , ", " : "), (",", " : "), (" ,", ":")]
)
indents = st.sampled_from([None, 0, 1, 2, 4, "\t", "\r\n"])


def record(conversation_id: str = "c", **info: Any) -> dict[str, Any]:
    return {"info": {"conversationId": conversation_id, "startTimeL": 1_700_000_000_000, **info}}


def page_of(*records: Any, count: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "_metadata": {"count": len(records) if count is None else count, **metadata},
        "conversationHistoryRecords": list(records),
    }


def read(body: Any, status: int = 200, offset: int = 0) -> Any:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_page(Answer(status, encoded, {}), "conversations/search", offset=offset)


def compact(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@given(json_values, separators, indents, st.booleans())
@example([1, 2], (", ", ": "), None, True)
@example([1, 2], (" ,", ":"), None, True)
@example({"\\": 0}, (", ", ": "), None, True)
@example({"a": 1, "b": 2}, (", ", ":"), None, True)
def test_a_records_line_is_its_json_without_white_space(
    value: Any, separator: Any, indent: Any, ascii_only: bool
) -> None:
    spaced_record = {**record(), "value": value}
    try:
        expected = compact(spaced_record, ascii_only=ascii_only)
        expected.decode()
    except UnicodeDecodeError:  # a lone surrogate, which JSON in UTF-8 cannot hold
        return
    body = json.dumps(page_of(spaced_record), separators=separator, indent=indent, ensure_ascii=ascii_only).encode()
    (raw,) = read(body).raws
    assert bytes(raw) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"n":[1.0,1e5,1E+5,-0,-0.0,123456789012345678901234567890,0.1000000000000000055511151231257827]}',
        '{"s":"\\u00e9\\/\\u2028 \u2028 \u0301 😀 \\ud83d\\ude00 \\b\\f\\n\\r\\t\\"\\\\ , : { } [ ]"}',
        '{"a":"x\\": y","b":"\\\\","c":": ","d":", "}',
        '{"dup":1,"dup":2,"":null,"  ":[ ]}',
    ],
)
def test_numbers_escapes_and_texts_stay_as_they_were_sent(text: str) -> None:
    sent = f'{{"info":{{"conversationId":"c"}},"x":{text}}}'
    for body in (
        f'{{"_metadata":{{"count":1}},"conversationHistoryRecords":[{sent}]}}',
        f'{{\n "_metadata" : {{ "count" : 1 }} ,\n "conversationHistoryRecords" : [ {sent} ] }}\n',
    ):
        (raw,) = read(body.encode()).raws
        assert bytes(raw).decode() == sent.replace("[ ]}}", "[]}}")


@given(st.randoms(use_true_random=False), json_values)
def test_a_line_never_holds_a_line_break(rng: random.Random, value: Any) -> None:
    compacted = json.dumps(page_of({**record(), "v": value}))
    spaced = ""
    in_text = escaped = False
    for character in compacted:
        if not in_text and character in "{}[],:":
            spaced += character + rng.choice(["", " ", "\n", "\r", "\t", "\r\n "])
        else:
            spaced += character
        if character == '"' and not escaped:
            in_text = not in_text
        escaped = character == "\\" and not escaped
    (raw,) = read(spaced.encode()).raws
    assert b"\n" not in bytes(raw)
    assert b"\r" not in bytes(raw)
    assert json.loads(bytes(raw)) == {**record(), "v": value}


# The envelope.


def test_an_answer_of_204_holds_nothing() -> None:
    assert read(b"", status=204) is EMPTY_PAGE


def test_count_is_the_searchs_not_the_pages() -> None:
    page = read(page_of(record(), count=250))
    assert (page.count, len(page.heads), page.records()) == (250, 1, [record()])


@pytest.mark.parametrize("count", [3, "3"])
def test_count_may_be_text(count: Any) -> None:
    assert read(page_of(count=count)).count == 3


def test_a_page_without_records_may_leave_the_list_out() -> None:
    assert read({"_metadata": {"count": 0}}).heads == []


@pytest.mark.parametrize("partial", [True, "true", "True"])
def test_an_answer_of_only_some_shards_is_incomplete(partial: Any) -> None:
    with pytest.raises(LivePersonIncompleteDataError, match="partialResult"):
        read(page_of(record(), shardsStatusResult={"partialResult": partial}))


@pytest.mark.parametrize("failed", [1, "3", True, 2.0, [7], {"shard": 7}])
def test_an_answer_of_which_shards_failed_is_partial_whatever_it_says(failed: Any) -> None:
    with pytest.raises(LivePersonIncompleteDataError, match="only partial"):
        read(page_of(record(), shardsStatusResult={"partialResult": False, "failureShards": failed}))


@pytest.mark.parametrize("failed", [0, "0", None, False, []])
def test_an_answer_of_which_no_shard_failed_is_whole(failed: Any) -> None:
    assert len(read(page_of(record(), shardsStatusResult={"failureShards": failed, "totalShards": 5})).heads) == 1


@pytest.mark.parametrize("status", [{"partialResult": False}, {"partialResult": "false"}, {}, None])
def test_an_answer_of_all_shards_is_whole(status: Any) -> None:
    assert read(page_of(record(), shardsStatusResult=status)).count == 1


@pytest.mark.parametrize("body", [b"", b"{", json.dumps(page_of(record()))[:-1].encode()])
def test_a_page_that_is_cut_short_is_not_read(body: bytes) -> None:
    with pytest.raises(LivePersonTransportError, match="is cut short"):
        read(body)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"_metadata":null}', b'{"_metadata":{"count":null}}', b"[]"])
def test_what_is_no_page_is_not_read_as_one(body: bytes) -> None:
    with pytest.raises(LivePersonTransportError, match=r"is not LivePerson's JSON: \w+"):
        read(body)


@given(st.data())
def test_wherever_a_page_is_cut_it_is_not_read(data: Any) -> None:
    body = json.dumps(page_of(record(), {**record("d"), "text": 'x "y" {z'})).encode()
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(LivePersonTransportError, match="is cut short"):
        read(body[:end])


# What is read of a record, in every form that LivePerson is known to send.


@pytest.mark.parametrize("messages", [[], {}, None])
def test_an_empty_container_may_be_a_list_an_object_or_null(messages: Any) -> None:
    (head,) = read(page_of({**record(), "messageRecords": messages})).heads
    assert not head.message_records


def test_containers_may_be_absent_and_unknown_ones_present() -> None:
    (head,) = read(page_of({**record(), "tomorrow": {"x": [1]}})).heads
    assert head.message_records is None


@pytest.mark.parametrize("value", [-1, 0, "-1", "undefined", "null", "NA", "", None, "x", float("1e400")])
def test_a_moment_that_has_not_come_is_none(value: Any) -> None:
    assert milliseconds(value) is None


@pytest.mark.parametrize("value", [1_700_000_000_123, "1700000000123", 1_700_000_000_123.0])
def test_a_moment_may_be_a_number_or_its_text(value: Any) -> None:
    assert milliseconds(value) == 1_700_000_000_123


def test_moments_are_read_from_the_epoch_twins() -> None:
    info = {"startTime": "2016-08-29 14:30:24.565+0000", "endTimeL": "1700000000001", "fullDialogEndTimeL": -1}
    (head,) = read(page_of(record(**info))).heads
    assert milliseconds(head.info.start) == 1_700_000_000_000
    assert milliseconds(head.info.end) == 1_700_000_000_001
    assert milliseconds(head.info.full_dialog_end) is None


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), ("true", True), (False, False), ("false", False), (None, False)]
)
def test_booleans_may_be_text(value: Any, truth: bool) -> None:
    assert is_true(value) is truth
    (head,) = read(page_of(record(isPartial=value))).heads
    assert is_true(head.info.is_partial) is truth


# Odd records: read as far as they can be understood, or named.


@pytest.mark.parametrize(("given", "read_as"), [(17, "17"), (12345678901234567890123, "12345678901234567890123")])
def test_a_numeric_id_is_its_text_for_us_and_stays_as_it_was_sent(given: int, read_as: str) -> None:
    page = read(page_of(record(), record(given), record("e")))  # type: ignore[arg-type]
    assert [head.info.conversation_id for head in page.heads] == ["c", read_as, "e"]
    assert json.loads(bytes(page.raws[1]))["info"]["conversationId"] == given
    assert page.repaired == frozenset()


@pytest.mark.parametrize("status", [3, True, ["OPEN"], {"a": 1}, None])
@pytest.mark.parametrize("partial", [[], {}, None, 0.0, "maybe"])
def test_a_status_or_a_mark_of_another_type_is_understood_as_far_as_can_be(status: Any, partial: Any) -> None:
    (head,) = read(page_of(record(status=status, isPartial=partial, endTimeL=[5], startTimeL=7.0))).heads
    assert head.info.status == (None if status is None else str(status))
    assert not is_true(head.info.is_partial)
    assert (milliseconds(head.info.start), milliseconds(head.info.end)) == (7, None)


@pytest.mark.parametrize("partial", [True, 1, 1.0, "true", "1", "Yes", " TRUE ", [1], {"a": True}])
def test_a_mark_that_may_mean_yes_is_taken_for_it(partial: Any) -> None:
    (head,) = read(page_of(record(isPartial=partial))).heads
    assert is_true(head.info.is_partial)


@pytest.mark.parametrize("messages", ["many", 5, True])
def test_messages_that_are_none_are_not_counted(messages: Any) -> None:
    (head,) = read(page_of({**record(), "messageRecords": messages})).heads
    assert head.message_records is None


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"info": {}}, "conversationId"),
        ({}, "info"),
        (None, "null"),
        ({"info": {"conversationId": None}}, "its conversationId is no text"),
        ({"info": {"conversationId": ["a"]}}, "its conversationId is no text"),
        ({"info": {"conversationId": True}}, "its conversationId is no text"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_by_its_row(odd: Any, why: str) -> None:
    with pytest.raises(LivePersonTransportError, match=rf"cannot be read: the record in row 201: .*{why}"):
        read(page_of(record(), odd), offset=200)


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (b"[" * 9_000 + b"]" * 9_000, "nested too deeply"),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "nested too deeply"),
        (b"01", "malformed"),
        (b"'a'", "malformed"),
        (b"[1,]", "malformed"),
    ],
)
def test_a_record_that_is_no_json_is_named_by_its_id(inside: bytes, why: str) -> None:
    odd = b'{"info":{"conversationId":"the-odd-one"},"x":%b}' % inside
    body = b'{"_metadata":{"count":2},"conversationHistoryRecords":[%b,%b]}'
    expected = rf"cannot be read: the record of conversation the-odd-one \(row 101\).*{why}"
    with pytest.raises(LivePersonTransportError, match=expected):
        read(body % (json.dumps(record()).encode(), odd), offset=100)


def test_a_page_that_is_nested_too_deeply_outside_its_records_is_refused() -> None:
    with pytest.raises(LivePersonTransportError, match="nested too deeply"):
        read(b'{"x":%b,"_metadata":{"count":0}}' % (b"[" * 9_000 + b"]" * 9_000))


def test_the_records_of_the_sandbox_arrive_as_they_were_sent(sandbox_of: Any) -> None:
    from airflow_provider_lp.sandbox import Account
    from tests.exported import connect
    from tests.samples import DAY, NOW, ms

    sandbox = sandbox_of(account=Account(now=NOW, days=1, per_day=90))
    end_ms = ms(NOW) // DAY * DAY
    with connect(sandbox) as client:
        page = client.interactions.search({"start": {"from": end_ms - DAY, "to": end_ms - 1}})
    assert len(page.raws) > 80
    for head, raw in zip(page.heads, page.raws, strict=True):
        conversation = sandbox.account.find(head.info.conversation_id)
        whole = not head.info.is_partial
        assert json.loads(bytes(raw)) == json.loads(json.dumps(sandbox.account.record(conversation, whole=whole)))
