"""Tasks each of which ends in another way before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

START, END = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)

with DAG("failing", start_date=START, schedule=None):
    LivePersonConversationsOperator(task_id="too_large", start=START, end=END, max_xcom_bytes=10_000)
    LivePersonConversationLookupOperator(task_id="missing", conversation_ids=["nobody"])
    LivePersonConversationsOperator(task_id="not_a_folder", start=START, end=END, path="/etc/hostname/x.ndjson")
    LivePersonMetricsOperator(
        task_id="too_slow", report="current_queue_health", skill_ids="all", execution_timeout=timedelta(seconds=2)
    )
