"""Counting by small requests: what an answer is believed of how much there is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from airflow_provider_lp.export import counting
from airflow_provider_lp.export.counting import count_at_most
from airflow_provider_lp.sandbox import Fault
from airflow_provider_lp.windows import Window
from tests.exported import calls, connect, query_of
from tests.fake_clock import FakeClock
from tests.samples import MARK, OAUTH2, at, crowd

DAY = Window(at(10), at(11))


@pytest.fixture
def client_of(clock: FakeClock) -> Any:
    return lambda sandbox: connect(sandbox, clock, OAUTH2)


def test_a_search_that_finds_something_is_asked_once(sandbox_of: Any, client_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    assert count_at_most(client_of(sandbox), query_of(DAY), proves_empty=True) == 3
    assert [call.query["limit"] for call in calls(sandbox)] == ["1"]


@pytest.mark.parametrize(("proves_empty", "count", "pauses"), [(True, 3, [1]), (False, 0, [])])
@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
def test_emptiness_is_proven_if_it_matters(
    sandbox_of: Any, client_of: Any, kind: str, proves_empty: bool, count: int, pauses: list[float], clock: FakeClock
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault(kind))
    assert count_at_most(client_of(sandbox), query_of(DAY), proves_empty=proves_empty) == count
    assert clock.pauses == pauses


def test_one_of_many_searches_is_proven_by_itself(sandbox_of: Any, client_of: Any) -> None:
    query = query_of(DAY, time_field="end", max_age=timedelta(days=360))
    sandbox = sandbox_of(*crowd(3))
    searches = sum(len(part.searches) for part in query.slices())
    assert count_at_most(client_of(sandbox), query, proves_empty=True) == 3
    assert searches > 1
    assert len(calls(sandbox)) == 2 * searches - 1


@pytest.mark.parametrize("time_field", ["start", "end", "latest_update"])
def test_what_is_capped_is_counted_in_parts(
    sandbox_of: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch, time_field: str
) -> None:
    monkeypatch.setattr(counting, "CAPPED_COUNT", 40)
    monkeypatch.setattr(counting, "PLANNED_COUNT", 20)
    # One every two minutes, off the marks at which neighbouring searches meet.
    sandbox = sandbox_of(*crowd(700, at(10) + 60_000, apart_ms=120_000))
    sandbox.add_fault(Fault("count_capped", rows=40, times=None))
    age = timedelta(days=1)
    query = query_of(DAY, time_field=time_field, max_age=age, now=datetime.fromisoformat("2026-03-11T00:30:00Z"))
    assert count_at_most(client_of(sandbox), query) == 700
    assert len(calls(sandbox)) < 100


def test_what_cannot_be_cut_is_counted_as_far_as_liveperson_does(
    sandbox_of: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "CAPPED_COUNT", 40)
    sandbox = sandbox_of(*crowd(50))
    assert count_at_most(client_of(sandbox), query_of(Window(at(10), at(10) + MARK))) == 50
    assert len(calls(sandbox)) == 1
