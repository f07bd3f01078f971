"""A search, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.sandbox import Sandbox
from tests.samples import at

WINDOW = {"start": {"from": at(10), "to": at(11)}}
CUTS = ("cut_connection", "cut_body", "cut_chunked", "not_json")
SandboxOf = Callable[..., Sandbox]


def search(client: LivePersonClient, **options: Any) -> list[str]:
    page = client.interactions.search(WINDOW, **options)
    return [head.info.conversation_id for head in page.heads]
