"""A real Airflow with a home of its own, driven by its command line."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from airflow_provider_lp.sandbox import Sandbox

SECONDS_PER_COMMAND = 150


@dataclass(frozen=True, slots=True)
class Airflow:
    """An Airflow whose database is made."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def prepared(cls, home: Path, dags: Path, **settings: str) -> Airflow:
        """
        Make the database.

        :param settings: more variables of the environment, such as that of another database than SQLite's.
        """
        airflow = cls._at(home, dags, **settings)
        done = airflow.run("db", "migrate")
        assert done.returncode == 0, done.stdout
        return airflow

    @classmethod
    def _at(cls, home: Path, dags: Path, **settings: str) -> Airflow:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS", "COVERAGE"))
        }
        environment |= {
            **_home(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **settings,
        }
        return cls(home, environment)

    @classmethod
    def shared(cls, folder: Path) -> Airflow:
        """
        The same for several processes: the first one that asks makes the database.

        :param folder: where, known to all of them.
        """
        home, is_made = folder / "home", folder / "made"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_made.exists():
                return cls._at(home, home / "dags")
            airflow = cls.prepared(home, home / "dags")
            is_made.touch()
            return airflow

    def copy(self, home: Path, **environment: str) -> Airflow:
        """Another one with the same database, for a test that must not see what others ran."""
        shutil.copytree(self.home, home)
        return Airflow(home, {**self.environment, **_home(home), **environment})

    def connected_to(self, sandbox: Sandbox, **environment: str) -> Airflow:
        """With the connection to a sandbox, and more variables of the environment."""
        connection = {
            "conn_type": "liveperson",
            "host": sandbox.url,
            "extra": {
                "account_id": sandbox.account.account_id,
                "client_id": sandbox.credentials["client_id"],
                "client_secret": sandbox.credentials["client_secret"],
            },
        }
        return Airflow(
            self.home,
            {**self.environment, "AIRFLOW_CONN_LIVEPERSON_DEFAULT": json.dumps(connection), **environment},
        )

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", *command],
            env=self.environment,
            cwd=self.home.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; what it prints is in ``stdout``."""
        process = self.start(*command)
        try:
            output, _ = process.communicate(timeout=SECONDS_PER_COMMAND)
        except subprocess.TimeoutExpired:
            kill(process)
            output, _ = process.communicate()
        finally:
            kill(process)
        return subprocess.CompletedProcess(command, process.returncode, output)


def _home(home: Path) -> dict[str, str]:
    # The database and the logs too: the configuration that a home is copied with names those of the first one.
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{home}/logs",
    }


def kill(process: subprocess.Popen[Any]) -> None:
    """
    End a process and all it started, without a word of warning.

    :param process: one that was started in a session of its own. Airflow gives each task a process group, so that to
        kill the process's group would leave tasks alive.
    """
    process.kill()
    process.wait()
    while left := processes_of(process.pid):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def processes_of(session: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == session and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
