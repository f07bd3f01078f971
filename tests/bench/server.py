"""
A LivePerson as fast as Python allows: conversations spread at random over some days, answered with prepared bytes.

The sandbox is true to the API instead, and too slow to measure against.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

DAY_START_MS = 1_767_225_600_000
DAY_MS = 86_400_000
MARK_MS = 600_000
RECORD_BYTES = 10_000
TEXTS = (
    "Hello, my order has not arrived yet: can you help?",
    "Of course! May I have the number, please?",
    "It is 4711, ordered on Monday. Für Köln, \u00fcbrigens \U0001f64f",
)


@dataclass(frozen=True, slots=True)
class Load:
    """
    What is served.

    :param conversations: how many in all.
    :param latency_s: seconds each page takes.
    :param days: over how many days they are spread; default one.
    :param at_a_time: how many pages are served at a time, any other request being refused; default any number.
    :param tails: all of a record that follows its start, in turns; default some members of ``info``, and messages.
    """

    conversations: int
    latency_s: float = 0.0
    days: int = 1
    at_a_time: int = 1_000
    tails: tuple[bytes, ...] = ()


def _messages() -> bytes:
    messages: list[dict[str, object]] = []
    while len(json.dumps(messages, separators=(",", ":"))) < RECORD_BYTES - 250:
        number = len(messages)
        messages.append(
            {
                "messageId": f"ms::dialog:0::msg:{number}",
                "seq": number,
                "type": "TEXT_PLAIN",
                "sentBy": "Consumer",
                "messageData": {"msg": {"text": TEXTS[number % len(TEXTS)] * (1 + number % 4)}},
            }
        )
    return json.dumps(messages, separators=(",", ":"), ensure_ascii=False).encode()


class _Days:
    def __init__(self, load: Load) -> None:
        self.load = load
        moments = random.Random(load.conversations)
        self._starts = sorted(DAY_START_MS + moments.randrange(load.days * DAY_MS) for _ in range(load.conversations))
        self._tails = load.tails or (b',"endTimeL":-1,"isPartial":false},"messageRecords":' + _messages() + b"}",)

    def page(self, body: bytes, offset: int, limit: int, *, latest_first: bool) -> bytes:
        asked = json.loads(body)["start"]
        first = bisect_left(self._starts, asked["from"] // MARK_MS * MARK_MS)
        last = bisect_right(self._starts, -(-asked["to"] // MARK_MS) * MARK_MS)
        records = b",".join(
            b'{"info":{"conversationId":"%036d","status":"OPEN","startTimeL":%d' % (number, self._starts[number])
            + self._tails[number % len(self._tails)]
            for number in range(first, last)[:: -1 if latest_first else 1][offset : offset + limit]
        )
        metadata = b'{"_metadata":{"count":%d,"shardsStatusResult":{"partialResult":false}}' % (last - first)
        return metadata + b',"conversationHistoryRecords":[' + records + b"]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    days: _Days
    requests: list[tuple[str, str]]
    places: threading.BoundedSemaphore
    #: One for each request that was refused.
    refused: list[None]

    def do_GET(self) -> None:
        host = f"127.0.0.1:{self.server.server_port}"
        service = re.findall(r"service/(\w+)/", self.path)[0]
        self._answer(json.dumps({"service": service, "baseURI": host}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/app/token" in self.path:
            self._answer(b'{"access_token":"bench","token_type":"Bearer","expires_in":3600}')
            return
        if not self.places.acquire(blocking=False):
            self.refused.append(None)
            self._answer(b"{}", status=429)
            return
        self.requests.append((self.path, body.decode()))
        if self.days.load.latency_s:
            time.sleep(self.days.load.latency_s)
        self.places.release()
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        latest_first = asked["sort"].endswith(":desc")
        self._answer(self.days.page(body, int(asked["offset"]), int(asked["limit"]), latest_first=latest_first))

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _serve(load: Load, pipe: Connection) -> None:
    places = threading.BoundedSemaphore(load.at_a_time)
    members = {"days": _Days(load), "requests": [], "places": places, "refused": []}
    handler = type("Handler", (_Handler,), members)
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    while asked_for := pipe.recv():
        pipe.send(getattr(handler, asked_for)[:])


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server in a process of its own."""

    url: str
    pipe: Connection

    def requests(self) -> list[tuple[str, str]]:
        """Path and body of every page asked for so far."""
        self.pipe.send("requests")
        asked: list[tuple[str, str]] = self.pipe.recv()
        return asked

    def refused(self) -> int:
        """How many requests were refused so far."""
        self.pipe.send("refused")
        return len(self.pipe.recv())


@contextmanager
def serving(load: Load) -> Iterator[RunningServer]:
    """Serve as long as the block lasts."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(load, theirs), daemon=True)
    process.start()
    try:
        yield RunningServer(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        process.terminate()
        process.join()
