"""The logins: of a user, of an application (bot), by OAuth 2.0, and who may call the data methods."""

from __future__ import annotations

import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.sandbox.domains import base_uris
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.logins.signatures import Signatures, refused_signature
from airflow_provider_lp.sandbox.logins.tokens import Session, Tokens

_USER = frozenset({"username", "password"})
_APPLICATION = frozenset({"username", "appKey", "secret", "accessToken", "accessTokenSecret"})


class Logins:
    """Hands out bearers and tokens, and admits requests that carry one or are signed."""

    def __init__(self, account_id: str, *, oauth1_has_ended: bool) -> None:
        self.tokens = Tokens(account_id)
        self._account_id = account_id
        self._oauth1_has_ended = oauth1_has_ended
        self._signatures = Signatures()

    def admit(self, request: Request, account_id: str) -> None:
        """Refuse a request to the data methods unless it is signed or carries a good token of this account."""
        if account_id != self._account_id:
            raise Refused(401, "unknown account")
        header = request.headers.get("Authorization", "")
        if header.startswith("OAuth ") and self._oauth1_has_ended:
            raise refused_signature("consumer_key_refused")
        if header.startswith("OAuth "):
            self._signatures.verify(request)
        elif not self.tokens.is_good(header.removeprefix("Bearer ")) or not header.startswith("Bearer "):
            raise Refused(401, "the request carries no valid signature or token")

    def login(self, request: Request, account_id: str) -> Answer:
        """User login and application login, told apart by the members of the body."""
        if request.parameters(frozenset({"v"})).get("v") != "1.3":
            raise Refused(400, "v must be 1.3")
        body = request.json_object()
        if not all(isinstance(value, str) and value for value in body.values()):
            raise Refused(400, "the members of the body must be texts")
        if body.keys() == _USER:
            known = body["username"] == CREDENTIALS["login"] and body["password"] == CREDENTIALS["password"]
        elif body.keys() == _APPLICATION:
            known = _is_known_application(body, by_key=not self._oauth1_has_ended)
        else:
            raise Refused(400, "the body must hold the members of a user login or of an application login")
        if not known or account_id != self._account_id:
            raise _unauthorized("wrong account, user or secret", 2)
        if self._oauth1_has_ended:
            self.tokens.end_sessions_of(body["username"])
        session = self.tokens.open_session(body["username"])
        cookie = f"Session_id={session.session_id}; Path=/; HttpOnly"
        return json_answer(200, self._login_body(request, body["username"], session), {"Set-Cookie": cookie})

    def refresh(self, request: Request, account_id: str) -> Answer:
        """Prolong a session. The answer has no body."""
        session_id, csrf = _session_of(request)
        if account_id != self._account_id or not self.tokens.refresh(session_id, csrf):
            raise _unauthorized("the csrf does not belong to the session", 10)
        return Answer(200, headers={"Set-Cookie": f"Session_id={session_id}; Path=/; HttpOnly"})

    def logout(self, request: Request, account_id: str) -> Answer:
        """End a session. The answer has no body."""
        session_id, csrf = _session_of(request)
        if account_id != self._account_id or not self.tokens.close(session_id, csrf):
            raise _unauthorized("the csrf does not belong to the session", 10)
        return Answer(200)

    def token(self, request: Request, account_id: str) -> Answer:
        """OAuth 2.0 client credentials."""
        if request.media_type != "application/x-www-form-urlencoded":
            raise Refused(400, {"error": "invalid_request", "error_description": "a form is expected"})
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, {"error": "unsupported_grant_type"})
        client = form.get("client_id"), form.get("client_secret")
        if client != (CREDENTIALS["client_id"], CREDENTIALS["client_secret"]) or account_id != self._account_id:
            raise Refused(400, {"error": "invalid_client"})
        token = self.tokens.web_token(CREDENTIALS["client_id"])
        return json_answer(
            200, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.tokens.lifetime_s)}
        )

    def _login_body(self, request: Request, username: str, session: Session) -> dict[str, Any]:
        return {
            "csrf": session.csrf,
            "wsuk": "sandbox",
            "config": {
                "loginName": username,
                "userId": "4294967300",
                "userPrivileges": [1_802, 33],
                "serverCurrentTime": int(time.time() * 1_000),
                "timeDiff": 0,
                "serverTimeZoneName": "UTC",
                "serverTimeGMTDiff": 0,
                "isLPA": False,
                "isAdmin": False,
                "accountTimeZoneId": "Europe/Amsterdam",
            },
            "csdsCollectionResponse": {"baseURIs": base_uris(self._account_id, request.host)},
            "accountData": {
                "agentGroupsData": {"items": [{"id": -1, "deleted": False, "name": "Main Group"}], "revision": 1}
            },
            "sessionTTl": str(int(self.tokens.lifetime_s * 1_000)),
            "bearer": session.bearer,
        }


def _is_known_application(body: dict[str, str], *, by_key: bool) -> bool:
    """An OAuth 2.0 client, whose two token members are mere placeholders, or an API key where one still counts."""
    if body["username"] != CREDENTIALS["bot_login"]:
        return False
    if (body["appKey"], body["secret"]) == (CREDENTIALS["client_id"], CREDENTIALS["client_secret"]):
        return True
    if not by_key:
        return False
    names = {"appKey": "app_key", "secret": "app_secret"}
    names |= {"accessToken": "access_token", "accessTokenSecret": "access_token_secret"}
    return all(body[member] == CREDENTIALS[name] for member, name in names.items())


def _session_of(request: Request) -> tuple[str, str]:
    try:
        cookie = SimpleCookie(request.headers.get("Cookie", "")).get("Session_id")
    except CookieError:
        cookie = None
    body = request.json_object()
    return (cookie.value if cookie else "", str(body.get("csrf", "")))


def _unauthorized(message: str, internal_code: int) -> Refused:
    when = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime())
    error = {"time": when, "message": message, "internalCode": internal_code, "responseStatus": "UNAUTHORIZED"}
    return Refused(401, {"error": error})
