"""A proxy before a store that passes requests on until it is told to refuse what writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

#: Headers that belong to one connection only.
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


class Refusal(NamedTuple):
    """
    How a store refuses a request.

    :param status: of the answer.
    :param headers: of the answer.
    :param content: what it says.
    """

    status: int
    headers: dict[str, str]
    content: bytes


class RefusingProxy:
    """
    Refuses each request with a body but the first few, as if credentials had expired meanwhile.

    :param port: of the store, on this machine.
    :param refusal: how.
    :param refuses_all: whether to refuse each request from the first on.
    """

    def __init__(self, port: int, refusal: Refusal, *, refuses_all: bool = False) -> None:
        self.port = port
        self.refusal = refusal
        self._refuses_all = refuses_all
        #: How many requests with a body it still lets through; ``None`` for all.
        self.passes: int | None = None
        self.refused: list[str] = []
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @contextmanager
    def running(self) -> Iterator[RefusingProxy]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def refuses(self, request: str, body: bytes) -> bool:
        """Whether to refuse a request."""
        if self._refuses_all:
            return True
        if self.passes is None or not body:
            return False
        self.passes -= 1
        if self.passes < 0:
            self.refused.append(request)
        return self.passes < 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: RefusingProxy

    def _pass_on(self) -> None:
        body = self._body()
        if self.owner.refuses(f"{self.command} {self.path}", body):
            status, headers, content = self.owner.refusal
            self._answer(status, list(headers.items()), b"" if self.command == "HEAD" else content)
            return
        store = HTTPConnection("127.0.0.1", self.owner.port, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            store.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = store.getresponse()
            content = answer.read()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            # What follows a HEAD is told by its length alone.
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(answer.status, kept, content, length)
        finally:
            store.close()

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status >= 200 and status != 204:
            self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815 - as the library wants them

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
