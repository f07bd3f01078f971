"""
An offline LivePerson for development and tests: ``python -m airflow_provider_lp.sandbox``.

Open ``sandbox.py`` first: it puts an account on a socket. ``account.py`` says which conversations exist, ``routing.py``
which path is served by what, ``faults.py`` what can go wrong on purpose, ``control.py`` what the paths under
``/sandbox`` do. It imports nothing of the rest of the package, so that it cannot share the rest's mistakes.
"""

from __future__ import annotations

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.faults import Fault
from airflow_provider_lp.sandbox.http.exchange import SeenRequest
from airflow_provider_lp.sandbox.sandbox import Sandbox

__all__ = ["Account", "Conversation", "Fault", "Sandbox", "SeenRequest"]
