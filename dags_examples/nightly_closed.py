"""
Every night: all conversations that *ended* the day before, as one object a day: the right choice for transcripts that
are final.

A conversation goes on for hours or days. Exported by its start (``nightly_export.py``), it is often still open: its
last messages, its score and its close reason are missing from that day's object for good. Exported by its end, it is
complete, and each conversation comes once, on the day it ended. Two things to know:

* A conversation that never ends never comes. Its messages stand in the export by start.
* LivePerson moves the end once more when a survey follows: a conversation closed just before midnight may come a day
  later. ``time_field="full_dialog_end"`` goes by the end including the survey.

It needs the same connection, pool and variable as ``nightly_export.py``.

* **To change:** ``TIME_ZONE``, whose days are exported, and ``OLDEST``: how long before that day a conversation may
  have started. Each three months cost one search more.
* **By hand:** a run without a date exports the last whole day. A run with a date exports the day *before* that date.
* **Days of the past:** ``airflow backfill create --dag-id liveperson_nightly_closed --from-date 2026-01-01 --to-date
  2026-01-31`` exports these days, the last one included; in another time zone, give their midnights there:
  ``2026-01-01T00:00+01:00``.
* **After it:** ``schedule=[Asset("liveperson_conversations_ended")]`` starts a DAG of yours once a day is there.
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
OLDEST = timedelta(days=180)
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"

with DAG(
    dag_id="liveperson_nightly_closed",
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
        time_field="end",
        max_age=OLDEST,
        delay=timedelta(minutes=5),
        settling_time=timedelta(seconds=2),
        mode="reschedule",
        poke_interval=60,
        timeout=timedelta(hours=6),
        pool="liveperson",
    )

    export_conversations = LivePersonConversationsOperator(
        task_id="export_conversations",
        time_field="end",
        max_age=OLDEST,
        # The day that is exported, whatever date the run has.
        path=ROOT + "/ended/date={start:%Y-%m-%d}/conversations.ndjson.gz",
        path_timezone=TIME_ZONE,
        outlets=[Asset("liveperson_conversations_ended")],
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    )

    day_is_ready >> export_conversations
