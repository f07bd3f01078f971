"""An Airflow for each system test: a copy of the prepared one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_lp.sandbox import Account, Sandbox

from .airflow_process import Airflow

EXAMPLES = Path(__file__).parents[2] / "dags_examples"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture
def airflow_of(prepared_airflow: Airflow, tmp_path: Path) -> Callable[..., Airflow]:
    """A copy of the prepared Airflow that reads DAGs from a folder."""

    def make(dags: Path = EXAMPLES, **environment: str) -> Airflow:
        return prepared_airflow.copy(tmp_path / "home", AIRFLOW__CORE__DAGS_FOLDER=str(dags), **environment)

    return make


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(account=Account(per_day=230)) as running:
        yield running
