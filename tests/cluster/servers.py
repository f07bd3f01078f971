"""A PostgreSQL and a Redis of one's own: at a free port of this machine, in a folder that is deleted at the end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import redis

from tests.system.airflow_process import kill
from tests.system.services import free_port

from . import binaries

#: PostgreSQL refuses to run as root.
USER_IF_ROOT = "nobody"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 20
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # Its data does not outlive it.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """
    A database server that runs.

    :param url: the database, as SQLAlchemy names it.
    :param version: what it calls itself.
    :param connection: one to it.
    """

    url: str
    version: str
    connection: Any

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def takes(self, value: bytes) -> bool:
        """Whether it takes a JSON value as Airflow stores the results of tasks."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("select %s::jsonb", [value.decode()])
        except psycopg2.DataError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Redis:
    """
    A broker that runs.

    :param url: where it listens, password included.
    :param version: what it calls itself.
    """

    url: str
    version: str


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a PostgreSQL as long as the block lasts."""
    with _folder("postgres") as folder:
        user = _user(folder)
        programs = _programs(binaries.postgres(), folder, user)
        password = secrets.token_hex(16)
        secret = folder / "password"
        secret.write_text(password)
        data = folder / "data"
        initdb = ["--auth=scram-sha-256", "--username=airflow", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
        _own(folder, user)
        done = subprocess.run(
            [programs / "initdb", "--no-sync", "-D", data, *initdb],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            **user,
        )
        if done.returncode:
            raise RuntimeError(f"PostgreSQL's initdb failed in {folder}:\n{done.stdout}{done.stderr}")
        port = free_port()
        url = f"postgresql://airflow:{password}@127.0.0.1:{port}/postgres"
        settings = [f"--{name}={value}" for name, value in {**POSTGRES_SETTINGS, "port": str(port)}.items()]
        command = [programs / "postgres", "-D", data, *settings]
        with (
            _running(command, folder, lambda: psycopg2.connect(url).close(), user),
            closing(psycopg2.connect(url)) as connection,
        ):
            connection.autocommit = True
            version = binaries.version(programs / "postgres")
            yield Postgres(url.replace(":", "+psycopg2:", 1), version, connection)


@contextmanager
def broker() -> Iterator[Redis]:
    """Run a Redis as long as the block lasts."""
    with _folder("redis") as folder:
        program = binaries.redis()
        port, password = free_port(), secrets.token_hex(16)
        settings = folder / "redis.conf"
        settings.write_text(
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\nsave ""\nappendonly no\n'
        )
        server = Redis(f"redis://:{password}@127.0.0.1:{port}/0", binaries.version(program))
        with _running([program, settings], folder, lambda: redis.Redis.from_url(server.url).ping(), {}):
            yield server


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"liveperson-cluster-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user(folder: Path) -> dict[str, Any]:
    """Whom to run PostgreSQL as, in the words of ``subprocess``."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(USER_IF_ROOT)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "env": {**os.environ, "HOME": str(folder)}}


def _own(folder: Path, user: dict[str, Any]) -> None:
    if user:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user["user"], user["group"], follow_symlinks=False)


def _programs(programs: Path, folder: Path, user: dict[str, Any]) -> Path:
    """The programs where the user may read them: a copy, if their package is where only root may enter."""
    try:
        subprocess.run([programs / "postgres", "--version"], cwd="/", capture_output=True, check=True, **user)
    except PermissionError:
        package = programs.parents[1]
        # Beside a package are the libraries that its wheel brought.
        for path in package.parent.glob(f"{package.name}*"):
            if path.name in (package.name, f"{package.name}.libs"):
                shutil.copytree(path, folder / path.name, symlinks=True)
        return folder / programs.relative_to(package.parent)
    return programs


@contextmanager
def _running(command: list[Any], folder: Path, answers: Callable[[], object], user: dict[str, Any]) -> Iterator[None]:
    """Run a server until it is told to stop; enters the block once it answers."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **user
        )
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                answers()
                break
            except (psycopg2.Error, redis.RedisError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text(errors='replace')}") from None
                time.sleep(0.1)
        yield
    finally:
        # Asked to stop: so PostgreSQL gives its shared memory back.
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_STOP)
        kill(process)
