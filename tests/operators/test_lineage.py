"""What lineage tells of tasks: to OpenLineage's provider, and to Airflow's own collector."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonServerError
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.lineage import of_storage
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sandbox import Fault
from airflow_provider_lp.tables.parquet import arrow_schema
from airflow_provider_lp.tables.schema import TABLES
from tests.operators.conftest import DAG
from tests.samples import crowd

DAY = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z"}
CONTEXT: Any = {"outlet_events": {}}
CONVERSATIONS = ("liveperson://12345678", "messaging-interactions/conversations")


def executed(kind: Any, **arguments: Any) -> tuple[Any, Any]:
    """An operator after its work, and what it has returned."""
    operator = kind(task_id="work", dag=DAG("some", schedule=None), **arguments)
    return operator, operator.execute(CONTEXT)


def event_of(operator: Any) -> Any:
    """What OpenLineage's provider takes from the operator of a task that has ended, as it sends it."""
    pytest.importorskip("airflow.providers.openlineage")
    from airflow.providers.openlineage.extractors.base import DefaultExtractor
    from openlineage.client.serde import Serde

    lineage = DefaultExtractor(operator).extract_on_complete(None)
    assert lineage is not None
    return {side: [Serde.to_dict(each) for each in getattr(lineage, side)] for side in ("inputs", "outputs")}


def names(datasets: Any) -> list[tuple[str, str]]:
    return [(each["namespace"], each["name"]) for each in datasets]


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (LivePersonConversationsOperator, {**DAY, "filters": {"keyword": "Jane Doe"}, "redact": "personal"}),
        (LivePersonConversationLookupOperator, {"conversation_ids": ["c00000", "c00001"]}),
    ],
)
def test_an_export_reads_liveperson_and_writes_an_object(serve: Any, tmp_path: Path, kind: Any, arguments: Any) -> None:
    serve(*crowd(30))
    operator, summary = executed(kind, **arguments, path=f"file://{tmp_path}/x.ndjson.gz")
    event = event_of(operator)
    assert names(event["inputs"]) == [CONVERSATIONS]
    assert names(event["outputs"]) == [("file", f"{tmp_path}/x.ndjson.gz")]
    statistics = event["outputs"][0]["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["size"]) == (summary["conversations"], summary["bytes"])
    # Filters may hold personal data.
    assert "Jane" not in json.dumps(event)


def test_a_report_has_a_name_of_its_own(serve: Any, fast: None, tmp_path: Path) -> None:
    serve(*crowd(3))
    operator, _ = executed(
        LivePersonMetricsOperator, report="queue_health", timeframe=60, path=f"{tmp_path}/x.csv", format="csv"
    )
    assert names(event_of(operator)["inputs"]) == [("liveperson://12345678", "messaging-operations/queue_health")]
    operator, _ = executed(LivePersonMetricsOperator, **DAY, source_of_truth="conversations")
    assert names(event_of(operator)["inputs"]) == [CONVERSATIONS]
    assert event_of(operator)["outputs"] == []


def test_tables_are_described_by_their_schema(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    _, exported = executed(LivePersonConversationsOperator, **DAY, path=f"{tmp_path}/day.ndjson")
    operator, summary = executed(
        LivePersonTablesOperator, source=exported, path=f"{tmp_path}/{{table}}.parquet", tables=["messages", "surveys"]
    )
    event = event_of(operator)
    assert names(event["inputs"]) == [("file", f"{tmp_path}/day.ndjson")]
    assert names(event["outputs"]) == [("file", f"{tmp_path}/{name}.parquet") for name in ("messages", "surveys")]
    for name, dataset in zip(("messages", "surveys"), event["outputs"], strict=True):
        fields = [(field["name"], field["type"]) for field in dataset["facets"]["schema"]["fields"]]
        assert fields == [(each.name, str(each.type)) for each in arrow_schema(TABLES[name])]
        assert dataset["outputFacets"]["outputStatistics"]["rowCount"] == summary["tables"][name]["rows"]
    described = {field["name"]: field["description"] for field in event["outputs"][0]["facets"]["schema"]["fields"]}
    assert described["text"].endswith("personal data: free text")


def test_a_proof_reads_both_sides_and_a_plan_one(quiet: Any, summaries: Any, tmp_path: Path) -> None:
    operator, _ = executed(LivePersonReconcileOperator, exports=summaries, path=f"{tmp_path}/manifest.json")
    event = event_of(operator)
    objects = [("file", summary["path"].removeprefix("file://")) for summary in summaries]
    assert sorted(names(event["inputs"])) == sorted([*objects, CONVERSATIONS])
    assert names(event["outputs"]) == [("file", f"{tmp_path}/manifest.json")]
    operator, _ = executed(LivePersonPlanWindowsOperator, **DAY)
    assert names(event_of(operator)["inputs"]) == [CONVERSATIONS]


def test_a_failure_has_written_nothing(serve: Any, fast: None, tmp_path: Path) -> None:
    serve(*crowd(3)).add_fault(Fault("error_500", times=None))
    operator = LivePersonConversationsOperator(task_id="work", **DAY, path=f"{tmp_path}/x.ndjson")
    with pytest.raises(LivePersonServerError):
        operator.execute(CONTEXT)
    assert names(event_of(operator)["inputs"]) == [CONVERSATIONS]
    assert event_of(operator)["outputs"] == []


def test_a_task_that_runs_leaves_the_operator_of_its_dag_as_it_was(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    original = LivePersonConversationsOperator(task_id="work", dag=DAG("some", schedule=None), **DAY)
    for _ in range(2):
        running = original.prepare_for_execution()
        running.execute(CONTEXT)
        assert len(event_of(running)["inputs"]) == 1
    assert event_of(original)["inputs"] == []


def collector() -> Any:
    """A collector as Airflow has it where something reads what it collects."""
    try:
        from airflow.sdk.lineage import HookLineageCollector
    except ImportError:
        from airflow.lineage.hook import HookLineageCollector
    return HookLineageCollector()


def collected(of: Any) -> tuple[list[str], list[str]]:
    lineage = of.collected_assets if hasattr(of, "collected_assets") else of.collected_datasets
    inputs, outputs = (
        [getattr(each, "asset", None) or each.dataset for each in side] for side in (lineage.inputs, lineage.outputs)
    )
    return [each.uri for each in inputs], [each.uri for each in outputs]


@pytest.mark.filterwarnings("ignore")  # Airflow imports all providers here, with their libraries' warnings
def test_airflows_collector_is_told_once(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = collector()
    monkeypatch.setattr(compat, "get_hook_lineage_collector", lambda: told, raising=False)
    serve(*crowd(3))
    executed(LivePersonConversationsOperator, **DAY, path=f"{tmp_path}/day.ndjson")
    assert collected(told) == (
        ["liveperson://12345678/messaging-interactions/conversations"],
        [f"file://{tmp_path}/day.ndjson"],
    )


def test_the_work_does_not_fail_because_lineage_does(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compat, "get_hook_lineage_collector", lambda: SimpleNamespace(add_input_asset=None))
    serve(*crowd(3))
    assert executed(LivePersonConversationsOperator, **DAY, path=f"{tmp_path}/x.ndjson")[1]["conversations"] == 3
    assert "could not be told of" in caplog.text


@pytest.mark.parametrize(
    ("uri", "account", "namespace", "name"),
    [
        ("s3a://bucket/a/b?c#d", None, "s3://bucket", "a/b?c#d"),
        ("gcs://bucket/a b", None, "gs://bucket", "a b"),
        ("abfs://container/a/b", "acct", "abfss://container@acct.dfs.core.windows.net", "a/b"),
        ("abfs://container/a/b", None, "abfss://container", "a/b"),
        ("file:///tmp/a/b", None, "file", "/tmp/a/b"),
    ],
)
def test_objects_are_named_as_openlineage_has_it(uri: str, account: str | None, namespace: str, name: str) -> None:
    fs = SimpleNamespace(unstrip_protocol=lambda path: path, account_name=account)
    dataset = of_storage(fs, uri, None)
    assert (dataset.namespace, dataset.name, dataset.uri) == (namespace, name, uri)
