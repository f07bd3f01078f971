"""The links from a task to what it has published."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import s3fs

from airflow_provider_lp.compat import BaseOperatorLink
from airflow_provider_lp.get_provider_info import get_provider_info
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.links import KEY, PublishedObjectLink, console_url
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from tests.operators.conftest import DAG
from tests.samples import crowd

DAY = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z"}
CONTEXT: Any = {"outlet_events": {}}
LINK = PublishedObjectLink()
KEEPS_BY_ITSELF = hasattr(BaseOperatorLink, "xcom_key")


def url_of(fs: Any, *paths: str) -> str:
    return console_url([SimpleNamespace(fs=fs, path=path) for path in paths])  # type: ignore[misc]


def s3(region: str, endpoint: str | None = None) -> Any:
    return s3fs.S3FileSystem(
        key="none",
        secret="none",
        endpoint_url=endpoint,
        client_kwargs={"region_name": region},
        skip_instance_cache=True,
    )


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-central-1", "https://console.aws.amazon.com"),
        ("cn-north-1", "https://console.amazonaws.cn"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com"),
    ],
)
def test_an_object_in_s3_has_a_console(region: str, console: str) -> None:
    fs = s3(region)
    assert url_of(fs, "lake/date=2026-03-10/día #1.gz") == (
        f"{console}/s3/object/lake?region={region}&prefix=date%3D2026-03-10/d%C3%ADa%20%231.gz"
    )
    folder = f"{console}/s3/buckets/lake?region={region}&prefix="
    assert url_of(fs, "lake/t/messages/x.parquet", "lake/t/messages2/x.parquet") == f"{folder}t/"
    assert url_of(fs, "lake/a.parquet", "lake/b.parquet") == folder
    assert url_of(fs, "lake/a.parquet", "swamp/b.parquet") == ""


def test_an_s3_of_somebody_elses_has_none() -> None:
    assert url_of(s3("us-east-1", "http://127.0.0.1:9000"), "lake/x") == ""
    assert url_of(s3("us-east-1", "https://s3.amazonaws.com.example.org"), "lake/x") == ""


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://storage.googleapis.com/storage/v1/", "https://console.cloud.google.com/storage/browser/"),
        ("http://localhost:4443/storage/v1/", ""),
    ],
)
def test_so_has_an_object_at_google(base: str, url: str) -> None:
    fs = SimpleNamespace(unstrip_protocol=lambda path: f"gs://{path}", base=base)
    assert url_of(fs, "lake/a b/x.gz") == (url and f"{url}_details/lake/a%20b/x.gz")
    assert url_of(fs, "lake/a/x", "lake/a/y") == (url and f"{url}lake/a/")


def test_nothing_else_has_one() -> None:
    fs = SimpleNamespace(unstrip_protocol=lambda path: f"abfs://{path}", account_name="acct")
    assert url_of(fs, "container/x") == ""
    assert url_of(SimpleNamespace(unstrip_protocol=lambda path: f"file://{path}"), "/tmp/x") == ""
    assert url_of(fs) == ""


def test_a_task_whose_object_no_console_shows_has_no_link(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    pushed: dict[str, str] = {}
    context = {**CONTEXT, "ti": SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))}
    operator = LivePersonConversationsOperator(task_id="work", **DAY, path=f"{tmp_path}/day.ndjson")
    operator.execute(context)
    assert operator.console_url == ""
    assert pushed == {}


def test_a_link_is_kept_where_airflow_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: dict[str, str] = {}
    context: Any = {"ti": SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))}
    operator = LivePersonConversationsOperator(task_id="work", path="s3://lake/x")
    operator.link_to([SimpleNamespace(fs=s3("eu-west-1"), path="lake/x")], context)  # type: ignore[list-item]
    url = "https://console.aws.amazon.com/s3/object/lake?region=eu-west-1&prefix=x"
    if KEEPS_BY_ITSELF:
        assert LINK.get_link(operator, ti_key=None) == url
        assert pushed == {}
    else:
        assert pushed == {KEY: url}


def test_links_survive_being_stored_with_their_dag() -> None:
    assert get_provider_info()["extra-links"] == [f"{PublishedObjectLink.__module__}.{PublishedObjectLink.__name__}"]
    with DAG("some", schedule=None) as dag:
        export = LivePersonConversationsOperator(task_id="export", path="s3://lake/x")
        LivePersonPlanWindowsOperator(task_id="plan")
        LivePersonTablesOperator.partial(task_id="tables", path="s3://lake/{table}").expand(source=[export.output])
    try:
        from airflow.serialization.serialized_objects import DagSerialization as Serialization
    except ImportError:
        from airflow.serialization.serialized_objects import SerializedDAG as Serialization
    stored = Serialization.from_dict(Serialization.to_dict(dag))
    for task_id, links in {
        "export": [PublishedObjectLink.name],
        "tables": [PublishedObjectLink.name],
        "plan": [],
    }.items():
        assert list(stored.get_task(task_id).extra_links) == links
