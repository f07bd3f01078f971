"""The four ways to authenticate at LivePerson, each renewing its token when it lapses."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
import requests
from requests_oauthlib import OAuth1

from airflow_provider_lp.client.calls import Answer, Call, Sign
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.domains import Domains
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.retry import Setback
from airflow_provider_lp.client.transport import Transport

log = logging.getLogger(__name__)

LOGIN_SERVICE = "agentVep"
TOKEN_SERVICE = "sentinel"  # noqa: S105 - a service's name
JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
LONGEST_RENEWAL_MARGIN_S = 60.0


@dataclass(frozen=True, slots=True)
class OAuth1Credentials:
    """An API key of the account: requests are signed, there is nothing to log in to or to renew."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth2Credentials:
    """OAuth 2.0 client credentials (LivePerson's v2)."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A LivePerson user that logs in with a password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationCredentials:
    """A bot user that logs in with an application's keys."""

    username: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


Credentials = OAuth1Credentials | OAuth2Credentials | UserCredentials | ApplicationCredentials


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


class _Session(msgspec.Struct):
    bearer: str
    csrf: str | None = None
    session_ttl_ms: float | str | None = msgspec.field(default=None, name="sessionTTl")
    session_id: str | None = msgspec.field(default=None, name="sessionId")


class SignedRequests:
    """OAuth 1.0: every request, retries included, gets a signature, nonce and time of its own."""

    def __init__(self, credentials: OAuth1Credentials) -> None:
        self._oauth1 = OAuth1(
            client_key=credentials.app_key,
            client_secret=credentials.app_secret,
            resource_owner_key=credentials.access_token,
            resource_owner_secret=credentials.access_token_secret,
        )

    def flow(self, call: Call) -> Generator[Sign, None, None]:  # noqa: ARG002 - as Authorization has it
        yield self._oauth1

    def close(self) -> None:
        """Nothing to end."""


class BearerToken:
    """
    A token that is fetched when first needed and again when it lapses.

    :param login: obtains tokens.
    :param clock: the time to go by.
    """

    def __init__(self, login: Login, clock: Clock) -> None:
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at_s: float | None = None
        self._setback = Setback(clock)

    def flow(self, call: Call) -> Generator[Sign, None, None]:  # noqa: ARG002 - as Authorization has it
        token = self.token()
        try:
            yield partial(_bear, token)
        except LivePersonAuthenticationError:
            self._drop(token)
            yield partial(_bear, self.token())

    def token(self) -> str:
        """The token to use now; logs in if there is none or it is about to lapse."""
        with self._lock:
            self._setback.check()
            if self._token is None or (self._renew_at_s is not None and self._clock.monotonic() >= self._renew_at_s):
                self._token = self._log_in()
            return self._token

    def _log_in(self) -> str:
        try:
            token, lifetime_s = self._login.fetch()
        except LivePersonError as error:
            self._setback.remember(error)
            raise
        self._renew_at_s = None
        if lifetime_s is not None:
            self._renew_at_s = self._clock.monotonic() + lifetime_s - min(LONGEST_RENEWAL_MARGIN_S, lifetime_s / 10)
        return token

    def _drop(self, refused: str) -> None:
        with self._lock:
            # Of several requests refused together, the first one fetches the token for all.
            if self._token == refused:
                log.info("LivePerson no longer accepts the token; fetching another.")
                self._token = None

    def close(self) -> None:
        """Log out where there is something to log out of."""
        if self._token is not None:
            self._login.end()


def _bear(token: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


class Login(Protocol):
    """A way to obtain bearer tokens."""

    def fetch(self) -> tuple[str, float | None]:
        """Log in; gives a token and its lifetime in seconds, ``None`` if unknown."""

    def end(self) -> None:
        """Log out."""


class ClientCredentialsLogin:
    """Fetches OAuth 2.0 tokens from Sentinel (``/sentinel/api/v2/account/{acct}/app/token``)."""

    def __init__(
        self,
        transport: Transport,
        domains: Domains,
        account_id: str,
        credentials: OAuth2Credentials,
    ) -> None:
        self._transport = transport
        self._domains = domains
        self._path = f"/sentinel/api/v2/account/{account_id}/app/token"
        self._form = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "grant_type": "client_credentials",
        }

    def fetch(self) -> tuple[str, float | None]:
        call = Call(
            endpoint="the OAuth 2.0 token endpoint",
            method="POST",
            url=self._domains.base_url(TOKEN_SERVICE) + self._path,
            content=urlencode(self._form).encode(),
            headers=FORM_HEADERS,
            login=True,
        )
        token = self._transport.call(call, lambda answer: _decode(_Token, answer, call.endpoint))
        self._transport.hide(token.access_token)
        return token.access_token, _seconds(token.expires_in) or _jwt_lifetime_s(token.access_token)

    def end(self) -> None:
        """Such tokens are not handed back: they lapse."""


class SessionLogin:
    """Logs a user or a bot user in (Login Service, ``/api/account/{acct}/login``) and out again."""

    def __init__(
        self,
        transport: Transport,
        domains: Domains,
        account_id: str,
        form: Mapping[str, str],
    ) -> None:
        self._transport = transport
        self._domains = domains
        self._path = f"/api/account/{account_id}"
        self._form = form
        self._session: tuple[str, str] | None = None

    def fetch(self) -> tuple[str, float | None]:
        call = Call(
            endpoint="login",
            method="POST",
            url=f"{self._domains.base_url(LOGIN_SERVICE)}{self._path}/login",
            params={"v": "1.3"},
            content=msgspec.json.encode(self._form),
            headers=JSON_HEADERS,
            login=True,
        )
        session, cookie = self._transport.call(call, _session_of)
        self._transport.hide(session.bearer, session.csrf or "", cookie or "")
        self._session = (session.csrf, cookie) if session.csrf and cookie else None
        ttl_ms = _seconds(session.session_ttl_ms)
        return session.bearer, ttl_ms / 1000 if ttl_ms else None

    def end(self) -> None:
        """Log out, so that sessions do not pile up; a refusal changes nothing for the data and is only logged."""
        if self._session is None:
            return
        csrf, cookie = self._session
        call = Call(
            endpoint="logout",
            method="POST",
            url=f"{self._domains.base_url(LOGIN_SERVICE)}{self._path}/logout",
            content=msgspec.json.encode({"csrf": csrf}),
            headers={**JSON_HEADERS, "Cookie": f"Session_id={cookie}"},
        )
        self._transport.part(call)


def authorization_for(
    credentials: Credentials, transport: Transport, domains: Domains, account_id: str
) -> SignedRequests | BearerToken:
    """How to authorize requests with these credentials; hides what is secret about them."""
    transport.hide(*(getattr(credentials, name) for name in credentials.__slots__ if name != "username"))
    login: Login
    match credentials:
        case OAuth1Credentials():
            return SignedRequests(credentials)
        case OAuth2Credentials():
            login = ClientCredentialsLogin(transport, domains, account_id, credentials)
        case UserCredentials(username, password):
            login = SessionLogin(transport, domains, account_id, {"username": username, "password": password})
        case ApplicationCredentials():
            form = {
                "username": credentials.username,
                "appKey": credentials.app_key,
                "secret": credentials.app_secret,
                "accessToken": credentials.access_token,
                "accessTokenSecret": credentials.access_token_secret,
            }
            login = SessionLogin(transport, domains, account_id, form)
    return BearerToken(login, transport.clock)


def _decode(kind: type[Any], answer: Answer, endpoint: str) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError as error:
        raise LivePersonTransportError(f"{endpoint} did not answer with its JSON.", endpoint=endpoint) from error


def _session_of(answer: Answer) -> tuple[_Session, str | None]:
    session: _Session = _decode(_Session, answer, "login")
    return session, answer.cookies.get("Session_id") or session.session_id


def _seconds(value: float | str | None) -> float | None:
    try:
        seconds = float(value or 0)
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _jwt_lifetime_s(token: str) -> float | None:
    """How long a JWT is valid by its own claims: read without trust, only to renew it in good time."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return _seconds(claims["exp"] - claims["iat"])
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        return None
