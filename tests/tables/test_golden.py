"""
The tables of the documented shapes, and of odd records that were met; ``python -m tests.tables.test_golden`` writes
what is expected anew, to be read before it is committed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from .built import build, tables_in, told
from .samples import DOCUMENTED

GOLDEN = Path(__file__).parent / "golden"
CASES = Path(__file__).parent.parent / "cases"
NAMES = ["documented", *sorted(path.stem for path in CASES.glob("conv_*.json"))]


def records(name: str) -> list[dict[str, Any]]:
    if name == "documented":
        return [DOCUMENTED]
    page = json.loads((CASES / f"{name}.json").read_bytes().decode(errors="replace"))
    found: list[dict[str, Any]] = page["conversationHistoryRecords"]
    return found


def result(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder), records(name))
        rows = {table: [told(row) for row in rows] for table, rows in tables_in(Path(folder)).items()}
    summary = {
        name: value for name, value in built.summary().items() if name in ("unknown_fields", "duplicates", "repaired")
    }
    return {**summary, "tables": {table: found for table, found in rows.items() if found}}


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_are_as_expected(name: str) -> None:
    assert result(name) == json.loads((GOLDEN / f"{name}.json").read_text())


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in sys.argv[1:] or NAMES:
        (GOLDEN / f"{each}.json").write_text(json.dumps(result(each), indent=1, ensure_ascii=False) + "\n")
