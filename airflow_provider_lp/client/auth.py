"""Authorizing requests: signed by OAuth 1.0, or with a bearer token that is renewed when it lapses or is refused."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable
from functools import partial
from random import SystemRandom
from urllib.parse import urlsplit

import requests
from requests_oauthlib import OAuth1

from airflow_provider_lp.client.calls import Call, Sign
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.credentials import (
    ApplicationCredentials,
    Credentials,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
    secrets_of,
)
from airflow_provider_lp.client.domains import Domains
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonPermissionError,
    LivePersonSessionError,
)
from airflow_provider_lp.client.logins import ClientCredentialsLogin, Login, SessionLogin, Token
from airflow_provider_lp.client.retry import Setback
from airflow_provider_lp.client.transport import Transport

log = logging.getLogger(__name__)

LONGEST_RENEWAL_MARGIN_S = 60.0
#: Before each new login of a user whose session was ended, half as long up to half as long again: two tasks that end
#: each other's sessions must not do so in step.
SESSION_PAUSES_S = (2.0, 4.0, 8.0, 16.0, 30.0)
#: A session that lasted for longer was ended by an odd login, and not by a task that shares the user.
CALM_AFTER_S = 300.0
#: Where a token that was just issued is refused: the first may have been too old, the second not be known everywhere.
TOKEN_PAUSES_S = (0.0, 1.0)
NEW_FOR_S = 60.0
FORBIDDEN = 403
#: What these log are keys, tokens and signatures.
CHATTY_LOGGERS = ("oauthlib.oauth1.rfc5849", "oauthlib.oauth1.rfc5849.signature", "requests_oauthlib.oauth1_auth")
#: What LivePerson's console calls the permission for the API at a path.
PERMISSIONS = {
    "/messaging_history/": "Messaging Interactions (Data: Conversation History / Messaging Interactions)",
    "/operations/": "Messaging Operations",
}
OAUTH1_HAS_ENDED = (
    "OAuth 1.0 ended at LivePerson on 2026-05-31: set up an OAuth 2.0 client there, and give client_id and "
    "client_secret in the Airflow connection instead of app_key, app_secret, access_token and access_token_secret."
)


def _silence(loggers: Iterable[str]) -> None:
    """Drop what they log; unlike a level, a filter stays when logging is configured anew."""
    for name in loggers:
        logging.getLogger(name).addFilter(lambda _record: False)


_silence(CHATTY_LOGGERS)


class SignedRequests:
    """OAuth 1.0: every request, retries included, gets a signature, nonce and time of its own."""

    kind = "oauth1"

    def __init__(self, credentials: OAuth1Credentials) -> None:
        self._oauth1 = OAuth1(
            client_key=credentials.app_key,
            client_secret=credentials.app_secret,
            resource_owner_key=credentials.access_token,
            resource_owner_secret=credentials.access_token_secret,
        )

    def flow(self, call: Call) -> Generator[Sign, None, None]:  # noqa: ARG002 - as Authorization has it
        try:
            yield self._oauth1
        except (LivePersonAuthenticationError, LivePersonPermissionError) as refusal:
            refusal.advise(f"{refusal.remedy} {OAUTH1_HAS_ENDED}")
            raise

    def close(self) -> None:
        """Nothing to end."""


class BearerToken:
    """
    A token that is fetched when first needed, and again when it lapses or is refused.

    :param kind: the ``auth_type`` it belongs to.
    :param login: obtains tokens.
    :param clock: the time to go by.
    """

    def __init__(self, kind: str, login: Login, clock: Clock) -> None:
        self.kind = kind
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._issued_at_s = 0.0
        self._renew_at_s: float | None = None
        self._setback = Setback(clock)
        self._jitter = SystemRandom()
        #: How many sessions were ended shortly after each other.
        self._endings = 0
        #: The endpoints that have accepted a token of this login.
        self._accepted_by: set[str] = set()

    def flow(self, call: Call) -> Generator[Sign, None, None]:
        refusals = 0
        token = self._current()
        while True:
            try:
                yield partial(_bear, token.value)
            except LivePersonAuthenticationError as refusal:
                refusals += 1
                token = self._after(refusal, refusals, token, call)
            except LivePersonPermissionError as refusal:
                if refusal.status == FORBIDDEN:
                    refusal.advise(self._what_is_missing(call, token))
                raise
            else:
                self._accepted_by.add(call.endpoint)
                return

    def token(self) -> str:
        """The token to use now; logs in if there is none or it is about to lapse."""
        return self._current().value

    def _current(self) -> Token:
        with self._lock:
            self._setback.check()
            if self._token is None or (self._renew_at_s is not None and self._clock.monotonic() >= self._renew_at_s):
                self._token = self._log_in()
            return self._token

    def _log_in(self) -> Token:
        try:
            token = self._login.fetch()
        except LivePersonError as error:
            self._setback.remember(error)
            raise
        self._issued_at_s = self._clock.monotonic()
        self._renew_at_s = None
        if token.lifetime_s is not None:
            margin_s = min(LONGEST_RENEWAL_MARGIN_S, token.lifetime_s / 10)
            self._renew_at_s = self._issued_at_s + token.lifetime_s - margin_s
        return token

    def _after(self, refusal: LivePersonError, refusals: int, token: Token, call: Call) -> Token:
        """
        The token to try next.

        :param refusals: how often this call was refused.
        :raises LivePersonError: if no other token can be expected to help.
        """
        is_ended_by_others = self._login.is_session and call.endpoint in self._accepted_by
        pauses_s = SESSION_PAUSES_S if is_ended_by_others else self._token_pauses_s(call)
        if refusals <= len(pauses_s):
            self._replace(token, pauses_s[refusals - 1])
            return self._current()
        if is_ended_by_others:
            raise LivePersonSessionError(
                f"LivePerson ends the session of this user again and again (HTTP {refusal.status} from "
                f"{call.endpoint}): the same user is logged in elsewhere. Give each task that runs at the same time a "
                "user of its own, or let them take turns (an Airflow pool of one slot).",
                status=refusal.status,
                endpoint=call.endpoint,
            )
        refusal.advise(self._what_is_missing(call, token))
        raise refusal

    def _token_pauses_s(self, call: Call) -> tuple[float, ...]:
        if call.tentative and call.endpoint not in self._accepted_by:
            # The caller knows another way; only a token that may have lapsed is worth another one first.
            is_new = self._clock.monotonic() - self._issued_at_s < NEW_FOR_S
            return () if is_new else TOKEN_PAUSES_S[:1]
        # Whether a user may not do this, or others log in as that user, cannot be told apart at first.
        return SESSION_PAUSES_S[:-1] if self._login.is_session else TOKEN_PAUSES_S

    def _replace(self, refused: Token, pause_s: float) -> None:
        """Wait, and have the next one log in; of several requests refused together, the first one does so for all."""
        with self._lock:
            if self._token is refused:
                log.info("LivePerson no longer accepts the token; fetching another.")
                if self._login.is_session:
                    pause_s = max(pause_s, self._pause_for_others_s())
                self._clock.sleep(pause_s * self._jitter.uniform(0.5, 1.5))
                self._token = None

    def _pause_for_others_s(self) -> float:
        """Longer each time, so that whoever shares the user gets something done between two logins."""
        if self._clock.monotonic() - self._issued_at_s > CALM_AFTER_S:
            self._endings = 0
        self._endings += 1
        return SESSION_PAUSES_S[min(self._endings, len(SESSION_PAUSES_S)) - 1]

    def _what_is_missing(self, call: Call, token: Token) -> str:
        """What may be missing where LivePerson refuses a token that it has issued."""
        path = urlsplit(call.url).path
        permission = next((name for prefix, name in PERMISSIONS.items() if path.startswith(prefix)), call.endpoint)
        scope = (
            f"the token's is {token.scope!r}"
            if token.scope
            else "the token names none; the extra field scope asks for one"
        )
        scopes = "" if self._login.is_session else f"a scope of the OAuth 2.0 client ({scope}), "
        others = " Or the same user logs in elsewhere again and again: give each task a user of its own."
        return (
            f"LivePerson has issued this token, so the login is right. What is missing is {scopes}the permission for "
            f"{permission}, or that feature of the account: ask LivePerson's administrator to grant these credentials "
            f"access to this API.{others if self._login.is_session else ''}"
        )

    def close(self) -> None:
        """Log out where there is something to log out of."""
        if self._token is not None:
            self._login.end()


def _bear(token: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def authorization_for(
    credentials: Credentials, transport: Transport, domains: Domains, account_id: str, scope: str | None = None
) -> SignedRequests | BearerToken:
    """
    How to authorize requests with these credentials; hides what is secret about them.

    :param scope: the OAuth 2.0 scope to ask for; only OAuth 2.0 credentials know scopes.
    """
    transport.hide(*secrets_of(credentials))
    match credentials:
        case OAuth1Credentials():
            return SignedRequests(credentials)
        case OAuth2Credentials():
            tokens = ClientCredentialsLogin(transport, domains, account_id, credentials, scope)
            return BearerToken("oauth2", tokens, transport.clock)
        case UserCredentials(username, password):
            session = SessionLogin(transport, domains, account_id, {"username": username, "password": password})
            return BearerToken("user", session, transport.clock)
        case ApplicationCredentials():
            form = {
                "username": credentials.username,
                "appKey": credentials.app_key,
                "secret": credentials.app_secret,
                "accessToken": credentials.access_token,
                "accessTokenSecret": credentials.access_token_secret,
            }
            advice = OAUTH1_HAS_ENDED if credentials.is_oauth1 else ""
            session = SessionLogin(transport, domains, account_id, form, advice)
            return BearerToken("application", session, transport.clock)
