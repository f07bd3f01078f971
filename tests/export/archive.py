"""A LivePerson of a list of records, whose answers a test may spoil: for what the sandbox has no fault for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.windows import Window
from tests.fake_clock import FakeClock
from tests.samples import MARK, OAUTH2, at
from tests.scripted import Say, Scripted, Seen, scripted

DAY_WINDOW = Window(at(10), at(11))


def record(conversation_id: str, start_ms: int = at(10), **members: Any) -> dict[str, Any]:
    """A record as LivePerson has them, with as little as possible in it."""
    return {
        "info": {"conversationId": conversation_id, "startTimeL": start_ms, "status": "CLOSE"},
        "messageRecords": [],
        **members,
    }


def records(number: int, apart_ms: int = 1000, first_ms: int = at(10), **members: Any) -> list[dict[str, Any]]:
    """Records that start one after the other."""
    return [record(f"c{each:05}", first_ms + each * apart_ms, **members) for each in range(number)]


class Archive:
    """
    Answers searches and lookups from some records.

    :param content: the records, in order of their start; bytes are sent as they are, if only a few fit a window.
    """

    def __init__(self, content: Sequence[dict[str, Any] | bytes]) -> None:
        self.content = list(content)
        self._lock = Lock()
        self.answered = 0
        #: Makes another answer of a request's right one; told the request, its records, the count and its number.
        self.spoil: Callable[[Seen, list[Any], int, int], Say | None] = lambda *_: None

    def respond(self, seen: Seen) -> Say:
        if "/token" in seen.path:
            return Say(body={"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
        with self._lock:
            number = self.answered
            self.answered += 1
            matching, count = self._find(seen)
            return self.spoil(seen, matching, count, number) or page(matching, count)

    def _find(self, seen: Seen) -> tuple[list[Any], int]:
        asked = json.loads(seen.body)
        if seen.path.split("?")[0].endswith("/conversation/search"):
            ids = asked.get("conversationIds") or [asked["conversationId"]]
            matching = [each for each in self.content if id_of(each) in ids]
            return matching, len(matching)
        query = parse_qs(urlsplit(seen.path).query)
        low, high = asked["start"]["from"] // MARK * MARK, -(-asked["start"]["to"] // MARK) * MARK
        matching = [each for each in self.content if low <= start_of(each) <= high]
        offset, limit = int(query["offset"][0]), int(query["limit"][0])
        return matching[offset : offset + limit], len(matching)


def _decoded(each: dict[str, Any] | bytes) -> Any:
    return json.loads(each.decode("utf-8", "replace"), strict=False) if isinstance(each, bytes) else each


def id_of(each: dict[str, Any] | bytes) -> str:
    return str(_decoded(each)["info"]["conversationId"])


def start_of(each: dict[str, Any] | bytes) -> int:
    return int(_decoded(each)["info"]["startTimeL"])


def page(content: Sequence[dict[str, Any] | bytes], count: int) -> Say:
    """An answer of some records."""
    lines = [each if isinstance(each, bytes) else json.dumps(each, separators=(",", ":")).encode() for each in content]
    return Say(body=b'{"_metadata":{"count":%d},"conversationHistoryRecords":[%b]}' % (count, b",".join(lines)))


@contextmanager
def archive_of(content: Sequence[dict[str, Any] | bytes]) -> Iterator[tuple[Archive, Scripted]]:
    """Serve records on a socket."""
    archive = Archive(content)
    with scripted(archive.respond) as server:
        yield archive, server


def client_of(server: Scripted, clock: FakeClock | None = None, **options: Any) -> LivePersonClient:
    return LivePersonClient("12345678", OAUTH2, host=server.url, clock=clock or FakeClock(), **options)


def searches(server: Scripted) -> list[Seen]:
    return [seen for seen in server.calls if "/conversations/search" in seen.path]


def lookups(server: Scripted) -> list[Seen]:
    return [seen for seen in server.calls if "/conversation/search" in seen.path]


def offset_and_limit(seen: Seen) -> tuple[int, int]:
    query = parse_qs(urlsplit(seen.path).query)
    return int(query["offset"][0]), int(query["limit"][0])
