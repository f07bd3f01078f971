"""
Every hour: how many conversations were resolved and how long they took, for the account, its skills and their agents.

LivePerson holds these metrics for 24 hours, counted back from the moment it is asked. A daily run always comes too late
for the first minutes of its day; an hourly run has 23 hours to succeed, its retries and an outage included. What came
too late all the same is recomputed from the conversations themselves; such rows have ``derived`` true.

It needs the connection ``liveperson_default`` and a pool for tasks that call LivePerson:

    airflow pools set liveperson 2 "Tasks that call LivePerson"

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``. Set ``FIRST_HOUR`` to
when you deploy it: every hour from then on is exported, those too that pass while the scheduler is down.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task

FIRST_HOUR = pendulum.datetime(2026, 11, 1, tz="UTC")
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"
LEVELS = {"account": None, "skill": "all"}

with DAG(
    dag_id="liveperson_hourly_metrics",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=FIRST_HOUR,
    catchup=True,
    max_active_runs=4,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:

    @task.sensor(poke_interval=60, timeout=3600, mode="reschedule")
    def hour_has_settled(data_interval_end: pendulum.DateTime) -> bool:
        """LivePerson counts what happened a little late: give the last minutes of the hour time to arrive."""
        return pendulum.now("UTC") >= data_interval_end + timedelta(minutes=5)

    settled = hour_has_settled()

    for level, skill_ids in LEVELS.items():
        metrics = {
            "skill_ids": skill_ids,
            "path": f"{ROOT}/metrics/level={level}/date={{{{ data_interval_start | ds }}}}"
            "/hour={{ data_interval_start.strftime('%H') }}/messaging_conversation.ndjson",
            "pool": "liveperson",
        }
        export = LivePersonMetricsOperator(
            task_id=f"export_{level}_metrics",
            retries=6,
            retry_delay=timedelta(minutes=5),
            retry_exponential_backoff=True,
            max_retry_delay=timedelta(hours=1),
            execution_timeout=timedelta(hours=1),
            **metrics,
        )
        recompute = LivePersonMetricsOperator(
            task_id=f"recompute_{level}_metrics",
            source_of_truth="conversations",
            trigger_rule="all_failed",
            retries=4,
            retry_delay=timedelta(minutes=5),
            **metrics,
        )
        settled >> export >> recompute
