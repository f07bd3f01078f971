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
    dag_id="liveperson_nightly_closed",
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
        time_field="end",
        # How long before that day a conversation may have started: each three months cost one search more.
        max_age=timedelta(days=180),
        path=f"{ROOT}/ended/date={DAY}/conversations.ndjson.gz",
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    )

    day_has_settled() >> export_conversations
