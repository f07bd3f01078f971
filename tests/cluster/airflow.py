"""An Airflow in many processes: CeleryExecutor, two workers, PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import requests

from tests.system.airflow_process import Airflow, processes_of
from tests.system.services import IMPATIENT, RunningAirflow, free_port

from .servers import Postgres, Redis

WORKERS = ("worker-1", "worker-2")
TASKS_PER_WORKER = 2
#: A killed worker's tasks are missed after so many seconds, instead of Airflow's 300.
HEARTBEAT_TIMEOUT_S = 30
SETTINGS = {
    **IMPATIENT,
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
    # The API gives a token to whoever asks from this machine.
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__API__HOST": "127.0.0.1",
}


class Try(NamedTuple):
    """A task of a run, as Airflow's database has it."""

    map_index: int
    state: str | None
    number: int
    pid: int | None
    started_s: float


@dataclass(slots=True)
class Cluster(RunningAirflow):
    """
    Parts of an Airflow, as processes, over PostgreSQL.

    :param database: its metadata database.
    :param url: of its API server.
    """

    database: Postgres | None = None
    url: str = ""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        assert self.database is not None
        return self.database.rows(query)

    def mapped(self, dag_id: str) -> list[Try]:
        """The mapped tasks of the DAG's only run."""
        query = (
            "select map_index, state, try_number, pid, coalesce(extract(epoch from start_date), 0)::float "
            f"from task_instance where dag_id = '{dag_id}' and map_index >= 0 order by map_index"
        )
        return [Try(*row) for row in self.rows(query)]

    def running_on(self, worker: str, dag_id: str) -> list[Try]:
        """The mapped tasks that are running on a worker."""
        its = set(processes_of(self.pid_of(worker)))
        return [each for each in self.mapped(dag_id) if each.state == "running" and each.pid in its]

    def run_state(self, dag_id: str) -> str | None:
        """The state of the DAG's only run."""
        states = self.rows(f"select state from dag_run where dag_id = '{dag_id}'")
        return states[0][0] if states else None

    def trigger(self, dag_id: str, **conf: Any) -> None:
        """Start a run, as from the UI."""
        self.wait_for(lambda: self.rows(f"select 1 from dag where dag_id = '{dag_id}' and not is_stale"))
        self.ask("POST", f"/dags/{dag_id}/dagRuns", logical_date=None, conf=conf)

    def set_pool(self, name: str, slots: int) -> None:
        """Make a pool."""
        self.ask("POST", "/pools", name=name, slots=slots)

    def ask(self, method: str, path: str, **body: Any) -> None:
        """Ask Airflow's API for something, as its UI does; waits until it listens."""
        with requests.Session() as session:
            session.trust_env = False
            self.wait_for(lambda: self._login(session))
            answer = session.request(method, f"{self.url}/api/v2{path}", json=body, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"

    def _login(self, session: requests.Session) -> bool:
        try:
            answer = session.get(f"{self.url}/auth/token", timeout=60)
        except requests.ConnectionError:
            return False
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True


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
    parts = Cluster(Airflow.prepared(home, dags, **settings), database=database, url=url)
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
