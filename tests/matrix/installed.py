"""A cell that is installed: a virtual environment and an Airflow home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .cells import Cell, python_for

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
#: What the checks need of ours. All extras would install every cloud's libraries into every cell.
EXTRAS = ("parquet", "s3")
#: Which has no release as old as some cut-offs, and no constraints of Airflow's name it.
EXTRAS_OF_LOWEST = (*EXTRAS, "zstd")
SECONDS_PER_COMMAND = 600
LINES_SHOWN = 15
#: Settings of whoever runs this, that a cell must not see.
FOREIGN = ("AIRFLOW", "AWS_", "COVERAGE", "PYTHON", "UV_PYTHON", "VIRTUAL_ENV")


class CheckFailedError(Exception):
    """What is wrong, and the end of what was printed."""


@dataclass(frozen=True, slots=True)
class Installed:
    """
    A cell with its wheel and its Airflow.

    :param folder: where all of it is.
    """

    folder: Path

    @classmethod
    def fresh(cls, cell: Cell, folder: Path, wheel: Path) -> Installed:
        """
        Install a cell anew.

        :raises CheckFailedError: if it cannot be installed.
        :raises LookupError: if no Python is there that it takes.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        made = cls(folder)
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if uv is None:
            raise CheckFailedError("uv is not installed: pip install uv.")
        made.run(uv, "venv", "--quiet", "--no-python-downloads", "--python", python_for(cell), str(folder / "venv"))
        made.run(uv, "pip", "install", "--python", str(made.python), *_what(cell, wheel))
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "venv" / "bin" / "python"

    def airflow(self, *command: str, **environment: str) -> str:
        """What a command of Airflow's prints."""
        return self.run(str(self.python), "-m", "airflow", *command, **environment)

    def run(self, *command: str, **environment: str) -> str:
        """
        What a command prints.

        :raises CheckFailedError: if it fails.
        """
        with self._log.open("a") as notes:
            print("$", *command, file=notes, flush=True)
            done = subprocess.run(
                command,
                env={**self._environment(), **environment},
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

    def end_of_log(self) -> str:
        """The last lines of all that was printed."""
        lines = self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return f"{self._log} ends:\n" + "\n".join(lines)

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        home = self.folder / "airflow"
        return {
            **kept,
            "PATH": f"{self.python.parent}{os.pathsep}{kept['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "NO_PROXY": "127.0.0.1",
        }


def _what(cell: Cell, wheel: Path) -> list[str]:
    options = ["--exclude-newer", cell.cut_off] if cell.cut_off else []
    extras = EXTRAS_OF_LOWEST if cell.lowest else EXTRAS
    if cell.lowest:
        # What the wheel depends on is direct only when the project itself is asked.
        options += ["--resolution", "lowest-direct", "--requirement", str(PROJECT)]
        options += [option for extra in extras for option in ("--extra", extra)]
    return [*options, f"airflow-provider-lp[{','.join(extras)}] @ {wheel.as_uri()}", *cell.requirements]
