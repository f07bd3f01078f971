from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl

import pytest

from airflow_provider_lp.client import (
    ApplicationCredentials,
    LivePersonClient,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
)
from airflow_provider_lp.client.auth import SESSION_PAUSES_S
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.credentials import secrets_of
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonRateLimitError,
    LivePersonSessionError,
)
from airflow_provider_lp.sandbox import Fault
from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.windows import Window
from tests.exported import calls, connect, export, ids_in
from tests.fake_clock import FakeClock
from tests.samples import APPLICATION, OAUTH1, OAUTH2, USER, at, crowd
from tests.scripted import Say, Seen, scripted

WINDOW = {"start": {"from": at(10), "to": at(11)}}
LOGINS = {"oauth1": OAUTH1, "oauth2": OAUTH2, "user": USER, "application": APPLICATION}
LOGIN_PATHS = ("/login", "/app/token")
#: A bot user with an API key, as long as there is OAuth 1.0.
APPLICATION_BY_KEY = ApplicationCredentials(
    CREDENTIALS["bot_login"], *(getattr(OAUTH1, name) for name in OAuth1Credentials.__slots__)
)

every_login = pytest.mark.parametrize("credentials", LOGINS.values(), ids=LOGINS.keys())
bearer_logins = pytest.mark.parametrize(
    "credentials", [OAUTH2, USER, APPLICATION], ids=["oauth2", "user", "application"]
)


def logins(sandbox: Any) -> list[Any]:
    return [seen for path in LOGIN_PATHS for seen in calls(sandbox, path)]


@pytest.mark.parametrize("credentials", [*LOGINS.values(), APPLICATION_BY_KEY])
def test_every_way_to_log_in_works(sandbox_of: Any, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3), year=2025)
    with connect(sandbox, credentials=credentials) as client:
        assert client.interactions.search(WINDOW).count == 3
        assert client.interactions.search(WINDOW).count == 3
    assert len(logins(sandbox)) == (credentials is not OAUTH1)
    assert {seen.authorization for seen in calls(sandbox)} == {"OAuth" if credentials is OAUTH1 else "Bearer"}
    assert {seen.status for seen in sandbox.requests} == {200}


@pytest.mark.parametrize(
    "credentials",
    [
        OAuth1Credentials("wrong", OAUTH1.app_secret, OAUTH1.access_token, OAUTH1.access_token_secret),
        OAuth1Credentials(OAUTH1.app_key, "wrong", OAUTH1.access_token, OAUTH1.access_token_secret),
        OAuth1Credentials(OAUTH1.app_key, OAUTH1.app_secret, "wrong", OAUTH1.access_token_secret),
        OAuth1Credentials(OAUTH1.app_key, OAUTH1.app_secret, OAUTH1.access_token, "wrong"),
        OAuth2Credentials(OAUTH2.client_id, "wrong"),
        OAuth2Credentials("wrong", OAUTH2.client_secret),
        UserCredentials(USER.username, "wrong"),
        UserCredentials("wrong", USER.password),
        ApplicationCredentials("wrong", *(getattr(APPLICATION, name) for name in APPLICATION.__slots__[1:])),
    ],
)
def test_wrong_credentials_fail_at_once(sandbox_of: Any, clock: FakeClock, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3), year=2025)
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonAuthenticationError) as caught:
        client.interactions.search(WINDOW)
    assert not caught.value.retry_helps
    assert "Check the credentials" in str(caught.value)
    assert len([seen for seen in sandbox.requests if "baseURI" not in seen.path]) == 1
    assert not clock.pauses


@every_login
def test_nothing_of_the_credentials_is_shown(credentials: Any) -> None:
    with LivePersonClient("1", credentials) as client:
        shown = f"{credentials!r} {credentials} {client!r} {vars(client)!r} {client._authorization!r}"
    for name in credentials.__slots__:
        assert name == "username" or getattr(credentials, name) not in shown


@every_login
def test_every_secret_is_told_before_it_is_used(sandbox_of: Any, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3), year=2025)
    told: list[str] = []
    with connect(sandbox, FakeClock(), credentials, on_secret=told.append) as client:
        own = set(secrets_of(credentials))
        assert set(told) == own
        assert not sandbox.requests
        client.interactions.search(WINDOW)
        sandbox.expire_tokens()
        client.interactions.search(WINDOW)
    # Of each of the two logins: the token, and of a session its csrf and its id.
    assert len(set(told) - own) == (0 if credentials is OAUTH1 else 2 if credentials is OAUTH2 else 6)


def test_the_csrf_and_the_session_are_told_too() -> None:
    login = {"bearer": "the-bearer-1", "csrf": "the-csrf-1", "sessionId": "the-session-1", "sessionTTl": "28800000"}
    told: list[str] = []
    with (
        scripted(lambda seen: Say(body=login) if "/login" in seen.path else Say()) as server,
        LivePersonClient("1", USER, host=server.url, on_secret=told.append) as client,
    ):
        client.interactions.search(WINDOW)
    assert {"the-bearer-1", "the-csrf-1", "the-session-1"} <= set(told)


def test_a_bot_user_of_an_oauth2_client_sends_placeholders_that_are_no_secrets(clock: FakeClock) -> None:
    told: list[str] = []
    with (
        scripted(lambda _: Say(401, {"message": "a dummy will not do"})) as server,
        LivePersonClient("1", APPLICATION, host=server.url, clock=clock, on_secret=told.append) as client,
        pytest.raises(LivePersonAuthenticationError) as caught,
    ):
        client.interactions.search(WINDOW)
    assert json.loads(server.calls[0].body) == {
        "username": CREDENTIALS["bot_login"],
        "appKey": CREDENTIALS["client_id"],
        "secret": CREDENTIALS["client_secret"],
        "accessToken": "dummy",
        "accessTokenSecret": "dummy",
    }
    assert told == [CREDENTIALS["client_id"], CREDENTIALS["client_secret"]]
    assert "a dummy will not do" in str(caught.value)
    assert "OAuth 1.0" not in str(caught.value)


# What a refusal says.


@pytest.mark.parametrize(("credentials", "status"), [(OAUTH1, 401), (OAUTH1, 403), (APPLICATION_BY_KEY, 401)])
def test_a_refused_key_of_oauth1_says_that_oauth1_has_ended(clock: FakeClock, credentials: Any, status: int) -> None:
    with (
        scripted(lambda _: Say(status)) as server,
        LivePersonClient("1", credentials, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonError) as caught,
    ):
        client.interactions.search(WINDOW)
    assert "OAuth 1.0 ended at LivePerson on 2026-05-31" in str(caught.value)
    assert "client_id and client_secret" in str(caught.value)
    assert not caught.value.retry_helps


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("scope", "said"),
    [("data.read", "the token's is 'data.read'"), (None, "the token names none; the extra field scope asks for one")],
)
def test_a_token_that_was_just_issued_and_is_refused_says_what_may_be_missing(
    clock: FakeClock, status: int, scope: str | None, said: str
) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"scope": scope} if scope else {}).encode()).rstrip(b"=").decode()

    def respond(seen: Seen) -> Say:
        return Say(body={"access_token": f"head.{claims}.tail"}) if "/app/token" in seen.path else Say(status)

    with (
        scripted(respond) as server,
        LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonError) as caught,
    ):
        client.interactions.search(WINDOW)
    words = str(caught.value)
    assert f"a scope of the OAuth 2.0 client ({said}), the permission for Messaging Interactions (Data:" in words
    assert "that feature of the account" in words
    assert "Check the credentials" not in words
    assert caught.value.status == status
    assert not caught.value.retry_helps


@pytest.mark.parametrize("scope", [None, "data.services.x data.y"])
def test_a_scope_is_sent_with_the_token_request(scope: str | None) -> None:
    def respond(seen: Seen) -> Say:
        return Say(body={"access_token": "a-token"}) if "/app/token" in seen.path else Say()

    with scripted(respond) as server, LivePersonClient("1", OAUTH2, host=server.url, scope=scope) as client:
        client.interactions.search(WINDOW)
        form = dict(parse_qsl(server.calls[0].body.decode()))
    assert form.get("scope") == scope
    assert form["grant_type"] == "client_credentials"


# One session a user.


class OneSession:
    """A login server that ends a user's session when the same user logs in again."""

    def __init__(self) -> None:
        self.sessions = 0
        self.searches = 0

    def __call__(self, seen: Seen) -> Say:
        path = seen.path.partition("?")[0]
        if path.endswith("/login"):
            self.sessions += 1
            return Say(body={"bearer": f"the-bearer-{self.sessions}", "sessionTTl": "28800000"})
        if seen.headers["Authorization"] != f"Bearer the-bearer-{self.sessions}":
            return Say(401)
        self.searches += 1
        return Say()


@pytest.mark.parametrize("credentials", [USER, APPLICATION])
def test_a_session_that_another_login_has_ended_is_begun_anew_after_a_pause(credentials: Any) -> None:
    clocks = FakeClock(), FakeClock()
    with scripted(OneSession()) as server, ExitStack() as stack:
        first, second = (
            stack.enter_context(LivePersonClient("1", credentials, host=server.url, clock=clock)) for clock in clocks
        )
        for _ in range(10):
            first.interactions.search(WINDOW)
            second.interactions.search(WINDOW)
        assert server.respond.sessions == 20  # type: ignore[attr-defined]
    # Longer each time, so that the other one gets something done meanwhile.
    typical = [*SESSION_PAUSES_S, *[SESSION_PAUSES_S[-1]] * 4]
    for clock in clocks:
        assert len(clock.pauses) == 9
        assert all(0.5 <= pause / usual <= 1.5 for pause, usual in zip(clock.pauses, typical, strict=True))
    assert len({pause / usual for clock in clocks for pause, usual in zip(clock.pauses, typical, strict=True)}) > 9


def test_an_odd_login_of_the_same_user_costs_a_short_pause_however_many_there_were(clock: FakeClock) -> None:
    with scripted(OneSession()) as server, LivePersonClient("1", USER, host=server.url, clock=clock) as client:
        for _ in range(6):
            client.interactions.search(WINDOW)
            clock.pass_time(3600)
            server.respond.sessions += 1  # type: ignore[attr-defined]
        client.interactions.search(WINDOW)
    assert len(clock.pauses) == 6
    assert all(1 <= pause <= 3 for pause in clock.pauses)


class Hurried(Clock):
    """A clock on which waits take a fiftieth of their time."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 50)


def test_two_tasks_of_one_user_both_come_to_an_end() -> None:
    searches = 60
    with scripted(OneSession()) as server:

        def run() -> None:
            with LivePersonClient("1", USER, host=server.url, clock=Hurried()) as client:
                for _ in range(searches):
                    client.interactions.search(WINDOW)

        with ThreadPoolExecutor() as threads:
            for task in [threads.submit(run) for _ in range(2)]:
                task.result(timeout=120)
        assert server.respond.searches == 2 * searches  # type: ignore[attr-defined]


def test_a_user_who_is_logged_in_elsewhere_for_good_is_an_error_that_airflow_retries(clock: FakeClock) -> None:
    server_of = OneSession()

    def respond(seen: Seen) -> Say:
        answer = server_of(seen)
        if server_of.searches:
            # From now on, somebody else logs in right after each login.
            server_of.sessions += 1
        return answer

    with scripted(respond) as server, LivePersonClient("1", USER, host=server.url, clock=clock) as client:
        client.interactions.search(WINDOW)
        with pytest.raises(LivePersonSessionError, match="the same user is logged in elsewhere") as caught:
            client.interactions.search(WINDOW)
        logins = [seen for seen in server.calls if "/login" in seen.path]
    assert caught.value.retry_helps
    assert caught.value.status == 401
    assert len(logins) == 6
    assert len(clock.pauses) == 5
    assert all(0.5 <= pause / typical <= 1.5 for pause, typical in zip(clock.pauses, SESSION_PAUSES_S, strict=True))


def test_threads_of_one_client_log_in_once_for_all(clock: FakeClock) -> None:
    with scripted(OneSession()) as server, LivePersonClient("1", USER, host=server.url, clock=clock) as client:
        client.interactions.search(WINDOW)
        server.respond.sessions += 1  # type: ignore[attr-defined]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: client.interactions.search(WINDOW), range(8)))
        assert len([seen for seen in server.calls if "/login" in seen.path]) == 2


@bearer_logins
def test_a_token_that_expires_during_an_export_is_renewed(sandbox_of: Any, tmp_path: Any, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(450))
    sandbox.add_fault(Fault("expired_token", times=1, after=2))
    with connect(sandbox, FakeClock(), credentials) as client:
        export(client, Window(at(10), at(11)), tmp_path / "x.ndjson")
    assert ids_in(tmp_path / "x.ndjson") == sandbox.account.truth("start", at(10), at(11))
    assert len(logins(sandbox)) == 2


@bearer_logins
def test_a_token_is_renewed_before_it_expires(sandbox_of: Any, credentials: Any) -> None:
    sandbox, clock = sandbox_of(*crowd(3)), FakeClock()
    with connect(sandbox, clock, credentials) as client:
        client.interactions.search(WINDOW)
        clock.pass_time(3_600 - 61)
        client.interactions.search(WINDOW)
        assert len(logins(sandbox)) == 1
        clock.pass_time(2)
        client.interactions.search(WINDOW)
    assert len(logins(sandbox)) == 2
    assert {seen.status for seen in calls(sandbox)} == {200}


@pytest.mark.parametrize("lifetime", ["claims", "expires_in", "expires_in as text", "unknown"])
def test_the_lifetime_of_a_token_comes_from_wherever_it_is_said(lifetime: str) -> None:
    clock = FakeClock()

    def segment(claims: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    token = f"{segment({'alg': 'RS256'})}.{segment({'iat': 1_000, 'exp': 1_100})}.signature"
    answer: dict[str, Any] = {
        "claims": {"access_token": token},
        "expires_in": {"access_token": "opaque-token", "expires_in": 100},
        "expires_in as text": {"access_token": "opaque-token", "expires_in": "100"},
        "unknown": {"access_token": "opaque-token"},
    }[lifetime]

    def respond(seen: Seen) -> Say:
        return Say(body={"token_type": "Bearer", **answer}) if "/app/token" in seen.path else Say()

    with scripted(respond) as server, LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client:
        client.interactions.search(WINDOW)
        clock.pass_time(89)
        client.interactions.search(WINDOW)
        clock.pass_time(2)
        client.interactions.search(WINDOW)
        tokens = [seen for seen in server.calls if "/app/token" in seen.path]
    assert len(tokens) == (1 if lifetime == "unknown" else 2)


@pytest.mark.parametrize("credentials", [USER, APPLICATION])
def test_a_session_is_ended_with_its_client(sandbox_of: Any, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, credentials=credentials) as client:
        client.interactions.search(WINDOW)
    assert [seen.status for seen in calls(sandbox, "/logout")] == [200]


@every_login
def test_a_client_that_was_not_used_logs_nothing_in_or_out(sandbox_of: Any, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, credentials=credentials):
        pass
    assert not sandbox.requests


@pytest.mark.parametrize("kind", ["error_500", "expired_token", "cut_connection", "throttle"])
def test_a_logout_that_fails_harms_nobody(sandbox_of: Any, clock: FakeClock, kind: str) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault(kind, times=None, path="/logout"))
    with connect(sandbox, clock, USER) as client:
        client.interactions.search(WINDOW)
    assert len(calls(sandbox, "/logout")) == 1
    assert not clock.pauses


def test_a_login_waits_at_least_5_seconds_when_throttled(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=2, path="/login", retry_after="1"))
    with connect(sandbox, clock, USER) as client:
        client.interactions.search(WINDOW)
    assert all(5 <= pause_s <= 5 * 1.25 for pause_s in clock.pauses[:2])


def test_a_login_that_stays_throttled_is_not_started_over_by_the_search(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None, path="/app/token"))
    with connect(sandbox, clock, OAUTH2) as client, pytest.raises(LivePersonRateLimitError):
        client.interactions.search(WINDOW)
    assert len(calls(sandbox, "/app/token")) <= 12
    assert not calls(sandbox)


@bearer_logins
def test_a_login_that_fails_for_a_while_is_retried(sandbox_of: Any, clock: FakeClock, credentials: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    for path in LOGIN_PATHS:
        sandbox.add_fault(Fault("error_500", times=2, path=path))
        sandbox.add_fault(Fault("not_json", times=1, path=path))
    with connect(sandbox, clock, credentials) as client:
        assert client.interactions.search(WINDOW).count == 3
    assert clock.pauses == [5, 10, 15]


def test_the_cookie_of_a_login_is_preferred_to_the_bodys_session() -> None:
    def respond(seen: Seen) -> Say:
        if "/login" not in seen.path:
            return Say()
        body = {"bearer": "b", "csrf": "c", "sessionId": "from-body"}
        return Say(body=body, headers={"Set-Cookie": "Session_id=from-cookie; Path=/; HttpOnly"})

    with scripted(respond) as server:
        with LivePersonClient("1", USER, host=server.url) as client:
            client.interactions.search(WINDOW)
        logout = server.calls[-1]
    assert logout.path.endswith("/logout")
    assert logout.headers["Cookie"] == "Session_id=from-cookie"
    assert json.loads(logout.body) == {"csrf": "c"}


def test_refused_credentials_are_not_tried_again_by_other_threads(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(1))
    with connect(sandbox, clock, UserCredentials(CREDENTIALS["login"], "wrong")) as client:
        for _ in range(3):
            with pytest.raises(LivePersonAuthenticationError):
                client.interactions.search(WINDOW)
    assert len(calls(sandbox, "/login")) == 1
