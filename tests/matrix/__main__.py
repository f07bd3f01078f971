"""
Build the package, install it beside each Airflow, use it there, and print a table of what held.

``make test-matrix`` runs ``python -m tests.matrix --folder .matrix``; with ``CELLS="2.11 newest"``, only those cells.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import checks
from .cells import CELLS, Cell, python_for
from .environment import CheckFailedError, Environment
from .packages import built

CHECKS: tuple[Callable[[Environment], str], ...] = (
    checks.providers,
    checks.imports,
    checks.examples,
    checks.nightly,
    checks.tables,
)
COLUMNS = ("cell", "Airflow", "Python", *(check.__name__ for check in CHECKS), "seconds")
FAILED = "FAILED"
VERSIONS = "import importlib.metadata as m, platform; print(m.version('apache-airflow'), platform.python_version())"


def main() -> int:
    """Run the chosen cells; the exit status is 0 when all held."""
    names = [cell.name for cell in CELLS]
    parser = argparse.ArgumentParser(description="Install and use the package beside each Airflow.")
    parser.add_argument("--folder", type=Path, required=True, help="where to install")
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(names)}; default all")
    arguments = parser.parse_args()
    if unknown := set(arguments.cells) - set(names):
        parser.error(f"There is no cell {', '.join(sorted(unknown))}, but {', '.join(names)}.")
    folder = arguments.folder.resolve()
    print("Building the sdist, and the wheel from it.", flush=True)
    try:
        wheel = built(folder / "packages")
    except CheckFailedError as error:
        print(error)
        return 1
    chosen = [cell for cell in CELLS if cell.name in (arguments.cells or names)]
    rows = [_row(cell, folder / cell.name, wheel) for cell in chosen]
    print(_table(rows))
    return int(any(FAILED in row for row in rows))


def _row(cell: Cell, folder: Path, wheel: Path) -> list[str]:
    begun_s = time.monotonic()
    print(f"{cell.name}: installing.", flush=True)
    try:
        installed = Environment.fresh(folder, python_for(cell), *cell.install(wheel))
        versions = installed.run(installed.python, "-c", VERSIONS).split()
        installed.airflow("db", "migrate")
    except (CheckFailedError, LookupError) as error:
        print(f"{cell.name}: {error}", flush=True)
        return [cell.name, FAILED]
    seen = [_seen(cell, check, installed) for check in CHECKS]
    return [cell.name, *versions, *seen, f"{time.monotonic() - begun_s:.0f}"]


def _seen(cell: Cell, check: Callable[[Environment], str], installed: Environment) -> str:
    print(f"{cell.name}: {check.__name__}.", flush=True)
    try:
        return check(installed)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks and cells are worth knowing
        print(f"{cell.name}: {check.__name__}: {type(error).__name__}: {error}", flush=True)
        return FAILED


def _table(rows: list[list[str]]) -> str:
    lines = [list(COLUMNS), *([*row, *["-"] * (len(COLUMNS) - len(row))] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n" + "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
