"""The backfill in a real Airflow, one of whose tasks is killed at work, and another cleared afterwards."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_provider_lp.sandbox import Account, Fault, Sandbox

from .airflow_process import Airflow
from .conftest import EXAMPLES, TODAY
from .rest_api import ALL_ARE_ADMINS, RestApi
from .services import RunningAirflow, running

DAG_ID = "liveperson_backfill"
TASK_ID = "export_window"
DAYS = 4
FIRST = TODAY - timedelta(days=DAYS)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def impatient(dags: Path) -> Path:
    """A folder with the example, whose retries come at once."""
    dags.mkdir()
    example = (EXAMPLES / "backfill.py").read_text()
    assert "retry_delay=timedelta(minutes=5)" in example
    (dags / "backfill.py").write_text(example.replace("retry_delay=timedelta(minutes=5)", "retry_delay=timedelta(0)"))
    return dags


def tries(parts: RunningAirflow, state: str = "success") -> dict[int, int]:
    """The windows whose export is in a state, and the number of its try."""
    query = f"select map_index, try_number from task_instance where task_id = '{TASK_ID}' and state = '{state}'"
    return dict(parts.rows(query))


def at_work(parts: RunningAirflow) -> list[tuple[int, int]]:
    """The windows that are being exported, and the processes that do it."""
    query = f"select map_index, pid from task_instance where task_id = '{TASK_ID}' and state = 'running' and pid > 0"
    return parts.rows(query)


def has_succeeded(parts: RunningAirflow) -> bool:
    return parts.rows(f"select state from dag_run where dag_id = '{DAG_ID}'") == [("success",)]


def exported(root: Path) -> list[str]:
    """The conversations in all objects, window after window."""
    records = [
        json.loads(line)
        for path in sorted(root.rglob("*.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    return [record["info"]["conversationId"] for record in records]


def test_a_backfill_is_whole_although_a_task_is_killed(airflow_of: Callable[..., Airflow], tmp_path: Path) -> None:
    root = tmp_path / "export"
    account = Account(per_day=120, now=datetime.now(UTC))
    with Sandbox(account=account) as sandbox:
        airflow = airflow_of(impatient(tmp_path / "dags"), **ALL_ARE_ADMINS)
        connected = airflow.connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=root.as_uri())
        with running(connected, triggers=False) as parts:
            api = RestApi(parts)
            api.post("/pools", name="liveperson", slots=2)
            period = {"start": f"{FIRST:%Y-%m-%d}", "end": f"{TODAY:%Y-%m-%d}"}
            run = api.post(f"/dags/{DAG_ID}/dagRuns", logical_date=None, conf=period)["dag_run_id"]

            parts.wait_for(lambda: parts.states(DAG_ID).get("plan") == "success")
            sandbox.add_fault(Fault("stall", seconds=6, times=None))
            parts.wait_for(lambda: any(seen.fault == "stall" for seen in list(sandbox.requests)))
            victim, pid = at_work(parts)[0]
            os.kill(pid, signal.SIGKILL)
            sandbox.clear_faults()
            parts.wait_for(lambda: len(tries(parts)) == DAYS)
            assert tries(parts) == {index: 1 + (index == victim) for index in range(DAYS)}
            truth = account.truth("start", ms(FIRST), ms(TODAY))
            assert exported(root) == truth
            parts.wait_for(lambda: has_succeeded(parts))
            days = sorted(root.rglob("*.gz"))
            (manifest,) = {path for path in root.rglob("*") if path.is_file()} - set(days)
            proven = json.loads(manifest.read_bytes())
            assert [each["path"] for each in proven["objects"]] == [f"file://{path}" for path in days]
            assert proven["totals"]["conversations"] == len(truth)

            written = days[1].read_bytes()
            days[1].write_bytes(b"spoilt")
            api.post(
                f"/dags/{DAG_ID}/clearTaskInstances",
                dry_run=False, dag_run_id=run, task_ids=[[TASK_ID, 1]], only_failed=False, reset_dag_runs=True,
            )  # fmt: skip
            parts.wait_for(lambda: days[1].read_bytes() == written and len(tries(parts)) == DAYS)
            assert tries(parts) == {index: 1 + (index == victim) + (index == 1) for index in range(DAYS)}
            parts.wait_for(lambda: has_succeeded(parts))
        assert exported(root) == truth
