"""The cells of the matrix: what is installed together, and on which Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
#: What the checks need; not all, which would bring the libraries of every cloud into each cell.
EXTRAS = ("parquet", "s3", "zstd")
#: The library of [zstd] began in June 2025. Constraints of Airflow do not name it; a cut-off excludes it.
EXTRAS_BEFORE = ("parquet", "s3")


@dataclass(frozen=True, slots=True)
class Cell:
    """
    What is installed together.

    :param name: by which it is chosen.
    :param pythons: minor versions of Python 3 that this Airflow takes, the preferred one first.
    :param requirements: beside our wheel.
    :param cut_off: nothing that was published later is installed, as with the constraints of that release.
    :param extras: of our wheel.
    :param lowest: take the lowest version of each of our own dependencies.
    """

    name: str
    pythons: tuple[int, ...]
    requirements: tuple[str, ...] = ()
    cut_off: str | None = None
    extras: tuple[str, ...] = EXTRAS
    lowest: bool = False

    def install(self, wheel: Path) -> list[str]:
        """What ``uv pip install`` takes to install it."""
        options = ["--exclude-newer", self.cut_off] if self.cut_off else []
        if self.lowest:
            # What a wheel depends on is not direct; what a project depends on is.
            options += ["--resolution", "lowest-direct", "--requirement", str(PROJECT)]
            options += [option for extra in self.extras for option in ("--extra", extra)]
        return [*options, f"airflow-provider-lp[{','.join(self.extras)}] @ {wheel.as_uri()}", *self.requirements]


#: The cut-off is the midnight (UTC) that followed the release. Airflow's constraints fit all of its providers at once:
#: what one of them held back there, is held back here by name. Together the cells use each Python that there is.
CELLS = (
    Cell("lowest", (11, 12), ("universal-pathlib<0.3",), lowest=True),  # as without it, Airflow 2.11.0 makes no path
    Cell("2.11", (12, 11), ("apache-airflow==2.11.0", "pyarrow==16.1.0"), "2025-05-21T00:00:00Z", EXTRAS_BEFORE),
    Cell("3.0", (12, 11), ("apache-airflow==3.0.0", "pyarrow==16.1.0"), "2025-04-23T00:00:00Z", EXTRAS_BEFORE),
    Cell("3.1", (13, 12, 11), ("apache-airflow==3.1.0", "pyarrow==18.1.0"), "2025-09-26T00:00:00Z"),
    Cell("3.2", (13, 12, 11), ("apache-airflow==3.2.0",), "2026-04-08T00:00:00Z"),
    Cell("3.3", (13, 12, 11), ("apache-airflow==3.3.0",), "2026-07-07T00:00:00Z"),
    Cell("newest", (13, 12, 11)),
)


def python_for(cell: Cell) -> str:
    """
    The interpreter of the preferred version that is there.

    :raises LookupError: if there is none that this Airflow takes.
    """
    for minor in cell.pythons:
        for python in _pythons(minor):
            if _version_of(python) == f"3.{minor}":
                return python
    raise LookupError(f"No Python of the versions {', '.join(f'3.{minor}' for minor in cell.pythons)} is on the PATH.")


def _pythons(minor: int) -> Iterator[str]:
    if sys.version_info[:2] == (3, minor):
        yield sys.executable
    if found := shutil.which(f"python3.{minor}"):
        yield found
    # What pyenv has on the PATH fails for a version that is installed but not chosen.
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(each) for each in sorted(root.glob(f"versions/3.{minor}.*/bin/python")))


def _version_of(python: str) -> str | None:
    asked = [python, "-c", "import sqlite3, ssl, sys; print('%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None
