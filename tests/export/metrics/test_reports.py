"""What each report's rows are: their columns, types and nulls."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonTransportError
from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import answering, measured
from tests.exported import connect
from tests.fake_clock import FakeClock
from tests.samples import NOW, at
from tests.scripted import Say, Seen

from .reported import COLUMNS, FRAMED, metrics_of


@pytest.mark.parametrize("value", [7, "7", 7.0])
@pytest.mark.parametrize("report", COLUMNS)
def test_every_documented_metric_is_a_column_of_its_type(report: str, value: Any) -> None:
    metrics = dict.fromkeys(COLUMNS[report], value)
    body = {"skillGroupMetrics": {"12": {"17": metrics}}} if "by_group" in report else {"metricsTotals": metrics}
    with answering(body) as (_, client):
        (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    found = metrics_of(row)
    assert list(found) == list(COLUMNS[report])
    assert {name: type(each) for name, each in found.items()} == COLUMNS[report]
    assert {found[name] for name in found if name != "csat_score"} == {7}


@pytest.mark.parametrize("report", COLUMNS)
def test_no_data_is_null_in_every_column_and_zero_is_zero(report: str) -> None:
    for value in (-1, "-1", None, "NA", 0, "0"):
        metrics = dict.fromkeys(COLUMNS[report], value)
        body = {"skillGroupMetrics": {"12": {"17": metrics}}} if "by_group" in report else {"metricsTotals": metrics}
        with answering(body) as (_, client):
            (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
        assert set(metrics_of(row).values()) == ({0} if value in (0, "0") else {None})


def test_fractions_of_queues_stay() -> None:
    with answering({"metricsTotal": {"unassignedConversations": 2.5}}) as (_, client):
        (row,) = measured(client, "queue_health", timeframe=60)
    assert row["unassignedConversations"] == 2.5


@pytest.mark.parametrize("report", COLUMNS)
def test_what_nobody_documented_is_passed_on_where_it_is_not_added(report: str) -> None:
    extra = {
        "zeta": -1,
        "alpha": "some text",
        "nested": {"x": 1},
        "rate": 0.5,
        "count": "5",
        "share": "-1.0",
        "on": True,
        "large": 10**400,
        "void": "a\0b",
    }
    body = {"skillGroupMetrics": {"12": {"17": extra}}} if "by_group" in report else {"metricsTotals": extra}
    with answering(body) as (_, client):
        (row,) = measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    assert list(row.items())[9 + len(COLUMNS[report]) :] == [
        ("alpha", "some text"), ("count", 5), ("large", None), ("on", True), ("rate", 0.5), ("share", None),
        ("void", "a\ufffdb"), ("zeta", None),
    ]  # fmt: skip


@pytest.mark.parametrize("report", [name for name in COLUMNS if name != "csat_distribution"])
def test_an_empty_answer_is_no_row_if_a_second_says_so(report: str) -> None:
    """A queue that LivePerson says nothing of is not one of zero."""
    query = {"timeframe": 60} if report in FRAMED else {}
    with answering({}) as (server, client):
        assert measured(client, report, **query) == []
        assert len(server.calls) == 2
    metrics = {"12": dict.fromkeys(COLUMNS[report], 7)}
    body = {"skillGroupMetrics": {"3": metrics}} if "by_group" in report else {"metricsTotals": metrics["12"]}
    answers: Any = iter([{}, body])
    with answering(lambda _: next(answers)) as (_, client):
        assert len(measured(client, report, **query)) == 1


@pytest.mark.parametrize("report", COLUMNS)
def test_no_content_is_no_answer(report: str) -> None:
    with answering(Say(204)) as (server, client), pytest.raises(LivePersonTransportError, match="HTTP 204"):
        measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
    assert len(server.calls) > 1


# On a generated account.


@pytest.mark.parametrize("report", ["csat_distribution", *COLUMNS])
def test_a_generated_account_has_all_of_it(report: str) -> None:
    account = Account(now=NOW, days=3, per_day=400)
    with Sandbox(account=account) as sandbox, connect(sandbox, FakeClock()) as client:
        rows = measured(client, report, **({"timeframe": 1440} if report in FRAMED else {}))
    assert rows
    for row in rows:
        for name, kind in COLUMNS[report].items():
            assert row[name] is None or type(row[name]) is kind
        assert -1 not in metrics_of(row).values()


@pytest.mark.parametrize(
    ("report", "query", "named"),
    [
        ("csat_distribution", {"interval": 5}, "interval"),
        ("csat_distribution", {"group_ids": "all"}, "group_ids"),
        ("queue_health", {"agent_ids": "all"}, "agent_ids"),
        ("queue_health", {"group_ids": ["17"]}, "group_ids"),
        ("queue_health", {"user_type": "all"}, "user_type"),
        ("queue_health", {"interval": 7}, "interval"),
        ("queue_health", {"interval": 4}, "interval"),
        ("current_queue_health", {"interval": 5}, "interval"),
        ("current_queue_health", {"agent_ids": "all"}, "agent_ids"),
        ("current_queue_health", {"metrics": ["interactiveAgentSegments"]}, "metrics"),
        ("current_queue_health", {"breakdown": "no"}, "breakdown"),
        ("queue_health_by_group", {"breakdown": False}, "breakdown"),
        ("queue_health_by_group", {"metrics": ["queue"]}, "metrics"),
        ("skill_segments", {"source": "APP"}, "source"),
        ("skill_segments", {"agent_ids": "all"}, "agent_ids"),
        ("skill_segments", {"user_type": "humans"}, "user_type"),
        ("skill_segments", {"interval": 7}, "interval"),
        ("agent_segments", {"source": "app"}, "source"),
        ("agent_segments", {"overdue_conversations": True}, "overdue_conversations"),
        ("messaging_conversation", {"metrics": ["all"]}, "metrics"),
        ("messaging_conversation", {"include_sub_groups": True}, "include_sub_groups"),
        ("messaging_conversation", {"interval": 7}, "interval"),
        ("messaging_conversation", {"interval": 12}, "interval"),
        ("messaging_conversation", {"interval": 25}, "interval"),
        ("messaging_conversation", {"skill_ids": []}, "skill_ids"),
        ("conversations", {}, "report"),
        ([], {}, "report"),
    ],
)
def test_what_has_no_meaning_for_a_report_is_refused(report: Any, query: dict[str, Any], named: str) -> None:
    with answering({}) as (server, client):
        with pytest.raises(LivePersonConfigurationError, match=named):
            measured(client, report, window=Window(at(20, 10), at(20, 11)), **query)
        assert not server.requests


def test_the_period_is_needed_where_the_report_is_about_one() -> None:
    with answering({}) as (_, client):
        for report in FRAMED:
            with pytest.raises(LivePersonConfigurationError, match="period"):
                measured(client, report)


def test_each_request_is_one_of_the_reports_own_path() -> None:
    def respond(seen: Seen) -> Say:
        return Say(body={"metricsTotals": {"x": 0}})

    paths = {}
    for report in COLUMNS:
        with answering(respond) as (server, client):
            measured(client, report, **({"timeframe": 60} if report in FRAMED else {}))
            paths[report] = [urlsplit(seen.path).path.partition("12345678/")[2] for seen in server.calls]
            assert all(dict(parse_qsl(urlsplit(seen.path).query))["v"] == "1" for seen in server.calls)
    assert paths == {
        "csat_distribution": ["msgcsatdistribution"],
        "queue_health": ["msgqueuehealth"],
        "current_queue_health": ["msgqueuehealth/current/"],
        "queue_health_by_group": ["msgqueuehealthbygroup/current/"],
        "skill_segments": ["msgskillsegments"],
        "agent_segments": ["msgagentsegments"],
    }
