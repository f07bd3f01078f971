"""Proving exports over a socket: what differs is named, and nothing else."""

from __future__ import annotations

import hashlib
import json
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.compat import AirflowFailException, Asset
from airflow_provider_lp.sandbox import Conversation, Fault, Sandbox
from tests.exported import calls, ids_in
from tests.operators.reconciled import (
    PERIOD,
    changed,
    export,
    export_days,
    export_window,
    moment,
    reconcile,
    three_days,
    window_of,
    without,
)
from tests.samples import DAY, HOUR, at

TIME_FIELDS = ("start", "end", "full_dialog_end")
Summaries = list[dict[str, Any]]


# Nothing differs.


@pytest.mark.parametrize("time_field", TIME_FIELDS)
def test_what_was_exported_is_proven_and_the_manifest_says_it(
    serve: Any, fast: None, tmp_path: Path, time_field: str
) -> None:
    serve(*three_days())
    arguments = {} if time_field == "start" else {"max_age": "P100D"}
    summaries = export_days(tmp_path, time_field=time_field, filters={"status": ["CLOSE"]}, **arguments)
    path = tmp_path / "manifest.json"
    result = reconcile(summaries, path=str(path))
    manifest = json.loads(path.read_bytes())
    counts = dict.fromkeys(("open_conversations", "outside_bounds", "repaired", "shortfall"), 0)
    counts |= {"conversations": 12, "messages": 24}
    size = sum(each["bytes"] for each in summaries)
    same = (*counts, "path", "bytes", "sha256", "format", "compression", "redacted", "exported_at")
    assert manifest == {
        "version": 1,
        "account_id": "12345678",
        "period": PERIOD,
        "time_field": time_field,
        "filters": {"status": ["CLOSE"]},
        "max_age_s": None if time_field == "start" else 100 * 86_400,
        "objects": [
            {
                "start": each["window"]["start"],
                "end": each["window"]["end"],
                **{name: each[name] for name in same},
            }
            for each in summaries
        ],
        "totals": {"objects": 3, **counts, "bytes": size},
    }
    assert result == {
        "period": PERIOD,
        "time_field": time_field,
        "windows": 3,
        **counts,
        "final": True,
        "object_bytes": size,
        "closed_conversations": None,
        "requests": result["requests"],
        "retries": 0,
        "path": str(path),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    json.dumps(result)


def test_a_day_takes_one_small_request(quiet: Sandbox, summaries: list[dict[str, Any]]) -> None:
    reconcile(summaries)
    asked = calls(quiet)
    # And one more where a conversation lies just on the mark where it ends.
    assert sorted(call.query["limit"] for call in asked) == ["1", "1", "1", "100", "100"]
    assert all(call.body["contentToRetrieve"] == ["summary"] for call in asked)


def test_the_same_exports_in_any_order_give_the_same_manifest(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path
) -> None:
    summaries = [{**each, "filters": {"status": ["CLOSE"], "device": ["NA"]}} for each in summaries]
    path = tmp_path / "manifest.json"
    reconcile(summaries, path=str(path))
    first = path.read_bytes()
    twisted = [{**each, "filters": dict(reversed(each["filters"].items())), "requests": 77} for each in summaries]
    reconcile(twisted[::-1], path=f"file://{path}")
    assert path.read_bytes() == first


def test_what_was_redacted_stands_in_the_manifest(quiet: Sandbox, summaries: Summaries, tmp_path: Path) -> None:
    summaries[1]["redacted"] = {"email": 3}
    reconcile(summaries, path=str(tmp_path / "m.json"))
    objects = json.loads((tmp_path / "m.json").read_bytes())["objects"]
    assert [each["redacted"] for each in objects] == [{}, {"email": 3}, {}]


def test_the_manifest_is_named_by_its_period_and_announced(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path
) -> None:
    class Event:
        extra: dict[str, Any]

    asset, event = Asset(uri="s3://bucket/manifests"), Event()
    path = str(tmp_path / "{start:%Y-%m-%d}.json")
    result = reconcile(summaries, {"outlet_events": {asset: event}}, path=path, outlets=[asset])
    assert result["path"] == str(tmp_path / "2026-03-08.json")
    assert event.extra == result


@pytest.mark.parametrize(("time_field", "off_ms"), [("start", 0), ("start", 123_456), ("end", 0), ("end", -1)])
def test_conversations_on_marks_and_windows_off_them_are_no_differences(
    serve: Any, fast: None, tmp_path: Path, time_field: str, off_ms: int
) -> None:
    bounds = [at(10, hour) + off_ms for hour in (8, 9, 10, 11)]
    moments = [bound + off for bound in bounds for off in (-600_000, -off_ms, -1, 0, 1, 600_000)]
    conversations = [Conversation(f"c{number}", each, end_ms=each) for number, each in enumerate(moments)]
    serve(*conversations)
    windows = pairwise(bounds)
    summaries = [
        export(tmp_path / f"{number}.ndjson", *window, time_field=time_field) for number, window in enumerate(windows)
    ]
    assert sum(each["conversations"] for each in summaries) > 12
    assert changed(summaries) == []
    # Where one on a border goes, it belonged to one window only, whose count it changes.
    on_border = next(each for each in conversations if each.start_ms == each.end_ms == bounds[1])
    serve(*without(conversations, on_border.conversation_id))
    (holding,) = [each for each in summaries if on_border.conversation_id in ids_in(Path(each["path"]))]
    assert holding == summaries[1]
    assert changed(summaries) == [window_of(holding)]


def test_an_empty_window_is_proven_to_be_empty_still(serve: Any, fast: None, tmp_path: Path) -> None:
    sandbox = serve(Conversation("later", at(11)))
    summaries = export_days(tmp_path)
    assert reconcile(summaries)["conversations"] == 0
    serve(Conversation("late", at(9, 5)), Conversation("later", at(11)))
    assert changed(summaries) == [window_of(summaries[1])]
    assert sandbox


# What differs.


def test_an_erased_conversation_is_named_and_its_window_exported_again(serve: Any, fast: None, tmp_path: Path) -> None:
    serve(*three_days())
    summaries = export_days(tmp_path)
    serve(*without(three_days(), "d9-1"))
    manifest = tmp_path / "manifest.json"
    with pytest.raises(AirflowFailException, match="now counts 3 conversations instead of 4") as failed:
        reconcile(summaries, path=str(manifest))
    assert "2026-03-09T00:00:00+00:00 to 2026-03-10T00:00:00+00:00" in str(failed.value)
    assert "2026-03-08T" not in str(failed.value).partition("in 1 window.")[2]
    windows = changed(summaries, path=str(manifest))
    assert not manifest.exists()
    assert windows == [window_of(summaries[1])]
    repaired = [export_window(each) for each in windows]
    # The later summary of the same object counts.
    assert reconcile([*summaries, repaired], path=str(manifest))["conversations"] == 11
    assert [each["conversations"] for each in json.loads(manifest.read_bytes())["objects"]] == [4, 3, 4]
    with pytest.raises(AirflowFailException, match=r"its object has .* bytes instead of"):
        reconcile([repaired, *summaries])


def test_a_late_survey_moves_a_conversation_to_another_window(serve: Any, fast: None, tmp_path: Path) -> None:
    conversations = three_days()
    serve(*conversations)
    summaries = export_days(tmp_path, time_field="end")
    moved = [
        Conversation("d8-1", at(8, 10), end_ms=at(9, 1), conversation_end_ms=at(8, 10) + 1, csat=4)
        if each.conversation_id == "d8-1"
        else each
        for each in conversations
    ]
    serve(*moved)
    assert changed(summaries) == [window_of(summaries[0]), window_of(summaries[1])]


def test_a_late_survey_that_moves_nothing_is_found_by_its_update(serve: Any, fast: None, summaries: Summaries) -> None:
    summaries = [{**each, "exported_at": "2026-03-12T00:05:00+00:00"} for each in summaries]
    surveyed = Conversation("d9-3", at(10) - 1, end_ms=at(10), latest_update_ms=at(12, 7), csat=2)
    serve(*without(three_days(), "d9-3"), surveyed)
    assert reconcile(summaries)["windows"] == 3
    with pytest.raises(AirflowFailException, match="1 of its conversations were updated since it was exported"):
        reconcile(summaries, check_updates=True)
    assert changed(summaries, check_updates=True) == [window_of(summaries[1])]
    # Exported after the update, it is in.
    summaries[1]["exported_at"] = "2026-03-12T07:10:00+00:00"
    assert changed(summaries, check_updates=True) == []


@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
def test_a_lone_empty_answer_does_not_say_that_a_window_shrank(quiet: Sandbox, summaries: Summaries, kind: str) -> None:
    quiet.add_fault(Fault(kind, times=2))
    assert changed(summaries, max_concurrency=1) == []


@pytest.mark.parametrize("rows", [1, -1])
def test_a_count_that_flickers_is_no_difference(quiet: Sandbox, summaries: Summaries, rows: int) -> None:
    quiet.add_fault(Fault("count_off", rows=rows, every=2, times=None))
    assert changed(summaries, max_concurrency=1) == []


@pytest.mark.parametrize("mode", ["gone", "truncated", "folder"])
def test_an_object_that_is_not_what_was_published_is_named(serve: Any, fast: None, tmp_path: Path, mode: str) -> None:
    sandbox = serve(*three_days())
    summaries = export_days(tmp_path)
    path = Path(summaries[2]["path"])
    content = path.read_bytes()
    path.unlink()
    if mode == "truncated":
        path.write_bytes(content[:-1])
    elif mode == "folder":
        path.mkdir()
    words = f"has {len(content) - 1} bytes instead of {len(content)}" if mode == "truncated" else "its object is gone"
    exported = len(calls(sandbox))
    with pytest.raises(AirflowFailException, match=words):
        reconcile(summaries)
    # What is to be exported again need not be counted.
    assert len(calls(sandbox)) == exported + 4
    assert changed(summaries) == [window_of(summaries[2])]


def test_another_content_of_the_same_size_is_found_by_its_checksum(serve: Any, fast: None, tmp_path: Path) -> None:
    serve(*three_days())
    summaries = export_days(tmp_path)
    path = Path(summaries[0]["path"])
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert changed(summaries) == []
    assert changed(summaries, verify_checksums=True) == [window_of(summaries[0])]
    with pytest.raises(AirflowFailException, match=r"has the sha256 [0-9a-f]{64} instead of [0-9a-f]{64}"):
        reconcile(summaries, verify_checksums=True)


def test_all_that_differs_is_named_at_once(serve: Any, fast: None, tmp_path: Path) -> None:
    serve(*three_days())
    summaries = export_days(tmp_path, (8, 10))
    Path(summaries[0]["path"]).unlink()
    serve(*without(three_days(), "d10-0"))
    with pytest.raises(AirflowFailException) as failed:
        reconcile(summaries)
    text = str(failed.value)
    assert "fall short in 3 windows" in text
    named = text.partition("in 3 windows.")[2].split("; ")
    assert [part.strip().partition("T")[0] for part in named] == ["2026-03-08", "2026-03-09", "2026-03-10"]
    assert ["gone" in named[0], "no export covers it" in named[1], "instead of 4" in named[2]] == [True] * 3


def test_many_differences_are_named_in_the_log(
    quiet: Sandbox, summaries: Summaries, caplog: pytest.LogCaptureFixture
) -> None:
    gone = [
        {
            **summaries[0],
            "path": f"/gone/{hour}.ndjson",
            "window": {"time_field": "start", "start": moment(hour), "end": moment(hour + HOUR)},
        }
        for hour in range(at(9), at(9) + 40 * HOUR, HOUR)
    ]
    with pytest.raises(AirflowFailException, match="in 40 windows") as failed:
        reconcile(gone)
    assert str(failed.value).count("is gone") == 20
    assert "and 20 more, which the log names" in str(failed.value)
    assert sum("is gone" in record.getMessage() for record in caplog.records) == 40


def test_what_liveperson_no_longer_keeps_is_not_counted(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    summary = summaries[0]
    # The shortest 13 months have 393 days, in which LivePerson may have begun to forget.
    old = at(20) - 391 * DAY
    summary["window"] = {"time_field": "start", "start": moment(old), "end": moment(old + DAY)}
    assert reconcile(summary, check_updates=True, verify_checksums=True)["conversations"] == 4
    assert "so they are not counted" in caplog.text
    assert calls(quiet) == []
    summary["path"] = str(tmp_path / "gone.ndjson.gz")
    assert changed(summary) == [window_of(summary)]


def test_what_liveperson_counted_and_did_not_give_is_still_counted(serve: Any, fast: None, tmp_path: Path) -> None:
    sandbox = serve(*three_days())
    sandbox.add_fault(Fault("count_off", rows=1, times=None))
    summaries = export_days(tmp_path, max_shortfall=1)
    assert [each["shortfall"] for each in summaries] == [1, 1, 1]
    assert changed(summaries) == []
    sandbox.clear_faults()
    assert len(changed(summaries)) == 3


def test_a_store_that_cannot_be_read_is_no_difference(quiet: Sandbox, summaries: Summaries) -> None:
    summaries[1]["path"] = f"{summaries[0]['path']}/below"
    with pytest.raises(OSError, match=r"The store failed while reading .*below"):
        reconcile(summaries)


# In a bucket.


def test_objects_and_manifests_may_be_in_a_bucket(quiet: Sandbox, bucket: Any) -> None:
    summaries = [
        export(f"s3://lake@bucket/{day}.ndjson.gz", at(day), at(day + 1))
        if day < 10
        else export(f"s3://bucket/{day}.ndjson.gz", at(day), at(day + 1), storage_conn_id="lake")
        for day in (8, 9, 10)
    ]
    arguments = {"storage_conn_id": "lake", "verify_checksums": True}
    reconcile(summaries, path="s3://bucket/manifests/{start:%d}.json", **arguments)
    manifest = "s3://bucket/manifests/08.json"
    assert reconcile(manifest, **arguments)["conversations"] == 12
    content = bucket.Object("8.ndjson.gz").get()["Body"].read()
    bucket.put_object(Key="8.ndjson.gz", Body=content[:-1] + b"!")
    bucket.put_object(Key="9.ndjson.gz", Body=content[:-1])
    bucket.Object("10.ndjson.gz").delete()
    assert changed(manifest, **arguments) == [window_of(each) for each in summaries]
    with pytest.raises(AirflowFailException, match=r"has the sha256 .* bytes instead of .* its object is gone"):
        reconcile(manifest, **arguments)
    with pytest.raises(AirflowFailException, match=r"names the manifest s3://bucket/none.json, which is not there"):
        reconcile("s3://bucket/none.json", **arguments)


# Where LivePerson filters on another field than the one that records are told apart by.


@pytest.mark.parametrize("off_ms", [0, 123_456])
def test_an_end_that_liveperson_filters_by_another_field_is_no_difference(
    serve: Any, fast: None, tmp_path: Path, off_ms: int
) -> None:
    conversations = [
        Conversation(
            f"c{number}",
            at(9) + number * HOUR,
            conversation_end_ms=at(9) + number * HOUR + 60_000,
            end_ms=at(9) + number * HOUR + 60_000 + number * 1_200_000,
        )
        for number in range(48)
    ]
    serve(*conversations, end_filter_field="conversation_end")
    summaries = [
        export(tmp_path / f"{day}.ndjson", at(day) + off_ms, at(day + 1) + off_ms, time_field="end") for day in (9, 10)
    ]
    assert sum(each["outside_bounds"] for each in summaries) > 10
    assert changed(summaries) == []
    serve(*without(conversations, "c30"), end_filter_field="conversation_end")
    assert changed(summaries) == [window_of(summaries[1])]


# Messaging Operations.


def closed(hours_ago: list[float]) -> list[Conversation]:
    now = at(20, 12, 34, 56, 789)
    ends = [now - int(hours * HOUR) for hours in hours_ago]
    return [Conversation(f"c{n}", end - HOUR, end_ms=end, message_count=2) for n, end in enumerate(ends)]


def export_of_the_last_day(folder: Path) -> dict[str, Any]:
    return export(folder / "x.ndjson", at(19, 12, 30), at(20, 12, 30), time_field="end")


def test_closed_conversations_are_compared_with_messaging_operations(
    serve: Any, fast: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    # Two are too old for Messaging Operations, or so close to that that they may be in a moment.
    serve(*closed([1, 2, 3, 23.7, 23.9, 24.02]))
    result = reconcile(export_of_the_last_day(tmp_path), messaging_conversation=True)
    compared = result["closed_conversations"]
    assert compared == {
        "start": "2026-03-19T12:45:00+00:00",
        "end": "2026-03-20T12:30:00+00:00",
        "archived": 4,
        "measured": 4,
    }
    assert "they may differ by 5" in caplog.text


def test_a_larger_difference_fails_and_may_be_retried(serve: Any, fast: None, tmp_path: Path) -> None:
    now = at(20, 12)
    # The archive is not asked for conversations that went on for more than 90 days; Messaging Operations counts them.
    ancient = [Conversation(f"old{n}", now - 100 * DAY, end_ms=now - HOUR - n, message_count=2) for n in range(6)]
    serve(*closed([1, 2, 3]), *ancient[1:])
    summary = export_of_the_last_day(tmp_path)
    compared = reconcile(summary, messaging_conversation=True)["closed_conversations"]
    assert (compared["archived"], compared["measured"]) == (3, 8)
    serve(*closed([1, 2, 3]), *ancient)
    with pytest.raises(LivePersonIncompleteDataError, match=r"archive has 3 and .* counts 9; they may differ by 5"):
        reconcile(summary, messaging_conversation=True, path=str(tmp_path / "m.json"))
    assert not (tmp_path / "m.json").exists()


def test_an_older_period_is_not_compared_and_that_is_said(
    quiet: Sandbox, summaries: Summaries, caplog: pytest.LogCaptureFixture
) -> None:
    assert reconcile(summaries, messaging_conversation=True)["closed_conversations"] is None
    assert "Messaging Operations holds nothing of" in caplog.text


# Windows that were not over.


def test_exports_made_too_early_are_named_and_leave_a_sign(
    quiet: Sandbox, summaries: list[dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "manifest.json"
    assert reconcile(summaries, path=str(path))["final"] is True
    assert b"final" not in path.read_bytes()
    assert "not final" not in caplog.text
    early = summaries[1]["window"]["end"].replace("00:00:00", "00:01:59")
    # Older summaries do not say it; when they were made, they do.
    for said in ({"exported_at": early, "final": False}, {"exported_at": early}):
        summaries[1] = {name: value for name, value in summaries[1].items() if name != "final"} | said
        caplog.clear()
        assert reconcile(summaries, path=str(path))["final"] is False
        assert "1 exports are not final: they were made before their windows were over" in caplog.text
        assert summaries[1]["path"] in caplog.text
        objects = json.loads(path.read_bytes())["objects"]
        assert [each.get("final") for each in objects] == [None, False, None]
    # A manifest keeps the sign.
    assert reconcile(str(path))["final"] is False
