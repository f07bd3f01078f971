"""
Every hour: how many conversations were resolved and how long they took, for the account, its skills and their agents.

It needs the connection ``liveperson_default`` and a pool for tasks that call LivePerson:

    airflow pools set liveperson 2 "Tasks that call LivePerson"

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``: what LivePerson has
counted below ``metrics/live``, what was recomputed below ``metrics/recomputed``.

LivePerson holds these metrics for 24 hours, counted back from the moment it is asked. A daily run always comes too late
for the first minutes of its day; an hourly run has 23 hours to succeed, its retries and an outage included. For an hour
that came too late all the same, the export is skipped and the rows are recomputed from the conversations themselves;
such rows have ``derived`` true, and may differ a little from LivePerson's.

* **To change:** set ``FIRST_HOUR`` to the hour in which you switch the DAG on, such as ``pendulum.datetime(2026, 12, 1,
  9, tz="UTC")``. From then on every hour is exported, also those that pass while the scheduler is down. Without it, a
  run is started for the latest hour only.
* **By hand:** a run without a date exports the last whole hour. A run with a date exports the hour *before* that date.
* **Hours of the past:** ``airflow backfill create --dag-id liveperson_hourly_metrics --from-date 2026-01-01T00:00
  --to-date 2026-01-01T23:00`` recomputes them, at the price of an export of their conversations.
* **After it:** ``schedule=[Asset("liveperson_metrics_skill")]`` starts a DAG of yours once an hour is there.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator

try:
    from airflow.sdk import DAG, Asset, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task

FIRST_HOUR: pendulum.DateTime | None = None
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"
LEVELS = {"account": None, "skill": "all"}

with DAG(
    dag_id="liveperson_hourly_metrics",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=FIRST_HOUR or pendulum.datetime(2020, 1, 1, tz="UTC"),
    catchup=FIRST_HOUR is not None,
    max_active_runs=4,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:

    @task.sensor(poke_interval=60, timeout=3600, mode="reschedule")
    def hour_has_settled(dag_run=None, data_interval_end=None) -> bool:
        """LivePerson counts what happened a little late: give the last minutes of the hour time to arrive."""
        # A run without a date has no interval: it exports the last whole hour before it was due.
        end = data_interval_end or pendulum.instance(dag_run.run_after).start_of("hour")
        return pendulum.now("UTC") >= end + timedelta(minutes=5)

    settled = hour_has_settled()

    for level, skill_ids in LEVELS.items():
        path = f"level={level}/date={{start:%Y-%m-%d}}/hour={{start:%H}}/messaging_conversation.ndjson"
        export = LivePersonMetricsOperator(
            task_id=f"export_{level}_metrics",
            skill_ids=skill_ids,
            skip_if_out_of_reach=True,
            path=f"{ROOT}/metrics/live/{path}",
            outlets=[Asset(f"liveperson_metrics_{level}")],
            pool="liveperson",
            retries=6,
            retry_delay=timedelta(minutes=5),
            retry_exponential_backoff=True,
            max_retry_delay=timedelta(hours=1),
            execution_timeout=timedelta(hours=1),
        )
        recompute = LivePersonMetricsOperator(
            task_id=f"recompute_{level}_metrics",
            trigger_rule="all_skipped",
            skill_ids=skill_ids,
            source_of_truth="conversations",
            path=f"{ROOT}/metrics/recomputed/{path}",
            outlets=[Asset(f"liveperson_metrics_{level}")],
            pool="liveperson",
            retries=4,
            retry_delay=timedelta(minutes=5),
        )
        settled >> export >> recompute
