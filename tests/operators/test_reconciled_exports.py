"""What may be given to be reconciled, and in which shapes: summaries, manifests, gaps, overlaps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowFailException
from airflow_provider_lp.sandbox import Sandbox
from tests.exported import calls
from tests.operators.reconciled import PERIOD, changed, export, export_window, moment, reconcile
from tests.samples import at

Summaries = list[dict[str, Any]]


# Gaps and overlaps.


def test_a_gap_is_given_only_where_its_path_is_known(quiet: Sandbox, summaries: Summaries, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match=r"no export covers it.* give gap_path"):
        changed(summaries[2:], **PERIOD)
    gaps = changed(summaries[2:], **PERIOD, gap_path=f"{tmp_path}/{{start:%d}}.ndjson.gz")
    assert gaps == [
        {"start": moment(at(day)), "end": moment(at(day + 1)), "path": f"{tmp_path}/{day:02}.ndjson.gz"}
        for day in (8, 9)
    ]
    assert reconcile([summaries[2], [export_window(gap) for gap in gaps]], **PERIOD)["conversations"] == 12


@pytest.mark.parametrize("on_difference", ["fail", "return"])
def test_an_overlap_fails_whatever_is_wanted(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path, on_difference: str
) -> None:
    twice = export(tmp_path / "twice.ndjson", at(9, 12), at(10, 12))
    with pytest.raises(
        AirflowFailException, match=r"is covered twice, by .*9.ndjson.* and by .*twice.ndjson"
    ) as failed:
        reconcile([*summaries, twice], on_difference=on_difference)
    assert "in 2 windows" in str(failed.value)


def test_objects_that_replaced_each_other_are_named(quiet: Sandbox, summaries: Summaries) -> None:
    for each in summaries:
        each["path"] = "/same.ndjson"
    with pytest.raises(AirflowFailException, match=r"have the same path /same.ndjson: the later has replaced"):
        reconcile(summaries)


# Shapes.


class Lazy(Sequence[Any]):
    """As Airflow gives the results of mapped tasks: its text says nothing of what it holds."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"LazyXComSequence([{len(self)} items])"


SHAPES: list[Callable[[Summaries], Any]] = [
    lambda some: some,
    tuple,
    Lazy,
    lambda some: [some[0], Lazy(some[1:]), None],
    lambda some: [Lazy([some])],
    json.dumps,
    repr,
    lambda some: [json.dumps(each) for each in some],
]


@pytest.mark.parametrize("shape", SHAPES)
def test_exports_come_in_many_shapes(quiet: Sandbox, summaries: Summaries, shape: Callable[[Summaries], Any]) -> None:
    assert reconcile(shape(summaries))["windows"] == 3


def test_one_export_is_given_as_it_is(quiet: Sandbox, summaries: Summaries) -> None:
    assert reconcile(summaries[1])["conversations"] == 4


def test_manifests_are_read_by_their_urls_and_as_what_they_hold(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path
) -> None:
    for summary in summaries:
        reconcile(summary, path=f"file://{tmp_path}/{{start:%d}}.json")
    manifest = tmp_path / "all.json"
    result = reconcile([f"{tmp_path}/{day}.json" for day in ("08", "09", "10")], path=str(manifest))
    assert (result["windows"], result["conversations"]) == (3, 12)
    assert reconcile(json.loads(manifest.read_bytes()))["windows"] == 3
    again = tmp_path / "again.json"
    reconcile(f"file://{manifest}", path=str(again))
    assert again.read_bytes() == manifest.read_bytes()


def test_a_manifest_that_is_not_there_leaves_a_gap_where_gaps_can_be_exported(
    quiet: Sandbox, summaries: Summaries, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone, gap_path = f"{tmp_path}/gone.json", f"{tmp_path}/{{start:%d}}.ndjson"
    with pytest.raises(AirflowFailException, match=r"names the manifest .*gone.json, which is not there"):
        changed([gone, *summaries[1:]], **PERIOD)
    found = changed([gone, *summaries[1:]], **PERIOD, gap_path=gap_path)
    assert found == [{"start": moment(at(8)), "end": moment(at(9)), "path": f"{tmp_path}/08.ndjson"}]
    assert f"There is no manifest {gone}" in caplog.text
    assert len(changed([gone], **PERIOD, gap_path=gap_path)) == 3


# What is refused.


@pytest.mark.parametrize(
    ("exports", "words"),
    [
        ([], "holds no export: nothing can be proven"),
        (Lazy([]), "holds no export: nothing can be proven"),
        (None, "must be the output of an export .* template whose value this run does not have"),
        ("None", "template whose value this run does not have"),
        ("LazyXComSequence([3 items])", "must be the output of an export"),
        ("[<airflow object at 0x7f/>]", "must be the output of an export"),
        (7, "must be the output of an export"),
        ([{"info": {}}], "holds conversations instead of a summary"),
        ([{"path": "/x", "bytes": 1}], r"exports\[0\] is neither a summary"),
        ([{"path": "/x", "window": {"start": "x", "end": "y"}}], "missing required field `time_field`"),
        ([{"version": 2, "objects": []}], "manifest of version 2"),
        ("/etc/hostname", "exports='/etc/hostname' is no manifest: it holds no JSON"),
        ("s3://bucket/day.ndjson.gz", r"exports='s3://bucket/day\.ndjson\.gz' is no manifest: .* path of an export"),
    ],
)
def test_what_cannot_be_proven_is_refused_in_words(quiet: Sandbox, tmp_path: Path, exports: Any, words: str) -> None:
    with pytest.raises(AirflowFailException, match=words):
        reconcile(exports, path=str(tmp_path / "m.json"))
    assert calls(quiet) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b'{"info": {}}\n', b'{"info": {}}\n{"info": {}}\n', b"\x1f\x8b\x08\x00", b""])
def test_an_export_under_the_name_of_a_manifest_is_not_decoded_in_public(
    quiet: Sandbox, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(
        AirflowFailException, match=r"exports='.*' is no manifest: it holds .*exports=export\.output"
    ) as said:
        reconcile([str(path)])
    assert "codec" not in str(said.value)
    assert "line 1" not in str(said.value)
    assert calls(quiet) == []


def window(time_field: str, start: str, end: str) -> dict[str, Any]:
    return {"window": {"time_field": time_field, "start": start, "end": end}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account_id": "87654321"}, "was exported with account_id='87654321', others with '12345678'"),
        ({"filters": {"status": ["OPEN"]}}, "was exported with filters=.*OPEN.*, others with {}"),
        ({"max_age_s": 5.0}, "was exported with max_age_s=5.0, others with None"),
        ({"bytes": "many"}, r"exports\[1\] is neither .*Expected `int`, got `str` - at `\$.bytes`"),
        (window("latest_update", moment(at(8)), moment(at(9))), "cannot be used: .* neither tiling nor counts"),
        (window("start", "2026-03-09", moment(at(9))), "has no time zone"),
        (window("start", moment(at(9)), moment(at(9))), "end not after its start"),
        ({"exported_at": "yesterday"}, "exported_at='yesterday' is not a moment"),
    ],
)
def test_exports_that_do_not_belong_together_are_refused(
    quiet: Sandbox, summaries: Summaries, change: dict[str, Any], words: str
) -> None:
    summaries[1] |= change
    with pytest.raises(AirflowFailException, match=words):
        reconcile(summaries)
    assert calls(quiet) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"on_difference": "ignore"}, "on_difference='ignore' must be one of fail, return"),
        ({"gap_path": "/x/{start}.ndjson"}, "only on_difference='return' gives"),
        ({"path": "/x/manifest.json.gz"}, "a manifest is plain JSON"),
        ({"path": "None"}, "template whose value this run does not have"),
        ({"path": "manifest.json"}, "is relative"),
        ({"start": "2026-03-09T00:00:00Z"}, "end is missing"),
        ({"start": "2026-03-09T00:00:00Z", "end": "2026-03-09T00:00:00Z"}, "is not after start"),
        ({"start": "2027-03-09T00:00:00Z", "end": "2027-03-10T00:00:00Z"}, "lies in the future"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
    ],
)
def test_arguments_are_checked(quiet: Sandbox, summaries: Summaries, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AirflowFailException, match=words):
        reconcile(summaries, **arguments)
    assert calls(quiet) == []


def test_a_gap_path_that_cannot_be_used_is_named(quiet: Sandbox, summaries: Summaries) -> None:
    with pytest.raises(AirflowFailException, match=r"gap_path=.*\{date\} cannot be filled in"):
        changed([], **PERIOD, gap_path="/x/{date}.ndjson")
    with pytest.raises(AirflowFailException, match=r"gap_path gives /x/2026.ndjson for the gap 2026-03-09T.*another"):
        changed([], **PERIOD, gap_path="/x/{start:%Y}.ndjson")
    with pytest.raises(AirflowFailException, match=r"gap_path gives .*/8.ndjson.gz for the gap 2026-03-09T.*another"):
        changed(summaries[::2], **PERIOD, gap_path=summaries[0]["path"])


def test_another_account_is_not_asked(quiet: Sandbox, summaries: Summaries) -> None:
    for each in summaries:
        each["account_id"] = "87654321"
    with pytest.raises(AirflowFailException, match="of account 87654321, but liveperson_conn_id leads to account 1234"):
        reconcile(summaries)
    assert calls(quiet) == []
