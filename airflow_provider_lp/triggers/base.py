"""Airflow's triggers, on any Airflow: the one place that knows which of them there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_lp.client.errors import LivePersonConfigurationError

if TYPE_CHECKING:
    from airflow.triggers.base import BaseEventTrigger
    from airflow.triggers.shared_stream import SharedStreamProducer
else:
    try:
        from airflow.triggers.base import BaseEventTrigger
    except ImportError:
        # Airflow 2 has no asset watchers: such a trigger can be imported there, and nothing would start it.
        BaseEventTrigger = BaseTrigger
    try:
        from airflow.triggers.shared_stream import SharedStreamProducer
    except ImportError:
        # Nor does Airflow before 3.3 ask for one.
        SharedStreamProducer = object


class WrongTriggerArgumentError(LivePersonConfigurationError, TypeError):
    """
    An argument of a trigger is wrong; the message names it.

    A triggerer that makes a trigger from what was stored, perhaps by a version whose checks were laxer, catches
    ``TypeError`` and ends that trigger. Any other error ends the triggerer.
    """


@contextmanager
def naming_wrong_arguments() -> Iterator[None]:
    """Raise what is wrong with an argument as :class:`WrongTriggerArgumentError`."""
    try:
        yield
    except LivePersonConfigurationError as error:
        raise WrongTriggerArgumentError(str(error)) from error


class LivePersonTrigger(BaseTrigger):
    """
    A trigger that looks at LivePerson over a connection.

    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, liveperson_conn_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        self.liveperson_conn_id = liveperson_conn_id

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON. No secrets: those stay in the connection."""
        return {"liveperson_conn_id": self.liveperson_conn_id}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to carry on."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self.fields()


def event_of(payload: dict[str, Any]) -> TriggerEvent:
    """The event that carries ``payload``."""
    return TriggerEvent(payload)  # type: ignore[no-untyped-call] # Airflow's


__all__ = [
    "BaseEventTrigger",
    "LivePersonTrigger",
    "SharedStreamProducer",
    "TriggerEvent",
    "WrongTriggerArgumentError",
    "event_of",
    "naming_wrong_arguments",
]
