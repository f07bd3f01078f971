"""The wheel and the sdist: built as anyone would, and holding what they should."""

from __future__ import annotations

import sys
import tarfile
import tomllib
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

from .environment import CheckFailedError, Environment

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_lp"
IN_SDIST = (
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md", "pyproject.toml",
    ".gitignore",
)  # fmt: skip
FOLDERS_IN_SDIST = (PACKAGE, "dags_examples", "docs", "tests")
CACHES = ("__pycache__", ".hypothesis")


def built(folder: Path) -> Path:
    """
    Build both packages with the usual tools: the sdist from this checkout, and the wheel from the sdist.

    :param folder: for the tools.
    :return: the wheel.
    :raises CheckFailedError: if one cannot be built, is badly described, or holds what it should not.
    """
    _check_changelog()
    tools = Environment.fresh(folder, sys.executable, "build[uv]", "twine")
    packages = folder / "dist"
    tools.run(tools.python, "-m", "build", "--installer", "uv", "--outdir", str(packages), str(ROOT))
    (sdist,), (wheel,) = packages.glob("*.tar.gz"), packages.glob("*.whl")
    tools.run(tools.python, "-m", "twine", "check", "--strict", str(sdist), str(wheel))
    _check_sdist(sdist)
    _check_wheel(wheel)
    return wheel


def _version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


def _check_changelog() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    newest = next(line for line in lines if line.startswith("## "))
    if newest.split()[1].strip("[]") not in (_version(), "Unreleased"):
        raise CheckFailedError(f"CHANGELOG.md begins with {newest!r}, but the version is {_version()}.")


def _check_sdist(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    _compare(sdist, held, {*IN_SDIST, *(name for folder in FOLDERS_IN_SDIST for name in _files(folder))})


def _check_wheel(wheel: Path) -> None:
    about = f"{PACKAGE}-{_version()}.dist-info/"
    examples = {f"{PACKAGE}/example_dags/{Path(name).name}" for name in _files("dags_examples")}
    described = {f"{about}{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    with ZipFile(wheel) as archive:
        _compare(wheel, set(archive.namelist()), {*_files(PACKAGE), *examples, *described})
        said = message_from_bytes(archive.read(f"{about}METADATA"))
        entry_points = archive.read(f"{about}entry_points.txt").decode()
    if said["License-Expression"] != "Apache-2.0" or said["License-File"] != "LICENSE":
        raise CheckFailedError(f"{wheel.name} does not say its license.")
    if f"provider_info = {PACKAGE}.get_provider_info:get_provider_info" not in entry_points:
        raise CheckFailedError(f"{wheel.name} does not tell Airflow of the provider.")


def _files(folder: str) -> set[str]:
    paths = [path for path in (ROOT / folder).rglob("*") if path.is_file() and not set(path.parts) & set(CACHES)]
    return {path.relative_to(ROOT).as_posix() for path in paths}


def _compare(package: Path, held: set[str], meant: set[str]) -> None:
    if held != meant:
        raise CheckFailedError(
            f"{package.name} lacks {sorted(meant - held)}, and holds {sorted(held - meant)} that it should not."
        )
