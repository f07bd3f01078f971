"""Deferrable sensors through ``airflow dags test``, on whichever Airflow there is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_lp.sandbox import Account, Fault, Sandbox
from tests.exported import calls
from tests.samples import BY_ID, SEARCH, crowd
from tests.system import airflow_process
from tests.system.airflow_process import Airflow

DAGS = Path(__file__).parent / "dags"
EXAMPLES = Path(__file__).parents[2] / "dags_examples"
POKE_INTERVAL_S = 0.2
SETTLING_S = 1
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module", autouse=True)
def _time() -> Iterator[None]:
    """As much as a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(airflow_process, "SECONDS_PER_COMMAND", 900)
        yield


@pytest.fixture(scope="module")
def airflow(prepared_airflow: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    folder = tmp_path_factory.mktemp("airflow")
    dags = folder / "dags"
    dags.mkdir()
    (dags / "in_turn.py").write_text((DAGS / "in_turn.py").read_text())
    example = (EXAMPLES / "wait_then_export.py").read_text()
    assert "delay=timedelta(minutes=2)," in example
    quick = f"delay=timedelta(minutes=2), settling_time=timedelta(seconds={SETTLING_S}),"
    (dags / "wait_then_export.py").write_text(example.replace("delay=timedelta(minutes=2),", quick))
    return prepared_airflow.copy(folder / "home", AIRFLOW__CORE__DAGS_FOLDER=str(dags))


def test_deferred_sensors_go_on_when_trouble_is_over(airflow: Airflow) -> None:
    with Sandbox(account=Account.of(crowd(3))) as sandbox:
        sandbox.add_fault(Fault("error_500", times=3, path=SEARCH))
        sandbox.add_fault(Fault("error_503", times=3, path=BY_ID))
        done = airflow.connected_to(sandbox).run("dags", "test", "in_turn", "2026-03-12")
    assert done.returncode == 0, done.stdout[-5000:]
    assert "it says: {'count': 3, 'conversation_ids': ['c00000', 'c00001', 'c00002']} 3" in done.stdout
    searches = calls(sandbox, SEARCH)
    assert [call.status for call in searches] == [500, 500, 500, 200, 200]
    assert searches[2].at - searches[1].at >= POKE_INTERVAL_S
    assert searches[3].at - searches[2].at >= POKE_INTERVAL_S
    assert [call.status for call in calls(sandbox, BY_ID)] == [503, 503, 503, 200]


def test_the_example_exports_the_hour_it_has_waited_for(airflow: Airflow, tmp_path: Path) -> None:
    with Sandbox(account=Account(per_day=240)) as sandbox:
        connected = airflow.connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=tmp_path.as_uri())
        done = connected.run("dags", "test", "liveperson_wait_then_export", TODAY.isoformat())
        assert done.returncode == 0, done.stdout[-5000:]
        (exported,) = tmp_path.rglob("*.ndjson.gz")
        ids = [
            json.loads(line)["info"]["conversationId"] for line in gzip.decompress(exported.read_bytes()).splitlines()
        ]
        start, end = (int(moment.timestamp() * 1000) for moment in (TODAY - timedelta(hours=1), TODAY))
        first, second, *_ = calls(sandbox)
        assert second.at - first.at >= SETTLING_S
        assert ids == sandbox.account.truth("start", start, end)
        assert ids
