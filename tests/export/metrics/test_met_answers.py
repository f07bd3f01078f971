"""Answers of reports as people have really met them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError
from airflow_provider_lp.windows import Window
from tests.export.metrics.helpers import answering, measured
from tests.samples import HOUR, at
from tests.scripted import Say

from .reported import COLUMNS, NOW_MS

CASES = Path(__file__).parents[2] / "cases"


def case(name: str) -> bytes:
    return (CASES / f"metrics_{name}.json").read_bytes()


def test_current_queues_as_accounts_have_them() -> None:
    with answering(Say(body=case("current_queue"))) as (_, client):
        rows = measured(client, "current_queue_health")
    assert [(row["level"], row["skill_id"]) for row in rows] == [
        ("account", None), ("skill", "1000000001"), ("skill", "1000000002"),
    ]  # fmt: skip
    assert {row["actionableConversations"] for row in rows} == {3}
    assert {row["avgWaitTimeForAgentAssignment_NewConversation"] for row in rows} == {None}
    assert rows[1]["time"] == 1_767_225_600_012


@pytest.mark.parametrize("interval", [None, 60])
def test_flat_summaries_and_intervals_are_the_accounts(interval: int | None) -> None:
    with answering(Say(body=case("flat_summary_and_rows")), 1_767_225_600_000 + HOUR) as (_, client):
        (row,) = measured(client, "queue_health", timeframe=60, interval=interval)
    assert (row["level"], row["interval_start"]) == ("account", "2026-01-01T00:00:00+00:00")
    assert (row["unassignedConversations"], row["maxWaitTimeForAgentAssignment"]) == (3, 2_000_000)
    assert row["avgWaitTimeForAgentAssignment_NewConversation"] is None


@pytest.mark.parametrize("query", [{"timeframe": 60}, {"window": Window(at(20, 12), at(20, 12, 30))}])
def test_an_average_of_nothing_is_null(query: dict[str, Any]) -> None:
    with answering(Say(body=case("nan_average")), at(20, 12, 32)) as (_, client):
        (row,) = measured(client, "messaging_conversation", **query)
    assert (row["totalResolvedConversations"], row["avgTime_resolvedConversations"]) == (0, None)


@pytest.mark.parametrize("query", [{"timeframe": 60}, {"window": Window(at(20, 12), at(20, 12, 30))}])
def test_a_quiet_hour_is_no_broken_answer(query: dict[str, Any]) -> None:
    with answering(Say(body=case("quiet_hour")), at(20, 12, 32)) as (server, client):
        (row,) = measured(client, "messaging_conversation", **query)
        assert len(server.calls) == 2
    assert row["totalResolvedConversations"] == 0


@pytest.mark.parametrize("report", [*COLUMNS, "messaging_conversation"])
def test_numbers_of_which_none_can_be_taken_are_no_empty_success(report: str) -> None:
    query = {} if "current" in report or "by_group" in report else {"timeframe": 60}
    intervals = {"metricsByIntervals": [{"timestamp": NOW_MS, "metricsData": {"metricsTotals": {"x": 1}}}]}
    for body in ({"queues": {"12": {"waiting": 4}}}, intervals):
        with answering(body) as (_, client), pytest.raises((LivePersonTransportError, LivePersonIncompleteDataError)):
            measured(client, report, **query)


def test_totals_that_are_missing_are_those_of_the_first_section() -> None:
    body = {"skillsMetrics": {str(skill): {"total_answers": skill} for skill in (1, 2)}}
    with answering(body) as (_, client):
        rows = measured(client, "csat_distribution", timeframe=60)
    assert [(row["level"], row["total_answers"]) for row in rows] == [("account", 3), ("skill", 1), ("skill", 2)]
