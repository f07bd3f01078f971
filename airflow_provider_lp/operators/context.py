"""What an Airflow run knows of its time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.windows import RunMoments

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context


def moments_of(context: Context) -> RunMoments:
    """What the run knows of its time, on any Airflow."""
    values: Mapping[str, Any] = context
    dag_run = values.get("dag_run")
    return RunMoments(
        interval_start=values.get("data_interval_start"),
        interval_end=values.get("data_interval_end"),
        partition_date=values.get("partition_date"),
        logical_date=values.get("logical_date"),
        run_after=getattr(dag_run, "run_after", None),
    )
