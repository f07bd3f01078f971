"""Requests to a sandbox as a careful client would send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests_oauthlib import OAuth1

from airflow_provider_lp.sandbox import Sandbox

ACCOUNT_ID = "12345678"
NOW = datetime(2026, 3, 20, 12, 34, 56, 789_000, tzinfo=UTC)
SEARCH = "search"
BY_CONVERSATION = "conversation/search"
BY_CONSUMER = "consumer/search"


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, milli: int = 0) -> int:
    return ms(datetime(2026, 3, day, hour, minute, second, milli * 1_000, tzinfo=UTC))


class Caller:
    """Calls one sandbox over one kept-alive connection."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        known = sandbox.credentials
        form = {name: known[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
        self.token = self.post(f"/sentinel/api/v2/account/{ACCOUNT_ID}/app/token", data=form).json()["access_token"]
        sandbox.requests.clear()

    def auth(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Carry an OAuth 2.0 token."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def key(self, **changed: Any) -> OAuth1:
        """Sign with OAuth 1.0."""
        known = self.sandbox.credentials
        members = {
            "client_key": known["app_key"],
            "client_secret": known["app_secret"],
            "resource_owner_key": known["access_token"],
            "resource_owner_secret": known["access_token_secret"],
        }
        return OAuth1(**(members | changed))

    def conversations(self, method: str, body: Any, **changed: Any) -> requests.Response:
        """One call of a conversation method; parameters that are None are left out."""
        url = f"{self.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/{method}"
        parameters = {"v": "2", "source": "SandboxTests"} | changed
        if method == SEARCH:
            parameters = {"offset": 0, "limit": 100, "sort": "start:asc"} | parameters
        return self.session.post(url, params=parameters, json=body, auth=self.auth, timeout=10)

    def search(self, from_ms: int, to_ms: int, filters: dict[str, Any] | None = None, **changed: Any) -> Any:
        body = {"start": {"from": from_ms, "to": to_ms}} | (filters or {})
        answer = self.conversations(SEARCH, body, **changed)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def found(self, from_ms: int, to_ms: int, filters: dict[str, Any] | None = None, **changed: Any) -> list[str]:
        return ids(self.search(from_ms, to_ms, filters, **changed))

    def metrics(self, method: str, **parameters: Any) -> requests.Response:
        """One call of a method of Messaging Operations by GET, in its first version unless told otherwise."""
        return self.session.get(self.operations(method), params={"v": "1"} | parameters, auth=self.auth, timeout=10)

    def measured(self, method: str, **parameters: Any) -> Any:
        answer = self.metrics(method, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def operations(self, method: str) -> str:
        return f"{self.sandbox.url}/operations/api/account/{ACCOUNT_ID}/{method}"

    def with_bearer(self, token: str) -> int:
        """The status of a search that carries this token."""
        url = f"{self.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/{SEARCH}"
        body = {"start": {"from": at(19), "to": at(20)}}
        headers = {"Authorization": f"Bearer {token}"}
        return self.session.post(
            url, params={"source": "SandboxTests"}, json=body, headers=headers, timeout=10
        ).status_code

    def post(self, path: str, **sent: Any) -> requests.Response:
        return self.session.post(f"{self.sandbox.url}{path}", timeout=10, **sent)

    def get(self, path: str, **sent: Any) -> requests.Response:
        return self.session.get(f"{self.sandbox.url}{path}", timeout=10, **sent)


def records(page: Any) -> list[Any]:
    return list(page["conversationHistoryRecords"])


def ids(page: Any) -> list[str]:
    return [record["info"]["conversationId"] for record in records(page)]
