from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonTransportError,
)
from tests.exported import connect
from tests.fake_clock import FakeClock
from tests.samples import OAUTH1, crowd

#: Never reached: a proxy that refuses stands before it.
BEYOND = "https://api.liveperson.net"


@contextmanager
def proxy(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that answers whatever is asked of it with the same; gives its address and what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)


def failure(clock: FakeClock, host: str = BEYOND) -> LivePersonError:
    with LivePersonClient("1", OAUTH1, host=host, clock=clock) as client, pytest.raises(LivePersonError) as caught:
        client.check()
    return caught.value


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_never_reached_through_a_proxy(
    sandbox_of: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sandbox = sandbox_of(*crowd(1))
    with proxy(b"HTTP/1.1 502 No\r\n\r\n") as (address, asked):
        monkeypatch.setenv(name, f"http://{address}")
        with connect(sandbox) as client:
            assert client.check() == sandbox.url
        assert asked == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (407, "wants to know who you are (HTTP 407)"),
        (403, "lets no request through to LivePerson (HTTP 403)"),
        (405, "lets no request through to LivePerson (HTTP 405)"),
        (302, "lets no request through to LivePerson (HTTP 302)"),
    ],
)
def test_a_proxy_that_refuses_is_a_setting(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    with proxy(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status) as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:pass-word@{address}")
        error = failure(clock)
        assert len(asked) == 1
    assert isinstance(error, LivePersonConfigurationError)
    assert words in str(error)
    assert f"http://{address}" in str(error)
    assert "pass-word" not in f"{error} {error.__dict__} {error.__context__!r}"
    assert not clock.pauses


def test_a_proxy_in_trouble_is_tried_again(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as (address, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        error = failure(clock)
    assert isinstance(error, LivePersonTransportError)
    assert f"through the proxy http://{address}: the proxy answers HTTP 503." in str(error)
    assert clock.pauses == [5, 10, 15]


def test_a_proxy_that_does_not_speak_tls_is_named_as_the_cause(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(b"HTTP/1.1 400 Bad request\r\nContent-Length: 0\r\n\r\n") as (address, _):
        monkeypatch.setenv("HTTPS_PROXY", f"https://{address}")
        error = failure(clock)
    assert isinstance(error, LivePersonConfigurationError)
    assert f"HTTPS_PROXY is https://{address}" in str(error)
    assert f"write http://{address}" in str(error)
    assert not clock.pauses


def test_a_proxy_that_hangs_up_on_tls_may_be_the_cause(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(b"") as (address, _):
        monkeypatch.setenv("HTTPS_PROXY", f"https://{address}")
        error = failure(clock)
    assert f"https://{address}" in str(error)
    assert "plain HTTP" in str(error)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://user:pass-word@", "not the URL of a proxy"),
        ("http://user:pass-word@[::1", "not the URL of a proxy"),
        ("http://user:pass-word@proxy.example:port", "not the URL of a proxy"),
        ("http://user:pass-word/1@127.0.0.1:1", "write / as %2F"),
        ("http://user:pass-word#1@127.0.0.1:1", "not the URL of a proxy"),
        ("http://user:pass-word@127.0.0.1:1\n", "not the URL of a proxy"),
        ("http://user:pass-word@a proxy:1", "not the URL of a proxy"),
        (" ", "not the URL of a proxy"),
        ("ftp://user:pass-word@127.0.0.1:1", "not the URL of a proxy"),
        ("socks5://user:pass-word@127.0.0.1:1", "PySocks is not installed"),
    ],
)
def test_a_proxy_that_cannot_be_is_a_setting(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    error = failure(clock)
    assert isinstance(error, LivePersonConfigurationError)
    assert words in str(error)
    assert "pass-word" not in str(error)
    assert not clock.pauses


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, b"", b"no certificates"])
def test_a_ca_bundle_that_cannot_be_read_is_a_setting(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(name, str(bundle))
    error = failure(clock)
    assert isinstance(error, LivePersonConfigurationError)
    assert name in str(error)
    assert str(bundle) in str(error)
    assert not clock.pauses


def test_a_ca_bundle_that_can_be_read_is_gone_by(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = ssl.create_default_context().get_ca_certs(binary_form=True)[0]
    (tmp_path / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(authority))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with proxy(b"no TLS") as (address, _):
        assert "does not speak TLS" in str(failure(clock, f"https://{address}"))
