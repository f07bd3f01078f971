"""Sensors in a real Airflow with scheduler and triggerer, one of which is killed while they wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from .airflow_process import Airflow
from .services import free_port, running

DAGS = Path(__file__).parent / "dags" / "sensors"
AWAITED = ("deferred", "closed", "rescheduled")
STATES_BEFORE = {"deferred": "deferred", "closed": "deferred", "timed_out": "failed", "skipped": "skipped"}


def test_sensors_wait_and_outlive_the_triggerer(airflow_of: Callable[..., Airflow]) -> None:
    port = free_port()
    with Sandbox(account=Account.of([]), port=port) as before:
        airflow = airflow_of(DAGS).connected_to(before)
        with running(airflow) as parts:
            parts.wait_for(lambda: STATES_BEFORE.items() <= parts.states("waiting").items())
            assert parts.returned("waiting") == {}

            parts.kill("triggerer")
            looks = len(before.requests)
            parts.start("triggerer", "--skip-serve-logs")
            parts.wait_for(lambda: len(before.requests) > looks + 6)
            # LivePerson restarts as well, at the same address: nobody's token is good any more.
            before.stop()
            now_ms = int(time.time() * 1000)
            late = Conversation("late", now_ms + 1_000, end_ms=now_ms + 2_000)
            with Sandbox(account=Account.of([late]), port=port):
                parts.wait_for(lambda: {parts.states("waiting")[task] for task in AWAITED} == {"success"})

            found = {"count": 1, "conversation_ids": ["late"]}
            assert parts.returned("waiting") == dict.fromkeys(AWAITED, found)
            assert STATES_BEFORE.keys() == parts.states("waiting").keys() - {"rescheduled"}
            tries = dict(parts.rows("select task_id, try_number from task_instance where dag_id = 'waiting'"))
            assert {tries[task] for task in STATES_BEFORE} == {1}
