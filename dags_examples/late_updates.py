"""
Every night: each day again whose conversations were updated the day before, up to 90 days back.

A conversation that started on Monday may get its last message on Wednesday and its survey on Friday. The first DAG
exports what was updated since the day before, and tells of each day on which such a conversation has started, by a
partition of the asset ``liveperson_updated``. The second DAG runs once for each of these days, and exports that day
again, whole, to the path of ``nightly_export.py``. The day before is one of them, if it had conversations: these two
replace that DAG.

What was updated is kept too, for whoever merges it into a table: a conversation is in it as often as it was updated,
and the last one counts.

It needs Airflow 3.3, and the connection, the pool and the variable of ``nightly_export.py``. Its days are those of UTC.
An older Airflow has the first DAG only.

* **To change:** ``redact``, ``filters`` and the like must be the same in both exports.
* **How far back** the first one looks says its ``max_age``: 90 days.
* **A night that failed** must be cleared: each run looks for its own day's updates only.
* **By hand:** the first DAG, without a date, finds what was updated on the last whole day; with a date, on the day
  *before* that date. The second one fails at once unless its run has a partition, such as ``2026-01-31``, which says
  which day it is about.
* **After it:** ``schedule=[Asset("liveperson_updated_days")]`` starts a DAG of yours when a day was exported again.
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
try:
    from airflow.sdk import PartitionedAssetTimetable, PartitionedAtRuntime, StartOfDayMapper  # noqa: F401
except ImportError:  # before Airflow 3.3, the first in which a task may say at runtime which partitions it is about
    PartitionedAssetTimetable = None

ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"
UPDATED = Asset("liveperson_updated")

RETRYING = {
    "pool": "liveperson",
    "retries": 4,
    "retry_delay": timedelta(minutes=5),
    "retry_exponential_backoff": True,
    "execution_timeout": timedelta(hours=6),
}

with DAG(
    dag_id="liveperson_late_updates",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:
    # LivePerson shows what happened up to a minute late, and the next run looks no further back than midnight.
    day_is_ready = LivePersonWindowReadySensor(
        task_id="day_is_ready",
        delay=timedelta(minutes=5),
        settling_time=timedelta(seconds=2),
        mode="reschedule",
        poke_interval=60,
        timeout=timedelta(hours=6),
        pool="liveperson",
    )

    find_updates = LivePersonConversationsOperator(
        task_id="find_updates",
        time_field="latest_update",
        path=f"{ROOT}/updated/date={{start:%Y-%m-%d}}/conversations.ndjson.gz",
        partition_by_day=True,
        skip_if_empty=True,
        outlets=[UPDATED],
        **RETRYING,
    )

    day_is_ready >> find_updates

if PartitionedAssetTimetable is not None:
    with DAG(
        dag_id="liveperson_updated_day",
        # The key of a partition is its day; of it Airflow makes the date that the export goes by.
        schedule=PartitionedAssetTimetable(
            assets=UPDATED,
            default_partition_mapper=StartOfDayMapper(input_format="%Y-%m-%d"),
        ),
        start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=2,
        tags=["liveperson"],
        doc_md=__doc__,
    ) as updated_day:
        LivePersonConversationsOperator(
            task_id="export_day",
            # A run without a partition has no date either: it must not export the last 24 hours as if they were a day.
            start="{{ partition_date }}",
            end="{{ partition_date and partition_date.add(days=1) }}",
            outlets=[Asset("liveperson_updated_days")],
            path=f"{ROOT}/started/date={{start:%Y-%m-%d}}/conversations.ndjson.gz",
            **RETRYING,
        )
