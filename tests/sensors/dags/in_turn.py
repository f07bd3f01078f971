"""Two sensors that wait in the triggerer, and what a task makes of the first one's result."""

from __future__ import annotations

import pendulum

from airflow_provider_lp.compat import BaseOperator
from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor, LivePersonConversationStatusSensor

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG


class Say(BaseOperator):
    """Prints its templated words."""

    template_fields = ("words",)

    def __init__(self, *, words: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.words = words

    def execute(self, context: object) -> None:
        print(f"it says: {self.words}")


with DAG(dag_id="in_turn", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
    found = LivePersonConversationsSensor(
        task_id="found",
        start="2026-03-10T00:00:00Z",
        end="2026-03-11T00:00:00Z",
        deferrable=True,
        poke_interval=0.2,
        timeout=3600,
    )
    closed = LivePersonConversationStatusSensor(
        task_id="closed",
        conversation_ids="{{ ti.xcom_pull('found')['conversation_ids'] }}",
        deferrable=True,
        poke_interval=0.2,
        timeout=3600,
    )
    found >> closed >> Say(task_id="say", words="{{ ti.xcom_pull('found') }} {{ ti.xcom_pull('closed')['count'] }}")
