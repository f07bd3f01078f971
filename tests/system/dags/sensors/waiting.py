"""One conversation, waited for in each of Airflow's ways, and in vain."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor, LivePersonConversationStatusSensor

AROUND_NOW = {
    "start": "{{ macros.datetime.now(macros.dateutil.tz.UTC).date() - macros.timedelta(days=1) }}T00:00:00Z",
    "end": "{{ macros.datetime.now(macros.dateutil.tz.UTC).date() + macros.timedelta(days=2) }}T00:00:00Z",
}

with DAG(
    dag_id="waiting",
    schedule="@once",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"poke_interval": 1, "timeout": 120, "retries": 2, "retry_delay": timedelta(seconds=1)},
) as dag:
    LivePersonConversationsSensor(task_id="deferred", **AROUND_NOW, deferrable=True)
    LivePersonConversationStatusSensor(task_id="closed", conversation_ids=["late"], deferrable=True)
    # Airflow itself fails a try now and then where pokes follow each other within seconds, or a task is resumed within
    # seconds: on a busy machine its scheduler hears of the end of one only after the next has begun.
    LivePersonConversationsSensor(
        task_id="rescheduled", **AROUND_NOW, mode="reschedule", deferrable=False, poke_interval=6, retries=9
    )
    LivePersonConversationStatusSensor(task_id="timed_out", conversation_ids=["never"], deferrable=True, timeout=15)
    LivePersonConversationStatusSensor(
        task_id="skipped", conversation_ids=["never"], deferrable=True, timeout=15, soft_fail=True
    )
