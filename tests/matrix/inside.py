"""
What the Python of a cell runs by itself, with nothing but our wheel, its Airflow and the standard library.

``python -W error -P inside.py imports``, or ``examples``, prints what was found, or fails.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import walk_packages

import airflow_provider_lp

#: What others warn of when they are imported, by message and by the module that is told of.
OTHERS_OWN: tuple[tuple[str, str], ...] = (
    ("Timer and timing metrics publish in seconds", "airflow"),  # 2.11
    ("The .airflow.utils.operator_helpers.determine_kwargs. attribute", "airflow.providers.standard"),  # 3.2
)

#: From which Airflow on there is a DAG of an example; all others have one everywhere.
SINCE = {"low_csat_alert.py": (3, 2)}


def main() -> None:
    """Do what the arguments say."""
    for message, module in OTHERS_OWN:
        warnings.filterwarnings("ignore", message, module=rf"{module}(\.|$)")
    match sys.argv[1:]:
        case ["imports"]:
            imports()
        case ["examples"]:
            examples()


def imports() -> None:
    """Import all modules, and each name of Airflow's that they may ask for."""
    places = [*airflow_provider_lp.__path__]
    assert all("site-packages" in place for place in places), f"not the wheel, but {places}"
    names = [name for _, name, _ in walk_packages(places, "airflow_provider_lp.") if not name.endswith("__main__")]
    for name in names:
        import_module(name)
    compat = import_module("airflow_provider_lp.compat")
    for name in compat.PLACES:
        getattr(compat, name)
    print(f"{len(names)} modules")


def examples() -> None:
    """Read the wheel's example DAGs as Airflow does."""
    folder = Path(airflow_provider_lp.__file__).parent / "example_dags"
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.1
        from airflow.models.dagbag import DagBag
    bag = DagBag(folder)
    warned = [warning for each in bag.captured_warnings.values() for warning in each]
    assert not bag.import_errors, "\n".join(f"{file}: {error}" for file, error in bag.import_errors.items())
    assert not warned, "\n".join(map(str, warned))
    airflow = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
    made = {Path(dag.fileloc).name for dag in bag.dags.values()}
    meant = {path.name for path in folder.glob("*.py") if airflow >= SINCE.get(path.name, airflow)}
    assert made == meant, f"there are DAGs of {sorted(made)}, not of {sorted(meant)}"
    print(f"{len(bag.dags)} DAGs")


main()
