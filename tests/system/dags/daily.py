"""What a user of Airflow 3 writes first, without and with a window."""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, Asset

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator

FOLDER = os.environ.get("EXPORT_FOLDER", "")

for name, window in (("plain_daily", None), ("daily_with_window", timedelta(days=1))):
    with DAG(dag_id=name, schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False):
        LivePersonConversationsOperator(
            task_id="export",
            window=window,
            path=f"{FOLDER}/{name}.ndjson",
            outlets=[Asset(f"{FOLDER}/{name}.ndjson")],
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
