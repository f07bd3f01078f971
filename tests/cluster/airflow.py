"""An Airflow in many processes: CeleryExecutor, two workers, PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.system.airflow_process import Airflow, processes_of
from tests.system.rest_api import ALL_ARE_ADMINS
from tests.system.services import IMPATIENT, RunningAirflow, free_port

from .servers import Postgres, Redis

WORKERS = ("worker-1", "worker-2")
TASKS_PER_WORKER = 2
#: A killed worker's tasks are missed after so many seconds, instead of Airflow's 300.
HEARTBEAT_TIMEOUT_S = 30
SETTINGS = {
    **IMPATIENT,
    **ALL_ARE_ADMINS,
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CORE__PARALLELISM": "16",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(TASKS_PER_WORKER),
    "AIRFLOW__CELERY__TASK_ACKS_LATE": "True",
    # What a killed worker had fetched and not begun goes to another one after so many seconds.
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_S),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__API__HOST": "127.0.0.1",
}


class Try(NamedTuple):
    """A task of a run, as Airflow's database has it."""

    map_index: int
    state: str | None
    number: int
    pid: int | None
    started_s: float


@dataclass(slots=True, kw_only=True)
class Cluster(RunningAirflow):
    """
    Parts of an Airflow, as processes, over PostgreSQL.

    :param database: its metadata database.
    """

    database: Postgres

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.rows(query)

    def mapped(self, task_id: str) -> list[Try]:
        """The mapped tasks of this name, in the only run of their DAG."""
        query = (
            "select map_index, state, try_number, pid, coalesce(extract(epoch from start_date), 0)::float "
            f"from task_instance where task_id = '{task_id}' and map_index >= 0 order by map_index"
        )
        return [Try(*row) for row in self.rows(query)]

    def running_on(self, worker: str, task_id: str) -> list[Try]:
        """Those of them that are running on a worker."""
        its = set(processes_of(self.pid_of(worker)))
        return [each for each in self.mapped(task_id) if each.state == "running" and each.pid in its]

    def run_state(self, dag_id: str) -> str | None:
        """The state of the DAG's only run."""
        states = self.rows(f"select state from dag_run where dag_id = '{dag_id}'")
        return states[0][0] if states else None


@contextmanager
def cluster(home: Path, dags: Path, database: Postgres, broker: Redis, **environment: str) -> Iterator[Cluster]:
    """
    Run all parts as long as the block lasts.

    :param environment: of all parts: connections, variables.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        **SETTINGS,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url,
        "AIRFLOW__CELERY__BROKER_URL": broker.url,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    parts = Cluster(Airflow.prepared(home, dags, **settings), database=database)
    try:
        parts.start("api-server")
        parts.start("dag-processor")
        parts.start("scheduler", "--skip-serve-logs")
        for worker in WORKERS:
            options = ("--celery-hostname", f"{worker}@127.0.0.1", "--skip-serve-logs", "--without-gossip")
            parts.start(worker, *options, command=("celery", "worker"))
        yield parts
    finally:
        parts.kill_all()
