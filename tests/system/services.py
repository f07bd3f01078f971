"""A real Airflow whose scheduler, API server and triggerer run, until each is killed."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from .airflow_process import Airflow, kill

#: Everything that would otherwise be waited for.
IMPATIENT = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__MP_START_METHOD": "fork",
    "AIRFLOW__API_AUTH__JWT_SECRET": "known-to-all-parts-of-this-airflow-and-to-nobody-else",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    # Patient all the same where the machine is busy: five seconds without an answer would fail a task.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "4",
}
PORTS = (20_000, 32_000)
#: Only a machine that does much else needs so many.
SECONDS_TO_WAIT = 240

# Not the one that a test may seed.
_chance = random.SystemRandom()


@dataclass(slots=True)
class RunningAirflow:
    """
    Parts of an Airflow, as processes.

    :param airflow: its home and environment.
    """

    airflow: Airflow
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *options: str, command: Sequence[str] = ()) -> None:
        """
        Start a part: ``scheduler``, ``triggerer`` or ``api-server``.

        :param command: of Airflow's command line, where the part is not called as its command is.
        """
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *(command or [name]), *options],
                env=self.airflow.environment,
                cwd=self.airflow.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a part without a word of warning."""
        kill(self._processes.pop(name))

    def pid_of(self, name: str) -> int:
        """The process of a part, and so its session."""
        return self._processes[name].pid

    def kill_all(self) -> None:
        """End all parts."""
        for name in list(self._processes):
            self.kill(name)

    def _log(self, name: str) -> Any:
        return self.airflow.home / f"{name}.log"

    def log_of(self, name: str) -> str:
        """What a part has printed."""
        return str(self._log(name).read_text(errors="replace"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What Airflow's database says."""
        with sqlite3.connect(f"file:{self.airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(query).fetchall()

    def states(self, dag_id: str) -> dict[str, str]:
        """The state of each task of the DAG's only run."""
        return dict(self.rows(f"select task_id, state from task_instance where dag_id = '{dag_id}'"))

    def returned(self, dag_id: str) -> dict[str, Any]:
        """What each task of the DAG's only run has returned."""
        query = f"select task_id, value from xcom where dag_id = '{dag_id}' and key = 'return_value'"
        return {task_id: json.loads(value) for task_id, value in self.rows(query)}

    def wait_for(self, condition: Callable[[], object], seconds: float = SECONDS_TO_WAIT) -> None:
        """Wait; fails with the logs when it takes too long, or a part has ended."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n\n".join(f"{name}:\n{self.log_of(name)[-4000:]}" for name in self._processes)
                raise AssertionError(f"ended: {ended or 'none'}\n{logs}")
            time.sleep(0.1)


@contextmanager
def running(airflow: Airflow, *, triggers: bool = True, paused: bool = False) -> Iterator[RunningAirflow]:
    """
    Run all parts, over the DAGs as they are now.

    :param triggers: whether a triggerer is one of them; default yes.
    :param paused: whether DAGs wait until somebody unpauses them; default no.
    """
    port = free_port()
    environment = {
        **airflow.environment,
        **IMPATIENT,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(paused),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }
    parts = RunningAirflow(Airflow(airflow.home, environment))
    try:
        parts.start("api-server")
        # Instead of a DAG processor: these DAGs do not change.
        done = parts.airflow.run("dags", "reserialize")
        assert done.returncode == 0, done.stdout
        parts.start("scheduler", "--skip-serve-logs")
        if triggers:
            parts.start("triggerer", "--skip-serve-logs")
        yield parts
    finally:
        parts.kill_all()


def free_port() -> int:
    """
    A port that nobody listens on.

    It is none of those that the system gives to whoever asks for any, as each sandbox does: a minute may pass until it
    is used.
    """
    while True:
        port = _chance.randrange(*PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
