"""What runs know of their time, and what the schedule says where they know nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.timetables.interval import CronDataIntervalTimetable
from airflow.timetables.trigger import CronTriggerTimetable

from airflow_provider_lp.operators.context import moments_of
from tests.operators.conftest import DAG

#: Two days after clocks went forward in Berlin.
NOW = datetime(2026, 3, 31, 12, 30, 1, 5, tzinfo=UTC)


def last_interval(schedule: Any) -> list[str]:
    context: Any = {"dag": DAG("some", schedule=schedule, start_date=NOW), "dag_run": SimpleNamespace(run_after=NOW)}
    find = moments_of(context).last_interval
    assert find is not None
    return [moment.isoformat() for moment in find() or ()]


def declared(zone: str) -> Any:
    """A timetable as Airflow 3 lets DAGs declare it, without what counts."""
    sdk = pytest.importorskip("airflow.sdk")
    if not hasattr(sdk, "CronDataIntervalTimetable"):
        pytest.skip("Airflow declares its timetables since 3.2")
    return sdk.CronDataIntervalTimetable("0 0 * * *", timezone=zone)


@pytest.mark.parametrize("timetable", [lambda zone: CronDataIntervalTimetable("0 0 * * *", timezone=zone), declared])
def test_it_is_the_last_whole_local_day_before_the_run(timetable: Any) -> None:
    assert last_interval(timetable("Europe/Berlin")) == ["2026-03-29T22:00:00+00:00", "2026-03-30T22:00:00+00:00"]
    assert last_interval(timetable("UTC")) == ["2026-03-30T00:00:00+00:00", "2026-03-31T00:00:00+00:00"]


def test_a_schedule_without_intervals_has_none() -> None:
    assert last_interval(CronTriggerTimetable("0 0 * * *", timezone="UTC")) == []
    assert last_interval(None) == []


def test_without_schedule_or_moment_nobody_is_asked() -> None:
    no_schedule: Any = {"dag_run": SimpleNamespace(run_after=NOW)}
    no_moment: Any = {"dag": DAG("some", schedule=None), "dag_run": SimpleNamespace()}
    assert moments_of(no_schedule).last_interval is None
    assert moments_of(no_moment).last_interval is None
