"""The nightly repair in a real Airflow: what is missing is exported, and the days that have changed are once more."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox

from . import airflow_process
from .airflow_process import Airflow
from .conftest import EXAMPLES, TODAY
from .services import free_port

DAG_ID = "liveperson_nightly_repair"
#: Fewer than in the example: each takes some seconds.
DAYS = [TODAY - timedelta(days=number) for number in (2, 1)]
NAMES = [f"{day:%Y-%m-%d}" for day in DAYS]
PER_DAY = 12


def of_two_days(dags: Path) -> Path:
    """A folder with the example, for two days."""
    dags.mkdir()
    example = (EXAMPLES / "nightly_repair.py").read_text()
    assert "\nDAYS = 7\n" in example
    (dags / "nightly_repair.py").write_text(example.replace("\nDAYS = 7\n", "\nDAYS = 2\n"))
    return dags


def conversations() -> list[Conversation]:
    """Those of the days, all of which have long ended; the first of each day starts at midnight."""
    return [
        Conversation(f"{day:%d}-{number}", start_ms, end_ms=start_ms + 60_000)
        for day in DAYS
        for number in range(PER_DAY)
        for start_ms in [int(day.timestamp() * 1000) + number * 5_000_000]
    ]


def run(airflow: Airflow, sandbox: Sandbox, root: Path) -> None:
    connected = airflow.connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=root.as_uri())
    done = connected.run("dags", "test", DAG_ID, TODAY.isoformat())
    assert done.returncode == 0, done.stdout[-5000:]


def files(root: Path, name: str) -> dict[str, bytes]:
    return {path.parent.name.partition("=")[2]: path.read_bytes() for path in root.rglob(name)}


def records(root: Path) -> list[dict[str, Any]]:
    objects = sorted(files(root, "conversations.ndjson.gz").items())
    return [json.loads(line) for _, content in objects for line in gzip.decompress(content).splitlines()]


def exported(root: Path) -> list[str]:
    return [record["info"]["conversationId"] for record in records(root)]


def test_days_are_filled_and_repaired(
    airflow_of: Callable[..., Airflow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As much as a busy machine needs.
    monkeypatch.setattr(airflow_process, "SECONDS_PER_COMMAND", 900)
    root = tmp_path / "export"
    airflow = airflow_of(of_two_days(tmp_path / "dags"))
    port = free_port()
    first = conversations()
    with Sandbox(account=Account.of(first), port=port) as sandbox:
        run(airflow, sandbox, root)
    assert exported(root) == [each.conversation_id for each in first]
    manifests = files(root, "manifest.json")
    assert sorted(manifests) == NAMES

    late = [
        replace(first[3], csat=4, latest_update_ms=int(time.time() * 1000)) if each == first[3] else each
        for each in first
    ]
    with Sandbox(account=Account.of(late), port=port) as sandbox:
        run(airflow, sandbox, root)
        pages = [seen.body for seen in sandbox.requests if seen.path.endswith("/conversations/search")]
    assert records(root)[3]["info"]["csatRate"] == 4
    assert exported(root) == [each.conversation_id for each in late]
    # Only this day was downloaded once more.
    downloaded = {body["start"]["from"] for body in pages if "contentToRetrieve" not in body}
    assert downloaded == {int(DAYS[0].timestamp() * 1000)}
    later = files(root, "manifest.json")
    assert [name for name in NAMES if later[name] != manifests[name]] == NAMES[:1]
