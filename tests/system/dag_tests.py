"""
Runs DAGs by ``dag.test()``, one after another in this one process.

``python -m tests.system.dag_tests '[{"dag_id": ..., "logical_date": ..., "run_after": ..., "run_conf": ...}]'``, the
moments as ISO 8601 texts or null.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from airflow.dag_processing.dagbag import DagBag


def main() -> None:
    """Run them; Airflow's database says what became of them."""
    bag = DagBag()
    assert not bag.import_errors, bag.import_errors
    for run in json.loads(sys.argv[1]):
        moments = {name: run[name] and datetime.fromisoformat(run[name]) for name in ("logical_date", "run_after")}
        bag.dags[run["dag_id"]].test(**moments, run_conf=run["run_conf"])


if __name__ == "__main__":
    main()
