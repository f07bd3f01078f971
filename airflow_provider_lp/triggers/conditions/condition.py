"""A condition, and what one look at LivePerson shows of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_lp.client.errors import LivePersonError, LivePersonRateLimitError

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What a look showed.

    :param is_met: whether what is waited for has come about.
    :param words: what was seen, for people.
    :param value: what the task returns when the condition is met; or, of a first look, what the second one compares.
    :param confirm_after: set where only a second look, that much later, can tell.
    :param hold: set where LivePerson wants no request before that has passed.
    :param has_failed: whether nothing was seen, because of trouble that may pass.
    """

    is_met: bool
    words: str
    value: Any = None
    confirm_after: timedelta | None = None
    hold: timedelta = timedelta(0)
    has_failed: bool = False


class Condition(Protocol):
    """Something to wait for; a dataclass whose fields are JSON, so that it can be handed from process to process."""

    def look(self, client: LivePersonClient, first: Seen | None = None) -> Seen:
        """
        Look at LivePerson once.

        :param client: LivePerson.
        :param first: the look before, where that asked to be confirmed.
        :raises LivePersonError: by its kind.
        """


def look(condition: Condition, client: LivePersonClient, first: Seen | None = None) -> Seen:
    """
    Look once; trouble that may pass is something seen, too.

    :raises LivePersonError: for what waiting cannot mend.
    """
    try:
        seen = condition.look(client, first)
    except LivePersonError as error:
        if not error.retry_helps:
            raise
        log.warning("%s Looking again later.", error)
        return Seen(False, f"The last look failed: {error}", hold=_hold_after(error), has_failed=True)
    log.info("%s", seen.words)
    return seen


def _hold_after(error: LivePersonError) -> timedelta:
    from airflow_provider_lp.client.retry import LEAST_LOGIN_THROTTLE_PAUSE_S, LONGEST_RETRY_AFTER_S

    if not isinstance(error, LivePersonRateLimitError):
        return timedelta(0)
    asked_s = min(error.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    return timedelta(seconds=max(asked_s, LEAST_LOGIN_THROTTLE_PAUSE_S))
