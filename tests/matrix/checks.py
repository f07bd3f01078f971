"""What must hold in each cell. A check says in a word or two what it saw."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.sandbox.credentials import airflow_connection

from .environment import CheckFailedError, Environment

INSIDE = Path(__file__).with_name("inside.py")
EXAMPLES = "venv/lib/python3*/site-packages/airflow_provider_lp/example_dags"
PACKAGE = "airflow-provider-lp"
ISOLATED = ("-W", "error", "-P", str(INSIDE))
DAY = timedelta(days=1)
BUCKET = "lake"


def providers(cell: Environment) -> str:
    """Airflow lists the provider, and describes it."""
    listed = {
        each["package_name"]: each["version"] for each in json.loads(cell.airflow("providers", "list", "-o", "json"))
    }
    if PACKAGE not in listed:
        raise CheckFailedError(f"airflow providers list has only {', '.join(sorted(listed))}.")
    described = cell.airflow("providers", "get", PACKAGE, "--full", "-o", "json")
    if "LivePerson" not in described:
        raise CheckFailedError(f"airflow providers get {PACKAGE} says {described!r}.")
    return listed[PACKAGE]


def imports(cell: Environment) -> str:
    """Each module can be imported, and nothing warns."""
    return _last_line(cell.run(cell.python, *ISOLATED, "imports"))


def examples(cell: Environment) -> str:
    """Airflow reads each example, and nothing warns."""
    return _last_line(cell.run(cell.python, *ISOLATED, "examples"))


def nightly(cell: Environment) -> str:
    """The nightly export writes yesterday's conversations into a file, each once and in order."""
    root = cell.folder / "export"
    expected = _run("liveperson_nightly_export", cell, root.as_uri())
    path = _the_only_one(list(root.rglob("*")), "conversations.ndjson.gz", cell)
    exported = [json.loads(line)["info"]["conversationId"] for line in gzip.decompress(path.read_bytes()).splitlines()]
    return _compared(exported, expected)


def tables(cell: Environment) -> str:
    """The same into an S3, and as tables there."""
    with _lake() as (connection, bucket):
        root = f"s3://lake@{BUCKET}/liveperson"
        expected = _run("liveperson_nightly_tables", cell, root, AIRFLOW_CONN_LAKE=json.dumps(connection))
        objects = [Path(each.key) for each in bucket.objects.all()]
        key = str(_the_only_one(objects, "conversations.parquet", cell))
        table = pq.read_table(io.BytesIO(bucket.Object(key).get()["Body"].read()))
    return _compared(table.column("conversation_id").to_pylist(), expected)


def _examples(cell: Environment) -> Path:
    """Where the wheel has them."""
    (folder,) = cell.folder.glob(EXAMPLES)
    return folder


def _run(dag_id: str, cell: Environment, root: str, **environment: str) -> list[str]:
    """Run an example for yesterday; what it should export."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Sandbox(account=Account()) as sandbox:
        connection = airflow_connection(sandbox.url, sandbox.account.account_id)
        variables = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(_examples(cell)),
            "AIRFLOW_CONN_LIVEPERSON_DEFAULT": json.dumps(connection),
            "AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT": root,
            **environment,
        }
        cell.airflow("dags", "reserialize", **variables)  # Airflow 3.0 tests only what its database knows
        cell.airflow("dags", "test", dag_id, today.isoformat(), **variables)
        first, end = (int(moment.timestamp() * 1000) for moment in (today - DAY, today))
        return sandbox.account.truth("start", first, end)


@contextmanager
def _lake() -> Iterator[tuple[dict[str, Any], Any]]:
    """An S3 with a bucket, and the Airflow connection that leads to it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        extra = {"endpoint_url": "http://{}:{}".format(*server.get_host_and_port()), "region_name": "us-east-1"}
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        bucket = boto3.resource("s3", **extra, **keys).create_bucket(Bucket=BUCKET)
        yield {"conn_type": "aws", "login": "testing", "password": "testing", "extra": extra}, bucket
    finally:
        server.stop()


def _the_only_one(paths: list[Path], name: str, cell: Environment) -> Path:
    named = [path for path in paths if path.name == name]
    if len(named) != 1:
        raise CheckFailedError(f"{len(named)} objects {name} were published. {cell.end_of_log()}")
    return named[0]


def _compared(exported: list[str], expected: list[str]) -> str:
    if exported != expected:
        raise CheckFailedError(f"{len(exported)} conversations were exported, but these {len(expected)} were meant.")
    return f"{len(exported)} rows"


def _last_line(printed: str) -> str:
    return printed.splitlines()[-1]
