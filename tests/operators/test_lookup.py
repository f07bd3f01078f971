from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonServerError
from airflow_provider_lp.compat import AirflowFailException, Asset
from airflow_provider_lp.operators.conversations import LivePersonConversationLookupOperator
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls, ids_in, ids_of
from tests.samples import BY_CONSUMER, BY_ID, crowd

IDS = [f"c{number:05}" for number in range(250)]


def execute(context: Any = None, **arguments: Any) -> Any:
    return LivePersonConversationLookupOperator(task_id="look-up", **arguments).execute(
        context or {"outlet_events": {}}
    )


@pytest.mark.parametrize("given", [IDS[:3], str(IDS[:3]), ",".join(IDS[:3]), " ".join(IDS[:3])])
def test_ids_in_any_form_are_looked_up(serve: Any, given: Any) -> None:
    serve(*crowd(5))
    result = execute(conversation_ids=given)
    assert ids_of(result["records"]) == IDS[:3]
    assert set(result) == {"records", "conversations", "repaired", "redacted", "missing", "requests", "retries"}
    assert (result["conversations"], result["missing"]) == (3, [])


def test_a_template_may_give_the_ids(serve: Any) -> None:
    serve(*crowd(5))
    task = LivePersonConversationLookupOperator(task_id="look-up", conversation_ids="{{ ids }}")
    task.render_template_fields({"ids": IDS[:2]})
    assert task.execute({})["conversations"] == 2
    assert set(LivePersonConversationLookupOperator.template_fields) >= {
        "conversation_ids", "consumer_id", "status", "content", "path", "storage_conn_id", "liveperson_conn_id",
    }  # fmt: skip


def test_a_lookup_is_published_and_is_the_assets_extra(serve: Any, tmp_path: Path) -> None:
    class Event:
        extra: Any = None

    serve(*crowd(250))
    asset, event = Asset(uri="s3://bucket/some"), Event()
    path = tmp_path / "x.ndjson.gz"
    summary = execute({"outlet_events": {asset: event}}, conversation_ids=IDS, path=str(path), outlets=[asset])
    assert ids_in(path) == IDS
    assert event.extra == summary
    assert summary["path"] == str(path)
    assert summary["missing"] == []


def test_missing_ids_fail_but_may_be_retried(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(5))
    with pytest.raises(LivePersonIncompleteDataError, match="nobody"):
        execute(conversation_ids=[IDS[0], "nobody"], path=str(tmp_path / "x.ndjson"))
    assert list(tmp_path.iterdir()) == []


def test_missing_ids_may_be_allowed(serve: Any) -> None:
    serve(*crowd(5))
    result = execute(conversation_ids=[IDS[0], "nobody"], allow_missing=True)
    assert (ids_of(result["records"]), result["missing"]) == ([IDS[0]], ["nobody"])


def test_more_than_a_hundred_conversations_of_a_consumer_are_paged(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*crowd(250, consumer_id="someone"))
    summary = execute(consumer_id="someone", path=str(tmp_path / "x.ndjson"))
    assert ids_in(tmp_path / "x.ndjson") == IDS
    assert summary["conversations"] == 250
    assert [seen.query["offset"] for seen in calls(sandbox, BY_CONSUMER)] == ["0", "100", "200"]


def test_the_status_narrows(serve: Any) -> None:
    serve(*crowd(3, consumer_id="someone"))
    assert execute(consumer_id="someone", status=["OPEN"])["records"] == []
    assert execute(consumer_id="someone", status=["CLOSE"])["conversations"] == 3
    assert execute(consumer_id="someone", status="CLOSE")["conversations"] == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "conversation_ids or consumer_id"),
        ({"conversation_ids": ["a"], "consumer_id": "b"}, "conversation_ids or consumer_id"),
        ({"conversation_ids": 5}, "conversation_ids="),
        ({"consumer_id": "x", "status": "OPENED"}, "Did you mean 'OPEN'"),
        ({"consumer_id": "x", "status": 5}, "status="),
        ({"consumer_id": "x", "content": ["dialog"]}, "content=.*'dialogs'"),
        ({"conversation_ids": ["a"], "path": "relative.ndjson"}, "path="),
        ({"conversation_ids": ["a"], "path": "/x/"}, "path="),
        ({"conversation_ids": ["a"], "format": "csv"}, "format="),
        ({"conversation_ids": ["a"], "max_concurrency": 0}, "max_concurrency="),
        ({"conversation_ids": ["a"], "max_xcom_bytes": -1}, "max_xcom_bytes="),
    ],
)
def test_a_wrong_argument_fails_without_retries_and_without_a_request(serve: Any, arguments: Any, named: str) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        execute(**arguments)
    assert not sandbox.requests


def test_too_much_for_xcom_names_the_remedy(serve: Any) -> None:
    serve(*crowd(5))
    with pytest.raises(AirflowFailException, match="max_xcom_bytes=100"):
        execute(conversation_ids=IDS[:5], max_xcom_bytes=100)


def test_trouble_that_lasts_is_raised_as_it_is(serve: Any, fast: None, tmp_path: Path) -> None:
    sandbox = serve(*crowd(250))
    sandbox.add_fault(Fault("error_500", times=None, after=1, path=BY_ID))
    with pytest.raises(LivePersonServerError):
        execute(conversation_ids=IDS, path=str(tmp_path / "x.ndjson"))
    assert list(tmp_path.iterdir()) == []
