"""What to do about each kind of answer: the one table of statuses, and how long to wait before a retry."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from airflow_provider_lp.client.calls import Call
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonConnectionNotFoundError,
    LivePersonError,
    LivePersonIncompleteDataError,
    LivePersonPermissionError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonSessionError,
    LivePersonTransportError,
    LivePersonUnreachableError,
)

#: LivePerson's own advice after a 5xx; what never answered properly is treated alike.
SERVER_PAUSES_S = (5.0, 10.0, 15.0)
#: A page whose data is not whole yet is usually whole a moment later.
INCOMPLETE_PAUSES_S = (1.0, 2.0, 5.0, 10.0)
#: While LivePerson or a proxy changes its routes, a 404 may come once.
NOT_FOUND_PAUSES_S = (5.0,)
#: At least: the flow makes the pauses of all calls longer where one request at a time is too many. One call may be
#: throttled often while the client finds the limit, but not for ever.
THROTTLE_PAUSES_S = (1.0,) * 120
LEAST_LOGIN_THROTTLE_PAUSE_S = 5.0
LOGIN_THROTTLE_PAUSES_S = (*(LEAST_LOGIN_THROTTLE_PAUSE_S,) * 3, 8.0, 16.0, *(30.0,) * 5)
#: What LivePerson wants waited for longer fails at once: Airflow's own retry comes later.
LONGEST_RETRY_AFTER_S = 900.0
NOT_FOUND = 404
#: What is still wrong when a task has failed, and how long the whole task had better wait before it tries again: the
#: pauses above have not helped by then. Each further try waits twice as long.
TASK_PAUSES_S: dict[type[LivePersonError], float] = {
    LivePersonRateLimitError: 600.0,
    LivePersonSessionError: 300.0,
    LivePersonServerError: 300.0,
    LivePersonTransportError: 300.0,
    LivePersonIncompleteDataError: 600.0,
    LivePersonConnectionNotFoundError: 60.0,
}
#: Tasks wait up to so much longer, so that they do not come back in step.
TASK_PAUSE_JITTER = 0.25
#: Nobody waits for longer, whatever LivePerson asks for.
LONGEST_TASK_PAUSE_S = 86_400.0

ERROR_BY_STATUS: dict[int, type[LivePersonError]] = {
    401: LivePersonAuthenticationError,
    403: LivePersonPermissionError,
    407: LivePersonConfigurationError,
    408: LivePersonServerError,
    421: LivePersonServerError,
    425: LivePersonServerError,
    429: LivePersonRateLimitError,
    451: LivePersonPermissionError,
    499: LivePersonServerError,
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


def task_pause_s(error: LivePersonError, try_number: int, longest_s: float, chance: float) -> float:
    """
    Seconds that a task had better wait before it is tried again, after an error that retrying may mend.

    :param try_number: which try has failed, from 1 on.
    :param longest_s: how long pauses may become; what LivePerson asks for is waited for in any case, up to a day.
    :param chance: a number from 0 to 1, another one each time.
    """
    first_s = next(TASK_PAUSES_S[kind] for kind in type(error).__mro__ if kind in TASK_PAUSES_S)
    # Beyond some tries it is the longest pause anyhow, and no float.
    pause_s = min(first_s * 2.0 ** min(max(try_number - 1, 0), 30), longest_s)
    pause_s = max(pause_s, min(error.retry_after_s or 0.0, LONGEST_TASK_PAUSE_S))
    return pause_s * (1 + chance * TASK_PAUSE_JITTER)


@dataclass(slots=True)
class RetryPolicy:
    """
    Until when failed requests are retried.

    :param until_s: no retry begins after this moment of the clock's monotonic time, in seconds; default: no limit.
    :param is_answered: whether LivePerson has answered a request under this policy. Nothing is retried before:
        what is polled again anyhow should learn quickly that LivePerson is down.
    """

    until_s: float = math.inf
    is_answered: bool = True

    def allows(self, moment_s: float) -> bool:
        """Whether a retry may begin at a moment of the clock's monotonic time."""
        return self.is_answered and moment_s <= self.until_s


class Backoff:
    """
    How long to wait before each retry of one call.

    :param login: whether the call is a login, which LivePerson throttles harder.
    :param tentative: whether a refusal of the call is an answer: the caller knows another way.
    :param divisible: whether the caller can ask for the same in smaller parts, and is to do so after one retry.
    """

    def __init__(self, *, login: bool = False, tentative: bool = False, divisible: bool = False) -> None:
        self._tentative = tentative
        self._server_pauses_s = SERVER_PAUSES_S[:1] if divisible else SERVER_PAUSES_S
        self._throttle_pauses_s = LOGIN_THROTTLE_PAUSES_S if login else THROTTLE_PAUSES_S
        self._failures: Counter[str] = Counter()

    @classmethod
    def of(cls, call: Call) -> Backoff:
        """How long to wait before each retry of ``call``."""
        return cls(login=call.login, tentative=call.tentative, divisible=call.divisible)

    @property
    def failures(self) -> int:
        """How many attempts have failed."""
        return self._failures.total()

    def pause_after(self, error: LivePersonError) -> float | None:
        """Seconds to wait after a failure; ``None`` if the call is not to be retried."""
        if error.exhausted:
            return None
        if error.status == NOT_FOUND and not self._tentative:
            return self._next_pause("not found", NOT_FOUND_PAUSES_S)
        if not error.retry_helps or (error.retry_after_s or 0.0) > LONGEST_RETRY_AFTER_S:
            return None
        match error:
            case LivePersonRateLimitError():
                pause_s = self._next_pause("throttle", self._throttle_pauses_s)
            case LivePersonUnreachableError():
                pause_s = self._next_pause("server", SERVER_PAUSES_S)
            case LivePersonServerError() | LivePersonTransportError():
                pause_s = self._next_pause("server", self._server_pauses_s)
            case LivePersonIncompleteDataError():
                pause_s = self._next_pause("incomplete", INCOMPLETE_PAUSES_S)
            case _:
                return None
        return None if pause_s is None else max(pause_s, error.retry_after_s or 0.0)

    def _next_pause(self, kind: str, pauses_s: tuple[float, ...]) -> float | None:
        earlier = self._failures[kind]
        self._failures[kind] += 1
        return pauses_s[earlier] if earlier < len(pauses_s) else None


class Setback:
    """
    Remembers a failed login or lookup, so that waiting threads fail with it instead of repeating it.

    Wrong credentials sent once by every thread could lock the user out; an overloaded login must not get the requests
    of all threads at once.

    :param clock: the time to go by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error: LivePersonError | None = None
        self._ends_s = 0.0

    def check(self) -> None:
        """Raise the failure again while it is too early for another attempt."""
        if self._error is not None and self._clock.monotonic() < self._ends_s:
            raise self._error

    def remember(self, error: LivePersonError) -> None:
        """Remember a failure: for good if the credentials were refused, else for a moment if it may pass."""
        self._error = error
        self._ends_s = math.inf
        if not isinstance(error, LivePersonAuthenticationError):
            self._ends_s = self._clock.monotonic() + (SERVER_PAUSES_S[0] if error.retry_helps else 0.0)
