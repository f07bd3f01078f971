"""Conditions as JSON, for the way from a worker to the triggerer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.conditions.base import Condition
from airflow_provider_lp.conditions.conversations import (
    ConversationsHaveStatus,
    ConversationsMatch,
    WindowedSearch,
    WindowIsReady,
)
from airflow_provider_lp.conditions.metrics import MetricIsWithin

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (ConversationsMatch, ConversationsHaveStatus, WindowIsReady, MetricIsWithin)
}


def described(condition: Condition) -> dict[str, Any]:
    """The condition as JSON."""
    return {"kind": type(condition).__name__, **asdict(condition)}  # type: ignore[call-overload] # a dataclass, all


def condition_of(description: Mapping[str, Any]) -> Condition:
    """
    The condition that :func:`described` described.

    :raises LivePersonConfigurationError: for one that another version described, and this one does not know.
    """
    fields = dict(description)
    name = fields.pop("kind")
    if name not in KINDS:
        raise LivePersonConfigurationError(f"{name!r} is no condition that this version knows.")
    kind = KINDS[name]
    if "search" in fields:
        fields["search"] = WindowedSearch(**fields["search"])
    condition: Condition = kind(**fields)
    return condition
