"""Airflow's REST API, as its UI asks it."""

from __future__ import annotations

from typing import Any

import requests

from .services import RunningAirflow

#: Lets whoever asks from this machine be an administrator.
ALL_ARE_ADMINS = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}


class RestApi:
    """
    The REST API of a running Airflow.

    :param parts: the Airflow, in whose environment are :data:`ALL_ARE_ADMINS`.
    """

    def __init__(self, parts: RunningAirflow) -> None:
        self.url = f"http://127.0.0.1:{parts.airflow.environment['AIRFLOW__API__PORT']}"
        self._session = requests.Session()
        self._session.trust_env = False
        parts.wait_for(self._log_in)

    def _log_in(self) -> bool:
        try:
            answer = self._session.get(f"{self.url}/auth/token", timeout=60)
        except requests.RequestException:
            return False
        if not answer.ok:
            return False
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def post(self, path: str, **body: Any) -> Any:
        """Ask for something; gives the answer."""
        return self._send("POST", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        """Change something; gives the answer."""
        return self._send("PATCH", path, body)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = self._session.request(method, f"{self.url}/api/v2{path}", json=body, timeout=60)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()
