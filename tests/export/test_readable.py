"""Whatever LivePerson sends, every published line is valid UTF-8 and strict JSON, and names what was repaired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.export import publishing
from airflow_provider_lp.export.conversations import collect_conversations
from airflow_provider_lp.export.lookup import Lookup
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.windows import Window
from tests.client.test_odd_json import as_text, pieces, record_with, strict
from tests.exported import export, lines, query_of
from tests.fake_clock import FakeClock
from tests.scripted import Say

from .archive import DAY_WINDOW, archive_of, client_of, page, record, records, searches, start_of

CASES = Path(__file__).parent.parent / "cases"
REPLACED = "\N{REPLACEMENT CHARACTER}"


def raw(value: bytes, conversation_id: str = "odd") -> bytes:
    start = DAY_WINDOW.start_ms + 5
    return b'{"info":{"conversationId":"%b","startTimeL":%d},"x":%b}' % (conversation_id.encode(), start, value)


@pytest.mark.parametrize("case", sorted(CASES.glob("conv_*.json")), ids=lambda path: path.stem)
def test_what_people_have_met_is_exported(case: Path, tmp_path: Path) -> None:
    body = case.read_bytes()
    with archive_of([]) as (archive, server), client_of(server) as client:
        archive.spoil = lambda *_: Say(body=body)
        moments = [start_of(each) for each in json.loads(body.decode("utf-8", "replace"))["conversationHistoryRecords"]]
        window = Window(min(moments) // 86_400_000 * 86_400_000, min(moments) // 86_400_000 * 86_400_000 + 86_400_000)
        summary = export(client, window, tmp_path / "x.ndjson")
        found = collect_conversations(client, query_of(window), max_bytes=1 << 20)
    exported = [strict(line) for line in lines(tmp_path / "x.ndjson")]
    assert summary["conversations"] == len(exported) == len(moments)
    is_odd = case.stem in ("conv_emoji_cut_in_half", "conv_latin1_byte")
    assert summary["repaired"] == is_odd
    if case.stem == "conv_nul_character":
        assert "a\0b" in json.dumps(exported, ensure_ascii=False).replace("\\u0000", "\0")
        assert found == json.loads(json.dumps(exported).replace("\\u0000", "\\ufffd"))
    else:
        assert found == exported


@pytest.mark.parametrize(
    "odd", [b'"\\ud83d"', b'"caf\xe9"', b"NaN", b'"\xed\xa0\xbd\xed\xb8\x80"', b'"a\x00b"'], ids=repr
)
def test_an_odd_record_is_counted_named_and_costs_no_other(
    odd: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others = records(150)
    with archive_of([*others, raw(odd)]) as (_, server), client_of(server) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson.gz")
        found = collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 20)
        assert len(searches(server)) == 4
    assert (summary["conversations"], summary["repaired"]) == (151, 1)
    exported = lines(tmp_path / "x.ndjson.gz")
    sent = {json.dumps(each, separators=(",", ":")).encode() for each in others}
    (line,) = set(exported) - sent
    assert strict(line)["info"]["conversationId"] == "odd"
    assert [json.loads(line) for line in exported if line in sent] == [
        each for each in found if each["info"]["conversationId"] != "odd"
    ]
    (warning, *_) = [entry.getMessage() for entry in caplog.records if "Repaired" in entry.getMessage()]
    assert warning.endswith("of conversations odd.")


def test_what_a_database_cannot_hold_is_replaced_on_its_way_there_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [raw(b'{"a\\u0000":["b\\u0000c","\\\\u0000"]}', "nul"), raw(b'"\\\\u0000"', "no-nul")]
    with archive_of(sent) as (_, server), client_of(server) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson")
        assert (lines(tmp_path / "x.ndjson"), summary["repaired"]) == ([sent[1], sent[0]], 0)
        assert not caplog.records
        found = collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 20)
        with Lookup(client, LookupQuery.checked(conversation_ids=["nul", "no-nul"], consumer_id=None)) as lookup:
            looked_up = lookup.collect(1 << 20)
    assert [each["x"] for each in found] == ["\\u0000", {f"a{REPLACED}": [f"b{REPLACED}c", "\\u0000"]}]
    assert (looked_up["repaired"], looked_up["records"]) == (1, found)
    assert "of conversations nul." in caplog.text


def test_a_number_that_is_too_large_stays_in_a_file_and_is_null_elsewhere(tmp_path: Path) -> None:
    with archive_of([raw(b"1e999")]) as (_, server), client_of(server) as client:
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
        assert lines(tmp_path / "x.ndjson") == [raw(b"1e999")]
        assert collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 20)[0]["x"] is None


def test_a_long_line_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LONGEST_LINE_BYTES", 1000)
    with archive_of([record("short"), record("long", text="x" * 1000)]) as (_, server), client_of(server) as client:
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    (warning,) = [entry.getMessage() for entry in caplog.records]
    assert "record of conversation long has 1" in warning


def test_a_numeric_id_is_ordered_as_text_and_stays_as_it_was_sent(tmp_path: Path) -> None:
    sent: list[Any] = [record("b"), record("17"), record("a")]
    sent[1]["info"]["conversationId"] = 17
    with archive_of(sent) as (_, server), client_of(server) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    ids = [json.loads(line)["info"]["conversationId"] for line in lines(tmp_path / "x.ndjson")]
    assert (ids, summary["repaired"]) == ([17, "a", "b"], 0)


def test_a_record_that_cannot_be_read_is_named_with_its_row_and_publishes_nothing(tmp_path: Path) -> None:
    deep = raw(b"[" * 5_000 + b"]" * 5_000, "the-deep-one")
    with archive_of(records(3)) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, count, __: page([*matching, deep], count + 1)
        with pytest.raises(LivePersonTransportError, match=r"conversation the-deep-one \(row \d\) is nested too deep"):
            export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert not list(tmp_path.iterdir())


@settings(max_examples=25, phases=(Phase.explicit, Phase.generate))
@given(st.lists(st.lists(pieces, max_size=6).map(b"".join), min_size=1, max_size=5))
def test_random_bytes_in_texts_never_cost_another_record(texts: list[bytes]) -> None:
    odd = [
        record_with(as_text(text)).replace(b'"odd","startTimeL":1', b'"o%d","startTimeL":%d' % (n, DAY_WINDOW.start_ms))
        for n, text in enumerate(texts)
    ]
    others = [json.dumps(each, separators=(",", ":")).encode() for each in records(5, apart_ms=1)]
    with archive_of([]) as (archive, server), client_of(server, FakeClock()) as client:
        archive.spoil = lambda seen, *_: page([*odd, *others], len(odd) + len(others))
        found = collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 20)
    assert len(found) == len(odd) + 5
    assert [each for each in found if each["info"]["conversationId"][0] == "c"] == [json.loads(each) for each in others]
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert "\0" not in json.dumps(found, ensure_ascii=False)
