"""
Install the package beside each Airflow, use it there, and print a table of what held.

``make test-matrix`` runs ``python -m tests.matrix``; ``make test-matrix CELLS="2.11 newest"`` only those cells.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import checks
from .cells import CELLS, Cell
from .installed import CheckFailedError, Installed

CHECKS: tuple[Callable[[Installed], str], ...] = (
    checks.providers,
    checks.imports,
    checks.examples,
    checks.nightly,
    checks.tables,
)
COLUMNS = ("cell", "Airflow", "Python", *(check.__name__ for check in CHECKS), "seconds")


def main() -> int:
    """Run the chosen cells; the exit status is 0 when all held."""
    names = [cell.name for cell in CELLS]
    parser = argparse.ArgumentParser(description="Install and use the package beside each Airflow.")
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(names)}; default all")
    parser.add_argument("--folder", type=Path, default=Path(".matrix"), help="where to install (default .matrix)")
    parser.add_argument("--wheel", type=Path, required=True)
    arguments = parser.parse_args()
    if unknown := set(arguments.cells) - set(names):
        parser.error(f"There is no cell {', '.join(sorted(unknown))}, but {', '.join(names)}.")
    folder = arguments.folder.resolve()
    chosen = [cell for cell in CELLS if cell.name in (arguments.cells or names)]
    rows = [_row(cell, folder / cell.name, arguments.wheel.resolve()) for cell in chosen]
    print(_table(rows))
    return int(any("FAILED" in row for row in rows))


def _row(cell: Cell, folder: Path, wheel: Path) -> list[str]:
    begun_s = time.monotonic()
    print(f"{cell.name}: installing", flush=True)
    try:
        installed = Installed.fresh(cell, folder, wheel)
        versions = installed.run(str(installed.python), "-c", VERSIONS).split()
        installed.airflow("db", "migrate")
    except (CheckFailedError, LookupError) as error:
        print(f"{cell.name}: {error}", flush=True)
        return [cell.name, "FAILED"]
    seen = [_seen(check, installed, cell) for check in CHECKS]
    return [cell.name, *versions, *seen, f"{time.monotonic() - begun_s:.0f}"]


VERSIONS = "import importlib.metadata as m, platform; print(m.version('apache-airflow'), platform.python_version())"


def _seen(check: Callable[[Installed], str], installed: Installed, cell: Cell) -> str:
    print(f"{cell.name}: {check.__name__}", flush=True)
    try:
        return check(installed)
    except Exception as error:
        print(f"{cell.name}: {check.__name__}: {error}", flush=True)
        return "FAILED"


def _table(rows: list[list[str]]) -> str:
    lines = [list(COLUMNS), *([*row, *["-"] * (len(COLUMNS) - len(row))] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n" + "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


sys.exit(main())
