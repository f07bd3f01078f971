from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from airflow_provider_lp.sandbox import Conversation

from .caller import NOW, Caller, at, ms

METHOD = "msgcsatdistribution"
ALL = {"skillIds": "all", "agentIds": "all"}


def expected(scores: Iterable[int]) -> dict[str, float]:
    given = list(scores)
    metrics: dict[str, float] = {f"csat_score{score}_answers": given.count(score) for score in (1, 2, 3, 4, 5)}
    positive = given.count(4) + given.count(5)
    metrics |= {"total_answers": len(given), "positive_answers": positive}
    return metrics | {"csat_score": positive / len(given) if given else 0}


def surveyed(name: str, minute: int, csat: int | None, *, skill: int = 7, agent: str | None = "1") -> Conversation:
    return Conversation(
        name,
        at(20, 12),
        end_ms=at(20, 12, minute),
        conversation_end_ms=at(20, 12, 1),
        skill_ids=(12, skill),
        agent_ids=(agent,) if agent else (),
        queue_state="ACTIVE" if agent else "IN_QUEUE",
        csat=csat,
    )


@pytest.fixture
def asked(serve: Callable[..., Caller]) -> Caller:
    return serve(
        surveyed("a", 25, 5),
        surveyed("b", 26, 1, skill=9),
        surveyed("c", 30, 4, agent="2"),
        surveyed("silent", 31, None),
        surveyed("unserved", 32, 2, skill=9, agent=None),
        surveyed("later", 35, 3),
    )


def test_answers_count_when_they_are_given(asked: Caller) -> None:
    assert asked.measured(METHOD, timeframe=5) == {"metricsTotals": expected([5, 1, 4, 2])}
    assert asked.measured(METHOD, timeframe=4) == {"metricsTotals": expected([4, 2])}


def test_skills_and_agents_are_the_last_ones(asked: Caller) -> None:
    assert asked.measured(METHOD, timeframe=60, **ALL) == {
        "skillsMetricsPerAgent": {
            "metricsPerSkill": {
                "7": {"metricsPerAgent": {"1": expected([5]), "2": expected([4])}, "metricsTotals": expected([4, 5])},
                "9": {"metricsPerAgent": {"1": expected([1])}, "metricsTotals": expected([1, 2])},
            },
            "metricsTotals": expected([5, 4, 1, 2]),
        },
        "agentsMetrics": {
            "metricsPerAgent": {"1": expected([5, 1]), "2": expected([4])},
            "metricsTotals": expected([5, 1, 4]),
        },
    }


def test_without_answers_maps_are_empty_and_totals_zero(asked: Caller) -> None:
    assert set(expected([]).values()) == {0}
    assert asked.measured(METHOD, timeframe=60, skillIds="12", agentIds="3") == {
        "skillsMetricsPerAgent": {"metricsPerSkill": {}, "metricsTotals": expected([])},
        "agentsMetrics": {"metricsPerAgent": {}, "metricsTotals": expected([])},
    }


def test_the_account_knows_the_truth(steady: Caller) -> None:
    account = steady.sandbox.account
    scores = [
        each.csat for each in account.conversations() if each.csat is not None and at(18) <= (each.end_ms or 0) < at(19)
    ]
    truth = account.csat_truth(at(18), at(19))
    assert truth[None, None] == expected(scores)
    assert len(scores) > 5
    query = "report=csat_distribution&start=2026-03-18T00:00:00Z&end=2026-03-19T00:00:00Z"
    rows = steady.get(f"/sandbox/truth?{query}").json()["rows"]
    assert {(row.pop("skill_id"), row.pop("agent_id")): row for row in rows} == truth


def test_frames_are_rounded_as_those_of_closed_conversations(steady: Caller) -> None:
    start_ms = (ms(NOW) - 777 * 60_000) // 300_000 * 300_000
    truth = steady.sandbox.account.csat_truth(start_ms, ms(NOW) + 1)
    assert steady.measured(METHOD, timeframe=777)["metricsTotals"] == truth[None, None]


@pytest.mark.parametrize("changed", [{"interval": "5"}, {"groupIds": "17"}, {"timeframe": None}, {"v": "2"}])
def test_only_documented_parameters_are_taken(steady: Caller, changed: dict[str, str | None]) -> None:
    refused = steady.metrics(METHOD, **({"timeframe": "60"} | changed))
    assert refused.status_code == 400
    assert next(iter(changed)) in refused.json()["message"]
