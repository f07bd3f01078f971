"""
Any period of the last 13 months, on request: a plan of windows, a mapped export of each, and proof of the whole.

Start it from Airflow's UI: a form asks for the first day and for the day after the last one. Or by the command line:

    airflow dags trigger liveperson_backfill --conf '{"start": "2026-01-01", "end": "2026-02-01"}'

Days are those of UTC; the run's own date does not matter. Each window, of a day or less, is exported by a task of its
own: one that is killed is retried alone, and clearing one exports its window again.

It needs the connection ``liveperson_default`` and a pool for tasks that call LivePerson:

    airflow pools set liveperson 2 "Tasks that call LivePerson"

and writes below the variable ``liveperson_export_root``, such as ``s3://your-bucket/liveperson``, unless the form names
another place. As many exports run side by side as the pool has room for, and no more than ``SIDE_BY_SIDE``.

In the end the exports are proven: they leave no gap, all objects are there, and LivePerson still counts as many. A
manifest, ``backfill/manifests/2026-01-01_2026-02-01.json``, names what was proven: read the objects that it names.

To repeat a run, clear its exports and not its plan: a later plan may cut elsewhere, and leave objects of the earlier
one beside its own. ``schedule=[Asset("liveperson_conversations_backfilled")]`` starts a DAG of yours once a period is
proven.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator

try:
    from airflow.sdk import DAG, Asset, Param
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.models.param import Param

SIDE_BY_SIDE = 4
START, END = "{{ params.start }}T00:00:00Z", "{{ params.end }}T00:00:00Z"
ROOT = "{{ params.root or var.value.get('liveperson_export_root', 'file:///tmp/liveperson') }}"

with DAG(
    dag_id="liveperson_backfill",
    schedule=None,
    start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
    catchup=False,
    params={
        # Without a default: a run must say what it exports.
        "start": Param(type="string", format="date", title="Start", description="The first day to export, in UTC."),
        "end": Param(type="string", format="date", title="End", description="The day after the last one, in UTC."),
        "root": Param(
            None,
            type=["null", "string"],
            title="Root",
            description="Where to write, such as s3://your-bucket/liveperson. Default: the variable "
            "liveperson_export_root.",
        ),
        "target_conversations": Param(
            50_000, type="integer", minimum=1, title="Conversations a task", description="About so many in each window."
        ),
    },
    tags=["liveperson"],
    doc_md=__doc__,
) as dag:
    plan = LivePersonPlanWindowsOperator(
        task_id="plan",
        start=START,
        end=END,
        target_conversations="{{ params.target_conversations }}",
        path=ROOT + "/backfill/date={start:%Y-%m-%d}/{start:%H%M}.ndjson.gz",
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
    )

    export_window = LivePersonConversationsOperator.partial(
        task_id="export_window",
        map_index_template="{{ task.start }}",
        pool="liveperson",
        max_active_tis_per_dag=SIDE_BY_SIDE,
        retries=4,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        execution_timeout=timedelta(hours=6),
    ).expand_kwargs(plan.output)

    LivePersonReconcileOperator(
        task_id="prove",
        exports=export_window.output,
        start=START,
        end=END,
        path=ROOT + "/backfill/manifests/{start:%Y-%m-%d}_{end:%Y-%m-%d}.json",
        outlets=[Asset("liveperson_conversations_backfilled")],
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(minutes=5),
    )
