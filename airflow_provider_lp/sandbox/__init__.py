"""An offline LivePerson for development and tests: ``python -m airflow_provider_lp.sandbox``."""

from __future__ import annotations

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.faults import Fault
from airflow_provider_lp.sandbox.sandbox import Sandbox, SeenRequest

__all__ = ["Account", "Conversation", "Fault", "Sandbox", "SeenRequest"]
