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

#: Long enough for three tries of each of many requests, and a fraction of what sensors usually wait.
LONGEST_PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What a look showed.

    :param is_met: whether what is waited for has come about.
    :param words: what was seen, for people.
    :param value: what the task returns when the condition is met; or, of a first look, what the second one compares.
    :param confirm_after: set where only a second look, that much later, can tell.
    :param rest: set where the next look should come no sooner.
    :param hold: set where LivePerson wants no request of this account before that has passed.
    :param has_failed: whether nothing was seen, because of trouble that may pass.
    """

    is_met: bool
    words: str
    value: Any = None
    confirm_after: timedelta | None = None
    rest: timedelta = timedelta(0)
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


def look(condition: Condition, client: LivePersonClient, first: Seen | None, patience: timedelta) -> Seen:
    """
    Look once; trouble that may pass is something seen, too.

    :param first: the look before, where that asked to be confirmed.
    :param patience: how long requests that fail in the midst of the look may be tried again.
    :raises LivePersonError: for what waiting cannot mend.
    """
    try:
        seen = condition.look(client.polling(patience), first)
    except LivePersonError as error:
        if not error.retry_helps:
            raise
        log.warning("%s Looking again later.", error)
        return _trouble(error)
    log.info("%s", seen.words)
    return seen


def _trouble(error: LivePersonError) -> Seen:
    from airflow_provider_lp.client.retry import (
        LEAST_LOGIN_THROTTLE_PAUSE_S,
        LONGEST_RETRY_AFTER_S,
        SERVER_PAUSES_S,
    )

    hold_s = min(error.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    if isinstance(error, LivePersonRateLimitError):
        hold_s = max(hold_s, LEAST_LOGIN_THROTTLE_PAUSE_S)
    return Seen(
        is_met=False,
        words=f"The last look failed: {error}",
        rest=timedelta(seconds=SERVER_PAUSES_S[0]),
        hold=timedelta(seconds=hold_s),
        has_failed=True,
    )
