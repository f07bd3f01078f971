"""Files of tables: complete or not there, the same for the same input, with the same schema for every night."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.tables import building, parquet, sources
from airflow_provider_lp.tables.arrow import arrow
from airflow_provider_lp.tables.building import build_tables
from airflow_provider_lp.tables.parquet import arrow_schema
from airflow_provider_lp.tables.schema import TABLES

from .built import build, build_from, record, source_of, tables_in, tables_of, told, write
from .samples import DOCUMENTED


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def many(number: int, messages: int = 3) -> list[dict[str, Any]]:
    return [
        record(
            info={"conversationId": f"c{each}", "startTimeL": 1_769_860_800_000 + each},
            messageRecords=[{"messageId": f"{each}-{place}", "seq": place} for place in range(messages)],
        )
        for each in range(number)
    ]


def test_the_summary_describes_the_files(tmp_path: Path) -> None:
    built = build(tmp_path, [DOCUMENTED])
    assert list(built.tables) == list(TABLES)
    for name, table in built.tables.items():
        content = (tmp_path / f"{name}.parquet").read_bytes()
        assert table == {
            "path": str(UPath(tmp_path / f"{name}.parquet")),
            "rows": pq.read_metadata(tmp_path / f"{name}.parquet").num_rows,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    assert built.conversations == 1
    json.dumps(built.summary())


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    records = [DOCUMENTED, *many(5)]
    build(tmp_path / "a", records)
    build(tmp_path / "b", records)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_an_empty_night_has_the_same_schema(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    build(tmp_path, [])
    build(tmp_path / "full", [DOCUMENTED])
    for name, table in TABLES.items():
        empty, full = (pq.read_schema(folder / f"{name}.parquet") for folder in (tmp_path, tmp_path / "full"))
        assert empty.equals(full)
        assert empty.equals(arrow_schema(table))
        assert pq.read_metadata(tmp_path / f"{name}.parquet").num_rows == 0


def test_the_metadata_name_the_schema_and_the_source(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one", many(1)), write(tmp_path / "other", many(2))
    build_from([source_of(one), source_of(other)], tmp_path, ["messages"])
    metadata = pq.read_metadata(tmp_path / "messages.parquet").metadata
    assert metadata[b"liveperson.table"] == b"messages"
    assert metadata[b"liveperson.schema_version"] == b"1"
    checksums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
    assert metadata[b"liveperson.source_sha256"].decode() == ",".join(checksums)


def test_rows_stand_in_the_order_of_sources_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BATCH_BYTES", 1)
    paths = [write(tmp_path / name, many(3)) for name in ("b", "a")]
    build_from(map(source_of, paths), tmp_path, ["messages"])
    found = [row["message_id"] for row in tables_in(tmp_path, ["messages"])["messages"]]
    assert found == [f"{each}-{place}" for _ in paths for each in range(3) for place in range(3)]


def test_row_groups_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BATCH_BYTES", 1)
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 7)
    build(tmp_path, many(10), ["messages"])
    monkeypatch.setattr(building, "WAITING_BYTES", 1)
    build(tmp_path, many(10), ["conversations"])
    sizes = {}
    for name in ("messages", "conversations"):
        metadata = pq.read_metadata(tmp_path / f"{name}.parquet")
        sizes[name] = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sizes["messages"] == [7, 2, 7, 2, 7, 2, 3]
    assert sizes["conversations"] == [1] * 10


def test_a_source_that_ends_in_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    build(tmp_path, many(1))
    before = files(tmp_path)
    (tmp_path / "bad.ndjson").write_text(json.dumps(DOCUMENTED) + "\nno json\n")
    with pytest.raises(LivePersonConfigurationError, match="line 2"):
        build_from([source_of(tmp_path / "bad.ndjson")], tmp_path)
    assert files(tmp_path) == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet", ".ndjson"}


def test_a_path_that_cannot_be_written_leaves_no_table(tmp_path: Path) -> None:
    (tmp_path / "dialogs.parquet").mkdir()
    with pytest.raises(LivePersonConfigurationError, match=r"dialogs\.parquet"):
        build(tmp_path, [DOCUMENTED])
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["dialogs.parquet"]


def test_only_the_tables_that_are_asked_for_are_written_and_counted(tmp_path: Path) -> None:
    odd = record(info={"odd": 1}, messageRecords=[{"odd": 2}])
    assert build(tmp_path, [odd], ["messages"]).unknown_fields == {"messageRecords.odd": 1}
    assert list(files(tmp_path)) == ["messages.parquet"]


def test_pyarrow_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    arrow.cache_clear()
    try:
        with pytest.raises(LivePersonConfigurationError, match=r"pip install 'airflow-provider-lp\[parquet\]'"):
            build_tables([], {"messages": UPath(tmp_path / "x.parquet")})
    finally:
        arrow.cache_clear()


def test_duckdb_and_polars_read_what_was_written(tmp_path: Path) -> None:
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    for records in ([], [DOCUMENTED]):
        build(tmp_path, records)
        for name, table in TABLES.items():
            path = str(tmp_path / f"{name}.parquet")
            rows = pq.read_table(path).to_pylist()
            columns = ["account_id", "conversation_id", *(column.name for column in table.columns), "_extra"]
            frame = polars.read_parquet(path)
            assert frame.columns == columns
            assert [told(row) for row in frame.to_dicts()] == [told(row) for row in rows]
            relation = duckdb.read_parquet(path)
            assert relation.columns == columns
            assert len(relation.fetchall()) == len(rows)


# What no column takes.


def extra(folder: Path, table: str, **members: Any) -> Any:
    return [told(row).get("_extra") for row in tables_of(folder, record(**members))[table]]


def test_what_a_column_cannot_hold_is_kept_under_its_own_name_and_counted(tmp_path: Path) -> None:
    odd = record(
        info={"mcs": "high", "startTimeL": "soon", "startTime": "2026-01-31 12:00:00.000+0000", "csat": 5.0},
        messageRecords=[{"seq": 1.5, "messageData": {"msg": {"text": ["a"], "new": 1}}, "new": {"a": 1}}, {"seq": 2}],
        summary="just text",
        newContainer=[1],
    )
    built = build(tmp_path, [odd])
    tables = tables_in(tmp_path, ["conversations", "messages"])
    (conversation,), (message, other) = tables["conversations"], tables["messages"]
    assert told(conversation)["_extra"] == {
        "info": {"mcs": "high", "startTimeL": "soon"}, "summary": "just text", "newContainer": [1],
    }  # fmt: skip
    assert told(conversation)["csat"] == 5.0
    assert told(conversation)["started_at"] == 1_769_860_800_000
    assert told(message)["_extra"] == {"seq": 1.5, "messageData": {"msg": {"text": ["a"], "new": 1}}, "new": {"a": 1}}
    assert other["_extra"] is None
    assert built.unknown_fields == {
        "info.mcs": 1, "info.startTimeL": 1, "summary": 1, "newContainer": 1, "messageRecords.seq": 1,
        "messageRecords.messageData.msg.text": 1, "messageRecords.messageData.msg.new": 1, "messageRecords.new": 1,
    }  # fmt: skip


def test_a_number_that_is_too_large_stays_as_it_was_sent(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"info":{"conversationId":"c","mcs":1e400}}\n')
    build_from([source_of(tmp_path / "x")], tmp_path, ["conversations"])
    assert tables_in(tmp_path, ["conversations"])["conversations"][0]["_extra"] == '{"info":{"mcs":1e400}}'


def test_both_spellings_of_a_member_are_kept_if_they_differ(tmp_path: Path) -> None:
    (row,) = tables_of(tmp_path, record(info={"csat": 4, "csatRate": 5}))["conversations"]
    assert (row["csat"], told(row)["_extra"]) == (4.0, {"info": {"csatRate": 5}})
    (row,) = tables_of(tmp_path, record(info={"csat": 4, "csatRate": 4.0}))["conversations"]
    assert (row["csat"], row["_extra"]) == (4.0, None)


def test_the_older_of_two_containers_is_kept_whole(tmp_path: Path) -> None:
    both = {"messageScores": [{"mcs": 1}], "messageScore": [{"mcs": 2}]}
    tables = tables_of(tmp_path, record(**both))
    assert [row["mcs"] for row in tables["message_scores"]] == [1]
    assert told(tables["conversations"][0])["_extra"] == {"messageScore": [{"mcs": 2}]}


@pytest.mark.parametrize("nothing", [None, [], {}, {"dialogs": []}, {"dialogs": None}, [None]])
def test_no_list_has_no_rows(tmp_path: Path, nothing: Any) -> None:
    tables = tables_of(tmp_path, record(dialogs=nothing))
    assert tables["dialogs"] == []
    assert tables["conversations"][0]["_extra"] is None


def test_a_single_object_is_one_row_and_what_is_none_is_kept(tmp_path: Path) -> None:
    assert [row["status"] for row in tables_of(tmp_path, record(dialogs={"status": "OPEN"}))["dialogs"]] == ["OPEN"]
    tables = tables_of(tmp_path, record(transfers=["odd", {"reason": "Skill"}, None, {"reason": "Agent"}]))
    assert [(row["position"], row["reason"]) for row in tables["transfers"]] == [(1, "Skill"), (3, "Agent")]
    (conversation,) = tables["conversations"]
    assert told(conversation)["_extra"] == {"transfers": ["odd"]}
    assert conversation["transfers"] == 2


def test_milliseconds_that_say_there_is_no_moment_are_believed(tmp_path: Path) -> None:
    said = "2026-01-31 12:00:00.000+0000"
    (row,) = tables_of(tmp_path, record(info={"endTimeL": -1, "endTime": said}))["conversations"]
    assert row["ended_at"] is None
    assert told(row)["_extra"] == {"info": {"endTime": said}}
    (row,) = tables_of(tmp_path, record(info={"endTimeL": None, "endTime": said}))["conversations"]
    assert told(row)["ended_at"] == 1_769_860_800_000


def test_repeated_events_are_one_row_and_counted(tmp_path: Path) -> None:
    event = {"lead": {"lead": {"topic": "car"}}, "sdeType": "LEAD", "serverTimeStamp": "1"}
    reordered = dict(reversed(event.items()))
    built = build(
        tmp_path, [record(sdes={"events": [event, {**event, "x": 1}, reordered]}, unAuthSdes={"events": [event]})]
    )
    rows = tables_in(tmp_path, ["sdes"])["sdes"]
    assert [(row["is_authenticated"], row["position"]) for row in rows] == [(True, 0), (True, 1), (False, 0)]
    assert built.duplicates == 1


def test_members_around_a_row_stand_under_the_name_of_their_object(tmp_path: Path) -> None:
    assert extra(tmp_path, "intents", intents=[{"messageId": "m", "new": 1}]) == [{"intents": {"new": 1}}]
    survey = {"submittedAnswers": [{"questionId": "q", "new": 1, "answers": [{"answer": "a", "other": 2}]}]}
    assert extra(tmp_path, "agent_survey_answers", latestAgentSurvey=survey) == [
        {"other": 2, "submittedAnswers": {"new": 1}}
    ]
    sdes = {"events": [], "new": 1}
    assert extra(tmp_path, "conversations", sdes=sdes) == [{"sdes": {"new": 1}}]


def test_an_id_that_is_none_is_kept_beside_a_null(tmp_path: Path) -> None:
    (row,) = tables_of(tmp_path, record(info={"conversationId": ["c"], "brandId": 7}))["conversations"]
    assert (row["account_id"], row["conversation_id"]) == ("7", None)
    assert told(row)["_extra"] == {"info": {"conversationId": ["c"]}}


def test_gzip_and_plain_sources_give_the_same_rows(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.ndjson", [DOCUMENTED])
    (tmp_path / "packed.gz").write_bytes(gzip.compress(plain.read_bytes()))
    build_from([source_of(plain)], tmp_path)
    wanted = tables_in(tmp_path)
    build_from([source_of(tmp_path / "packed.gz")], tmp_path)
    assert tables_in(tmp_path) == wanted
