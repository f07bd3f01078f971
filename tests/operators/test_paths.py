"""Where an export goes: what may be given as a path, and what it means."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.compat import AirflowFailException, AssetAlias, ObjectStoragePath
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.literals import WrongArgumentError
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.operators.paths import ObjectUrl, object_url
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sandbox import Conversation
from airflow_provider_lp.windows import RunMoments, Window, resolve_window, to_ms
from tests.exported import calls, ids_in
from tests.operators.conftest import DAG
from tests.samples import HOUR, at, crowd

DAY = {"data_interval_start": pendulum.datetime(2026, 3, 10), "data_interval_end": pendulum.datetime(2026, 3, 11)}
WINDOW = Window(at(10), at(11))
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
IDS = ["c00000", "c00001", "c00002"]


def operator(**arguments: Any) -> LivePersonConversationsOperator:
    return LivePersonConversationsOperator(task_id="export", dag=DAG("some", schedule=None), **arguments)


def url_of(path: object, storage_conn_id: str | None = None, window: Window | None = WINDOW) -> ObjectUrl:
    return object_url(path, storage_conn_id, window)


def named(path: str, window: Window, zone: str) -> str:
    return object_url(path, None, window, zone=ZoneInfo(zone)).text


# Kinds of paths.


@pytest.mark.parametrize("kind", [str, Path, lambda path: ObjectStoragePath(f"file://{path}")])
def test_any_kind_of_path_will_do_and_is_a_template(serve: Any, tmp_path: Path, kind: Any) -> None:
    serve(*crowd(3))
    export = operator(path=kind(tmp_path / "date={{ ds }}" / "x.ndjson"))
    export.render_template_fields({"ds": "2026-03-10"})
    summary = export.execute(DAY)
    assert ids_in(tmp_path / "date=2026-03-10" / "x.ndjson") == IDS
    assert summary["path"].removeprefix("file://") == str(tmp_path / "date=2026-03-10" / "x.ndjson")
    json.dumps(summary)


@pytest.mark.parametrize("kind", [Path, lambda path: ObjectStoragePath(f"file://{path}")])
def test_a_template_may_give_a_path_object(serve: Any, tmp_path: Path, kind: Any) -> None:
    serve(*crowd(3))
    export = operator(path="{{ path }}")
    export.path = kind(tmp_path / "x.ndjson")
    assert export.execute(DAY)["conversations"] == 3
    assert ids_in(tmp_path / "x.ndjson") == IDS


def test_a_relative_path_object_is_refused() -> None:
    with pytest.raises(LivePersonConfigurationError, match="is relative"):
        url_of(Path("folder/x.ndjson"))


def test_a_url_that_became_a_local_path_is_refused() -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"names no bucket.*s3://bucket"):
        url_of(Path("s3://bucket/x.ndjson"))


@pytest.mark.parametrize("path", [5, b"/x.ndjson", ["/x.ndjson"], {"path": "/x"}, True, "s3://[bucket/x.ndjson"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="path="):
        url_of(path)


@pytest.mark.parametrize(
    "path", ["/x.ndjson.gz\n", " /x.ndjson", "s3://bucket/x.gz ", "/x\0.ndjson", "/x\r.ndjson", "s3://bucket/a\tb"]
)
def test_a_path_with_white_space_that_was_not_meant_is_refused(path: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"path=.*take it out"):
        url_of(path)


@pytest.mark.parametrize("path", ["/date={{ ds }}/x.gz", "/{{x}}", "s3://bucket/{% if x %}y{% endif %}.gz"])
def test_a_template_that_nobody_rendered_is_refused(path: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"path=.*unrendered"):
        url_of(path)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("az://lake/x.gz", "abfs://lake/x.gz"),
        ("wasb://lake@account.blob.core.windows.net/x.gz", "abfs://lake/x.gz"),
        ("wasbs://lake@account/x.gz", "abfs://lake/x.gz"),
    ],
)
def test_other_names_of_azures_storage_are_told_what_airflow_knows(path: str, right: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=f"Write {right} and give storage_conn_id"):
        url_of(path)


# Connections in the URL.


def test_a_connection_in_the_url_is_the_storage_connection() -> None:
    assert url_of("s3://lake@bucket/x.gz") == ObjectUrl("s3://lake@bucket/x.gz", "s3://bucket/x.gz", "lake")
    assert url_of("s3://lake@bucket/x.gz", "lake").conn_id == "lake"
    assert url_of("file://lake@/folder/x") == ObjectUrl("file://lake@/folder/x", "file:///folder/x", "lake")
    assert url_of("s3://bucket/x@y.gz", "lake") == ObjectUrl("s3://bucket/x@y.gz", "s3://bucket/x@y.gz", "lake")
    assert url_of("s3://bucket/x.gz").conn_id is None


def test_a_connection_in_the_url_must_not_contradict_the_argument() -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"names the connection 'lake'.*storage_conn_id='other'"):
        url_of("s3://lake@bucket/x.gz", "other")


def test_a_connection_in_the_url_is_checked_before_any_request(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(Exception, match=r"'nowhere' is not an Airflow connection.*before the @ in path"):
        operator(path=f"file://nowhere@{tmp_path}/day.ndjson").execute(DAY)
    assert calls(sandbox) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("conn_id", [5, "", "None", " "])
def test_a_storage_connection_that_cannot_be_one_is_refused(serve: Any, tmp_path: Path, conn_id: Any) -> None:
    serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=f"storage_conn_id={conn_id!r} must be"):
        operator(path=f"file://{tmp_path}/day.ndjson", storage_conn_id=conn_id).execute(DAY)


def test_a_connection_in_the_url_is_used(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(*crowd(3))
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps({"conn_type": "generic"}))
    url = f"file://lake@{tmp_path}/day.ndjson"
    assert operator(path=url).execute(DAY)["path"] == url
    assert operator(path=ObjectStoragePath(url)).execute(DAY)["path"] == url
    assert ids_in(tmp_path / "day.ndjson") == IDS


def test_an_asset_is_not_named_by_the_connection(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Event:
        uri = ""

        def add(self, asset: Any, extra: Any) -> None:
            self.uri = asset.uri

    serve(*crowd(3))
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps({"conn_type": "generic"}))
    alias, event = AssetAlias("nightly"), Event()
    export = operator(path=f"file://lake@{tmp_path}/day.ndjson", outlets=[alias])
    export.execute({**DAY, "outlet_events": {alias: event}})
    assert event.uri == f"file://{tmp_path}/day.ndjson"


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:very-secret@bucket/x.gz",
        "s3://key:very-secret/with/slashes@bucket/x.gz",
        "s3://key:very-secret@bucket/{day}.gz",
        "s3://key:very-secret@[bucket/x.gz",
        "s3://key:very-secret@bucket/",
        "s3://:very-secret@bucket/x.gz",
    ],
)
def test_credentials_in_the_url_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"path='s3://\*\*\*@.*storage_conn_id") as caught:
        url_of(url)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["hdfs://name:8020/lp/x@y.gz", "s3://bucket/at=10:00/x@y.gz", "s3://lake@bucket/10:00"])
def test_a_port_or_a_time_in_the_url_is_no_password(url: str) -> None:
    assert url_of(url).text == url


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("abfs://lake@account.dfs.core.windows.net/lp/x.gz", "abfs://lake/lp/x.gz"),
        ("abfss://lake@account.blob.core.windows.net/lp/x.gz", "abfss://lake/lp/x.gz"),
        ("abfs://account.dfs.core.windows.net/lake/x.gz", "abfs://lake/x.gz"),
    ],
)
def test_a_storage_account_in_an_azure_url_is_refused_with_the_form_that_works(path: str, form: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=f"Write {form} and give storage_conn_id.*'account'"):
        url_of(path)
    assert url_of(form, "azure") == ObjectUrl(form, form, "azure")


# The period in the path.


@pytest.mark.parametrize(
    ("path", "formatted"),
    [
        ("/lp/date={start:%Y-%m-%d}/x.ndjson", "/lp/date=2026-03-10/x.ndjson"),
        ("/lp/{start:%Y}/{start:%m}/{start:%d}/{start:%H%M}-{end:%H%M}.gz", "/lp/2026/03/10/0000-0000.gz"),
        ("/lp/{start}.ndjson", "/lp/2026-03-10 00:00:00+00:00.ndjson"),
        ("/lp/{start:%s}.ndjson".replace("%s", "%Y%m%dT%H%M%S%z"), "/lp/20260310T000000+0000.ndjson"),
    ],
)
def test_the_path_may_name_the_period(path: str, formatted: str) -> None:
    assert url_of(path).text == formatted
    assert url_of(Path(path)).text == formatted


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/lp/{day}.ndjson", "{day}"),
        ("/lp/{}.ndjson", "{}"),
        ("/lp/{0}.ndjson", "{0}"),
        ("/lp/{start.year}.ndjson", "{start.year}"),
        ("/lp/{start!r}.ndjson", "{start!r}"),
        ("/lp/{start:%Q}.ndjson", "{start:%Q}"),
        ("/lp/{start:%Y-%}.ndjson", "{start:%Y-%}"),
        ("/lp/{start:YYYY-MM-DD}.ndjson", "{start:YYYY-MM-DD}"),
        ("/lp/{start:>20}.ndjson", "{start:>20}"),
        ("/lp/{end:{start}}.ndjson", "{end:{start}}"),
        ("/lp/{start.ndjson", "/lp/{start.ndjson"),
        ("/lp/start}.ndjson", "/lp/start}.ndjson"),
    ],
)
def test_another_name_or_format_in_the_path_is_refused_by_its_name(path: str, named: str) -> None:
    with pytest.raises(LivePersonConfigurationError) as caught:
        url_of(path)
    assert named in str(caught.value)
    assert "{start:%Y-%m-%d}" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/lp/{day}.ndjson", "{day}"),
        ("/lp/date={start:%Y-%m-%d.ndjson", "/lp/date={start:%Y-%m-%d.ndjson"),
        ("/lp/{start:YYYY}.ndjson", "{start:YYYY}"),
        (Path("/lp/{0}.ndjson"), "{0}"),
    ],
)
@pytest.mark.parametrize(
    "kind", [LivePersonConversationsOperator, LivePersonMetricsOperator, LivePersonConversationLookupOperator]
)
def test_a_format_that_is_wrong_is_named_in_the_dag_file(kind: Any, path: Any, named: str) -> None:
    with pytest.raises(AirflowFailException, match=re.escape(named)):
        kind(task_id="export", path=path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("x/{start:%Y-%m-%d}.ndjson", "path='{}' is relative"),
        ("s3://b/{start:%Y}/", "path='{}' ends in a slash: .*{}conversations.ndjson.gz"),
        ("s3://b/{start:%Y/}", "path='{}' ends in a slash"),
        ("s3://b/{start:%Y}.zip", "path='{}' ends in a format"),
        ("s3://{start:%Y}", "path='{}' names no object in it"),
        ("/b/{start:%Y}.csv", "path='{}' promises csv"),
        ("az://c/{end:%Y-%m}.ndjson", "path='{}': .* abfs://c/{{end:%Y-%m}}.ndjson"),
        ("s3://a@b/{start:%Y}.ndjson", "path='{}' names the connection 'a', but"),
    ],
)
def test_what_is_wrong_is_shown_as_it_was_written(path: str, said: str) -> None:
    written = re.escape(path)
    with pytest.raises(AirflowFailException, match=said.format(written, written)) as caught:
        LivePersonConversationsOperator(task_id="export", path=path, storage_conn_id="lake")
    assert "1970" not in str(caught.value)


def test_so_it_is_of_tables() -> None:
    for path in ("s3://b/{table}/{start:%Y}.csv", "x/{table}/{start:%Y}.parquet", "/x/{table}/{start:%Y}/"):
        with pytest.raises(AirflowFailException, match=f"path='{re.escape(path)}'"):
            LivePersonTablesOperator(task_id="tables", source="/x.ndjson", path=path)
    with pytest.raises(AirflowFailException, match=r"manifest_path='x/\{start:%Y\}\.json' is relative"):
        LivePersonTablesOperator(
            task_id="tables", source="/x.ndjson", path="/{table}.parquet", manifest_path="x/{start:%Y}.json"
        )


def test_so_it_is_of_plans_and_proofs() -> None:
    with pytest.raises(AirflowFailException, match=r"{day}"):
        LivePersonReconcileOperator(task_id="prove", exports=[], path="/lp/{day}.json")
    with pytest.raises(AirflowFailException, match=r"{day}"):
        LivePersonPlanWindowsOperator(task_id="plan", path="/lp/{day}.ndjson")


def test_what_a_template_may_mend_waits_for_it_and_credentials_are_not_shown() -> None:
    assert operator(path="{{ root }}/{day}.ndjson", path_timezone="{{ zone }}").path == "{{ root }}/{day}.ndjson"
    with pytest.raises(AirflowFailException, match="Airflow connection") as caught:
        operator(path="s3://key:very-secret@bucket/{day}.ndjson")
    assert "very-secret" not in str(caught.value)


def test_a_time_zone_that_there_is_not_is_named_in_the_dag_file() -> None:
    for zone in ("Berlin", "", "Europe/../Berlin", 1, None):
        with pytest.raises(AirflowFailException, match=r"path_timezone=.*'Europe/Berlin'"):
            operator(path="/lp/x.ndjson", path_timezone=zone)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_each_hour_of_a_year_has_a_name_of_its_own_or_none(zone: str) -> None:
    hours = [Window(to_ms(MIDNIGHT) + hour * HOUR, to_ms(MIDNIGHT) + (hour + 1) * HOUR) for hour in range(365 * 24)]
    paths, refused = [], []
    for hour in hours:
        try:
            paths.append(named("/lp/{start:%Y-%m-%dT%H%M}", hour, zone))
        except LivePersonConfigurationError as error:
            refused.append(str(error))
    assert len(set(paths)) == len(paths)
    # On Lord Howe clocks go back by half an hour, so that whole hours overlap and have names of their own.
    assert len(refused) == {"UTC": 0, "Australia/Lord_Howe": 0}.get(zone, 2)
    assert all(f"path_timezone='{zone}' go back" in message for message in refused)
    assert len({named("/lp/{start:%Y-%m-%dT%H%M%z}", hour, zone) for hour in hours}) == len(hours)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Pacific/Apia"]
)
def test_each_local_day_is_named_by_itself(zone: str) -> None:
    for day in range(365):
        start = pendulum.datetime(2025, 6, 1, tz=zone).add(days=day)
        window = Window(to_ms(start), to_ms(start.add(days=1)))
        assert named("/lp/{start:%Y-%m-%d}", window, zone) == f"/lp/{start.to_date_string()}"


def test_the_operators_name_the_period_in_their_time_zone(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    start = pendulum.datetime(2026, 3, 10, tz="Europe/Berlin")
    path = f"{tmp_path}/{{start:%Y-%m-%dT%H%z}}_{{end:%d}}.ndjson"
    export = operator(path=path, path_timezone="{{ zone }}", start=start, end=start.add(days=1))
    export.render_template_fields({"zone": "Europe/Berlin"})
    assert export.execute({})["path"] == f"{tmp_path}/2026-03-10T00+0100_11.ndjson"


def test_the_path_and_the_window_agree(serve: Any, tmp_path: Path) -> None:
    serve(*crowd(3))
    start = datetime(2026, 3, 10, tzinfo=UTC)
    path = f"file://{tmp_path}/date={{start:%Y-%m-%d}}/until-{{end:%Y-%m-%dT%H}}.ndjson"
    summary = operator(path=path, start=start, end=start + timedelta(hours=30)).execute({})
    assert summary["path"] == f"file://{tmp_path}/date=2026-03-10/until-2026-03-11T06.ndjson"
    assert ids_in(tmp_path / "date=2026-03-10" / "until-2026-03-11T06.ndjson") == IDS
    assert summary["window"]["start"] == "2026-03-10T00:00:00+00:00"


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2026-03-10", 24)])
def test_the_path_names_the_local_day_that_is_exported(
    serve: Any, fast: None, tmp_path: Path, day: str, hours: int
) -> None:
    start = pendulum.parse(day, tz="Europe/Berlin")
    timetable = CronDataIntervalTimetable("0 0 * * *", timezone=pendulum.timezone("Europe/Berlin"))
    interval = timetable.infer_manual_data_interval(run_after=start.add(days=1, minutes=5))
    bounds = [to_ms(start) - 1, to_ms(start), to_ms(start) + hours * HOUR - 1, to_ms(start) + hours * HOUR]
    serve(*(Conversation(name, moment) for name, moment in zip(["before", "a", "b", "after"], bounds, strict=True)))
    # As Airflow has them: in UTC.
    context = {
        "data_interval_start": interval.start.in_timezone("UTC"),
        "data_interval_end": interval.end.in_timezone("UTC"),
    }
    local_day = "{{ data_interval_start.in_timezone('Europe/Berlin') | ds }}"
    export = operator(path=f"{tmp_path}/date={local_day}/utc={{start:%Y-%m-%d}}.ndjson")
    export.render_template_fields(context)
    summary = export.execute(context)
    assert ids_in(tmp_path / f"date={day}" / f"utc={start.subtract(days=1).to_date_string()}.ndjson") == ["a", "b"]
    assert summary["path"].startswith(f"{tmp_path}/date={day}/")


def test_a_window_is_a_length_and_no_local_day() -> None:
    after = pendulum.datetime(2025, 10, 27, tz="Europe/Berlin")
    window = resolve_window(None, None, "P1D", RunMoments(logical_date=after), datetime(2026, 3, 20, tzinfo=UTC))
    assert window.length == timedelta(hours=24)
    assert window.start != after.subtract(days=1)


def test_a_storage_that_nothing_installed_knows_is_told_how_to_get_it(serve: Any) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=r"for oss:// is not installed.*install the Airflow provider"):
        operator(path="oss://bucket/a.ndjson").execute(DAY)
    assert not sandbox.requests


@pytest.mark.parametrize("error", [TypeError("detected protocol file which is incompatible"), RecursionError("depth")])
def test_an_airflow_that_can_make_no_paths_is_told_apart(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Such as Airflow 2.11.0 with universal-pathlib 0.3.10, which no Airflow that is tested here has."""

    class Broken(ObjectStoragePath):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            raise error

    serve(*crowd(3))
    monkeypatch.setattr(compat, "ObjectStoragePath", Broken)
    with pytest.raises(AirflowFailException, match=rf"{error}.*constraints, or pip install 'universal-pathlib<0\.3'"):
        operator(path=f"{tmp_path}/a.ndjson").execute(DAY)


def test_a_storage_that_its_connection_does_not_open_is_not_taken_for_missing(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as Azure's, for a connection that names no account."""

    class Closed(ObjectStoragePath):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            if str(args[0]).startswith("abfs:"):
                raise ValueError("unable to connect to account")
            return ObjectStoragePath(*args, **kwargs)

    serve(*crowd(3))
    monkeypatch.setattr(compat, "ObjectStoragePath", Closed)
    with pytest.raises(AirflowFailException, match=r"cannot be opened \(unable to connect to account\)") as caught:
        operator(path="abfs://container/a.ndjson").execute(DAY)
    assert "install" not in str(caught.value)


def test_a_lookup_has_no_period_to_name() -> None:
    for path in ("/lp/{start:%Y}.ndjson", "/lp/{{ ds }}/{start:%Y}.ndjson"):
        with pytest.raises(WrongArgumentError, match=r"{start:%Y}.*this task has none"):
            LivePersonConversationLookupOperator(task_id="look_up", conversation_ids=IDS, path=path)


def test_metrics_have_a_period_to_name_unless_they_are_of_now(serve: Any, tmp_path: Path) -> None:
    sandbox = serve()
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    path = f"{tmp_path}/{{start:%Y-%m-%dT%H}}.ndjson"
    given = {"task_id": "export", "path": path}
    hour = LivePersonMetricsOperator(**given, start=end - timedelta(hours=1), end=end)
    assert hour.execute({})["path"] == f"{tmp_path}/{end - timedelta(hours=1):%Y-%m-%dT%H}.ndjson"
    before = len(sandbox.requests)
    with pytest.raises(AirflowFailException, match="this task has none"):
        LivePersonMetricsOperator(**given, timeframe=60).execute({})
    assert len(sandbox.requests) == before
