"""Airflow's triggers, on any Airflow: the one place that knows which of them there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_lp.client.clock import Clock
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


#: The time that triggers go by. (Their pauses are the loop's.)
CLOCK = Clock()


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
    except (LivePersonConfigurationError, msgspec.ValidationError) as error:
        raise WrongTriggerArgumentError(str(error)) from error


def class_path(trigger: BaseTrigger) -> str:
    """By which another triggerer finds the trigger's class."""
    return f"{type(trigger).__module__}.{type(trigger).__qualname__}"


def event_of(payload: dict[str, Any]) -> TriggerEvent:
    """The event that carries ``payload``."""
    return TriggerEvent(payload)  # type: ignore[no-untyped-call] # Airflow's


__all__ = [
    "CLOCK",
    "BaseEventTrigger",
    "BaseTrigger",
    "SharedStreamProducer",
    "TriggerEvent",
    "WrongTriggerArgumentError",
    "class_path",
    "event_of",
    "naming_wrong_arguments",
]
