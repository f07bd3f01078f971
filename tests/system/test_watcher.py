"""The example DAG that a watcher starts, in a real Airflow whose triggerer is killed meanwhile."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from .airflow_process import Airflow
from .conftest import EXAMPLES
from .services import RunningAirflow, free_port, running

DAG_ID = "liveperson_low_csat_alert"
SEARCH = "/conversations/search"


def fired(parts: RunningAirflow) -> list[list[str]]:
    """The conversations of each event of the asset, in order."""
    events = parts.rows("select extra from asset_event order by id")
    return [json.loads(extra)["payload"]["conversation_ids"] for (extra,) in events]


def alerted(parts: RunningAirflow) -> list[str]:
    """The conversations that runs have looked up, in order."""
    # A task's links are stored beside what it returns.
    of_task = f"dag_id = '{DAG_ID}' and task_id = 'look_up' and key = 'return_value'"
    query = f"select value from xcom where {of_task} order by timestamp"
    found: list[dict[str, Any]] = [json.loads(value) for (value,) in parts.rows(query)]
    return [record["info"]["conversationId"] for each in found for record in each["records"]]


def remembered(parts: RunningAirflow) -> set[str]:
    """The conversations in the asset's state store."""
    return {
        each for (value,) in parts.rows("select value from asset_state_store") for each in json.loads(value)["known"]
    }


def forget(parts: RunningAirflow, conversation_id: str) -> None:
    """As if the triggerer had been killed after the event was stored, and before that was remembered."""
    ((memory,),) = parts.rows("select value from asset_state_store")
    changed = json.loads(memory)
    del changed["known"][conversation_id]
    with sqlite3.connect(parts.airflow.home / "airflow.db", timeout=30) as database:
        database.execute("update asset_state_store set value = ?", [json.dumps(changed)])


def scored(conversation_id: str, in_s: float, csat: int) -> Conversation:
    """Closed an hour ago; its survey is answered so many seconds from now."""
    now_ms = int(time.time() * 1000)
    closed_ms = now_ms - 3_600_000
    return Conversation(
        conversation_id, closed_ms - 60_000, now_ms + int(in_s * 1000), conversation_end_ms=closed_ms, csat=csat
    )


def test_a_run_starts_once_for_each_new_low_score(airflow_of: Callable[..., Airflow], tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    example = (EXAMPLES / "low_csat_alert.py").read_text()
    assert "poke_interval=timedelta(minutes=1)" in example
    (dags / "low_csat_alert.py").write_text(example.replace("poke_interval=timedelta(minutes=1)", "poke_interval=1.0"))
    port = free_port()
    old = scored("old", -600, 1)
    with (
        Sandbox(account=Account.of([old]), port=port) as before,
        running(airflow_of(dags).connected_to(before)) as parts,
    ):
        pool = parts.airflow.start("pools", "set", "liveperson", "2", "Tasks that call LivePerson")
        parts.wait_for(lambda: remembered(parts) == {"old"})
        before.stop()
        conversations = [old, scored("good", 1, 5), scored("first", 1, 2), scored("second", 4, 1)]
        with Sandbox(account=Account.of(conversations), port=port) as sandbox:
            parts.wait_for(lambda: remembered(parts) == {"old", "first", "second"})
            parts.kill("triggerer")
            forget(parts, "second")
            looks = sum(seen.path.endswith(SEARCH) for seen in sandbox.requests)
        with Sandbox(account=Account.of([*conversations, scored("meanwhile", 0, 1)]), port=port) as sandbox:
            parts.start("triggerer", "--skip-serve-logs")
            parts.wait_for(lambda: "meanwhile" in remembered(parts))
            printed, _ = pool.communicate(timeout=120)
            assert pool.returncode == 0, printed
            parts.wait_for(lambda: sorted(alerted(parts)) == ["first", "meanwhile", "second"])
            looks += sum(seen.path.endswith(SEARCH) for seen in sandbox.requests)
        assert looks > 8
        # What was remembered did not fire again; what was not is left out by the run, which asks Airflow itself.
        assert fired(parts) == [["first"], ["second"], ["second", "meanwhile"]]
        states = {state for (state,) in parts.rows(f"select state from dag_run where dag_id = '{DAG_ID}'")}
        assert states <= {"success", "running"}
