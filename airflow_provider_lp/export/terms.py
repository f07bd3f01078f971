"""The terms of a search for conversations: by which moment, from how long before, and how many may be missing."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.retention import RETENTION

#: The moments of a conversation that a search may go by, and LivePerson's filter for each.
TIME_FIELDS = {
    "start": "start",
    "end": "end",
    "full_dialog_end": "fullDialogEndTime",
    "latest_update": "latestUpdateTime",
}


def check_time_field(time_field: object) -> None:
    """
    Refuse what is no moment of a conversation.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if not isinstance(time_field, str) or time_field not in TIME_FIELDS:
        raise LivePersonConfigurationError(
            f"time_field={time_field!r} must be one of {', '.join(TIME_FIELDS)}.{nearest(time_field, TIME_FIELDS)}"
        )


def check_max_age(max_age: object) -> None:
    """
    Refuse an age that LivePerson keeps no conversation for.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if not isinstance(max_age, timedelta) or not timedelta(0) <= max_age <= RETENTION:
        raise LivePersonConfigurationError(
            f"max_age={max_age!r} must be a timedelta of at most {RETENTION.days} days: LivePerson keeps "
            "conversations for 13 months."
        )


def check_max_shortfall(max_shortfall: object) -> None:
    """
    Refuse what is no number of conversations.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_shortfall) is not int or max_shortfall < 0:
        raise LivePersonConfigurationError(
            f"max_shortfall={max_shortfall!r} must be a whole number of conversations, 0 or more."
        )
