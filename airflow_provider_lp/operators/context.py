"""What an Airflow run knows of its time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_lp import compat
from airflow_provider_lp.windows import RunMoments

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context

log = logging.getLogger(__name__)


def moments_of(context: Context) -> RunMoments:
    """What the run knows of its time, on any Airflow."""
    values: Mapping[str, Any] = context
    dag_run = values.get("dag_run")
    run_after = getattr(dag_run, "run_after", None)
    timetable = getattr(values.get("dag"), "timetable", None)
    return RunMoments(
        interval_start=values.get("data_interval_start"),
        interval_end=values.get("data_interval_end"),
        partition_date=values.get("partition_date"),
        logical_date=values.get("logical_date"),
        run_after=run_after,
        last_interval=partial(_last_interval, timetable, run_after) if timetable and run_after else None,
    )


def _last_interval(timetable: Any, run_after: datetime) -> tuple[datetime, datetime] | None:
    """
    The last whole interval of a schedule before a moment: what Airflow itself gives a run that has that moment as date.

    :return: ``None`` if the schedule has none.
    """
    import pendulum

    try:
        if not hasattr(timetable, "infer_manual_data_interval"):
            # Since Airflow 3.2, DAGs hold declarations of timetables, and what can count stands in Airflow's core.
            timetable = compat.coerce_to_core_timetable(timetable)
        interval = timetable.infer_manual_data_interval(run_after=pendulum.instance(run_after))
        start, end = interval.start.in_timezone("UTC"), interval.end.in_timezone("UTC")
    except Exception:
        # A timetable may be anybody's, and a worker of Airflow 3 may have no core.
        log.debug("The DAG's timetable gives no interval:", exc_info=True)
        return None
    if start >= end:
        return None
    log.info("This run has no data interval: taking the last one of its schedule, %s to %s.", start, end)
    return start, end
