from __future__ import annotations

import base64
import html
import logging
import re
import traceback
import unicodedata
from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import quote

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.error_bodies import ErrorBody, read_error_body
from airflow_provider_lp.client.errors import LivePersonError, LivePersonTransportError
from airflow_provider_lp.client.secrets import Secrets
from tests.fake_clock import FakeClock
from tests.samples import OAUTH1, OAUTH2, at
from tests.scripted import Say, Seen, scripted

SECRET = "pÄss w/rd&<x>%20'q"
WINDOW = {"start": {"from": at(10), "to": at(11)}}


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CLOTHES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": quote,
    "in HTML, by numbers": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "in HTML, by hexadecimal numbers": lambda secret: "".join(f"&#x{ord(letter):X};" for letter in secret),
    "in marked-up letters": lambda secret: "".join(f"<b class='c7'>{html.escape(letter)}</b>" for letter in secret),
    "in base64": in_base64,
    "in base64 behind a path": lambda secret: f"/token/{in_base64(secret)}",
    "in base64 behind a name": lambda secret: f"key_{base64.urlsafe_b64encode(secret.encode()).decode()}",
    "in base64 of name and password": lambda secret: f"Basic {in_base64(f'client:{secret}')}",
    "in base64 in short lines": lambda secret: "\r\n".join(re.findall(".{1,7}", in_base64(secret))),
    "in base64 twice": lambda secret: in_base64(in_base64(secret)),
    "in base64 as UTF-16": lambda secret: base64.b64encode(secret.encode("utf-16")).decode(),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "in hexadecimal with an odd digit": lambda secret: f"f{secret.encode().hex()}",
    "in hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "in hexadecimal as C writes it": lambda secret: ", ".join(f"0x{byte:02x}" for byte in secret.encode()),
    "in decimals": lambda secret: str(list(secret.encode())),
    "in octals": lambda secret: "".join(f"\\{byte:03o}" for byte in secret.encode()),
    "in code points": lambda secret: " ".join(f"U+{ord(letter):04X}" for letter in secret),
    "in long code points": lambda secret: "".join(f"\\U{ord(letter):08x}" for letter in secret),
    "in code points in braces": lambda secret: "".join(f"\\u{{{ord(letter):x}}}" for letter in secret),
    "as mail has it": lambda secret: "".join(f"={byte:02X}" for byte in secret.encode()),
    "taken apart": lambda secret: unicodedata.normalize("NFD", secret),
    "taken for Latin-1": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("clothes", CLOTHES)
def test_a_secret_is_recognised_in_any_clothes(clothes: str, encoding: str) -> None:
    known, other = Secrets(lambda _: None), Secrets(lambda _: None)
    known.add(SECRET)
    other.add("another-secret-0123")
    body = f"you sent {CLOTHES[clothes](SECRET)}!".encode(encoding)
    assert read_error_body(body, known) == ErrorBody()
    assert read_error_body(body, other) != ErrorBody()


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>502 Bad Gateway</title></head><body><hr><center>nginx/1.25.3</center></body></html>",
        b'{"error": "invalid_client", "error_description": "Client authentication failed"}',
        b'{"message": "from 1773100800000 to 1773187200000 is no range, see 2026-03-20 12:34:56.789"}',
        b'{"internalCode": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "message": "internal"}',
        b"com.example.reporting.exceptions.QueryExecutionException: upstream request timeout",
    ],
)
def test_what_holds_no_secret_is_shown(body: bytes) -> None:
    known = Secrets(lambda _: None)
    known.add(SECRET, "a-client-secret-x7Kq9vR2mW", "e" * 40)
    assert read_error_body(body, known).excerpt


# What is no error, and what others log.


@pytest.mark.parametrize("status", [201, 206, 302])
@pytest.mark.parametrize("body", [b'{"text": "my iban is', b'{"message": "my iban is"}'])
def test_what_is_no_error_is_not_shown(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    with (
        scripted(lambda _: Say(status, body)) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonTransportError) as caught,
    ):
        client.interactions.search(WINDOW)
    assert "iban" not in caplog.text + "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("status", [201, 401, 500])
def test_a_token_in_the_refusal_of_a_login_is_not_shown(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    def respond(seen: Seen) -> Say:
        return Say(status, b'{"access_token": "new-0123456789-token", "message": ')

    with (
        scripted(respond) as server,
        LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonError) as caught,
    ):
        client.interactions.search(WINDOW)
    assert "new-0123456789" not in caplog.text + "".join(traceback.format_exception(caught.value))


class Repeating(StreamRequestHandler):
    """Repeats the request where a header should stand."""

    def handle(self) -> None:
        sent: list[bytes] = []
        while (line := self.rfile.readline()).strip():
            sent.append(line.strip())
        self.wfile.write(b"HTTP/1.1 500 No\r\nyou sent " + b" ".join(sent) + b"\r\nContent-Length: 0\r\n\r\n")


def test_headers_that_cannot_be_parsed_are_logged_by_nobody(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    with ThreadingTCPServer(("127.0.0.1", 0), Repeating) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        domain = Say(body={"baseURI": f"127.0.0.1:{server.server_address[1]}"})
        with (
            scripted(lambda _: Say(), domain=domain) as domains,
            LivePersonClient("1", OAUTH1, host=domains.url, clock=clock) as client,
            pytest.raises(LivePersonError),
        ):
            client.interactions.search(WINDOW)
        server.shutdown()
    assert "Failed to parse headers" in caplog.text
    assert "you sent" not in caplog.text
    assert OAUTH1.app_key not in caplog.text
