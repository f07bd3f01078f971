"""
The nightly export as a user would see it: a sandbox, a real Airflow, and the files it writes.

``make demo`` runs ``python -m tests.demo --folder .demo --dags dags_examples``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from upath import UPath

from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.sandbox.credentials import airflow_connection
from airflow_provider_lp.tables.building import build_tables
from airflow_provider_lp.tables.schema import TABLES
from airflow_provider_lp.tables.sources import Source

DAG_ID = "liveperson_nightly_export"
LINES_OF_LOG = 25
LENGTH_OF_RECORD = 1500
MESSAGES = 3


def main() -> int:
    """Run the demo; the exit status is 0 when what was written is what the sandbox has."""
    parser = argparse.ArgumentParser(description="Export yesterday's conversations of a sandbox with a real Airflow.")
    parser.add_argument("--folder", type=Path, required=True, help="where to keep Airflow's files and the export")
    parser.add_argument("--dags", type=Path, required=True, help="the folder of the example DAGs")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    path = folder / "export" / "started" / f"date={yesterday:%Y-%m-%d}" / "conversations.ndjson.gz"

    print("1. Starting the sandbox: a LivePerson with invented conversations, on this machine only.")
    with Sandbox(account=Account()) as sandbox:
        print(f"   It listens at {sandbox.url}.")
        environment = _environment(folder, arguments.dags.resolve(), sandbox)
        print(f"2. Preparing an Airflow of its own in {folder / 'airflow'}.")
        log = folder / "airflow.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        for earlier in (log, folder / "airflow" / "airflow.db", path):
            earlier.unlink(missing_ok=True)
        if not _airflow(["db", "migrate"], environment, log):
            return 1
        print(f"3. Running the DAG {DAG_ID} for yesterday, {yesterday:%Y-%m-%d} (airflow dags test).")
        if not _airflow(["dags", "test", DAG_ID, today.isoformat()], environment, log):
            return 1
        expected = sandbox.account.truth("start", _ms(yesterday), _ms(today))
    return _show(path, folder, log, expected)


def _environment(folder: Path, dags: Path, sandbox: Sandbox) -> dict[str, str]:
    connection = airflow_connection(sandbox.url, sandbox.account.account_id)
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_LIVEPERSON_DEFAULT": json.dumps(connection),
        "AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT": (folder / "export").as_uri(),
        "NO_PROXY": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _airflow(command: list[str], environment: dict[str, str], log: Path) -> bool:
    with log.open("ab") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        print(f"   airflow {' '.join(command)} failed. The end of {log}:\n")
        print("\n".join(log.read_text(errors="replace").splitlines()[-LINES_OF_LOG:]))
    return done.returncode == 0


def _show(path: Path, folder: Path, log: Path, expected: list[str]) -> int:
    if not path.exists():
        print(f"   Nothing was published at {path}; {log} says why.")
        return 1
    written = path.read_bytes()
    lines = gzip.decompress(written).splitlines()
    exported = [json.loads(line)["info"]["conversationId"] for line in lines]
    print("4. The file it wrote:")
    print(f"   {path} ({len(written):,} bytes)")
    print("   The task's summary:")
    print(textwrap.indent(json.dumps(_summary(log), indent=2), "   "))
    print("   The first record begins:")
    print(textwrap.indent(json.dumps(json.loads(lines[0]), indent=2, ensure_ascii=False)[:LENGTH_OF_RECORD], "   "))
    print("   ...")
    if exported != expected or hashlib.sha256(written).hexdigest() != _summary(log)["sha256"]:
        print(f"   But the sandbox has {len(expected)} other conversations for that day: please report this.")
        return 1
    print(f"5. These are exactly the {len(expected)} conversations that started that day, each once, in order.")
    _show_tables(path, folder / "tables")
    return 0


def _show_tables(exported: Path, folder: Path) -> None:
    """The same conversations as tables, and the beginning of a transcript."""
    paths = {name: UPath(folder / f"{name}.parquet") for name in TABLES}
    built = build_tables([Source(LocalFileSystem(), str(exported), str(exported))], paths)
    print("6. The same as tables; dags_examples/nightly_tables.py makes them every night:")
    for name, table in built.tables.items():
        print(f"   {table['rows']:>7,} rows  {folder / name}.parquet")
    conversation = pq.read_table(folder / "conversations.parquet").slice(0, 1).to_pylist()[0]
    wanted = [("conversation_id", "==", conversation["conversation_id"])]
    print(f"   The transcript of conversation {conversation['conversation_id']} begins:")
    for message in pq.read_table(folder / "messages.parquet", filters=wanted).to_pylist()[:MESSAGES]:
        said = message["text"] or message["file_caption"] or message["rich_content"] or ""
        print(f"   {message['sent_at']:%H:%M:%S} {message['sent_by']:>8}: {textwrap.shorten(said, 90)}")
    print("   To open a table:")
    query = f"SELECT latest_skill_name, count(*) FROM '{folder / 'conversations.parquet'}' GROUP BY ALL"
    print(f"   {sys.executable} -c \"import duckdb; print(duckdb.sql('''{query}'''))\"")


def _summary(log: Path) -> dict[str, Any]:
    found = re.search(r"Summary: ({.*})", log.read_text(errors="replace"))
    summary: dict[str, Any] = json.loads(found[1]) if found else {}
    return summary


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


if __name__ == "__main__":
    sys.exit(main())
