"""The backfill where there is no Airflow 3: ``tests/system/test_backfill.py`` has more of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from airflow_provider_lp.sandbox import Account, Sandbox
from tests.exported import ids_in
from tests.samples import ms
from tests.system import airflow_process
from tests.system.airflow_process import Airflow

EXAMPLE = Path(__file__).parents[2] / "dags_examples" / "backfill.py"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY - timedelta(days=2)


@pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="a system test does the same on Airflow 3")
def test_the_backfill_is_whole(prepared_airflow: Airflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As much as a busy machine needs.
    monkeypatch.setattr(airflow_process, "SECONDS_PER_COMMAND", 900)
    dags, root = tmp_path / "dags", tmp_path / "export"
    dags.mkdir()
    (dags / "backfill.py").write_text(EXAMPLE.read_text())
    airflow = prepared_airflow.copy(tmp_path / "home", AIRFLOW__CORE__DAGS_FOLDER=str(dags))
    conf = {
        "start": f"{FIRST:%Y-%m-%d}", "end": f"{TODAY:%Y-%m-%d}", "root": root.as_uri(), "target_conversations": 100,
    }  # fmt: skip
    with Sandbox(account=Account(per_day=240)) as sandbox:
        connected = airflow.connected_to(sandbox)
        done = connected.run("dags", "test", "liveperson_backfill", "2026-03-12", "--conf", json.dumps(conf))
        assert done.returncode == 0, done.stdout[-5000:]
        objects = sorted(root.rglob("*.ndjson.gz"))
        assert {path.parent.name for path in objects} == {f"date={FIRST + timedelta(day):%Y-%m-%d}" for day in range(2)}
        assert len(objects) > 2
        exported = [each for path in objects for each in ids_in(path)]
        (manifest,) = root.rglob("*.json")
        assert manifest.name == f"{FIRST:%Y-%m-%d}_{TODAY:%Y-%m-%d}.json"
        assert json.loads(manifest.read_bytes())["totals"]["conversations"] == len(exported)
        assert exported == sandbox.account.truth("start", ms(FIRST), ms(TODAY))
