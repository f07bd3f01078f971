"""
Every hour: wait until LivePerson shows all of the hour, then export its conversations.

LivePerson shows what happened up to a minute late, and the hour is not over for everybody at once. The sensor waits
until two minutes after the hour, and until LivePerson's count for it stands still; then the export takes exactly the
period that the sensor has waited for. While it waits, it takes no worker: it is deferrable.

It needs the same connection, pool and variable as ``nightly_export.py``, and a triggerer (``airflow triggerer``).

* **To change:** without a triggerer, ``deferrable=True`` to ``mode="reschedule"``.
* **By hand:** a run without a date exports the last whole hour. A run with a date exports the hour *before* that date.
* **Hours of the past:** ``airflow backfill create --dag-id liveperson_wait_then_export --from-date 2026-01-01T00:00
  --to-date 2026-01-01T23:00``.
* **After it:** ``schedule=[Asset("liveperson_conversations_hourly")]`` starts a DAG of yours once an hour is there.
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

ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"

with DAG(
    dag_id="liveperson_wait_then_export",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:
    hour_is_ready = LivePersonWindowReadySensor(
        task_id="hour_is_ready",
        delay=timedelta(minutes=2),
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(minutes=50),
    )

    export_conversations = LivePersonConversationsOperator(
        task_id="export_conversations",
        start="{{ ti.xcom_pull('hour_is_ready')['start'] }}",
        end="{{ ti.xcom_pull('hour_is_ready')['end'] }}",
        # The hour that is exported, whatever date the run has; in UTC, where no hour comes twice.
        path=ROOT + "/hourly/date={start:%Y-%m-%d}/hour={start:%H}/conversations.ndjson.gz",
        outlets=[Asset("liveperson_conversations_hourly")],
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
    )

    hour_is_ready >> export_conversations
