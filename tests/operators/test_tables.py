"""The operator that makes tables: its arguments, what it returns, and where it reads and writes."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pendulum
import pyarrow.parquet as pq
import pytest

from airflow_provider_lp.client.errors import LivePersonConnectionNotFoundError
from airflow_provider_lp.compat import AirflowFailException, Asset, AssetAlias, ObjectStoragePath
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.tables.arrow import arrow
from airflow_provider_lp.tables.schema import TABLES
from tests.operators.conftest import DAG
from tests.samples import crowd
from tests.tables.built import record, write
from tests.tables.samples import DOCUMENTED
from tests.test_docs import DOCS, blocks

DAY = {
    "data_interval_start": pendulum.datetime(2026, 3, 10),
    "data_interval_end": pendulum.datetime(2026, 3, 11),
    "outlet_events": {},
}


def operator(**arguments: Any) -> LivePersonTablesOperator:
    return LivePersonTablesOperator(task_id="make_tables", dag=DAG("some", schedule=None), **arguments)


def execute(folder: Path, source: Any, context: Any = None, **arguments: Any) -> Any:
    path = arguments.pop("path", f"file://{folder}/{{table}}/{{table}}.parquet")
    return operator(source=source, path=path, **arguments).execute(DAY if context is None else context)


def rows(folder: Path, table: str = "conversations") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / table / f"{table}.parquet").to_pylist()
    return found


def ids(folder: Path) -> list[str]:
    return [row["conversation_id"] for row in rows(folder)]


def night(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(path, [record(info={"conversationId": name}) for name in names])


# What it does.


def test_tables_are_named_by_the_period_of_their_exports(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    start = pendulum.datetime(2026, 3, 10, tz="Europe/Berlin")
    halves = [(start, start.add(hours=12)), (start.add(hours=12), start.add(days=1))]
    exported = [
        LivePersonConversationsOperator(
            task_id="export", path=f"file://{tmp_path}/{{start:%H}}.ndjson", start=since, end=until
        ).execute({"outlet_events": {}})
        for since, until in halves
    ]
    path = f"file://{tmp_path}/{{table}}/{{start:%Y-%m-%dT%H}}/{{end:%d}}.parquet"
    given = {"path": path, "tables": ["messages"], "path_timezone": "Europe/Berlin"}
    summary = execute(tmp_path, exported, manifest_path=f"{tmp_path}/{{start:%d}}.json", **given)
    assert summary["tables"]["messages"]["path"] == f"file://{tmp_path}/messages/2026-03-10T00/11.parquet"
    assert json.loads((tmp_path / "10.json").read_bytes())["tables"] == summary["tables"]
    # As text, as a template gives it; and of one export alone.
    assert execute(tmp_path, json.dumps(exported[1]), **given)["tables"]["messages"]["path"].endswith("T12/11.parquet")
    for source in (f"{tmp_path}/*.ndjson", [exported[0], f"{tmp_path}/11.ndjson"]):
        with pytest.raises(AirflowFailException, match=r"the period of the source.*source=export.output.*ds"):
            execute(tmp_path, source, **given)


@pytest.mark.parametrize("field", ["{day}", "{start:YYYY}", "{start"])
@pytest.mark.parametrize("argument", ["path", "manifest_path"])
def test_a_format_that_is_wrong_is_named_in_the_dag_file(argument: str, field: str) -> None:
    given = {"path": "/{table}/{start:%Y}.parquet", "manifest_path": "/{start:%Y}.json"}
    with pytest.raises(AirflowFailException, match=re.escape(field)):
        operator(source="/x.ndjson", **{**given, argument: given[argument] + field})


def test_an_export_becomes_tables(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(30))
    exported = LivePersonConversationsOperator(task_id="export", path=f"file://{tmp_path}/day.ndjson.gz").execute(DAY)
    summary = execute(tmp_path, exported)
    (shown,) = map(json.loads, blocks(DOCS / "making-tables.md", "json"))
    assert list(summary) == list(shown)
    assert list(summary["tables"]["messages"]) == list(shown["tables"]["messages"])
    assert summary["conversations"] == 30
    assert summary["schema_version"] == 1
    assert list(summary["tables"]) == list(TABLES)
    for name, table in summary["tables"].items():
        content = (tmp_path / name / f"{name}.parquet").read_bytes()
        assert table == {
            "path": f"file://{tmp_path}/{name}/{name}.parquet",
            "rows": len(rows(tmp_path, name)),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    assert summary["tables"]["messages"]["rows"] == exported["messages"] == 60
    assert ids(tmp_path) == [f"c{number:05}" for number in range(30)]
    json.dumps(summary)


def test_paths_and_sources_are_templates(tmp_path: Path) -> None:
    night(tmp_path / "date=2026-03-10" / "x.ndjson", "a")
    make = operator(
        source=tmp_path / "date={{ ds }}" / "x.ndjson",
        path=tmp_path / "{table}" / "date={{ ds }}.parquet",
        tables="{{ ['messages', 'conversations'] }}",
    )
    make.render_template_fields({"ds": "2026-03-10"})
    summary = make.execute(DAY)
    assert summary["tables"]["conversations"]["path"] == str(tmp_path / "conversations" / "date=2026-03-10.parquet")
    assert list(summary["tables"]) == ["conversations", "messages"]


@pytest.mark.parametrize(
    "kind", [str, Path, lambda path: ObjectStoragePath(f"file://{path}"), lambda path: {"path": str(path)}]
)
def test_any_kind_of_source_will_do(tmp_path: Path, kind: Any) -> None:
    path = night(tmp_path / "x.ndjson", "a", "b")
    execute(tmp_path, kind(path))
    assert ids(tmp_path) == ["a", "b"]
    execute(tmp_path, [kind(path)])
    assert ids(tmp_path) == ["a", "b"]


def test_what_mapped_exports_return_may_come_as_text(tmp_path: Path) -> None:
    summaries = [{"path": str(night(tmp_path / name, name)), "conversations": 1} for name in ("b", "a")]
    execute(tmp_path, str(summaries))
    assert ids(tmp_path) == ["b", "a"]
    execute(tmp_path, json.dumps(summaries))
    assert ids(tmp_path) == ["b", "a"]
    execute(tmp_path, iter(summaries))
    assert ids(tmp_path) == ["b", "a"]


def test_a_pattern_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("3", "1", "2"):
        night(tmp_path / f"date={name}" / "x.ndjson", name)
    (tmp_path / "date=4" / "x.ndjson").mkdir(parents=True)
    night(tmp_path / "date=1" / ".liveperson-0123", "unfinished")
    execute(tmp_path, f"file://{tmp_path}/date=*/*")
    assert ids(tmp_path) == ["1", "2", "3"]


def test_the_manifest_lists_what_was_read_and_written(tmp_path: Path) -> None:
    source = night(tmp_path / "x.ndjson", "a")
    summary = execute(tmp_path, str(source), manifest_path=f"{tmp_path}/manifest.json")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest == {
        "version": 1,
        "sources": [{"path": str(source), "bytes": source.stat().st_size, "sha256": sha256, "conversations": 1}],
        **summary,
    }


def test_the_manifest_comes_last(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(AirflowFailException, match=r"^manifest_path='.*manifest\.json' cannot be written"):
        execute(tmp_path, str(night(tmp_path / "x.ndjson", "a")), manifest_path=f"{tmp_path}/manifest.json")
    assert ids(tmp_path) == ["a"]


def test_unknown_fields_are_said_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    source = write(tmp_path / "x", [record(info={"new": 1}), record(info={"new": 2, "mcs": "high"})])
    assert execute(tmp_path, str(source))["unknown_fields"] == {"info.mcs": 1, "info.new": 2}
    assert "in _extra: info.mcs (1), info.new (2)" in caplog.text
    assert "Published conversations: 2 rows" in caplog.text


def test_events_of_assets_and_aliases_have_the_summary(tmp_path: Path) -> None:
    class Event:
        extra: Any = None

        def __init__(self) -> None:
            self.added: list[Any] = []

        def add(self, asset: Any, extra: Any) -> None:
            self.added.append((asset.uri, extra))

    asset, alias = Asset("file:///lp/messages"), AssetAlias("tables")
    events = {asset: Event(), alias: Event()}
    source = str(night(tmp_path / "x.ndjson", "a"))
    tables = ["conversations", "messages"]
    context = {**DAY, "outlet_events": events}
    summary = execute(tmp_path, source, context, tables=tables, outlets=[asset, alias])
    assert events[asset].extra == summary
    assert events[alias].added == [(f"file://{tmp_path}/{name}/{name}.parquet", summary) for name in tables]


# What it refuses.


def refused(folder: Path, source: Any, **arguments: Any) -> str:
    with pytest.raises(AirflowFailException) as caught:
        execute(folder, source, **arguments)
    assert not list(folder.rglob("*.parquet"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/lp/x.parquet", "path='/lp/x.parquet' must hold {table}"),
        ("s3://bucket/{tables}.parquet", "must hold {table}"),
        ("{table}.parquet", "is relative"),
        ("s3://{table}", "names no object"),
        ("/lp/{table}/{start:%Y}.parquet", "names the period of the source"),
        ("/lp/{table}.ndjson.gz", "tables are Parquet"),
        ("/lp/{table}.csv", "tables are Parquet"),
        ("", "path='' must be a URL"),
        ("None", "comes from a template"),
        (5, "path=5 must be a URL"),
    ],
)
def test_a_path_that_cannot_be_one_is_refused(tmp_path: Path, path: Any, said: str) -> None:
    source = str(night(tmp_path / "x.ndjson", "a"))
    assert said in refused(tmp_path, source, path=path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "source=None names nothing"),
        ([], "source=[] names nothing"),
        ("", "source='' must be a URL"),
        ("None", "comes from a template"),
        ("x.ndjson", "source='x.ndjson' is relative"),
        (5, "source=5 must be a URL"),
        ({"records": [], "conversations": 0}, "a dict without a path (its members: records, conversations)"),
        ([{"info": {"conversationId": "a"}}], "Give the export a path"),
        ("s3://key:very-secret@bucket/x", "source='s3://***@bucket/x' holds credentials"),
    ],
)
def test_a_source_that_cannot_be_one_is_refused(tmp_path: Path, source: Any, said: str) -> None:
    message = refused(tmp_path, source)
    assert said in message
    assert "secret@" not in message


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"there is no object at file://{tmp_path}/x.ndjson" in refused(tmp_path, f"file://{tmp_path}/x.ndjson")
    assert "matches no object" in refused(tmp_path, f"file://{tmp_path}/*.ndjson")
    assert f"names a folder. Give a pattern of what is in it, such as {tmp_path}/*" in refused(tmp_path, f"{tmp_path}/")


def test_a_source_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    path = str(night(tmp_path / "x.ndjson", "a"))
    assert "twice" in refused(tmp_path, [path, {"path": path}])
    assert "twice" in refused(tmp_path, [f"file://{path}", f"file://{tmp_path}/*.ndjson"])


def test_the_same_object_by_a_path_and_by_a_url_is_named_twice(tmp_path: Path) -> None:
    path = str(night(tmp_path / "x.ndjson", "a"))
    assert "twice" in refused(tmp_path, [path, f"file://{path}"])


def test_a_folder_is_refused_with_a_pattern_of_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    assert f"{tmp_path}/raw is a folder. Give a pattern" in refused(tmp_path, f"{tmp_path}/raw")


def test_nothing_is_written_over_its_source_nor_twice_to_one_place(tmp_path: Path) -> None:
    source = night(tmp_path / "messages", "a")
    content = source.read_bytes()
    for written in (
        {"path": f"file://{tmp_path}/{{table}}"},
        {"manifest_path": f"file://{source}"},
        {"path": f"{tmp_path}/tables/{{table}}", "manifest_path": f"{tmp_path}/tables/messages"},
    ):
        assert "would be replaced. Change path or manifest_path" in refused(tmp_path, str(source), **written)
        assert source.read_bytes() == content
        assert not (tmp_path / "tables").exists()


def test_an_export_that_was_written_anew_is_refused(tmp_path: Path) -> None:
    path = night(tmp_path / "x.ndjson", "a")
    summary = {"path": str(path), "conversations": 1, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    night(path, "b")
    assert "is not what the export published there" in refused(tmp_path, summary)


def test_a_line_that_is_no_json_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson.gz").write_bytes(gzip.compress(json.dumps(DOCUMENTED).encode() + b"\n{\n"))
    assert "x.ndjson.gz, line 2: this is no JSON" in refused(tmp_path, f"{tmp_path}/x.ndjson.gz")


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (["mesages"], "there is no table 'mesages'. Did you mean 'messages'? Known: conversations, messages,"),
        ("messages, nothing_like_it", "there is no table 'nothing_like_it'. Known:"),
        ([], "tables=[] must be a list of names"),
        (5, "tables=5 must be a list of names"),
        ("None", "there is no table 'None'"),
    ],
)
def test_an_unknown_table_is_refused_with_the_known_ones(tmp_path: Path, tables: Any, said: str) -> None:
    assert said in refused(tmp_path, str(night(tmp_path / "x.ndjson", "a")), tables=tables)


def test_connections_that_are_not_there_are_named_by_their_argument(tmp_path: Path) -> None:
    source = str(night(tmp_path / "x.ndjson", "a"))
    with pytest.raises(LivePersonConnectionNotFoundError, match=r"^storage_conn_id='nowhere' is not"):
        execute(tmp_path, source, storage_conn_id="nowhere")
    with pytest.raises(LivePersonConnectionNotFoundError, match=r"^source_conn_id='nowhere' is not"):
        execute(tmp_path, source, source_conn_id="nowhere")


def test_pyarrow_that_is_not_installed_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    arrow.cache_clear()
    try:
        message = refused(tmp_path, str(night(tmp_path / "x.ndjson", "a")))
        assert "pip install 'airflow-provider-lp[parquet]'" in message
    finally:
        arrow.cache_clear()


# Storage.


def test_tables_are_made_from_s3_into_s3(bucket: Any, tmp_path: Path) -> None:
    for name in ("b", "a"):
        content = night(tmp_path / name, name).read_bytes()
        bucket.put_object(Key=f"raw/{name}.ndjson.gz", Body=gzip.compress(content))
    path = "s3://lake@bucket/lp/{table}/x.parquet"
    summary = execute(tmp_path, "s3://bucket/raw/*.ndjson.gz", path=path, source_conn_id="lake")
    stored = {each.key: each.get()["Body"].read() for each in bucket.objects.filter(Prefix="lp/")}
    assert sorted(stored) == sorted(f"lp/{name}/x.parquet" for name in TABLES)
    for name, table in summary["tables"].items():
        assert hashlib.sha256(stored[f"lp/{name}/x.parquet"]).hexdigest() == table["sha256"]
    (tmp_path / "x.parquet").write_bytes(stored["lp/conversations/x.parquet"])
    assert pq.read_table(tmp_path / "x.parquet")["conversation_id"].to_pylist() == ["a", "b"]
    bucket.put_object(Key="raw/c.ndjson.gz", Body=gzip.compress(b"no json\n"))
    with pytest.raises(AirflowFailException, match=r"c\.ndjson\.gz, line 1"):
        execute(tmp_path, "s3://lake@bucket/raw/*", path=path)
    assert {each.key: each.get()["Body"].read() for each in bucket.objects.filter(Prefix="lp/")} == stored
    assert list(bucket.multipart_uploads.all()) == []


@pytest.mark.parametrize(
    ("finals", "expected"),
    [([True], None), ([True, False], False), ([None], None), ([False, None], False)],
)
def test_tables_of_exports_made_too_early_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, finals: list[bool | None], expected: bool | None
) -> None:
    sources = []
    for number, final in enumerate(finals):
        path = str(night(tmp_path / f"{number}.ndjson", f"c{number}"))
        sources.append(path if final is None else {"path": path, "final": final})
    manifest = tmp_path / "manifest.json"
    summary = execute(tmp_path, sources, manifest_path=str(manifest))
    assert summary.get("final") is json.loads(manifest.read_bytes()).get("final") is expected
    assert ("final" in summary) is ("not final" in caplog.text) is (expected is False)
