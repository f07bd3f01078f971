from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.client.errors import (
    LivePersonConnectionNotFoundError,
    LivePersonError,
    LivePersonIncompleteDataError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.compat import AirflowFailException, AirflowSkipException, Asset, AssetAlias
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.sandbox import Conversation, Fault
from tests.exported import calls, ids_in, ids_of, lines
from tests.samples import DAY, at, crowd
from tests.test_docs import DOCS, blocks

START, END = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
INTERVAL = {
    "data_interval_start": pendulum.datetime(2026, 3, 10),
    "data_interval_end": pendulum.datetime(2026, 3, 11),
    "logical_date": pendulum.datetime(2026, 3, 10),
    "outlet_events": {},
}
IDS = [f"c{number:05}" for number in range(250)]


def operator(**arguments: Any) -> LivePersonConversationsOperator:
    return LivePersonConversationsOperator(task_id="export", **arguments)


def execute(context: Any = None, **arguments: Any) -> Any:
    return operator(**arguments).execute(INTERVAL if context is None else context)


# What it does.


def test_a_path_that_promises_another_format_is_refused(serve: Any, tmp_path: Path) -> None:
    serve()
    with pytest.raises(AirflowFailException, match="promises csv, but format='ndjson': give another path"):
        execute(path=f"file://{tmp_path}/x.csv")


def test_a_day_is_published_with_its_summary(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*crowd(250))
    path = tmp_path / "day.ndjson.gz"
    begun = datetime.now(UTC) - timedelta(milliseconds=1)
    summary = execute(path=f"file://{path}")
    assert ids_in(path) == IDS
    assert begun < datetime.fromisoformat(summary.pop("exported_at")) <= datetime.now(UTC)
    assert summary == {
        "path": f"file://{path}",
        "format": "ndjson",
        "compression": "gzip",
        "conversations": 250,
        "messages": 500,
        "open_conversations": 0,
        "window": {
            "time_field": "start",
            "start": "2026-03-10T00:00:00+00:00",
            "end": "2026-03-11T00:00:00+00:00",
        },
        "account_id": sandbox.account.account_id,
        "filters": {},
        "max_age_s": None,
        "final": True,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "outside_bounds": 0,
        "repaired": 0,
        "redacted": {},
        "shortfall": 0,
        "requests": len(sandbox.requests),
        "retries": 0,
    }
    json.dumps(summary)
    (shown,) = map(json.loads, blocks(DOCS / "conversations.md", "json"))
    assert set(shown) == {*summary, "exported_at"}


def test_without_a_path_it_returns_the_conversations(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    records = execute()
    assert ids_of(records) == IDS[:3]
    assert records == [json.loads(json.dumps(sandbox.account.record(each))) for each in sandbox.account.conversations()]


def test_a_plain_absolute_path_will_do(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    assert execute(path=str(tmp_path / "x.ndjson"))["path"] == str(tmp_path / "x.ndjson")
    assert ids_in(tmp_path / "x.ndjson") == IDS[:3]


@pytest.mark.parametrize(
    ("context", "arguments"),
    [
        (INTERVAL, {}),
        ({}, {"start": START, "end": END}),
        ({}, {"start": "2026-03-10T00:00:00+00:00", "end": "2026-03-11T01:00:00+01:00"}),
        ({"logical_date": pendulum.datetime(2026, 3, 11)}, {"window": timedelta(days=1)}),
        ({"logical_date": pendulum.datetime(2026, 3, 11)}, {"window": "P1D"}),
        ({"logical_date": pendulum.datetime(2026, 3, 11)}, {"window": 86_400}),
        ({"dag_run": SimpleNamespace(run_after=pendulum.datetime(2026, 3, 11))}, {"window": timedelta(days=1)}),
        ({"partition_date": pendulum.datetime(2026, 3, 10)}, {"window": timedelta(days=1)}),
        (
            {"data_interval_start": END, "data_interval_end": END, "logical_date": END},
            {"window": timedelta(days=1)},
        ),
    ],
)
def test_the_window_is_the_runs(serve: Any, context: Any, arguments: Any) -> None:
    serve(Conversation("before", at(10) - 1), Conversation("in", at(10)), Conversation("after", at(11)))
    assert ids_of(execute(context, **arguments)) == ["in"]


@pytest.mark.parametrize("time_field", ["start", "end", "full_dialog_end"])
def test_the_time_field_is_what_lies_in_the_window(serve: Any, tmp_path: Path, time_field: str) -> None:
    conversations = [
        Conversation("a", at(9), end_ms=at(10), full_dialog_end_ms=at(11)),
        Conversation("b", at(10), end_ms=at(11)),
        Conversation("c", at(10, 1), end_ms=at(10, 2), full_dialog_end_ms=at(10, 3)),
    ]
    sandbox = serve(*conversations)
    only = {"status": ["CLOSE"]}
    summary = execute(path=str(tmp_path / "x.ndjson"), time_field=time_field, max_age="P2D", filters=only)
    assert ids_in(tmp_path / "x.ndjson") == sandbox.account.truth(time_field, at(10), at(11))
    assert summary["window"]["time_field"] == time_field
    assert summary["filters"] == only
    assert summary["max_age_s"] == (None if time_field == "start" else 2 * 86_400)


@pytest.mark.parametrize("max_age", [timedelta(days=1), 86_400, "86400", "PT24H"])
def test_filters_content_and_max_age_reach_the_search(serve: Any, max_age: Any) -> None:
    sandbox = serve(*crowd(3))
    execute(time_field="end", filters={"status": ["CLOSE"]}, content=["messageRecords"], max_age=max_age)
    (seen,) = calls(sandbox)
    assert seen.body["status"] == ["CLOSE"]
    assert seen.body["contentToRetrieve"] == ["messageRecords"]
    assert seen.body["start"]["from"] == at(10) - DAY


def test_a_max_age_that_looks_like_days_is_warned_of(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve(*crowd(3))
    execute(time_field="end", max_age=90)
    assert "max_age=90 means that conversations which started more than 0:01:30 before" in caplog.text
    caplog.clear()
    execute(time_field="end", max_age=7 * 86_400)
    execute(max_age=90)
    assert "max_age" not in caplog.text


def test_a_rerun_gives_the_same_bytes(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(250))
    path = tmp_path / "x.ndjson.gz"
    first = execute(path=str(path))
    content = path.read_bytes()
    second = execute(path=str(path))
    assert path.read_bytes() == content
    assert first["sha256"] == second["sha256"]


def test_templates_may_fill_what_an_author_would_template() -> None:
    assert set(LivePersonConversationsOperator.template_fields) >= {
        "start", "end", "time_field", "filters", "content", "path", "storage_conn_id", "liveperson_conn_id",
    }  # fmt: skip
    made = operator(path="s3://b/{{ ds }}.ndjson", start="{{ x }}", filters={"skillIds": ["{{ skill }}"]})
    made.render_template_fields({"ds": "2026-03-10", "x": "2026-03-10T00:00:00Z", "skill": 7})
    assert made.path == "s3://b/2026-03-10.ndjson"
    assert made.start == "2026-03-10T00:00:00Z"
    assert made.filters == {"skillIds": ["7"]}


def test_an_operator_can_be_copied_and_named_in_a_dag() -> None:
    import copy

    made = copy.deepcopy(operator(path="/x.ndjson", filters={"status": ["OPEN"]}))
    assert (made.path, made.filters, made.liveperson_conn_id) == (
        "/x.ndjson",
        {"status": ["OPEN"]},
        "liveperson_default",
    )


def test_a_window_that_is_not_final_is_said_to_be_so(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serve()
    now = datetime.now(UTC)
    caplog.set_level(logging.INFO)
    for ago in (timedelta(hours=-1), timedelta(minutes=1)):
        summary = execute({}, start=now - timedelta(hours=1), end=now - ago, path=f"{tmp_path}/x.ndjson")
        assert summary["final"] is False
        assert "not final" in caplog.text
        caplog.clear()
    summary = execute({}, start=now - timedelta(hours=1), end=now - timedelta(minutes=3), path=f"{tmp_path}/x.ndjson")
    assert summary["final"] is True
    assert "not final" not in caplog.text


def test_logs_hold_counts_and_no_transcripts(serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = serve(*crowd(3))
    execute(path=str(tmp_path / "x.ndjson"))
    assert "Published 3 conversations" in caplog.text
    for line in lines(tmp_path / "x.ndjson"):
        for message in json.loads(line)["messageRecords"]:
            assert message["messageData"]["msg"]["text"] not in caplog.text
    assert sandbox.credentials["client_secret"] not in caplog.text


# Empty windows.


def test_an_empty_window_is_an_empty_object(serve: Any, tmp_path: Path) -> None:
    serve()
    assert execute(path=str(tmp_path / "x.ndjson"))["conversations"] == 0
    assert (tmp_path / "x.ndjson").read_bytes() == b""
    assert execute() == []


def test_an_empty_window_may_skip_the_task_and_publish_nothing(serve: Any, tmp_path: Path) -> None:
    serve()
    path = tmp_path / "x.ndjson"
    with pytest.raises(AirflowSkipException, match="No conversations by start within 2026-03-10"):
        execute(path=str(path), skip_if_empty=True)
    assert not path.exists()
    path.write_text("earlier")
    with pytest.raises(AirflowSkipException):
        execute(path=str(path), skip_if_empty=True)
    assert path.read_text() == "earlier"
    with pytest.raises(AirflowSkipException):
        execute(skip_if_empty=True)


@pytest.mark.parametrize("arguments", [{"path": "x.ndjson"}, {}, {"path": "x.ndjson", "skip_if_empty": True}], ids=str)
def test_filters_that_match_nothing_are_a_warning_and_a_quiet_day_is_none(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, arguments: Any
) -> None:
    serve(*crowd(3, at(11)))
    caplog.set_level(logging.INFO, logger="airflow_provider_lp")
    arguments = {**arguments, **({"path": f"{tmp_path}/x.ndjson"} if "path" in arguments else {})}
    levels = {}
    for filters in ({"skillIds": [12], "status": ["CLOSE"]}, None):
        caplog.clear()
        with suppress(AirflowSkipException):
            execute(filters=filters, **arguments)
        said = [record for record in caplog.records if "No conversations by start" in record.getMessage()]
        levels[filters is None] = {record.levelname for record in said}
        if filters:
            assert "match filters={'skillIds': [12], 'status': ['CLOSE']}" in caplog.text
    assert levels == {False: {"WARNING"}, True: {"INFO"}}


def test_filters_that_match_something_are_no_warning(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve(*crowd(3))
    assert len(execute(filters={"status": ["CLOSE"]})) == 3
    assert "No conversations" not in caplog.text


def test_a_window_that_is_not_empty_is_not_skipped(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(1))
    assert execute(path=str(tmp_path / "x.ndjson"), skip_if_empty=True)["conversations"] == 1


# What fails for good, before any request.


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"path": "file:///tmp/folder/"}, "slash"),
        ({"path": "s3://bucket/"}, "slash"),
        ({"path": "relative/x.ndjson"}, "relative"),
        ({"path": "x.ndjson"}, "relative"),
        ({"path": "file://relative/x.ndjson"}, "relative"),
        ({"path": ""}, "path="),
        ({"path": "  "}, "path="),
        ({"path": 5}, "path="),
        ({"path": "/tmp/x.parquet"}, "path="),
        ({"path": "/tmp/x.ndjson.zip"}, "path="),
        ({"path": "nowhere://bucket/x.ndjson"}, "nowhere"),
        ({"format": "csv"}, "format="),
        ({"format": "parquet"}, "format="),
        ({"max_concurrency": 0}, "max_concurrency="),
        ({"max_concurrency": 65}, "max_concurrency="),
        ({"max_concurrency": "4"}, "max_concurrency="),
        ({"max_concurrency": True}, "max_concurrency="),
        ({"max_xcom_bytes": 0}, "max_xcom_bytes="),
        ({"max_xcom_bytes": 1.5}, "max_xcom_bytes="),
        ({"time_field": "created"}, "time_field="),
        ({"max_shortfall": -1}, "max_shortfall="),
        ({"max_shortfall": "None"}, "max_shortfall="),
        ({"max_shortfall": True}, "max_shortfall="),
        ({"time_field": ["start"]}, "time_field="),
        ({"filters": {"skills": [1]}}, "skills"),
        ({"filters": {"start": {"from": 1, "to": 2}}}, "belongs to the operator"),
        ({"filters": {"status": "OPEN"}}, "status"),
        ({"content": ["everything"]}, "content="),
        ({"content": 5}, "content="),
        ({"max_age": timedelta(days=500)}, "max_age="),
        ({"max_age": "90 days"}, "max_age="),
        ({"window": "5 days"}, "window="),
        ({"window": 0}, "window="),
        ({"start": START}, "end is missing"),
        ({"end": END}, "start is missing"),
        ({"start": END, "end": START}, "not after"),
        ({"start": "None", "end": END}, "start="),
        ({"start": "", "end": END}, "start="),
        ({"start": "2026-03-10", "end": END}, "no time zone"),
        ({"start": datetime(2226, 1, 1, tzinfo=UTC), "end": datetime(2226, 1, 2, tzinfo=UTC)}, "future"),
    ],
)
def test_a_wrong_argument_fails_without_retries_and_without_a_request(serve: Any, arguments: Any, named: str) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        execute(**arguments)
    assert not sandbox.requests


@pytest.mark.parametrize("context", [{}, {"data_interval_start": END, "data_interval_end": END, "logical_date": END}])
def test_a_run_without_a_period_fails_without_retries(serve: Any, context: Any) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=r"window=timedelta\(days=1\)"):
        execute(context)
    assert not sandbox.requests


def test_a_path_that_cannot_be_written_fails_without_retries(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match="cannot be written"):
        execute(path=str(tmp_path))
    assert not calls(sandbox)


@pytest.mark.parametrize("max_shortfall", [1, "1"])
def test_a_count_that_is_never_reached_may_be_allowed(
    serve: Any, fast: None, tmp_path: Path, max_shortfall: Any
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("count_off", times=None, rows=1))
    with pytest.raises(LivePersonIncompleteDataError, match="max_shortfall"):
        execute(path=str(tmp_path / "x.ndjson"))
    assert list(tmp_path.iterdir()) == []
    summary = execute(path=str(tmp_path / "x.ndjson"), max_shortfall=max_shortfall)
    assert (summary["conversations"], summary["shortfall"]) == (3, 1)
    assert ids_in(tmp_path / "x.ndjson") == IDS[:3]


def test_too_much_for_xcom_fails_without_retries_and_names_the_remedy(serve: Any) -> None:
    serve(*crowd(250))
    with pytest.raises(AirflowFailException, match=r"max_xcom_bytes=10000.*path"):
        execute(max_xcom_bytes=10_000)


def test_a_missing_connection_field_fails_without_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps({"conn_type": "liveperson", "extra": {}}))
    with pytest.raises(AirflowFailException, match="account_id"):
        execute()


@pytest.mark.parametrize("kind", ["forbidden", "bad_domain"])
def test_what_retrying_cannot_mend_fails_without_retries(serve: Any, fast: None, kind: str) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(kind, times=None, host="evil.example"))
    with pytest.raises(AirflowFailException) as caught:
        execute()
    assert isinstance(caught.value.__context__, LivePersonError)


def test_wrong_credentials_fail_without_retries(serve: Any, fast: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve(*crowd(3))
    extra = {"account_id": "12345678", "client_id": "someone", "client_secret": "wrong-secret"}
    described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
    with pytest.raises(AirflowFailException, match="Check the credentials") as caught:
        execute()
    assert "wrong-secret" not in str(caught.value)


# What Airflow may retry.


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttle", LivePersonRateLimitError),
        ("error_503", LivePersonServerError),
        ("cut_body", LivePersonTransportError),
        ("records_missing", LivePersonIncompleteDataError),
        ("partial_result", LivePersonIncompleteDataError),
    ],
)
def test_what_retrying_may_mend_is_raised_as_it_is(
    serve: Any, fast: None, tmp_path: Path, kind: str, error: type[Exception]
) -> None:
    sandbox = serve(*crowd(250))
    sandbox.add_fault(Fault(kind, times=None))
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    with pytest.raises(error):
        execute(path=str(path))
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(error):
        execute()


def test_a_retry_of_the_task_succeeds_where_the_trouble_is_over(serve: Any, fast: None, tmp_path: Path) -> None:
    sandbox = serve(*crowd(250))
    # A page is asked for in halves, down to one record, before the task fails.
    sandbox.add_fault(Fault("error_500", times=16))
    path = tmp_path / "x.ndjson"
    with pytest.raises(LivePersonServerError):
        execute(path=str(path), max_concurrency=1)
    assert execute(path=str(path))["conversations"] == 250
    assert ids_in(path) == IDS


def test_killing_the_task_ends_its_waits(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None, retry_after="600"))
    task = operator()

    def kill() -> None:
        deadline = time.monotonic() + 10
        while not calls(sandbox) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        task.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    begun = time.monotonic()
    with pytest.raises(LivePersonTransportError, match="was closed"):
        task.execute(INTERVAL)  # type: ignore[arg-type]
    killer.join()
    assert time.monotonic() - begun < 20
    task.on_kill()


# Assets.


class Event:
    """An outlet's event, as Airflow hands them out."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}
        self.added: list[tuple[str, dict[str, Any]]] = []

    def add(self, asset: Any, extra: dict[str, Any] | None = None) -> None:
        self.added.append((asset.uri, extra or {}))


def test_the_summary_is_the_extra_of_the_asset_event(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    asset, event = Asset(uri="s3://bucket/nightly"), Event()
    context = {**INTERVAL, "outlet_events": {asset: event}}
    summary = execute(context, path=str(tmp_path / "x.ndjson"), outlets=[asset])
    assert event.extra == summary
    assert event.extra["conversations"] == 3


def test_an_alias_gets_the_object_as_its_asset(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    alias, event = AssetAlias("nightly"), Event()
    url = f"file://{tmp_path}/x.ndjson"
    summary = execute({**INTERVAL, "outlet_events": {alias: event}}, path=url, outlets=[alias])
    assert event.added == [(url, summary)]


def test_airflows_own_events_take_the_extra(serve: Any, tmp_path: Path) -> None:
    try:
        from airflow.sdk.execution_time.context import OutletEventAccessors
    except ImportError:
        from airflow.utils.context import OutletEventAccessors
    serve(*crowd(3))
    asset = Asset(uri="s3://bucket/nightly")
    events = OutletEventAccessors()
    summary = execute({**INTERVAL, "outlet_events": events}, path=str(tmp_path / "x.ndjson"), outlets=[asset])
    assert events[asset].extra == summary


def test_a_task_without_outlets_needs_no_events(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    assert (
        execute(
            {name: value for name, value in INTERVAL.items() if name != "outlet_events"},
            path=str(tmp_path / "x.ndjson"),
        )["conversations"]
        == 3
    )


# Storage.


def test_a_storage_connection_is_used(serve: Any, bucket: Any) -> None:
    serve(*crowd(3))
    summary = execute(path="s3://bucket/day.ndjson", storage_conn_id="lake")
    stored = bucket.Object("day.ndjson").get()["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == summary["sha256"]
    assert summary["path"] == "s3://bucket/day.ndjson"
    with pytest.raises(AirflowFailException, match="no-such-bucket"):
        execute(path="s3://no-such-bucket/day.ndjson", storage_conn_id="lake")


def test_a_storage_connection_that_is_not_found_fails_before_any_request_and_may_be_retried(
    serve: Any, tmp_path: Path
) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(
        LivePersonConnectionNotFoundError, match="storage_conn_id='nowhere' is not an Airflow connection"
    ):
        execute(path=f"file://{tmp_path}/day.ndjson", storage_conn_id="nowhere")
    assert calls(sandbox) == []
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_is_not_found_is_left_to_airflows_retries(tmp_path: Path) -> None:
    with pytest.raises(LivePersonConnectionNotFoundError, match="'nowhere' is not an Airflow connection"):
        execute(path=f"file://{tmp_path}/day.ndjson", liveperson_conn_id="nowhere")


def test_refused_credentials_name_the_connection(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("forbidden", times=None))
    with pytest.raises(AirflowFailException, match="Airflow connection 'liveperson_default'"):
        execute()


def test_a_task_that_is_told_to_end_asks_for_nothing_more_and_publishes_nothing(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*crowd(500))
    sandbox.latency_s = 0.3
    export = operator(path=f"file://{tmp_path}/day.ndjson", max_concurrency=1)
    killer = threading.Timer(0.5, export.on_kill)
    killer.start()
    with pytest.raises(LivePersonTransportError, match="closed"):
        export.execute(INTERVAL)
    killer.join()
    assert len(calls(sandbox)) < 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rendered", [None, "None", ""])
def test_a_path_whose_template_has_no_value_is_not_taken_for_xcom(serve: Any, rendered: Any) -> None:
    sandbox = serve(*crowd(3))
    export = operator(path="{{ params.path }}")
    export.path = rendered
    with pytest.raises(AirflowFailException, match="path="):
        export.execute(INTERVAL)
    assert calls(sandbox) == []


@pytest.mark.parametrize("text", ["{'status': ['CLOSE']}", '{"status": ["CLOSE"], "selectedIntentOnly": false}'])
def test_filters_may_be_the_text_that_a_template_makes_of_a_dict(serve: Any, text: str) -> None:
    sandbox = serve(*crowd(3))
    assert ids_of(execute(filters=text)) == IDS[:3]
    assert calls(sandbox)[0].body["status"] == ["CLOSE"]
