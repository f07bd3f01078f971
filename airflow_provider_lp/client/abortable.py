"""The open connections of a session, so that requests which go on for too long can be ended from outside."""

from __future__ import annotations

import logging
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HeaderParsingError

CHECK_INTERVAL_S = 1.0


def _without_headers(record: logging.LogRecord) -> bool:
    """Of headers that cannot be parsed, show none: a server may repeat credentials in them."""
    if isinstance(record.args, tuple) and any(isinstance(argument, HeaderParsingError) for argument in record.args):
        record.args = tuple("-" if isinstance(each, HeaderParsingError) else each for each in record.args)
        record.exc_info = None
    return True


logging.getLogger("urllib3.connection").addFilter(_without_headers)


class AbortableAdapter(HTTPAdapter):
    """
    Sends requests that another thread can end.

    A timeout of the socket only bounds the silence between two bytes: an answer that trickles in could hold a task
    for days.

    :param longest_s: seconds a request and its answer may take together.
    :param max_concurrency: how many connections are kept open.
    """

    def __init__(self, *, longest_s: float, max_concurrency: int) -> None:
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._deadlines: dict[int, float] = {}
        self._closed = threading.Event()
        self._is_ended = False
        super().__init__(pool_connections=8, pool_maxsize=max_concurrency)
        self._remember_connections(self.poolmanager)
        threading.Thread(target=self._watch, name="liveperson-deadlines", daemon=True).start()

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """The pools behind a proxy, whose connections can be ended as well."""
        manager = super().proxy_manager_for(*arguments, **options)
        self._remember_connections(manager)
        return manager

    def _remember_connections(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            "http": self._remembering(HTTPConnectionPool),
            "https": self._remembering(HTTPSConnectionPool),
        }

    def _remembering(self, pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        connections, lock = self._connections, self._lock

        class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc] # the base is only known when it runs
            used_by = 0

            def request(self, *arguments: Any, **options: Any) -> None:
                self.used_by = threading.get_ident()
                with lock:
                    connections.add(self)
                super().request(*arguments, **options)

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """End the request that this thread sends in the block, if it takes too long."""
        thread = threading.get_ident()
        with self._lock:
            if self._is_ended:
                raise OSError("the client is closed")
            self._deadlines[thread] = time.monotonic() + self._longest_s
        try:
            yield
        finally:
            with self._lock:
                del self._deadlines[thread]

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_INTERVAL_S):
            now = time.monotonic()
            with self._lock:
                late = {thread for thread, deadline in self._deadlines.items() if deadline < now}
            if late:
                self._end(late)

    def end_all(self) -> None:
        """End every request that is under way, and let no other begin."""
        with self._lock:
            self._is_ended = True
            threads = set(self._deadlines)
        self._end(threads)

    def _end(self, threads: set[int]) -> None:
        with self._lock:
            ended = [connection for connection in self._connections if connection.used_by in threads]
        for connection in ended:
            if connection.sock is not None:
                with suppress(OSError):
                    # Not the socket's own method: that of a TLS socket would take it apart under its reader.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connections."""
        self._closed.set()
        super().close()
