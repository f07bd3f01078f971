from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.transport import LONGEST_ANSWER
from tests.samples import OAUTH1

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


@contextmanager
def server(head: bytes, drip: bytes) -> Iterator[str]:
    """Answers every request with ``head``, and then ``drip`` ten times a second for as long as anybody listens."""
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(head)
                while not done.wait(0.1):
                    connection.sendall(drip)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        listener.shutdown(socket.SHUT_RDWR)


def test_an_answer_that_trickles_in_is_ended() -> None:
    quiet = timedelta(seconds=0.3)
    with server(HEAD, b" ") as url:
        client = LivePersonClient("1", OAUTH1, host=url, read_timeout=quiet, retry=False)
        begun = time.monotonic()
        with client, pytest.raises(LivePersonTransportError, match="No complete answer"):
            client.check()
        assert time.monotonic() - begun < LONGEST_ANSWER * quiet.total_seconds() + 5


@pytest.mark.parametrize(("head", "drip"), [(HEAD, b" "), (HEAD, b""), (b"", b"")])
def test_aborting_ends_a_request_under_way(head: bytes, drip: bytes) -> None:
    with server(head, drip) as url, LivePersonClient("1", OAUTH1, host=url) as client:
        threading.Timer(0.5, client.abort).start()
        begun = time.monotonic()
        with pytest.raises(LivePersonTransportError):
            client.check()
        assert time.monotonic() - begun < 10


def test_a_closed_client_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with server(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", b"") as url:
        with LivePersonClient("1", OAUTH1, host=url) as client, pytest.raises(Exception, match="account_id"):
            client.check()
        deadline = time.monotonic() + 5
        while any("liveperson" in thread.name for thread in set(threading.enumerate()) - before):
            assert time.monotonic() < deadline
            time.sleep(0.05)
