"""The examples as DAG files: what they import, what they say of themselves, and what they tell Airflow."""

from __future__ import annotations

import ast
import runpy
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.compat import Asset
from airflow_provider_lp.get_provider_info import get_provider_info
from tests.operators.conftest import DAG

EXAMPLES = sorted((Path(__file__).parents[1] / "dags_examples").glob("*.py"))
IS_AIRFLOW_2 = version("apache-airflow").startswith("2.")
#: What its watcher makes events of is all that it is about.
ALERT = "low_csat_alert"

# Airflow's own provider warns of its own import.
pytestmark = pytest.mark.filterwarnings("ignore:The .airflow.utils.operator_helpers.determine_kwargs")


@cache
def dags_of(path: Path) -> list[Any]:
    """The example's DAGs."""
    return [each for each in runpy.run_path(str(path)).values() if isinstance(each, DAG)]


def outlets_of(path: Path) -> set[str]:
    """The assets that an example's tasks make events of."""
    return {
        outlet.uri
        for dag in dags_of(path)
        for task in dag.tasks
        for outlet in (task.partial_kwargs if hasattr(task, "partial_kwargs") else vars(task)).get("outlets") or ()
        if isinstance(outlet, Asset)
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_they_import_what_is_public_alone(path: Path) -> None:
    info = get_provider_info()
    public = {
        module
        for kind in ("operators", "sensors", "triggers")
        for entry in info[kind]
        for module in entry["python-modules"]
    }
    tree = ast.parse(path.read_text())
    own = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in own if module.startswith("airflow_provider_lp")} <= public
    assert len(path.read_text().splitlines()) <= 140


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_they_say_how_to_use_them(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text()), clean=False)
    assert said
    assert "pool" in said
    assert "logical_date" not in said
    if path.stem != "backfill":
        assert "**To change:**" in said
        assert "**By hand:**" in said
    for dag in dags_of(path):
        assert dag.doc_md == said
        # Else a run of the past would succeed without a task.
        assert dag.start_date.year == 2020
        assert dag.catchup is False


def test_each_is_a_dag_of_that_name_but_that_of_watchers_on_airflow_2() -> None:
    names = {path.stem: [dag.dag_id for dag in dags_of(path)] for path in EXAMPLES}
    without = {ALERT} if IS_AIRFLOW_2 else set()
    assert {name for name, found in names.items() if f"liveperson_{name}" not in found} == without


@pytest.mark.skipif(IS_AIRFLOW_2, reason="knows no partitions at all")
def test_an_airflow_whose_tasks_cannot_name_partitions_has_no_dag_that_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow import sdk

    # As in Airflow 3.2, whose other names for partitions are those of 3.3.
    monkeypatch.delitem(vars(sdk), "PartitionedAtRuntime", raising=False)
    monkeypatch.delitem(vars(sdk)["__lazy_imports"], "PartitionedAtRuntime", raising=False)
    (path,) = (each for each in EXAMPLES if each.stem == "late_updates")
    assert [dag.dag_id for dag in dags_of.__wrapped__(path)] == ["liveperson_late_updates"]


def test_their_outlets_are_assets_of_their_own() -> None:
    outlets = {path.stem: outlets_of(path) for path in EXAMPLES if path.stem != ALERT}
    assert all(outlets.values())
    names = [name for each in outlets.values() for name in each]
    assert len(set(names)) == len(names)
    assert all(name.startswith("liveperson_") for name in names)
    for path in EXAMPLES:
        if path.stem != ALERT:
            assert any(name in path.read_text().split('"""')[1] for name in outlets[path.stem])
