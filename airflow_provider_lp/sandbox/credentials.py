"""The credentials that the sandbox accepts, and the Airflow connection with them. All are invented and public."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CREDENTIALS = {
    "login": "sandbox.user@liveperson.example",
    "password": "sandbox-password",
    "bot_login": "sandbox.bot@liveperson.example",
    "app_key": "5a4db0c5app0key0000000000000000a",
    "app_secret": "sandbox-app-secret",
    "access_token": "5a4db0c5access0token00000000000b",
    "access_token_secret": "sandbox-access-token-secret",
    "client_id": "sandbox-client-0000-4000-8000-id",
    "client_secret": "sandbox-client-secret",
}


def airflow_connection(url: str, account_id: str, credentials: Mapping[str, str] = CREDENTIALS) -> dict[str, Any]:
    """The Airflow connection to a sandbox at this address."""
    extra = {
        "account_id": account_id,
        "client_id": credentials["client_id"],
        "client_secret": credentials["client_secret"],
    }
    return {"conn_type": "liveperson", "host": url, "extra": extra}


def airflow_variable(url: str, account_id: str) -> str:
    """The same connection as a line for a shell."""
    return f"export AIRFLOW_CONN_LIVEPERSON_DEFAULT='{json.dumps(airflow_connection(url, account_id))}'"
