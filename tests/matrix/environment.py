"""A virtual environment in a folder of its own, and what runs there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS_PER_COMMAND = 600
LINES_SHOWN = 15
#: Settings of whoever runs this, that must not be seen there.
FOREIGN = ("AIRFLOW", "AWS_", "COVERAGE", "PYTHON", "VIRTUAL_ENV")


class CheckFailedError(Exception):
    """What is wrong, and the end of what was printed."""


@dataclass(frozen=True, slots=True)
class Environment:
    """
    A virtual environment. Made by :meth:`fresh`.

    :param folder: where it, its Airflow home and its log are.
    """

    folder: Path

    @classmethod
    def fresh(cls, folder: Path, python: str, *install: str) -> Environment:
        """
        Make one anew.

        :param python: the interpreter.
        :param install: what ``uv pip install`` takes.
        :raises CheckFailedError: if it cannot be installed.
        """
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if uv is None:
            raise CheckFailedError("uv is not installed. Run: pip install uv.")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        made = cls(folder)
        made.run(uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(folder / "venv"))
        made.run(uv, "pip", "install", "--python", made.python, *install)
        return made

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "venv" / "bin" / "python")

    def run(self, *command: str, **variables: str) -> str:
        """
        What a command prints.

        :param variables: more of the environment.
        :raises CheckFailedError: if it fails.
        """
        with self._log.open("a") as notes:
            print("$", *command, file=notes, flush=True)
            done = subprocess.run(
                command,
                env={**self._variables(), **variables},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=notes,
                text=True,
                timeout=SECONDS_PER_COMMAND,
                check=False,
            )
            notes.write(done.stdout)
        if done.returncode:
            raise CheckFailedError(f"{' '.join(command[-3:])} failed. {self.end_of_log()}")
        return done.stdout

    def airflow(self, *command: str, **variables: str) -> str:
        """What a command of its Airflow's prints."""
        return self.run(self.python, "-m", "airflow", *command, **variables)

    def end_of_log(self) -> str:
        """The last lines of all that was printed."""
        lines = self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return f"{self._log} ends:\n" + "\n".join(lines)

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return {
            **kept,
            "PATH": f"{Path(self.python).parent}{os.pathsep}{kept['PATH']}",
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "NO_PROXY": "127.0.0.1",
        }
