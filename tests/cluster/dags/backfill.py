"""Each day of a period by a mapped task of its own."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator

ROOT = "{{ var.value.liveperson_export_root }}"

with DAG(dag_id="liveperson_backfill", schedule=None, params={"start": "2026-01-01", "end": "2026-01-02"}) as dag:

    @task
    def plan(params: Any = None) -> list[dict[str, str]]:
        first, last = date.fromisoformat(params["start"][:10]), date.fromisoformat(params["end"][:10])
        days = [first + timedelta(each) for each in range((last - first).days + 1)]
        return [{"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z"} for start, end in pairwise(days)]

    LivePersonConversationsOperator.partial(
        task_id="export",
        path=ROOT + "/backfill/date={start:%Y-%m-%d}/conversations.ndjson.gz",
        pool="liveperson",
        retries=4,
        retry_delay=timedelta(seconds=5),
    ).expand_kwargs(plan())
