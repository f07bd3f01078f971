"""Everything that can go wrong with LivePerson, named by what its reader can do about it.

::

    LivePersonError
    ├── LivePersonConfigurationError    a setting or an argument is wrong: correct it
    │   ├── LivePersonConnectionNotFoundError  there is no such Airflow connection, or it cannot be found just now
    │   └── LivePersonWindowError       the period asked for is not one that can be exported
    │       └── LivePersonOutOfReachError  LivePerson's metrics no longer reach back to it
    ├── LivePersonAuthenticationError   LivePerson does not accept the credentials
    ├── LivePersonSessionError          the same user is logged in elsewhere
    ├── LivePersonPermissionError       the credentials are good but may not do this
    ├── LivePersonBadRequestError       LivePerson refused the parameters
    ├── LivePersonRateLimitError        throttled for longer than is sensible to wait
    ├── LivePersonServerError           LivePerson is in trouble
    ├── LivePersonTransportError        no usable answer arrived
    │   └── LivePersonUnreachableError  no connection came about
    ├── LivePersonIncompleteDataError   an answer came, but not all of the data
    └── LivePersonDifferenceError       what was exported is not what LivePerson, or the store, has now
"""

from __future__ import annotations

from typing import ClassVar


class LivePersonError(Exception):
    """
    The base of all errors of this package.

    :param message: what happened, to which request, and what to do about it.
    :param status: HTTP status of the answer, if there was one.
    :param endpoint: name of the LivePerson method that was called.
    :param internal_code: LivePerson's own error code, if the answer had one.
    :param excerpt: at most 200 characters of what LivePerson said about the error, secrets removed.
    :param retry_after_s: seconds that LivePerson asked to wait, if it said.
    :param remedy: what to do about it, as the end of the message.
    """

    #: Whether the same work may succeed when it is simply done again later.
    retry_helps: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        endpoint: str | None = None,
        internal_code: str | None = None,
        excerpt: str | None = None,
        retry_after_s: float | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(f"{message} {remedy}".rstrip())
        self.remedy = remedy
        self.status = status
        self.endpoint = endpoint
        self.internal_code = internal_code
        self.excerpt = excerpt
        self.retry_after_s = retry_after_s
        #: Set once a retry loop has given up on it, so that no loop further out starts over.
        self.exhausted = False

    def advise(self, remedy: str) -> None:
        """Say something better about what to do."""
        self.args = (f"{str(self).removesuffix(self.remedy).rstrip()} {remedy}",)
        self.remedy = remedy


class LivePersonConfigurationError(LivePersonError):
    """A connection field or an argument is missing or wrong; the message names it."""


class LivePersonConnectionNotFoundError(LivePersonConfigurationError):
    """Airflow finds no such connection: there is none, or the secrets backend is out of reach for a moment."""

    retry_helps = True


class LivePersonWindowError(LivePersonConfigurationError):
    """The period to export is missing, backwards, in the future or out of LivePerson's reach."""


class LivePersonOutOfReachError(LivePersonWindowError):
    """The period was there, and is no longer among what Messaging Operations holds."""


class LivePersonAuthenticationError(LivePersonError):
    """LivePerson does not accept the credentials."""


class LivePersonSessionError(LivePersonError):
    """Another login of the same user keeps ending this client's session: LivePerson grants a user one at a time."""

    retry_helps = True


class LivePersonPermissionError(LivePersonError):
    """The credentials are accepted, but lack the permission for this method or account."""


class LivePersonBadRequestError(LivePersonError):
    """LivePerson refused the request's parameters."""


class LivePersonRateLimitError(LivePersonError):
    """LivePerson answers 429 (too many requests)."""

    retry_helps = True


class LivePersonServerError(LivePersonError):
    """LivePerson, or a proxy on the way, is in trouble: a 5xx, 408, 421, 425 or 499."""

    retry_helps = True


class LivePersonTransportError(LivePersonError):
    """No usable answer: connection refused or lost, timed out, cut short, or not LivePerson's JSON."""

    retry_helps = True


class LivePersonUnreachableError(LivePersonTransportError):
    """No connection came about: whatever was to be asked for is not the reason."""


class LivePersonIncompleteDataError(LivePersonError):
    """LivePerson answered, but the data is provably not whole."""

    retry_helps = True


class LivePersonDifferenceError(LivePersonError):
    """Exports do not tile their period, or are not what LivePerson or the store has now: export some of it again."""
