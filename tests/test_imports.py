"""What importing costs, and that imports point one way. Each in a process of its own."""

from __future__ import annotations

import ast
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import airflow_provider_lp

PACKAGE = "airflow_provider_lp"
ROOT = Path(airflow_provider_lp.__file__).parent
HEAVY = ("requests", "requests_oauthlib", "oauthlib", "isal", "s3fs", "boto3", "backports.zstd", "pyarrow", "aiohttp")
HEAVY_ONES = (*HEAVY, "urllib3", "airflow.providers.amazon", f"{PACKAGE}.sandbox")
HEAVY_ROOTS = {*(name.split(".")[0] for name in HEAVY), "urllib3", "adlfs", "azure", "gcsfs"}
MODULES = sorted(
    name for _, name, _ in pkgutil.walk_packages([str(ROOT)], f"{PACKAGE}.") if not name.endswith("__main__")
)
#: Where the classes are that a DAG names.
NAMED_IN_DAGS = (
    "operators.conversations",
    "operators.metrics",
    "operators.planning",
    "operators.reconciling",
    "operators.tables",
    "sensors.conversations",
    "sensors.metrics",
)
#: What these load besides modules beside them: as every parse of a DAG file pays for it, only what checks arguments.
PARSED_WITH_A_DAG = {
    "client",
    "client.clock",
    "client.errors",
    "client.spelling",
    "export",
    "export.compression",
    "export.formats",
    "export.terms",
    "hooks",
    "hooks.connection_ids",
    "retention",
    "windows",
}
WITHOUT_AIRFLOW = [
    name
    for name in MODULES
    if name.split(".")[1]
    in ("client", "export", "tables", "conditions", "windows", "retention", "get_provider_info", "sandbox")
    or name == f"{PACKAGE}.hooks.connection_fields"
]


def run(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
    )
    assert finished.returncode == 0, finished.stderr[-2_000:]
    return finished.stdout.strip()


def test_what_a_dag_file_imports_is_little_and_light() -> None:
    loaded = run(
        "import sys\n"
        "import airflow_provider_lp.compat as compat\n"
        "[getattr(compat, name) for name in ('BaseOperator', 'BaseHook', 'Asset', 'AssetAlias', 'AirflowFailException',"
        " 'AirflowSkipException', 'mask_secret')]\n"
        "before = set(sys.modules)\n"
        f"import {', '.join(f'{PACKAGE}.{name}' for name in NAMED_IN_DAGS)}\n"
        "loaded = set(sys.modules) - before\n"
        "print(*loaded)\n"
        f"import {PACKAGE}.hooks.liveperson\n"
        f"assert not [name for name in set(sys.modules) - before if name.startswith({HEAVY_ONES!r})]"
    ).split()
    own = {name for name in loaded if name.startswith(f"{PACKAGE}.")}
    besides = {name for name in own if not name.startswith((f"{PACKAGE}.operators", f"{PACKAGE}.sensors"))}
    assert {name.removeprefix(f"{PACKAGE}.") for name in besides} == PARSED_WITH_A_DAG
    assert "difflib" not in loaded
    # Python takes a millisecond to make a dataclass, a quarter of one for a named tuple; msgspec hardly any time.
    slowly_made = {"dataclasses", "typing.NamedTuple"}
    assert {name: found for name in own if (path := file_of(name)) and (found := imported(path) & slowly_made)} == {}


def test_client_and_export_live_without_airflow() -> None:
    names = ", ".join(repr(name) for name in WITHOUT_AIRFLOW)
    loaded = run(
        "import importlib, sys\n"
        "class NoAirflow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'airflow' or name.startswith('airflow.'):\n"
        "            raise ImportError('there is no ' + name)\n"
        "sys.meta_path.insert(0, NoAirflow())\n"
        f"[importlib.import_module(name) for name in [{names}]]\n"
        "from airflow_provider_lp.client import *\n"
        "print(LivePersonClient.__name__, OAuth2Credentials.__name__, 'airflow' in sys.modules)"
    )
    assert loaded == "LivePersonClient OAuth2Credentials False"
    assert len(WITHOUT_AIRFLOW) > 20


def test_the_client_package_is_lazy() -> None:
    assert run("import sys, airflow_provider_lp.client; print('requests' in sys.modules)") == "False"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(airflow_provider_lp, "client").nothing  # noqa: B009, B018


def test_the_sandbox_imports_nothing_else_of_the_package() -> None:
    loaded = run(
        "import sys, airflow_provider_lp.sandbox, airflow_provider_lp.sandbox.__main__\n"
        "print('\\n'.join(name for name in sys.modules if name.startswith('airflow_provider_lp')))"
    ).splitlines()
    assert [name for name in loaded if name != PACKAGE and not name.startswith(f"{PACKAGE}.sandbox")] == []


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules that the import statements below ``tree`` name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> set[str]:
    """All that a file names in its imports, those in functions and under TYPE_CHECKING included."""
    return set(imports(parsed(path)))


def is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported_at_once(path: Path) -> set[str]:
    """What importing a file imports."""
    names: set[str] = set()
    for node in parsed(path).body:
        if is_for_types(node):
            assert isinstance(node, ast.If)
            names |= {name for other in node.orelse for name in imports(other)}
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names |= set(imports(node))
    return names


def imported_in_functions(path: Path) -> set[str]:
    """What a file imports only when one of its functions runs."""
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {name for function in functions for name in imports(function)}


def file_of(module: str) -> Path | None:
    path = ROOT.parent.joinpath(*module.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def heavy_through(path: Path, seen: set[Path]) -> list[str]:
    """The ways by which importing a file loads something heavy."""
    if path in seen:
        return []
    seen.add(path)
    names = imported_at_once(path)
    own = str(path.relative_to(ROOT))
    found = [f"{own} > {name}" for name in sorted(names) if name.split(".")[0] in HEAVY_ROOTS]
    for name in sorted(names):
        if name.startswith(PACKAGE) and (used := file_of(name)):
            found += [f"{own} > {way}" for way in heavy_through(used, seen)]
    return found


def layer(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


#: Each layer, and those it may import besides itself. From the top down, an arrow never points up.
ALLOWED: dict[str, set[str]] = {
    "operators": {"compat", "hooks", "tables", "export", "client", "windows", "retention"},
    "sensors": {"compat", "triggers", "operators", "conditions", "hooks", "export", "client", "windows", "retention"},
    "triggers": {"compat", "conditions", "hooks", "export", "client", "windows", "retention"},
    "conditions": {"export", "client", "windows", "retention"},
    "hooks": {"compat", "client", "get_provider_info"},
    "tables": {"export", "client", "windows"},
    "export": {"client", "windows", "retention"},
    "client": set(),
    "compat": set(),
    "assets": {"compat"},
    "retry_policy": {"compat", "client"},
    "windows": {"client"},
    "retention": set(),
    "sandbox": set(),
    "get_provider_info": set(),
}
WITHOUT_AIRFLOW_LAYERS = (
    "client",
    "export",
    "tables",
    "conditions",
    "windows",
    "retention",
    "sandbox",
    "get_provider_info",
)
#: The layers that a DAG file imports.
PARSED = ("operators", "sensors", "triggers", "hooks", "retry_policy.py", "assets.py")
#: The project's own modules that are imported when a function runs. Each loads requests or Airflow's triggers, or opens
#: many modules, of which a DAG file is parsed without: all that an operator does, when its task runs.
LATE = {
    "hooks/liveperson.py": {"client", "client.liveperson"},  # requests
    "operators/base.py": {"hooks.liveperson", "export.outcomes"},
    "operators/export.py": {"export.labels"},
    "operators/conversations.py": {
        "export.query",
        "export.conversations",
        "export.lookup",
        "export.lookup_query",
    },
    "operators/metrics.py": {
        "client.reports",
        "export.metrics.query",
        "export.metrics.export",
        "export.metrics.terms",
    },
    "operators/planning.py": {"export.plan", "export.query", "export.counting", "export.tiling"},
    "operators/reconciling.py": {
        "export.closings",
        "export.manifest",
        "export.proof",
        "export.publishing",
        "export.stored",
    },
    "operators/tables.py": {
        "operators.sources",
        "export.outcomes",
        "tables.building",
        "tables.parquet",
        "tables.schema",
        "export.publishing",
    },
    "operators/searching.py": {"client.filters"},  # with filters only
    "operators/redaction.py": {"export.redaction.redactor", "export.redaction.rules"},
    "sensors/base.py": {"hooks.liveperson", "conditions.poller", "triggers.condition"},  # airflow.triggers
    "sensors/conversations.py": {
        "client.filters",
        "conditions.conversations",
        "export.lookup_query",
    },
    "sensors/metrics.py": {"client.reports", "conditions.limits", "conditions.metrics"},
}

#: The files that know where an Airflow keeps its names: all but the triggers', and those.
COMPAT = ROOT / "compat.py"
TRIGGERS = ROOT / "triggers" / "base.py"
FILES = sorted(ROOT.rglob("*.py"))


def own_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in FILES if path != ROOT / "__init__.py"], ids=own_name)
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    used = {layer(name) for name in imported(path)} - {None}
    assert used <= ALLOWED[own] | {own}
    if own in WITHOUT_AIRFLOW_LAYERS:
        assert not [name for name in imported(path) if name.split(".")[0] == "airflow"]


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_airflows_names_come_through_one_file(path: Path) -> None:
    names = {name for name in imported(path) if name.split(".")[0] == "airflow"}
    if path == TRIGGERS:
        names = {name for name in names if not name.startswith("airflow.triggers.")}
    assert names == set() or path == COMPAT


def test_the_one_file_knows_all_that_it_declares() -> None:
    from airflow_provider_lp import compat

    declared = {name.rpartition(".")[2] for name in imported(COMPAT) if name.startswith("airflow.")}
    assert set(compat.PLACES) <= declared
    assert all(getattr(compat, name) for name in compat.PLACES)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(compat, "nothing")  # noqa: B009


def test_an_airflow_that_lacks_a_library_is_not_taken_for_an_older_one() -> None:
    script = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'airflow':\n"
        "            raise ModuleNotFoundError('No module named some_library', name='some_library')\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from airflow_provider_lp.compat import BaseOperator\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("ModuleNotFoundError: No module named some_library")


@pytest.mark.parametrize("path", [path for path in FILES if path.relative_to(ROOT).parts[0] in PARSED], ids=own_name)
def test_parsing_a_dag_loads_nothing_heavy(path: Path) -> None:
    assert heavy_through(path, set()) == []


@pytest.mark.parametrize("path", FILES, ids=own_name)
def test_imports_stand_at_the_top(path: Path) -> None:
    late = {name for name in imported_in_functions(path) if name.startswith(f"{PACKAGE}.")}
    modules = {name for name in late if file_of(name)} - {PACKAGE}
    assert {name.removeprefix(f"{PACKAGE}.") for name in modules} == LATE.get(own_name(path), set())
