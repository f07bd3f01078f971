"""
Every night: the conversations of the day before as tables that an analyst can query, one Parquet file each.

It exports the day, makes tables of the export, tells Airflow of each table as an asset, and ends with a query:
conversations per skill.

It needs the connection ``liveperson_default``, a pool for tasks that call LivePerson, and pyarrow:

    airflow pools set liveperson 2 "Tasks that call LivePerson"
    pip install 'airflow-provider-lp[parquet]' duckdb

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``. DuckDB is used by the
last task only, which is skipped where it is not installed. What the tables hold stands in ``docs/tables.md``, and how
to load them elsewhere in ``docs/loading.md``.

* **To change:** ``TABLES``, and ``TIME_ZONE``, whose days are exported.
* **By hand:** a run without a date exports the last whole day. A run with a date exports the day *before* that date.
* **Days of the past:** ``airflow backfill create --dag-id liveperson_nightly_tables --from-date 2026-01-01 --to-date
  2026-01-31`` exports these days, the last one included; in another time zone, give their midnights there:
  ``2026-01-01T00:00+01:00``. To make the tables of a day anew, clear its task ``make_tables``: it asks LivePerson
  nothing.
* **After it:** ``schedule=[Asset("liveperson_messages")]`` starts a DAG of yours once a day of that table is there.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sensors.conversations import LivePersonWindowReadySensor

try:
    from airflow.sdk import DAG, Asset, ObjectStoragePath, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.io.path import ObjectStoragePath

try:
    from airflow.sdk.exceptions import AirflowSkipException
except ImportError:  # before Airflow 3.2
    from airflow.exceptions import AirflowSkipException

log = logging.getLogger(__name__)

TIME_ZONE = "UTC"
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"
#: The tables to make; all of them: leave the argument out.
TABLES = ["conversations", "messages", "agent_participants", "transfers", "surveys", "survey_answers"]

QUERY = """
    SELECT coalesce(latest_skill_name, 'none') AS skill, count(*) AS conversations, sum(messages)::BIGINT AS messages,
           round(avg(csat), 2) AS csat
    FROM conversations GROUP BY skill ORDER BY conversations DESC, skill
"""

with DAG(
    dag_id="liveperson_nightly_tables",
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
        path=ROOT + "/raw/date={start:%Y-%m-%d}/conversations.ndjson.gz",
        path_timezone=TIME_ZONE,
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    )

    make_tables = LivePersonTablesOperator(
        task_id="make_tables",
        source=export_conversations.output,
        path=ROOT + "/tables/{table}/date={start:%Y-%m-%d}/{table}.parquet",
        manifest_path=ROOT + "/tables/manifests/date={start:%Y-%m-%d}.json",
        path_timezone=TIME_ZONE,
        tables=TABLES,
        outlets=[Asset(f"liveperson_{name}") for name in TABLES],
    )

    @task
    def conversations_per_skill(made: dict[str, Any]) -> None:
        """Query the table of conversations, in whatever storage it is, and show what comes out."""
        try:
            import duckdb
            import pyarrow.parquet as pq
        except ImportError as error:
            raise AirflowSkipException("pip install duckdb, to query tables here.") from error

        path = ObjectStoragePath(made["tables"]["conversations"]["path"])
        with path.open("rb") as file, duckdb.connect() as database:
            database.register("conversations", pq.read_table(file))
            log.info("Conversations per skill:\n%s", database.sql(QUERY))

    day_is_ready >> export_conversations
    conversations_per_skill(make_tables.output)
