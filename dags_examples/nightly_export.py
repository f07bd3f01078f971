"""
Every night: all conversations that *started* the day before, transcripts included, as one object a day.

It needs the connection ``liveperson_default`` and a pool for tasks that call LivePerson:

    airflow pools set liveperson 2 "Tasks that call LivePerson"

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``.

Conversations that are still open when the day is exported are in its object as they were then. For transcripts that
no longer change, see ``nightly_closed.py``.

The days are those of ``TIME_ZONE``, with 23 or 25 hours where clocks change. The operator's ``window`` would not do for
that: it is a length of time, and no calendar day.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task

#: Whose days are exported, and named in the path: such as "Europe/Berlin".
TIME_ZONE = "UTC"
# Airflow's own moments are in UTC, where midnight in Berlin still is the day before.
DAY = f"{{{{ data_interval_start.in_timezone('{TIME_ZONE}') | ds }}}}"
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"

with DAG(
    dag_id="liveperson_nightly_export",
    # A timetable with data intervals: each run covers the day before it. On Airflow 3 a plain "@daily" has none.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone=TIME_ZONE),
    start_date=pendulum.datetime(2026, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:

    @task.sensor(poke_interval=60, timeout=3600, mode="reschedule")
    def day_has_settled(data_interval_end: pendulum.DateTime) -> bool:
        """LivePerson shows what happened up to a minute late: give the last minutes of the day time to arrive."""
        return pendulum.now("UTC") >= data_interval_end + timedelta(minutes=5)

    export_conversations = LivePersonConversationsOperator(
        task_id="export_conversations",
        path=f"{ROOT}/started/date={DAY}/conversations.ndjson.gz",
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    )

    day_has_settled() >> export_conversations
