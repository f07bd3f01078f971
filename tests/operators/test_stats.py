"""What tasks add to Airflow's stats, as a statsd server receives it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonServerError
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.operators.stats import COUNTERS, as_markdown, count
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sandbox import Fault
from tests.operators.conftest import DAG
from tests.samples import crowd

try:
    from airflow.sdk._shared.observability.metrics import stats as kept
    from airflow.sdk.observability.metrics.statsd_logger import get_statsd_logger
except ImportError:  # Airflow 2.11
    from airflow.metrics.statsd_logger import get_statsd_logger

    kept = None

DAY = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z"}
CONTEXT: Any = {"outlet_events": {}}
Received = Callable[[], list[str]]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    """What has come to a statsd server since it was last asked."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.setblocking(False)
    for name, value in {
        "STATSD_ON": "True",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(server.getsockname()[1]),
        "STATSD_INFLUXDB_ENABLED": "True",
        "METRICS_USE_PATTERN_MATCH": "True",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)

    def lines() -> list[str]:
        # Datagrams on this machine are there when they are sent.
        found = []
        while True:
            try:
                found.append(server.recv(65536).decode())
            except BlockingIOError:
                return [line for line in found if "liveperson" in line]

    # As in a task's process, if Airflow's settings say so.
    logger = get_statsd_logger() if kept else get_statsd_logger(compat.Stats)
    if kept:
        monkeypatch.setattr(kept, "_backend", logger)
    else:
        monkeypatch.setattr(compat.Stats, "instance", logger)
    with server, closing(logger.statsd):
        yield lines


def sums(lines: list[str]) -> dict[str, int]:
    """Each counter of the task ``some.work`` and its number; every line is one of these, and each comes once."""
    found = [re.fullmatch(r"airflow\.liveperson\.(\w+),dag_id=some,task_id=work:(\d+)\|c", line) for line in lines]
    assert all(found), lines
    counted = {each[1]: int(each[2]) for each in found if each}
    assert len(counted) == len(lines)
    return counted


def execute(kind: Any, **arguments: Any) -> Any:
    return kind(task_id="work", dag=DAG("some", schedule=None), **arguments).execute(CONTEXT)


def test_an_export_counts_what_it_cost_and_brought(serve: Any, fast: None, tmp_path: Path, received: Received) -> None:
    sandbox = serve(*crowd(30))
    sandbox.add_fault(Fault("throttle", times=1))
    summary = execute(LivePersonConversationsOperator, **DAY, path=f"{tmp_path}/day.ndjson.gz")
    counted = sums(received())
    assert counted.pop("throttled_ms") >= 1000
    assert counted.pop("received_bytes") > summary["bytes"]
    assert counted == {
        "requests": len(sandbox.requests),
        "retries": 1,
        "conversations": 30,
        "published_bytes": summary["bytes"],
    }


def test_a_failure_counts_what_it_cost(serve: Any, fast: None, received: Received) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with pytest.raises(LivePersonServerError):
        execute(LivePersonConversationsOperator, **DAY)
    counted = sums(received())
    assert counted["requests"] == len(sandbox.requests)
    assert counted["retries"] > 0
    assert set(counted) == {"requests", "retries", "throttled_ms", "received_bytes"}


def test_what_goes_through_xcom_counts_too(serve: Any, received: Received) -> None:
    serve(*crowd(3))
    execute(LivePersonConversationsOperator, **DAY)
    assert sums(received())["conversations"] == 3
    execute(LivePersonConversationLookupOperator, conversation_ids=["c00000", "c00001"])
    assert sums(received())["conversations"] == 2
    rows = execute(LivePersonMetricsOperator, timeframe=60)
    assert sums(received())["rows"] == len(rows) > 0


def test_tables_count_their_rows(serve: Any, tmp_path: Path, received: Received) -> None:
    serve(*crowd(3))
    exported = execute(LivePersonConversationsOperator, **DAY, path=f"{tmp_path}/day.ndjson")
    received()
    summary = execute(LivePersonTablesOperator, source=exported, path=f"{tmp_path}/{{table}}.parquet")
    tables = summary["tables"].values()
    assert sums(received()) == {
        "conversations": 3,
        "rows": sum(table["rows"] for table in tables),
        "published_bytes": sum(table["bytes"] for table in tables),
    }


def test_a_counter_that_no_page_names_is_a_mistake() -> None:
    assert "`liveperson.requests`" in as_markdown()
    assert all(re.fullmatch(r"liveperson\.[a-z_]+", name) for name in COUNTERS)
    with pytest.raises(KeyError, match=r"liveperson\.tokens"):
        count("some", "work", tokens=1)
