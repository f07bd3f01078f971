"""
LivePerson over HTTP, without Airflow.

::

    from airflow_provider_lp.client import LivePersonClient, OAuth2Credentials

    credentials = OAuth2Credentials(client_id="...", client_secret="...")
    with LivePersonClient(account_id="12345678", credentials=credentials) as client:
        page = client.interactions.search(
            {"start": {"from": 1767225600000, "to": 1767229200000}, "status": ["CLOSE"]}
        )
        print(page.count, [record["info"]["conversationId"] for record in page.records()])

Open ``liveperson.py`` first: the client, from which the APIs hang. ``interactions.py`` and ``operations.py`` are those
APIs; ``transport.py`` sends what they ask for, by the table of failures in ``retry.py``; ``calls.py`` has what crosses
that border. ``auth.py`` says how requests are authorized, ``errors.py`` what can go wrong.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_lp.client.credentials import (
        ApplicationCredentials,
        OAuth1Credentials,
        OAuth2Credentials,
        UserCredentials,
    )
    from airflow_provider_lp.client.liveperson import LivePersonClient

__all__ = [
    "ApplicationCredentials",
    "LivePersonClient",
    "OAuth1Credentials",
    "OAuth2Credentials",
    "UserCredentials",
]


def __getattr__(name: str) -> Any:
    # requests and its kin cost tens of milliseconds, which every DAG file would pay at each parse.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "liveperson" if name == "LivePersonClient" else "credentials"
    return getattr(import_module(f"{__name__}.{module}"), name)
