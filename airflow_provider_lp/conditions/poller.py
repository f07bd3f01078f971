"""Polls conditions over one client, from any thread: the one way in which sensors and triggers ask LivePerson."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonError,
    LivePersonRateLimitError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.retry import LEAST_LOGIN_THROTTLE_PAUSE_S, LONGEST_RETRY_AFTER_S, SERVER_PAUSES_S
from airflow_provider_lp.conditions.base import Condition, PollResult

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)

#: Long enough for three tries of each of many requests, and a fraction of what sensors usually wait.
LONGEST_PATIENCE = timedelta(minutes=1)


@dataclass(slots=True)
class _Session:
    """A client of the connection as it was when read, and whether LivePerson has accepted its credentials."""

    client: LivePersonClient
    is_accepted: bool = False


class Poller:
    """
    Polls conditions through one client. May be used by several threads; close it.

    The first poll opens the client. If credentials that LivePerson had accepted are refused, the connection is read
    anew, once for all threads: they may have been replaced.

    :param connect: makes a client of the connection.
    """

    def __init__(self, connect: Callable[[], LivePersonClient]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._is_aborted = False

    def poll(self, condition: Condition, patience: timedelta, first: PollResult | None = None) -> PollResult:
        """
        Poll once. Trouble that may pass is a result, too.

        :param patience: how long requests that fail in the middle of the poll may be retried.
        :param first: the poll to confirm; default none.
        :raises LivePersonError: for what waiting cannot mend.
        """
        while True:
            session = self._opened()
            client = session.client.polling(patience)
            try:
                result = condition.poll(client) if first is None else condition.confirm(client, first)
            except LivePersonAuthenticationError:
                if not session.is_accepted:
                    raise
                self._discard(session)
            except LivePersonError as error:
                # Cut off with the client that another thread has discarded, it says nothing about LivePerson.
                if not self._is_discarded(session):
                    if error.retry_helps and not self._is_aborted:
                        log.warning("%s Looking again later.", error)
                    return _trouble(error)
            else:
                session.is_accepted = True
                log.info("%s", result.message)
                return result

    def wait(self, pause: timedelta) -> None:
        """Wait; raises :class:`LivePersonTransportError` if the poller is closed meanwhile."""
        self._opened().client.wait(pause)

    def abort(self) -> None:
        """End waits and requests under way at once, and ask for nothing more. Never waits for another thread."""
        self._is_aborted = True
        if session := self._session:
            session.client.abort()

    def close(self) -> None:
        """End everything and log out."""
        self.abort()
        if session := self._session:
            self._discard(session)

    def _opened(self) -> _Session:
        with self._lock:
            if self._session is None:
                if self._is_aborted:
                    raise LivePersonTransportError("The poller was closed: nothing more is asked for.")
                self._session = _Session(self._connect())
            session = self._session
        if self._is_aborted:
            session.client.abort()
        return session

    def _is_discarded(self, session: _Session) -> bool:
        return self._session is not session and not self._is_aborted

    def _discard(self, session: _Session) -> None:
        with self._lock:
            if self._session is not session:
                return
            self._session = None
        session.client.close()


def _trouble(error: LivePersonError) -> PollResult:
    """What a poll shows that has failed; raises what waiting cannot mend."""
    if not error.retry_helps:
        raise error
    hold_s = min(error.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    if isinstance(error, LivePersonRateLimitError):
        hold_s = max(hold_s, LEAST_LOGIN_THROTTLE_PAUSE_S)
    return PollResult(
        is_met=False,
        message=f"The last poll failed: {error}",
        rest=timedelta(seconds=SERVER_PAUSES_S[0]),
        hold=timedelta(seconds=hold_s),
        has_failed=True,
    )
