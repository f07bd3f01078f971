"""The HTTP server: sockets in, sockets out."""

from __future__ import annotations

import gzip
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from airflow_provider_lp.sandbox.http.delivery import deliver
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer

_ABANDONED = (ConnectionError, TimeoutError)


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Reply:
    """An answer, the kind of fault that spoils its delivery and for how long, how long it is held back before, and what
    is to be done then."""

    answer: Answer
    fault: str | None = None
    fault_seconds: float | None = None
    delay_s: float = 0.0
    may_compress: bool = False
    done: Callable[[], None] = _nothing


Serve = Callable[[Request, float], Reply]


class HttpServer(ThreadingHTTPServer):
    """Serves each connection in a thread of its own, and ends them all when it is stopped."""

    daemon_threads = True
    request_queue_size = 1_024

    def __init__(self, host: str, port: int, serve: Serve, *, verbose: bool = False) -> None:
        self.serve = serve
        self.verbose = verbose
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), _Connection)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends."""
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            if not self.stopping.is_set():
                super().process_request_thread(request, client_address)
            else:
                self.shutdown_request(request)
        finally:
            with self._lock:
                del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is shown."""
        if not isinstance(sys.exception(), _ABANDONED):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Take no more connections and end those that are open."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in still_open.values():
            thread.join(timeout=5)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: HttpServer

    def _answer(self) -> None:
        arrived = time.monotonic()
        reply = self._reply(arrived)
        if reply.delay_s:
            self.server.stopping.wait(reply.delay_s)
        reply.done()
        answer = self._compressed(reply.answer) if reply.may_compress else reply.answer
        if not deliver(answer, reply.fault, reply.fault_seconds, self.wfile, self.server.stopping.wait):
            self.close_connection = True
        self.wfile.flush()
        if self.server.verbose:
            print(f"{self.command} {self.path} -> {answer.status} {reply.fault or ''}".rstrip(), flush=True)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  the names http.server looks for

    def _reply(self, arrived: float) -> Reply:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.close_connection = True
            return Reply(Refused(411, "Content-Length is required").answer())
        request = Request(self.command, self.path, self.headers, self.rfile.read(int(length)))
        try:
            return self.server.serve(request, arrived)
        except Exception:  # noqa: BLE001  a mistake of the sandbox: show it, and answer all the same
            traceback.print_exc()
            return Reply(json_answer(500, {"message": "the sandbox itself failed; see its log"}))

    def _compressed(self, answer: Answer) -> Answer:
        if "gzip" not in self.headers.get("Accept-Encoding", "") or not answer.body:
            return answer
        body = gzip.compress(answer.body, compresslevel=1, mtime=0)
        return replace(answer, body=body, headers={**answer.headers, "Content-Encoding": "gzip"})

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what is worth saying is said elsewhere."""
