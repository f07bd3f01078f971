"""What tests work with: a clock that runs as fast as asked, moments, crowds of conversations, and exports of them."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from upath import UPath

from airflow_provider_lp.client import (
    ApplicationCredentials,
    LivePersonClient,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
)
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.export.conversations import export_conversations
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.sandbox import Conversation, Sandbox
from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.windows import Window

NOW = datetime(2026, 3, 20, 12, 34, 56, 789_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARK = 600_000
HOUR = 3_600_000
DAY = 24 * HOUR
SEARCH = "/conversations/search"
BY_ID = "/conversation/search"
BY_CONSUMER = "/consumer/search"

OAUTH1 = OAuth1Credentials(
    CREDENTIALS["app_key"],
    CREDENTIALS["app_secret"],
    CREDENTIALS["access_token"],
    CREDENTIALS["access_token_secret"],
)
OAUTH2 = OAuth2Credentials(CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
USER = UserCredentials(CREDENTIALS["login"], CREDENTIALS["password"])
APPLICATION = ApplicationCredentials(
    CREDENTIALS["bot_login"], CREDENTIALS["client_id"], CREDENTIALS["client_secret"], "dummy", "dummy"
)


class FakeClock(Clock):
    """A clock on which a wait takes no time, but passes it; ``pauses`` are the waits, in seconds."""

    def __init__(self, start_s: float = NOW.timestamp()) -> None:
        super().__init__()
        self._start_s = start_s
        self._passed_s = 0.0
        self._lock = threading.Lock()
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        with self._lock:
            return self._passed_s

    def now(self) -> float:
        return self._start_s + self.monotonic()

    def sleep(self, seconds: float) -> None:
        if self._closing.is_set():
            raise LivePersonTransportError("The LivePerson client was closed.")
        with self._lock:
            self._passed_s += seconds
            if seconds:
                self.pauses.append(round(seconds, 3))

    def pass_time(self, seconds: float) -> None:
        with self._lock:
            self._passed_s += seconds


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, milli: int = 0) -> int:
    """A moment of March 2026, in epoch milliseconds."""
    return ms(datetime(2026, 3, day, hour, minute, second, milli * 1_000, tzinfo=UTC))


def connect(
    sandbox: Sandbox, clock: Clock | None = None, credentials: Any = OAUTH2, **options: Any
) -> LivePersonClient:
    return LivePersonClient(sandbox.account.account_id, credentials, host=sandbox.url, clock=clock, **options)


def crowd(number: int, first_ms: int = at(10), apart_ms: int = 1_000, **traits: Any) -> list[Conversation]:
    """Conversations that start one after the other and last ten seconds."""
    return [
        Conversation(
            f"c{position:05}",
            first_ms + position * apart_ms,
            end_ms=first_ms + position * apart_ms + 10_000,
            message_count=2,
            **traits,
        )
        for position in range(number)
    ]


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


def ids_of(records: Iterable[dict[str, Any]]) -> list[str]:
    return [record["info"]["conversationId"] for record in records]


def calls(sandbox: Sandbox, path: str = SEARCH) -> list[Any]:
    """The requests that the sandbox has seen on a path."""
    return [seen for seen in list(sandbox.requests) if seen.path.endswith(path)]
