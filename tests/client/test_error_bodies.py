from __future__ import annotations

import base64
import html
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.credentials import secrets_of
from airflow_provider_lp.client.error_bodies import ErrorBody, read_error_body
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.secrets import Secrets
from airflow_provider_lp.sandbox import Fault, Sandbox
from tests.exported import connect
from tests.fake_clock import FakeClock
from tests.samples import APPLICATION, OAUTH1, OAUTH2, USER, at, crowd
from tests.scripted import Say, scripted

WINDOW = {"start": {"from": at(10), "to": at(11)}}
SandboxOf = Callable[..., Sandbox]


def secrets(*values: str) -> Secrets:
    known = Secrets(lambda _: None)
    known.add(*values)
    return known


def search(client: LivePersonClient, **options: Any) -> list[str]:
    page = client.interactions.search(WINDOW, **options)
    return [head.info.conversation_id for head in page.heads]


def test_an_error_carries_status_endpoint_code_and_excerpt(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonServerError) as caught:
        search(client)
    error = caught.value
    assert (error.status, error.endpoint, error.internal_code) == (500, "conversations/search", "0007")
    assert error.excerpt == "Search engine exception"
    assert error.excerpt in str(error)


SHAPES: dict[str, Callable[[str], Any]] = {
    "message": lambda words: {"message": words},
    "causes": lambda words: {"causes": ["x", words]},
    "reason": lambda words: {"reason": words},
    "nested": lambda words: {"error": {"message": words, "internalCode": 7}},
    "oauth2": lambda words: {"error": "invalid_client", "error_description": words},
    "code": lambda words: {"internalCode": words, "message": "x"},
    "text": lambda words: words.encode(),
    "json text": lambda words: words,
    "html": lambda words: f"<html>{words}</html>".encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2, USER, APPLICATION])
def test_a_server_that_repeats_secrets_does_not_get_them_into_errors_or_logs(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, shape: str, credentials: Any
) -> None:
    secrets = secrets_of(credentials)
    token = "tok-" + "8" * 40
    login = {"access_token": token, "bearer": token, "csrf": "csrf-0123456789", "sessionId": "session-0123456789"}
    secrets += [token] if credentials is OAUTH2 else []
    secrets += [token, login["csrf"], login["sessionId"]] if credentials in (USER, APPLICATION) else []
    answers = [Say(503, SHAPES[shape](secret)) for secret in secrets]

    def respond(seen: Any) -> Say:
        if seen.path.split("?")[0].endswith(("/token", "/login", "/logout")):
            return Say(body=login)
        return answers.pop(0) if answers else Say(400, SHAPES[shape](" ".join(secrets)))

    caplog.set_level(logging.DEBUG, "airflow_provider_lp")
    with scripted(respond) as server:
        shown = []
        with LivePersonClient("1", credentials, host=server.url, clock=clock) as client:
            for _ in range(4):
                with pytest.raises(LivePersonError) as caught:
                    search(client)
                shown += [caught.value.__dict__, str(caught.value), repr(caught.value)]
    everything = json.dumps(shown, default=str) + caplog.text
    assert [secret for secret in secrets if secret in everything] == []


SECRET = "pÄss w/rd&<x>%20'q"
CLOTHES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "in a URL": quote,
    "in a URL, lower-case hex": lambda secret: quote(secret).lower(),
    "in a form": quote_plus,
    "in a URL twice": lambda secret: quote(quote(secret)),
    "in HTML": html.escape,
    "in HTML, by numbers": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "in JSON": json.dumps,
    "in JSON as UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False),
    "in JSON twice": lambda secret: json.dumps(json.dumps(secret)),
    "in HTML in a URL in JSON": lambda secret: json.dumps(quote(html.escape(secret))),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "as Python shows bytes": lambda secret: repr(secret.encode()),
    "cut short": lambda secret: secret[:12],
    "wrapped": lambda secret: secret[:6] + "\n  " + secret[6:],
}


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("shape", ["message", "code", "text", "errors", "odd member"])
def test_a_body_that_repeats_a_secret_in_any_clothes_is_not_shown(clothes: str, shape: str) -> None:
    worn = f"you sent {CLOTHES[clothes](SECRET)}!"
    body = {
        "message": json.dumps({"message": worn}).encode(),
        "code": json.dumps({"code": worn}).encode(),
        "text": worn.encode(),
        "errors": json.dumps({"errors": [{"message": worn}]}, ensure_ascii=False).encode(),
        "odd member": json.dumps({"request": worn, "message": "no"}).encode(),
    }[shape]
    assert read_error_body(body, secrets(SECRET)) == ErrorBody()
    assert read_error_body(body, secrets("another-secret-0123")) != ErrorBody()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_nor_in_another_encoding(encoding: str) -> None:
    assert read_error_body(f"you sent {SECRET}".encode(encoding), secrets(SECRET)) == ErrorBody()


@given(st.text(min_size=1, max_size=30), st.sampled_from(sorted(CLOTHES)))
def test_no_secret_is_ever_shown(secret: str, clothes: str) -> None:
    try:
        body = CLOTHES[clothes](secret).encode()
    except UnicodeEncodeError:
        return
    shown = read_error_body(b"you sent " + body, secrets(secret)).excerpt or ""
    assert secret.strip() == "" or secret not in shown or len(secret) < 3


@pytest.mark.parametrize("secret", ['a"b\\c/d&e=f%g h', "pässword-ü"])
def test_a_secret_is_blotted_out_in_the_form_in_which_it_was_sent(secret: str) -> None:
    from airflow_provider_lp.client import OAuth2Credentials, UserCredentials

    for credentials in (OAuth2Credentials("the-client", secret), UserCredentials("user", secret)):
        with (
            scripted(lambda seen: Say(400, b"bad request: " + seen.body)) as server,
            LivePersonClient("1", credentials, host=server.url, clock=FakeClock()) as client,
            pytest.raises(LivePersonAuthenticationError) as caught,
        ):
            search(client)
        (sent,) = server.calls
        quoted = sent.body.split(b"client_secret=")[-1].split(b"&")[0] if b"client_secret" in sent.body else None
        spelled = quoted.decode() if quoted else json.loads(sent.body)["password"]
        assert secret not in str(caught.value)
        assert spelled not in str(caught.value)
        assert json.dumps(secret)[1:-1] not in str(caught.value)


def test_no_transcript_gets_into_an_error_or_a_log(
    sandbox_of: SandboxOf, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("cut_body", times=None))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonTransportError) as caught:
        search(client)
    shown = f"{caught.value!r} {caught.value.__dict__} {caplog.text}"
    for conversation in sandbox.account.conversations():
        for message in sandbox.account.record(conversation)["messageRecords"]:
            assert message["participantId"] not in shown
            assert message["messageData"]["msg"]["text"] not in shown


def test_an_excerpt_is_short_and_on_one_line() -> None:
    excerpt = read_error_body(b"x\n\x1b" * 5000, secrets()).excerpt
    assert excerpt is not None
    assert len(excerpt) == 200
    assert excerpt.isprintable()


@pytest.mark.parametrize(
    ("body", "excerpt", "code"),
    [
        ({"code": "0001"}, None, "0001"),
        ({"internalErrorCode": "9007"}, None, "9007"),
        ({"internalCode": 8}, None, "8"),
        ({"time": 1, "message": "Loading account: 99990000", "internalCode": 20}, "Loading account: 99990000", "20"),
        ({"error": {"time": "x", "message": "Bad captcha", "internalCode": 10}}, "Bad captcha", "10"),
        ({"errors": [{"code": "0005", "message": "start.from is too old"}]}, "start.from is too old", "0005"),
        ({"errors": ["one", {"message": "two"}]}, "one; two", None),
        ([{"message": "one"}], "one", None),
        ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/x"}, "Not Found", None),
        ({"error": "invalid_client", "error_description": "who?"}, "who?; invalid_client", None),
        ({"causes": ["a: b", "c"], "message": "no"}, "no; a: b, c", None),
        ({"error": [{"code": "E1", "message": "one"}, {"code": "E2"}]}, "one", "E1"),
        (
            {"errors": {"start": ["is too old", "is odd"], "end": "is missing"}},
            "start: is too old, is odd; end: is missing",
            None,
        ),
        ({"errors": {"message": "no", "code": "7"}}, "no", "7"),
        ({"causes": [{"message": "one"}, {"message": "two"}]}, "one; two", None),
        ({"fault": {"faultstring": "Rate limit", "detail": {"errorcode": "policies.x"}}}, "Rate limit", "policies.x"),
        ({"Message": "no", "ErrorCode": "X1"}, "no", "X1"),
        ({"error_message": "no", "error_code": 5}, "no", "5"),
        ({"errorMsg": "no"}, "no", None),
        ({"msg": "no"}, "no", None),
        ({"responseStatus": "UNAUTHORIZED"}, "UNAUTHORIZED", None),
        ("text", "text", None),
        ({"conversationHistoryRecords": ["hello"]}, None, None),
        ({"message": {"text": "hello"}, "code": True}, None, None),
        (5, None, None),
        (None, None, None),
    ],
)
def test_what_an_error_says(body: Any, excerpt: str | None, code: str | None) -> None:
    assert read_error_body(json.dumps(body).encode(), secrets()) == ErrorBody(excerpt, code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\xff",
        b"[" * 60_000,
        b'{"error":' * 800 + b"1" + b"}" * 800,
        b'{"message":' * 9_000 + b"1" + b"}" * 9_000,
    ],
)
def test_what_cannot_be_read_says_nothing_much(body: bytes) -> None:
    said = read_error_body(body, secrets())
    assert said.code is None
    assert len(said.excerpt or "") <= 200


def test_an_error_that_is_only_a_code_shows_it(clock: FakeClock) -> None:
    with (
        scripted(lambda _: Say(400, {"code": "0001"})) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonBadRequestError, match=r"HTTP 400 \(code 0001\)\.") as caught,
    ):
        search(client)
    assert caught.value.internal_code == "0001"


@pytest.mark.parametrize("path", ["/conversations/search", "/app/token", "/baseURI.json"])
@pytest.mark.parametrize("status", [200, 400])
def test_json_of_a_thousand_levels_is_an_error_in_words(clock: FakeClock, path: str, status: int) -> None:
    deep = Say(status, b'{"a":' * 20_000 + b"1" + b"}" * 20_000)

    def respond(seen: Any) -> Say:
        if path in seen.path:
            return deep
        return Say(body={"access_token": "a-token"}) if "/app/token" in seen.path else Say()

    domain = deep if path == "/baseURI.json" else None
    with (
        scripted(respond, domain) as server,
        LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonError),
    ):
        search(client)


@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2, USER])
def test_nothing_secret_is_logged_by_anybody_or_hangs_on_an_error(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, credentials: Any
) -> None:
    for name in ("", "oauthlib", "oauthlib.oauth1.rfc5849", "requests_oauthlib.oauth1_auth", "urllib3"):
        caplog.set_level(logging.DEBUG, name or None)
    token = "tok-0123456789-the-token"
    login = {"access_token": token, "bearer": token, "csrf": "csrf-0123456789", "sessionId": "session-0123456789"}

    def respond(seen: Any) -> Say:
        if seen.path.split("?")[0].endswith(("/token", "/login", "/logout")):
            return Say(body=login)
        return Say(500, ("you sent " + seen.headers.get("Authorization", "")).encode())

    with scripted(respond) as server, LivePersonClient("1", credentials, host=server.url, clock=clock) as client:
        with pytest.raises(LivePersonServerError) as caught:
            search(client)
        signature = server.calls[-1].headers["Authorization"].partition("oauth_signature=")[2].strip('"')
    everything = caplog.text + "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    own = set(secrets_of(credentials))
    for secret in {*own, token, signature or token}:
        assert secret not in everything


@pytest.mark.parametrize("token", ["a\nb-the-token", "the-tokén", " the-token", ""])
def test_a_token_that_cannot_stand_in_a_header_is_not_shown(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    with (
        scripted(lambda seen: Say(body={"access_token": token})) as server,
        LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonTransportError, match="cannot stand in a header") as caught,
    ):
        search(client)
    assert "the-tok" not in caplog.text + "".join(traceback.format_exception(caught.value))
