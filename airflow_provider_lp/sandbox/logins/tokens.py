"""Tokens and sessions handed out by the logins: how long each is good for."""

from __future__ import annotations

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass
class Session:
    """A user's login. The bearer stays the same when the session is refreshed."""

    username: str
    session_id: str
    csrf: str
    bearer: str


class Tokens:
    """Knows every token that was handed out and is still good. ``lifetime_s`` is that of the next ones."""

    def __init__(self, account_id: str) -> None:
        self.lifetime_s = 3_600.0
        self._account_id = account_id
        self._good_until: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open_session(self, username: str) -> Session:
        """A new login."""
        session = Session(username, secrets.token_hex(20), secrets.token_hex(16), secrets.token_hex(32))
        with self._lock:
            self._sessions[session.session_id] = session
            self._prolong(session.bearer)
        return session

    def end_sessions_of(self, username: str) -> None:
        """End all logins of a user."""
        with self._lock:
            ended = [session for session in self._sessions.values() if session.username == username]
            for session in ended:
                del self._sessions[session.session_id]
                self._good_until.pop(session.bearer, None)

    def refresh(self, session_id: str, csrf: str) -> bool:
        """Prolong a login; ``False`` if it is unknown, over, or the csrf is another's."""
        with self._lock:
            session = self._session(session_id, csrf)
            if session is None:
                return False
            self._prolong(session.bearer)
            return True

    def close(self, session_id: str, csrf: str) -> bool:
        """End a login; ``False`` as in :meth:`refresh`."""
        with self._lock:
            session = self._session(session_id, csrf)
            if session is None:
                return False
            del self._sessions[session_id], self._good_until[session.bearer]
            return True

    def web_token(self, client_id: str) -> str:
        """A new token in the form of a JWT. Nobody can check its signature: it is recognised, not verified."""
        issued = int(time.time())
        claims: dict[str, Any] = {"aud": self._account_id, "azp": client_id, "scope": "", "iss": "Sentinel"}
        claims |= {"exp": int(issued + self.lifetime_s), "iat": issued, "jti": secrets.token_hex(8)}
        header = {"kid": "sandbox", "typ": "JWT", "alg": "RS256"}
        token = ".".join((_segment(header), _segment(claims), secrets.token_urlsafe(256)))
        with self._lock:
            self._prolong(token)
        return token

    def is_good(self, token: str) -> bool:
        """Whether the token was handed out and has not expired."""
        with self._lock:
            return self._good_until.get(token, 0.0) > time.monotonic()

    def expire_all(self) -> None:
        """Refuse every token handed out so far."""
        with self._lock:
            self._good_until.clear()
            self._sessions.clear()

    def _prolong(self, token: str) -> None:
        self._good_until[token] = time.monotonic() + self.lifetime_s

    def _session(self, session_id: str, csrf: str) -> Session | None:
        session = self._sessions.get(session_id)
        if session is None or session.csrf != csrf or self._good_until.get(session.bearer, 0.0) <= time.monotonic():
            return None
        return session


def _segment(value: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
