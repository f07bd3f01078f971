"""A client of a sandbox, exports by it, and what they wrote."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from upath import UPath

from airflow_provider_lp.client import (
    LivePersonClient,
)
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.export.conversations import export_conversations
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.sandbox import Sandbox
from airflow_provider_lp.windows import Window
from tests.samples import NOW, OAUTH2, SEARCH


def connect(
    sandbox: Sandbox, clock: Clock | None = None, credentials: Any = OAUTH2, **options: Any
) -> LivePersonClient:
    return LivePersonClient(sandbox.account.account_id, credentials, host=sandbox.url, clock=clock, **options)


def query_of(window: Window, **query: Any) -> ConversationQuery:
    return ConversationQuery.checked(window, now=query.pop("now", NOW), **query)


def export(client: LivePersonClient, window: Window, path: str | Path, **query: Any) -> dict[str, Any]:
    return export_conversations(client, query_of(window, **query), UPath(str(path)))


def plain(path: Path) -> bytes:
    """The object's content without its compression."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        from backports import zstd

        content: bytes = zstd.decompress(path.read_bytes())
        return content
    return path.read_bytes()


def lines(path: Path) -> list[bytes]:
    content = plain(path)
    assert not content or content.endswith(b"\n")
    return content.split(b"\n")[:-1]


def ids_in(path: Path) -> list[str]:
    return ids_of(json.loads(line) for line in lines(path))


def ids_in_bytes(ndjson: bytes) -> list[str]:
    return ids_of(json.loads(line) for line in ndjson.splitlines())


def ids_of(records: Iterable[dict[str, Any]]) -> list[str]:
    return [record["info"]["conversationId"] for record in records]


def calls(sandbox: Sandbox, path: str = SEARCH) -> list[Any]:
    """The requests that the sandbox has seen on a path."""
    return [seen for seen in list(sandbox.requests) if seen.path.endswith(path)]
