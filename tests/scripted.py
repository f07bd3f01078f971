"""A server that answers exactly as a test says, for answers that the sandbox has no fault for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

EMPTY = {"_metadata": {"count": 0}, "conversationHistoryRecords": []}


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int = 0


@dataclass(frozen=True)
class Say:
    """An answer; a body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=lambda: EMPTY)
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Scripted:
    """Answers what ``respond`` says; domain lookups it answers itself, unless it is told not to."""

    def __init__(self, respond: Callable[[Seen], Say], domain: Say | None = None) -> None:
        self.respond = respond
        self.domain = domain
        self.requests: list[Seen] = []
        self.url = ""

    @property
    def calls(self) -> list[Seen]:
        return [seen for seen in self.requests if "baseURI.json" not in seen.path]

    def answer(self, seen: Seen) -> Say:
        self.requests.append(seen)
        if "baseURI.json" not in seen.path:
            return self.respond(seen)
        return self.domain or Say(body={"baseURI": self.url.removeprefix("http://")})


@contextmanager
def scripted(respond: Callable[[Seen], Say], domain: Say | None = None) -> Iterator[Scripted]:
    """Run such a server on a socket."""
    script = Scripted(respond, domain)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            say = script.answer(Seen(self.command, self.path, dict(self.headers), body, self.client_address[1]))
            self.send_response(say.status)
            content = b"" if say.status == 204 else say.encoded()
            for name, value in say.headers.items():
                self.send_header(name, value)
            if say.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
