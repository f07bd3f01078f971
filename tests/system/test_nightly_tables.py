"""The example that makes tables, in a real Airflow over the sandbox."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from airflow_provider_lp.sandbox import Sandbox

from .airflow_process import Airflow
from .conftest import TODAY, YESTERDAY
from .test_nightly_export import run_nightly, truth


def test_the_night_becomes_tables_and_a_query(
    airflow_of: Callable[..., Airflow], sandbox: Sandbox, tmp_path: Path
) -> None:
    pytest.importorskip("duckdb")
    sandbox.account.now = datetime.now(UTC)
    airflow = airflow_of().connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=tmp_path.as_uri())
    said = run_nightly(airflow, "liveperson_nightly_tables")
    day = f"date={YESTERDAY:%Y-%m-%d}"
    assert TODAY > YESTERDAY
    conversations = pq.read_table(tmp_path / "tables" / "conversations" / day / "conversations.parquet")
    assert conversations["conversation_id"].to_pylist() == truth(sandbox)
    manifest = json.loads((tmp_path / "tables" / "manifests" / f"{day}.json").read_text())
    assert manifest["sources"][0]["path"] == f"{tmp_path.as_uri()}/raw/{day}/conversations.ndjson.gz"
    for name, table in manifest["tables"].items():
        assert pq.read_metadata(tmp_path / "tables" / name / day / f"{name}.parquet").num_rows == table["rows"]
    assert manifest["tables"]["messages"]["rows"] == sum(conversations["messages"].to_pylist())
    (skill, count), *_ = Counter(conversations["latest_skill_name"].to_pylist()).most_common()
    assert any(skill in line and f" {count} " in line for line in said.splitlines())
