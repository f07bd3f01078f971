from __future__ import annotations

import copy
import csv
import hashlib
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.client import liveperson as client_module
from airflow_provider_lp.client.errors import (
    LivePersonConnectionNotFoundError,
    LivePersonError,
    LivePersonIncompleteDataError,
    LivePersonServerError,
)
from airflow_provider_lp.compat import AirflowFailException, AirflowSkipException, Asset, AssetAlias
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.sandbox import Account, Conversation, Fault
from tests.exported import calls, plain
from tests.fake_clock import FakeClock
from tests.operators.conftest import DAG
from tests.samples import DAY, HOUR, ms

OPERATIONS = "/operations/"
#: The operator goes by the real clock: the window of these tests is an hour of the last few.
END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
START = END - timedelta(hours=1)
INTERVAL: Any = {
    "data_interval_start": pendulum.instance(START),
    "data_interval_end": pendulum.instance(END),
    "logical_date": pendulum.instance(START),
    "outlet_events": {},
}
#: What a run without any moment knows.
NO_RUN: Any = {}
SKILLS = (12, 9_007_199_254_740_993)
AGENTS = ("4294967301", "981236")
REPORTS = (
    "messaging_conversation",
    "csat_distribution",
    "queue_health",
    "current_queue_health",
    "queue_health_by_group",
    "skill_segments",
    "agent_segments",
)


def conversations() -> list[Conversation]:
    """One closed in each minute of three hours, of which the window is the second."""
    return [
        Conversation(
            f"c{minute}",
            ms(START) - HOUR + (minute - 20) * 60_000,
            end_ms=ms(START) - HOUR + minute * 60_000,
            skill_ids=(SKILLS[minute % 2],),
            agent_ids=(AGENTS[minute % 3 % 2],),
            close_reason=("AGENT", "CONSUMER", "SYSTEM")[minute % 3],
            message_count=2,
        )
        for minute in range(180)
    ]


def operator(**arguments: Any) -> LivePersonMetricsOperator:
    return LivePersonMetricsOperator(task_id="measure", **arguments)


def execute(context: Any = None, **arguments: Any) -> Any:
    run: Any = INTERVAL if context is None else context
    return operator(**arguments).execute(run)


@pytest.fixture
def fast_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client that an operator makes gets a clock that starts now and on which waits take no time."""
    monkeypatch.setattr(client_module, "Clock", lambda: FakeClock(time.time()))


@pytest.fixture
def lp(serve: Any) -> Any:
    return serve(account=Account.of(conversations()))


def asked(sandbox: Any) -> list[Any]:
    return [seen for seen in sandbox.requests if OPERATIONS in seen.path]


# What it does.


def test_the_hour_of_the_run_is_measured(lp: Any) -> None:
    (row,) = execute()
    truth = lp.account.resolved_truth(ms(START), ms(END))[None, None]
    assert {name: row[name] for name in truth} == truth
    assert row["totalResolvedConversations"] == 60
    assert (row["interval_start"], row["interval_end"]) == (START.isoformat(), END.isoformat())
    assert (row["report"], row["account_id"], row["level"]) == ("messaging_conversation", "12345678", "account")
    json.dumps(row)


def test_skills_and_agents_get_rows_of_their_own(lp: Any) -> None:
    rows = execute(skill_ids="all", agent_ids="all", interval=30)
    truth = [
        lp.account.resolved_truth(ms(START) + half * HOUR // 2, ms(START) + (half + 1) * HOUR // 2) for half in (0, 1)
    ]
    found = {
        (row["interval_start"], row["skill_id"], row["agent_id"]): row["totalResolvedConversations"] for row in rows
    }
    assert found == {
        ((START + half * timedelta(minutes=30)).isoformat(), *subject): metrics["totalResolvedConversations"]
        for half in (0, 1)
        for subject, metrics in truth[half].items()
    }


@pytest.mark.parametrize(
    ("context", "arguments"),
    [
        ({}, {"start": START, "end": END}),
        ({}, {"start": START.isoformat(), "end": END.isoformat()}),
        ({"logical_date": pendulum.instance(END)}, {"window": timedelta(hours=1)}),
        ({"dag_run": SimpleNamespace(run_after=pendulum.instance(END))}, {"window": timedelta(hours=1)}),
        ({"partition_date": pendulum.instance(START)}, {"window": timedelta(hours=1)}),
        ({"data_interval_start": END, "data_interval_end": END, "logical_date": END}, {"window": timedelta(hours=1)}),
    ],
)
def test_the_window_is_the_runs(lp: Any, context: Any, arguments: Any) -> None:
    (row,) = execute(context, **arguments)
    assert (row["interval_start"], row["interval_end"]) == (START.isoformat(), END.isoformat())
    assert row["totalResolvedConversations"] == 60


def test_a_timeframe_needs_no_window(lp: Any) -> None:
    (row,) = execute({}, timeframe=60)
    start, end = (datetime.fromisoformat(row[name]) for name in ("interval_start", "interval_end"))
    assert end - start in (timedelta(minutes=60), timedelta(minutes=65))
    assert end - timedelta(minutes=6) < datetime.now(UTC)


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_is_given_out_both_ways(lp: Any, tmp_path: Path, report: str) -> None:
    rows = execute(report=report)
    assert {row["report"] for row in rows} <= {report}
    summary = execute(report=report, path=str(tmp_path / "x.ndjson"))
    assert summary["report"] == report
    assert summary["rows"] == len(rows) == len((tmp_path / "x.ndjson").read_bytes().splitlines())


def test_the_present_needs_no_window(lp: Any) -> None:
    begun = datetime.now(UTC)
    (row, *_) = execute({}, report="current_queue_health")
    assert begun - timedelta(seconds=1) < datetime.fromisoformat(row["interval_start"]) <= datetime.now(UTC)
    assert row["interval_start"] == row["interval_end"]


def test_the_present_is_not_asked_for_the_runs_window(lp: Any) -> None:
    """It would be another report; a period is asked for with start and end."""
    execute(report="current_queue_health")
    execute(report="current_queue_health", start=START, end=END)
    now, given = asked(lp)
    assert [seen.query["v"] for seen in (now, given)] == ["2", "2"]
    assert int(now.query["toMillis"]) - int(now.query["fromMillis"]) == DAY
    assert int(now.query["toMillis"]) >= ms(END)
    assert given.query == {"v": "2", "fromMillis": str(ms(START)), "toMillis": str(ms(END))}


def test_past_windows_are_recomputed_from_conversations(serve: Any) -> None:
    first = ms(START) - 200 * DAY
    lp = serve(
        account=Account.of([Conversation(f"c{each}", first, end_ms=first + each * 60_000) for each in range(90)])
    )
    start = START - timedelta(days=200)
    (row,) = execute({}, start=start, end=start + timedelta(hours=1), source_of_truth="conversations")
    assert (row["totalResolvedConversations"], row["derived"]) == (60, True)
    assert not asked(lp)


# Where it goes.


@pytest.mark.parametrize("name", ["x.ndjson", "x.ndjson.gz", "x.csv", "x.csv.gz"])
def test_rows_are_published_with_their_summary(lp: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "some" / "folder" / name
    format = "csv" if ".csv" in name else "ndjson"
    summary = execute(path=f"file://{path}", format=format, skill_ids="all", interval=5)
    requests = len(lp.requests)
    rows = execute(skill_ids="all", interval=5)
    assert summary == {
        "path": f"file://{path}",
        "format": format,
        "compression": "gzip" if name.endswith(".gz") else None,
        "report": "messaging_conversation",
        "rows": len(rows),
        "window": {"start": START.isoformat(), "end": END.isoformat()},
        "derived": False,
        "final": True,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "requests": requests,
        "retries": 0,
    }
    json.dumps(summary)
    if format == "ndjson":
        assert [json.loads(line) for line in plain(path).splitlines()] == rows
        return
    reader = csv.DictReader(plain(path).decode().splitlines())
    assert reader.fieldnames == list(rows[0])
    assert [typed(row, rows[0]) for row in reader] == rows


def typed(cells: dict[str, str], like: dict[str, Any]) -> dict[str, Any]:
    """A row of a CSV with the types of the rows that XCom has."""
    kinds = {name: type(value) for name, value in like.items()}
    return {
        name: None
        if cell == ""
        else cell == "true"
        if kinds[name] is bool
        else kinds[name](cell)
        if kinds[name] in (int, float)
        else cell
        for name, cell in cells.items()
    }


@pytest.mark.parametrize("report", REPORTS)
def test_a_csv_has_the_reports_header_with_and_without_rows(serve: Any, tmp_path: Path, report: str) -> None:
    headers = []
    for number, some in enumerate(([], [Conversation("c", ms(START), queue_state="IN_QUEUE", agent_group_id=17)])):
        serve(account=Account.of(some))
        path = tmp_path / f"{number}.csv"
        summary = execute(report=report, path=str(path), format="csv")
        header, *lines = path.read_text().splitlines()
        assert len(lines) == summary["rows"]
        headers.append(header)
    assert headers[0] == headers[1]
    assert headers[0].startswith(
        "report,account_id,level,skill_id,agent_id,group_id,interval_start,interval_end,derived,"
    )


def test_a_rerun_gives_the_same_bytes(lp: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    first = execute(path=str(path), format="csv", skill_ids="all", agent_ids="all", interval=5)
    content = path.read_bytes()
    second = execute(path=str(path), format="csv", skill_ids="all", agent_ids="all", interval=5)
    assert path.read_bytes() == content
    assert first["sha256"] == second["sha256"]


def test_the_summary_is_the_extra_of_the_assets(lp: Any, tmp_path: Path) -> None:
    class Event:
        extra: Any = None
        added: Any = None

        def add(self, asset: Any, extra: Any) -> None:
            self.added = (asset, extra)

    asset, alias = Asset(uri="s3://bucket/metrics"), AssetAlias("metrics")
    events = {asset: Event(), alias: Event()}
    path = tmp_path / "x.ndjson"
    summary = execute({**INTERVAL, "outlet_events": events}, path=str(path), outlets=[asset, alias])
    assert events[asset].extra == summary
    assert events[alias].added == (Asset(str(path)), summary)


def test_too_much_for_xcom_fails_and_names_the_remedy(lp: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"12 rows of \d+ bytes.*max_xcom_bytes=2000.*path"):
        execute(interval=5, max_xcom_bytes=2_000)
    rows = execute(interval=5)
    size = len(json.dumps(rows, separators=(",", ":")))
    assert execute(interval=5, max_xcom_bytes=size) == rows
    with pytest.raises(AirflowFailException, match="max_xcom_bytes"):
        execute(interval=5, max_xcom_bytes=size - 100)


def test_what_goes_to_a_path_may_be_larger(lp: Any, tmp_path: Path) -> None:
    assert execute(interval=5, max_xcom_bytes=1, path=str(tmp_path / "x.ndjson"))["rows"] == 12


# Templates.


def test_templates_may_fill_what_an_author_would_template() -> None:
    assert set(LivePersonMetricsOperator.template_fields) >= {
        "report", "start", "end", "timeframe", "interval", "skill_ids", "agent_ids", "group_ids", "user_type", "source",
        "metrics", "path", "storage_conn_id", "format", "source_of_truth", "liveperson_conn_id",
    }  # fmt: skip


def rendered(context: Any, arguments: dict[str, Any], *, native: bool = False) -> LivePersonMetricsOperator:
    made = operator(dag=DAG("some", schedule=None, render_template_as_native_obj=native), **arguments)
    made.render_template_fields(context)
    return made


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize(
    "skills",
    [[12, 9_007_199_254_740_993], ["12", "9007199254740993"], "12,9007199254740993", "12, 9007199254740993"],
)
def test_lists_and_numbers_may_come_from_templates(lp: Any, native: bool, skills: Any) -> None:
    made = rendered(
        {"skills": skills, "minutes": 30},
        {
            "skill_ids": "{{ skills }}",
            "agent_ids": ["{{ '4294967301' }}"],
            "interval": "{{ minutes }}",
            "start": "{{ '" + START.isoformat() + "' }}",
            "end": END.isoformat(),
            "report": "{{ 'messaging' }}_conversation",
        },
        native=native,
    )
    rows = made.execute(NO_RUN)
    assert {row["skill_id"] for row in rows} == {None, "12", "9007199254740993"}
    assert {row["agent_id"] for row in rows if row["level"] == "agent"} == {"4294967301"}
    assert len({row["interval_start"] for row in rows}) == 2


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("skill", [12, "12", ["12"], (12,)])
def test_one_id_may_come_from_a_template(lp: Any, native: bool, skill: Any) -> None:
    rows = rendered({"skill": skill}, {"skill_ids": "{{ skill }}"}, native=native).execute(INTERVAL)
    assert {row["skill_id"] for row in rows} == {None, "12"}


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
def test_all_and_numbers_of_a_timeframe_may_come_from_templates(lp: Any, native: bool) -> None:
    made = rendered(
        {"every": "all", "back": 240, "step": "60"},
        {"skill_ids": "{{ every }}", "timeframe": "{{ back }}", "interval": "{{ step }}"},
        native=native,
    )
    rows = made.execute(NO_RUN)
    assert {row["skill_id"] for row in rows} == {None, *map(str, SKILLS)}
    assert asked(lp)[0].query["timeframe"] == "240"
    assert asked(lp)[0].query["interval"] == "60"


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize(
    ("hour", "half"), [("PT1H", "PT30M"), (timedelta(hours=1), timedelta(minutes=30)), ("1:00:00", "0:30:00")]
)
def test_lengths_of_time_may_come_as_text(lp: Any, native: bool, hour: Any, half: Any) -> None:
    context: Any = {"hour": hour, "half": half, "logical_date": pendulum.instance(END)}
    of_window = {"window": "{{ hour }}", "interval": "{{ half }}", "max_age": "{{ hour }}"}
    rows = rendered(context, {**of_window, "source_of_truth": "conversations"}, native=native).execute(context)
    assert [row["interval_start"] for row in rows] == [
        START.isoformat(),
        (START + timedelta(minutes=30)).isoformat(),
    ]
    rendered(context, {"timeframe": "{{ hour }}", "interval": "{{ half }}"}, native=native).execute(context)
    assert {name: asked(lp)[0].query[name] for name in ("timeframe", "interval")} == {
        "timeframe": "60",
        "interval": "30",
    }


def test_names_of_metrics_and_channels_may_come_from_templates(lp: Any) -> None:
    made = rendered(
        {"names": ["interactiveAgentSegments"], "channels": "APP,SMS"},
        {
            "report": "agent_segments",
            "timeframe": 60,
            "metrics": "{{ names }}",
            "source": "{{ channels }}",
            "user_type": "{{ 'human' }}",
        },
    )
    made.execute(NO_RUN)
    (seen,) = asked(lp)
    assert {name: seen.query[name] for name in ("metrics", "source", "userType")} == {
        "metrics": "interactiveAgentSegments",
        "source": "APP,SMS",
        "userType": "human",
    }


@pytest.mark.parametrize(
    "field", ["skill_ids", "agent_ids", "group_ids", "interval", "timeframe", "start", "path", "format", "report"]
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_template_without_a_value_fails_and_names_the_argument(lp: Any, field: str, nothing: Any) -> None:
    """Never does it mean the default: more would be measured than was meant, or something else."""
    more = {"end": END} if field == "start" else {}
    with pytest.raises(AirflowFailException, match=field):
        rendered({"nothing": nothing}, {field: "{{ nothing }}", **more}).execute(INTERVAL)
    assert not asked(lp)


def test_an_operator_can_be_copied() -> None:
    made = copy.deepcopy(operator(path="/x.csv", format="csv", skill_ids=["12"], timeframe=timedelta(hours=1)))
    assert (made.path, made.format, made.skill_ids, made.timeframe) == ("/x.csv", "csv", ["12"], timedelta(hours=1))


# What fails, and how.


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"report": "conversations"}, "report="),
        ({"report": ["messaging_conversation"]}, "report="),
        ({"report": None}, "report="),
        ({"timeframe": 60, "start": START, "end": END}, "timeframe="),
        ({"timeframe": 60, "start": START}, "timeframe="),
        ({"timeframe": 0}, "timeframe"),
        ({"timeframe": "soon"}, "timeframe"),
        ({"timeframe": timedelta(seconds=90)}, "timeframe"),
        ({"timeframe": 1441}, "timeframe"),
        ({"interval": 7}, "interval"),
        ({"interval": 61}, "interval"),
        ({"interval": "often"}, "interval"),
        ({"start": START}, "end is missing"),
        ({"start": "2026-03-10T00:00:00", "end": END}, "time zone"),
        ({"start": END, "end": START}, "not after"),
        ({"start": END + timedelta(days=1), "end": END + timedelta(days=2)}, "future"),
        ({"skill_ids": []}, "skill_ids"),
        ({"skill_ids": ["a b"]}, "skill_ids"),
        ({"agent_ids": "all,12"}, "agent_ids"),
        ({"user_type": "human"}, "user_type has no meaning"),
        ({"source": "APP"}, "source has no meaning"),
        ({"metrics": "queue"}, "metrics has no meaning"),
        ({"breakdown": False}, "breakdown has no meaning"),
        ({"overdue_conversations": True}, "overdue_conversations has no meaning"),
        ({"include_sub_groups": True}, "include_sub_groups has no meaning"),
        ({"report": "csat_distribution", "interval": 5}, "interval has no meaning"),
        ({"report": "queue_health", "agent_ids": "all"}, "agent_ids has no meaning"),
        ({"report": "queue_health", "source_of_truth": "conversations"}, "source_of_truth has no meaning"),
        ({"report": "current_queue_health", "timeframe": 60}, "timeframe has no meaning"),
        ({"report": "queue_health_by_group", "start": START, "end": END}, "start and end"),
        ({"report": "queue_health_by_group", "timeframe": 90}, "whole hours"),
        ({"source_of_truth": "rumour"}, "source_of_truth="),
        ({"source_of_truth": "conversations", "timeframe": 60}, "timeframe"),
        ({"source_of_truth": "conversations", "max_age": "often"}, "max_age"),
        ({"source_of_truth": "conversations", "max_age": -5}, "max_age"),
        ({"timeframe": "PT90S"}, "timeframe"),
        ({"timeframe": "P1M"}, "timeframe"),
        ({"timeframe": "60.0"}, "timeframe"),
        ({"interval": "0:07:30"}, "interval"),
        ({"format": "parquet"}, "format="),
        ({"path": "/x.csv"}, "promises csv"),
        ({"path": "/x.ndjson", "format": "csv"}, "promises ndjson"),
        ({"path": "relative.ndjson"}, "path="),
        ({"path": "/folder/"}, "path="),
        ({"path": ""}, "path="),
        ({"path": "/x.ndjson.bz2"}, "path="),
        ({"path": "/proc/nowhere/x.ndjson"}, "cannot be written"),
        ({"max_xcom_bytes": 0}, "max_xcom_bytes="),
        ({"max_xcom_bytes": "1000"}, "max_xcom_bytes="),
        ({"window": timedelta(0)}, "window="),
    ],
)
def test_a_wrong_argument_fails_without_retries_and_without_a_request(lp: Any, arguments: Any, named: str) -> None:
    with pytest.raises(AirflowFailException, match=named):
        execute(**arguments)
    assert not lp.requests


@pytest.mark.parametrize("context", [{}, {"data_interval_start": END, "data_interval_end": END, "logical_date": END}])
@pytest.mark.parametrize("report", ["messaging_conversation", "queue_health", "skill_segments", "csat_distribution"])
def test_a_run_without_a_window_fails_instead_of_measuring_nothing(lp: Any, context: Any, report: str) -> None:
    with pytest.raises(AirflowFailException, match="does not say which period"):
        execute(context, report=report)
    assert not lp.requests


@pytest.mark.parametrize("report", ["messaging_conversation", "queue_health", "skill_segments", "agent_segments"])
def test_a_run_that_comes_too_late_fails_without_retries_and_says_so(lp: Any, tmp_path: Path, report: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    day = {"start": START - timedelta(days=2), "end": START - timedelta(days=1)}
    with pytest.raises(AirflowFailException, match=r"after the window's end.*0 \* \* \* \*"):
        execute(report=report, path=str(path), **day)
    with pytest.raises(AirflowFailException, match=r"its first .* out of"):
        execute(report=report, path=str(path), start=START - timedelta(days=1), end=END)
    assert not lp.requests
    assert path.read_text() == "earlier"


def test_a_path_that_cannot_be_written_fails_before_anything_is_asked_for(lp: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AirflowFailException, match="cannot be written"):
        execute(path=str(tmp_path / "file" / "x.ndjson"))
    assert not asked(lp)


def test_credentials_that_are_refused_are_final_and_name_the_connection(lp: Any, monkeypatch: Any) -> None:
    extra = {"account_id": "12345678", "client_id": lp.credentials["client_id"], "client_secret": "another"}
    described = {"conn_type": "liveperson", "host": lp.url, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
    with pytest.raises(AirflowFailException, match="'liveperson_default'"):
        execute()
    assert not asked(lp)


def test_a_permission_that_is_missing_is_final_and_names_the_connection(lp: Any) -> None:
    lp.add_fault(Fault("forbidden", times=None, path=OPERATIONS))
    with pytest.raises(AirflowFailException, match="'liveperson_default'"):
        execute()
    assert [seen.query["v"] for seen in asked(lp)] == ["1", "2"]


def test_a_connection_that_is_not_found_is_left_to_airflows_retries() -> None:
    with pytest.raises(LivePersonConnectionNotFoundError, match="nowhere"):
        execute(liveperson_conn_id="nowhere")


@pytest.mark.parametrize("kind", ["throttle", "error_503", "cut_body", "not_json", "cut_connection"])
def test_trouble_that_passes_is_lived_through(lp: Any, fast_now: None, tmp_path: Path, kind: str) -> None:
    lp.add_fault(Fault(kind, path=OPERATIONS))
    summary = execute(path=str(tmp_path / "x.ndjson"))
    (row,) = (json.loads(line) for line in (tmp_path / "x.ndjson").read_bytes().splitlines())
    assert row["totalResolvedConversations"] == 60
    assert summary["retries"] == 1


@pytest.mark.parametrize("kind", ["throttle", "error_500", "cut_body", "not_json"])
def test_trouble_that_lasts_is_raised_as_it_is(lp: Any, fast_now: None, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.ndjson.gz"
    path.write_text("earlier")
    lp.add_fault(Fault(kind, times=None, path=OPERATIONS))
    with pytest.raises(LivePersonError) as caught:
        execute(path=str(path))
    assert caught.value.retry_helps
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
    assert not isinstance(caught.value, LivePersonIncompleteDataError)


def test_trouble_in_the_middle_of_many_requests_leaves_nothing(lp: Any, fast_now: None, tmp_path: Path) -> None:
    lp.add_fault(Fault("error_500", times=None, after=2, path=OPERATIONS))
    with pytest.raises(LivePersonServerError):
        execute(path=str(tmp_path / "x.ndjson"), skill_ids=[str(number) for number in range(2_000)])
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_is_told_to_end_asks_for_nothing_more(lp: Any, tmp_path: Path) -> None:
    made = operator(path=str(tmp_path / "x.ndjson"), skill_ids=[str(number) for number in range(5_000)])
    closed_between = lp.account.closed_between

    def stopping(*arguments: int) -> Any:
        made.on_kill()
        return closed_between(*arguments)

    lp.account.closed_between = stopping
    with pytest.raises(LivePersonError):
        made.execute(INTERVAL)
    assert len(asked(lp)) <= 4
    assert list(tmp_path.iterdir()) == []


# What it says.


def test_a_window_that_is_not_final_is_said_to_be_so(lp: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now, path = datetime.now(UTC), f"{tmp_path}/x.ndjson"
    assert execute({}, start=now - timedelta(hours=1), end=now + timedelta(hours=1), path=path)["final"] is False
    assert "not final" in caplog.text
    caplog.clear()
    assert execute({}, timeframe=60, path=path)["final"] is None
    assert execute(path=path)["final"] is True
    assert "not final" not in caplog.text
    assert START.isoformat() in caplog.text


def test_logs_hold_no_secrets(lp: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    execute(path=str(tmp_path / "x.ndjson"), skill_ids="all")
    assert "Published 7 rows" in caplog.text
    assert lp.credentials["client_secret"] not in caplog.text
    assert calls(lp, "/msgconversation")


def test_a_period_out_of_reach_may_skip_the_task_instead_of_failing_it(serve: Any, tmp_path: Path) -> None:
    sandbox = serve(*conversations())
    end = END - timedelta(hours=40)
    given = {"task_id": "export", "path": f"{tmp_path}/x.ndjson", "start": end - timedelta(hours=1), "end": end}
    with pytest.raises(AirflowFailException, match="reaches further back than 24 h"):
        LivePersonMetricsOperator(**given).execute({})
    with pytest.raises(AirflowSkipException, match=r"Skipping instead of failing: The window .* 24 h"):
        LivePersonMetricsOperator(**given, skip_if_out_of_reach=True).execute({})
    assert calls(sandbox, OPERATIONS) == []
    assert list(tmp_path.iterdir()) == []
    # What else is wrong with a period, or with the arguments, fails as ever.
    for wrong in ({"end": end - timedelta(hours=2)}, {"interval": 7}):
        with pytest.raises(AirflowFailException):
            LivePersonMetricsOperator(**{**given, **wrong}, skip_if_out_of_reach=True).execute({})
    recomputed = LivePersonMetricsOperator(**given, skip_if_out_of_reach=True, source_of_truth="conversations")
    assert recomputed.execute({"outlet_events": {}})["derived"] is True
