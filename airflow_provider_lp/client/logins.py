"""The logins that give bearer tokens: of an OAuth 2.0 client, of a user and of a bot user."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import msgspec

from airflow_provider_lp.client.calls import Answer, Call
from airflow_provider_lp.client.credentials import OAuth2Credentials
from airflow_provider_lp.client.domains import Domains
from airflow_provider_lp.client.errors import LivePersonAuthenticationError, LivePersonTransportError

if TYPE_CHECKING:
    from airflow_provider_lp.client.transport import Transport

LOGIN_SERVICE = "agentVep"
TOKEN_SERVICE = "sentinel"  # noqa: S105 - a service's name
JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")
_SCOPE = re.compile(r"[\w.:/ -]{1,200}")


@dataclass(frozen=True, slots=True)
class Token:
    """
    A bearer token.

    :param value: the token itself.
    :param lifetime_s: how long it is good for, in seconds; ``None`` if unknown.
    :param scope: the OAuth 2.0 scope in it, if it says one.
    """

    value: str
    lifetime_s: float | None = None
    scope: str | None = None


class Login(Protocol):
    """
    A way to obtain bearer tokens.

    ``is_session`` says whether a token is that of a session, of which a user has one at a time.
    """

    is_session: bool

    def fetch(self) -> Token:
        """Log in."""

    def end(self) -> None:
        """Log out."""


class ClientCredentialsLogin:
    """
    Fetches OAuth 2.0 tokens from Sentinel (``/sentinel/api/v2/account/{acct}/app/token``).

    :param scope: asked for with the token, where an account needs that.
    """

    is_session = False

    def __init__(
        self,
        transport: Transport,
        domains: Domains,
        account_id: str,
        credentials: OAuth2Credentials,
        scope: str | None = None,
    ) -> None:
        self._transport = transport
        self._domains = domains
        self._path = f"/sentinel/api/v2/account/{account_id}/app/token"
        self._form = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "grant_type": "client_credentials",
            **({"scope": scope} if scope else {}),
        }

    def fetch(self) -> Token:
        call = Call(
            endpoint="the OAuth 2.0 token endpoint",
            method="POST",
            url=self._domains.base_url(TOKEN_SERVICE) + self._path,
            content=urlencode(self._form).encode(),
            headers=FORM_HEADERS,
            login=True,
        )
        answer = self._transport.call(call, lambda answer: _token_of(answer, call.endpoint))
        self._transport.hide(answer.access_token)
        claims = _claims_of(answer.access_token)
        lifetime_s = _seconds(answer.expires_in) or _lifetime_s(claims)
        scope = claims.get("scope")
        # Only what looks like a scope: it is shown.
        is_scope = isinstance(scope, str) and _SCOPE.fullmatch(scope)
        return Token(answer.access_token, lifetime_s, scope if is_scope else None)

    def end(self) -> None:
        """Such tokens are not handed back: they lapse."""


class SessionLogin:
    """
    Logs a user or a bot user in (Login Service, ``/api/account/{acct}/login``) and out again.

    :param form: what LivePerson wants to know.
    :param advice: what more to say when it refuses.
    """

    is_session = True

    def __init__(
        self, transport: Transport, domains: Domains, account_id: str, form: Mapping[str, str], advice: str = ""
    ) -> None:
        self._advice = advice
        self._transport = transport
        self._domains = domains
        self._path = f"/api/account/{account_id}"
        self._form = form
        self._session: tuple[str, str] | None = None

    def fetch(self) -> Token:
        call = Call(
            endpoint="login",
            method="POST",
            url=f"{self._domains.base_url(LOGIN_SERVICE)}{self._path}/login",
            params={"v": "1.3"},
            content=msgspec.json.encode(self._form),
            headers=JSON_HEADERS,
            login=True,
        )
        try:
            session, cookie = self._transport.call(call, _session_of)
        except LivePersonAuthenticationError as refusal:
            refusal.advise(f"{refusal.remedy} {self._advice}".rstrip())
            raise
        self._transport.hide(session.bearer, session.csrf or "", cookie or "")
        self._session = (session.csrf, cookie) if session.csrf and cookie else None
        ttl_ms = _seconds(session.session_ttl_ms)
        return Token(session.bearer, ttl_ms / 1000 if ttl_ms else None)

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


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


class _Session(msgspec.Struct):
    bearer: str
    csrf: str | None = None
    session_ttl_ms: float | str | None = msgspec.field(default=None, name="sessionTTl")
    session_id: str | None = msgspec.field(default=None, name="sessionId")


def _token_of(answer: Answer, endpoint: str) -> _Token:
    token: _Token = _decode(_Token, answer, endpoint)
    _check_header_value(token.access_token, endpoint)
    return token


def _session_of(answer: Answer) -> tuple[_Session, str | None]:
    session: _Session = _decode(_Session, answer, "login")
    cookie = answer.cookies.get("Session_id") or session.session_id
    _check_header_value(session.bearer, "login")
    # Without it, the session is not ended but lapses.
    return session, cookie if cookie and _HEADER_VALUE.fullmatch(cookie) else None


def _decode(kind: type[Any], answer: Answer, endpoint: str) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Outside of the except block: the error might hold the answer, and so a token.
    raise LivePersonTransportError(f"{endpoint} did not answer with its JSON.", endpoint=endpoint)


def _check_header_value(token: str, endpoint: str) -> None:
    # Another one would be refused later, with an error that shows it.
    if not _HEADER_VALUE.fullmatch(token):
        raise LivePersonTransportError(
            f"{endpoint} answered with a token that cannot stand in a header.", endpoint=endpoint
        )


def _seconds(value: float | str | None) -> float | None:
    try:
        seconds = float(value or 0)
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT: read without trust, to renew it in good time and to say what it lacks."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError, msgspec.DecodeError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _lifetime_s(claims: dict[str, Any]) -> float | None:
    try:
        return _seconds(claims["exp"] - claims["iat"])
    except (KeyError, TypeError):
        return None
