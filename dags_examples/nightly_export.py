"""
Every night: all conversations that *started* the day before, transcripts included, as one object a day.

It needs the connection ``liveperson_default`` and a pool for tasks that call LivePerson:

    airflow pools set liveperson 2 "Tasks that call LivePerson"

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``.

* **To change:** ``TIME_ZONE``, whose days are exported; they have 23 or 25 hours where clocks change.
* **By hand:** a run without a date exports the last whole day. A run with a date exports the day *before* that date.
* **Days of the past:** ``airflow backfill create --dag-id liveperson_nightly_export --from-date 2026-01-01 --to-date
  2026-01-31`` exports these days, the last one included; in another time zone, give their midnights there:
  ``2026-01-01T00:00+01:00``.
* **After it:** ``schedule=[Asset("liveperson_conversations_started")]`` starts a DAG of yours once a day is there.

Conversations that are still open when the day is exported are in its object as they were then. For transcripts that
no longer change, see ``nightly_closed.py``.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.sensors.conversations import LivePersonWindowReadySensor

try:
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset

TIME_ZONE = "UTC"
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"

with DAG(
    dag_id="liveperson_nightly_export",
    # A timetable with data intervals: each run covers the day before it. On Airflow 3 a plain "@daily" has none.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone=TIME_ZONE),
    start_date=pendulum.datetime(2020, 1, 1, tz=TIME_ZONE),
    catchup=False,
    max_active_runs=1,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:
    # LivePerson shows what happened up to a minute late: give the last minutes of the day time to arrive.
    day_is_ready = LivePersonWindowReadySensor(
        task_id="day_is_ready",
        delay=timedelta(minutes=5),
        settling_time=timedelta(seconds=2),
        mode="reschedule",
        poke_interval=60,
        timeout=timedelta(hours=6),
        pool="liveperson",
    )

    export_conversations = LivePersonConversationsOperator(
        task_id="export_conversations",
        # The day that is exported, whatever date the run has.
        path=ROOT + "/started/date={start:%Y-%m-%d}/conversations.ndjson.gz",
        path_timezone=TIME_ZONE,
        outlets=[Asset("liveperson_conversations_started")],
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    )

    day_is_ready >> export_conversations
