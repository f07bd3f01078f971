"""
Every night: the last seven days, whatever of them is missing or has changed since it was exported.

A conversation that started yesterday goes on today: it gets its last messages, its end, its survey; now and then one
is erased. ``nightly_export.py`` leaves it as it was that night. Here each day has an object and, beside it, a manifest
that says what was exported and when. Each night the manifests of seven days are reconciled with LivePerson and with the
objects, and the days that differ are exported again, to the same paths. A day without a manifest is a gap, and is
exported as well: yesterday, the days of nights that failed, and in the first night the whole week.

After a week a day is left alone. To reconcile a day takes a few small requests; to export it again costs as much as the
first time, and in a large account all seven days may change each night. Without ``check_updates``, only days are
exported again whose number of conversations has changed, or whose object has.

It needs the same connection, pool and variable as ``nightly_export.py``, and replaces it: the paths are the same. Its
days are those of UTC.

* **To change:** ``DAYS``.
* **By hand:** a run without a date repairs the days up to and with the last whole one. A run with a date repairs the
  days *before* that date.
* **Days of the past:** start it with a date. For more than some weeks of them, ``backfill.py`` is quicker.
* **After it:** ``schedule=[Asset("liveperson_conversations_repaired")]`` starts a DAG of yours when a day was exported.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator
from airflow_provider_lp.sensors.conversations import LivePersonWindowReadySensor

try:
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset

DAYS = 7
ROOT = "{{ var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"
DAY = ROOT + "/started/date={start:%Y-%m-%d}"
#: The day after the last one, as the sensor has found it.
END = "ti.xcom_pull('day_is_ready')['end'][:10]"

RETRYING = {
    "pool": "liveperson",
    "retries": 4,
    "retry_delay": timedelta(minutes=5),
    "retry_exponential_backoff": True,
    "execution_timeout": timedelta(hours=6),
}

with DAG(
    dag_id="liveperson_nightly_repair",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
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

    find_changes = LivePersonReconcileOperator(
        task_id="find_changes",
        exports=[
            f"{ROOT}/started/date={{{{ macros.ds_add({END}, -{number}) }}}}/manifest.json"
            for number in range(DAYS, 0, -1)
        ],
        start=f"{{{{ macros.ds_add({END}, -{DAYS}) }}}}T00:00:00Z",
        end=f"{{{{ {END} }}}}T00:00:00Z",
        check_updates=True,
        on_difference="return",
        gap_path=DAY + "/conversations.ndjson.gz",
        **RETRYING,
    )

    export_day = LivePersonConversationsOperator.partial(
        task_id="export_day",
        map_index_template="{{ task.start }}",
        max_active_tis_per_dag=2,
        outlets=[Asset("liveperson_conversations_repaired")],
        **RETRYING,
    ).expand_kwargs(find_changes.output)

    # A day whose object was replaced and whose manifest was not differs from it, and is exported again the next night.
    write_manifest = LivePersonReconcileOperator.partial(
        task_id="write_manifest",
        path=DAY + "/manifest.json",
        **RETRYING,
    ).expand(exports=export_day.output)

    day_is_ready >> find_changes
