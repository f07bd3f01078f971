"""What importing costs, and that imports point one way. Each in a process of its own."""

from __future__ import annotations

import ast
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_provider_lp

PACKAGE = "airflow_provider_lp"
ROOT = Path(airflow_provider_lp.__file__).parent
HEAVY = ("requests", "requests_oauthlib", "oauthlib", "isal", "s3fs", "boto3", "backports.zstd", "pyarrow", "aiohttp")
MODULES = sorted(
    name for _, name, _ in pkgutil.walk_packages([str(ROOT)], f"{PACKAGE}.") if not name.endswith("__main__")
)
WITHOUT_AIRFLOW = [
    name
    for name in MODULES
    if name.split(".")[1] in ("client", "export", "conditions", "windows", "retention", "get_provider_info", "sandbox")
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


def test_what_a_dag_file_imports_loads_nothing_heavy() -> None:
    loaded = run(
        "import sys\n"
        "import airflow_provider_lp.compat as compat\n"
        "[getattr(compat, name) for name in ('BaseOperator', 'BaseHook', 'Asset', 'AssetAlias', 'AirflowFailException',"
        " 'AirflowSkipException', 'mask_secret')]\n"
        "before = set(sys.modules)\n"
        f"import {PACKAGE}.operators.conversations, {PACKAGE}.operators.metrics, {PACKAGE}.hooks.liveperson\n"
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    ).splitlines()
    assert {f"{PACKAGE}.operators.conversations", f"{PACKAGE}.operators.metrics", f"{PACKAGE}.hooks.liveperson"} <= set(
        loaded
    )
    assert [name for name in loaded if name.startswith((*HEAVY, "urllib3", "airflow.providers.amazon"))] == []
    assert [name for name in loaded if name.startswith(f"{PACKAGE}.sandbox")] == []


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


def imported(path: Path) -> set[str]:
    """The modules that a file names in its imports, those in functions and under TYPE_CHECKING included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


ALLOWED = {
    "client": {"client"},
    "windows": {"windows", "client"},
    "retention": {"retention"},
    "export": {"export", "client", "windows", "retention"},
    "compat": set(),
    "hooks": {"hooks", "compat", "client", "get_provider_info"},
    "operators": {"operators", "compat", "hooks", "export", "client", "windows", "retention"},
    "conditions": {"conditions", "export", "client", "windows", "retention"},
    "triggers": {"triggers", "compat", "conditions", "hooks", "export", "client", "windows", "retention"},
    "sensors": {
        "sensors",
        "triggers",
        "conditions",
        "operators",
        "compat",
        "hooks",
        "export",
        "client",
        "windows",
        "retention",
    },
    "sandbox": {"sandbox"},
    "get_provider_info": {"get_provider_info"},
}

#: The files that know where an Airflow keeps its names: all but the triggers', and those.
COMPAT = ROOT / "compat.py"
TRIGGERS = ROOT / "triggers" / "base.py"


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if own not in ALLOWED:
        pytest.skip(f"no rule for {own}")
    used = {layer(name) for name in imported(path)} - {None}
    assert used <= ALLOWED[own]
    if own in ("client", "export", "conditions", "windows", "retention", "sandbox"):
        assert not [name for name in imported(path) if name.split(".")[0] == "airflow"]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
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
