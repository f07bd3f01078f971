"""One export as a process of its own: prints its peak of memory, in mebibytes, and how many seconds it took."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from upath import UPath

from airflow_provider_lp.client import LivePersonClient, OAuth2Credentials
from airflow_provider_lp.export.conversations import export_conversations
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.windows import Window

from .server import DAY_MS, DAY_START_MS


def client_of(url: str, threads: int) -> LivePersonClient:
    """A client of the server."""
    return LivePersonClient("1", OAuth2Credentials("bench", "bench"), host=url, max_concurrency=threads)


def export(
    url: str, path: str, threads: int, part: int = 0, parts: int = 1, redactor: Redactor | None = None
) -> dict[str, Any]:
    """Export the server's day, or a part of it."""
    part_ms = DAY_MS // parts
    window = Window(DAY_START_MS + part * part_ms, DAY_START_MS + (part + 1) * part_ms)
    query = ConversationQuery.checked(window, now=datetime.now(UTC))
    with client_of(url, threads) as client:
        return export_conversations(client, query, UPath(path), redactor=redactor)


if __name__ == "__main__":
    begun = time.perf_counter()
    if len(sys.argv) > 1:
        export(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    took = time.perf_counter() - begun
    # Not getrusage: a process inherits its peak from the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak[1]) / 1024 if peak else "unknown", took)
