"""What to do about each kind of answer: the one table of statuses, and how long to wait before trying again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonError,
    LivePersonIncompleteDataError,
    LivePersonPermissionError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonTransportError,
)

#: LivePerson's own advice after a 5xx; what never answered properly is treated alike.
SERVER_PAUSES_S = (5.0, 10.0, 15.0)
#: A page whose data is not whole yet is usually whole a moment later.
INCOMPLETE_PAUSES_S = (1.0, 2.0, 5.0, 10.0)
THROTTLE_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0)
LEAST_THROTTLE_PAUSE_S = 1.0
LEAST_LOGIN_THROTTLE_PAUSE_S = 5.0
LONGEST_RETRY_AFTER_S = 900.0

ERROR_BY_STATUS: dict[int, type[LivePersonError]] = {
    401: LivePersonAuthenticationError,
    403: LivePersonPermissionError,
    429: LivePersonRateLimitError,
    451: LivePersonPermissionError,
}


def error_class(status: int) -> type[LivePersonError]:
    """The kind of error that an HTTP status other than success stands for."""
    if status in ERROR_BY_STATUS:
        return ERROR_BY_STATUS[status]
    if status >= 500:
        return LivePersonServerError
    if status >= 400:
        return LivePersonBadRequestError
    return LivePersonTransportError


def retry_after_seconds(header: str | None, now_s: float) -> float | None:
    """
    Seconds that a ``Retry-After`` header asks for, in either of its forms; ``None`` if absent or nonsense.

    :param header: the header's value.
    :param now_s: the present moment, seconds since the epoch, for the date form.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - now_s
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _for_ever() -> float:
    return math.inf


class Patience:
    """
    Decides for one request, failure after failure, whether and when it is tried again.

    :param login: whether the request is a login, which LivePerson throttles harder.
    :param lasts_s: says how many seconds from now there is time to wait; default for ever.
    """

    def __init__(self, *, login: bool = False, lasts_s: Callable[[], float] = _for_ever) -> None:
        self._lasts_s = lasts_s
        self._least_throttle_pause_s = LEAST_LOGIN_THROTTLE_PAUSE_S if login else LEAST_THROTTLE_PAUSE_S
        self._failures: Counter[str] = Counter()
        self.pause_s = 0.0

    def allows(self, error: BaseException) -> bool:
        """Whether to try again after ``error``; if so, :attr:`pause_s` says how long to wait first."""
        pause_s = self._pause_after(error) if isinstance(error, LivePersonError) else None
        if pause_s is None or pause_s > self._lasts_s():
            if isinstance(error, LivePersonError):
                error.exhausted = True
            return False
        self.pause_s = pause_s
        return True

    def _pause_after(self, error: LivePersonError) -> float | None:
        if error.exhausted or not error.retry_helps or (error.retry_after_s or 0.0) > LONGEST_RETRY_AFTER_S:
            return None
        match error:
            case LivePersonRateLimitError():
                return self._throttle_pause(error.retry_after_s)
            case LivePersonServerError() | LivePersonTransportError():
                pause_s = self._next_pause("server", SERVER_PAUSES_S)
                return None if pause_s is None else max(pause_s, error.retry_after_s or 0.0)
            case LivePersonIncompleteDataError():
                return self._next_pause("incomplete", INCOMPLETE_PAUSES_S)
        return None

    def _throttle_pause(self, asked_s: float | None) -> float | None:
        own_pause_s = self._next_pause("throttle", THROTTLE_PAUSES_S)
        if own_pause_s is None:
            return None
        return max(self._least_throttle_pause_s, own_pause_s if asked_s is None else asked_s)

    def _next_pause(self, kind: str, pauses_s: tuple[float, ...]) -> float | None:
        earlier = self._failures[kind]
        self._failures[kind] += 1
        return pauses_s[earlier] if earlier < len(pauses_s) else None


class Setback:
    """
    What failed a moment ago for one thread, and need not be tried by the others that wait for the same.

    Wrong credentials tried again, a time for each, could lock the user out; a login that is in trouble must not be met
    by all at once.

    :param monotonic: the time to go by, seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._error: LivePersonError | None = None
        self._ends_s = 0.0

    def check(self) -> None:
        """Raise the failure again as long as it is not worth another try."""
        if self._error is not None and self._monotonic() < self._ends_s:
            raise self._error

    def remember(self, error: LivePersonError) -> None:
        """Take a failure in: of the credentials, for good; of another kind that may pass, for a moment."""
        self._error = error
        self._ends_s = math.inf
        if not isinstance(error, LivePersonAuthenticationError):
            self._ends_s = self._monotonic() + (SERVER_PAUSES_S[0] if error.retry_helps else 0.0)
