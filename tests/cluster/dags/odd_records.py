"""Returns through XCom what a database refuses as it came: a NUL, an Infinity, half an emoji."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator

with DAG(dag_id="odd_records", schedule=None) as dag:
    LivePersonConversationsOperator(
        task_id="export",
        liveperson_conn_id="liveperson_odd",
        start=os.environ["ODD_RECORDS_START"],
        end=os.environ["ODD_RECORDS_END"],
    )
