"""Versions of a method, and which of them to ask with which authentication."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonError

#: Each ``auth_type``, for people.
AUTHENTICATIONS: Mapping[str, str] = MappingProxyType(
    {
        "oauth2": "OAuth 2.0 client credentials",
        "user": "the login of a user",
        "application": "the login of a bot user",
        "oauth1": "OAuth 1.0 keys",
    }
)
#: The HTTP status for parameters that LivePerson does not take.
BAD_REQUEST = 400
#: HTTP statuses by which LivePerson may mean that it does not offer the version to this authentication, of which the
#: later ones say more.
VERSION_REFUSALS = (BAD_REQUEST, 404, 401, 403)
#: How long a method is not asked again after all its versions were refused.
REFUSED_FOR_S = 60.0


class Version(msgspec.Struct, frozen=True):
    """
    A version of a method.

    :param number: what to send as ``v``.
    :param by_period: whether it takes ``fromMillis`` and ``toMillis`` in place of a timeframe.
    :param accepts: the authentications that LivePerson documents for it.
    :param refuses: those that LivePerson documents not to work.
    :param is_documented: whether LivePerson documents the version at all.
    """

    number: int
    by_period: bool = False
    accepts: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    is_documented: bool = True


def candidates(versions: Sequence[Version], authentication: str, *, by_period: bool, either: bool) -> list[Version]:
    """
    The versions to ask, in order: one that is known to work, else those of which it is not known.

    :param versions: all that the method may have.
    :param authentication: the connection's ``auth_type``.
    :param by_period: whether to ask for a period.
    :param either: whether the version that takes periods can be asked for the same as the other.
    """
    able = [each for each in versions if each.by_period == by_period or (either and each.by_period)]
    open_to_it = [each for each in able if authentication not in each.refuses]
    known = [each for each in open_to_it if authentication in each.accepts]
    return known[:1] or open_to_it


class Choice(msgspec.Struct):
    """
    What a client has learned of one method. Its members are to be used under its lock.

    :param works: the version that works.
    :param refused: what LivePerson said to those that do not.
    :param refused_until_s: when to ask again although all were refused, on the clock's monotonic time.
    """

    works: Version | None = None
    refused: dict[Version, LivePersonError] = msgspec.field(default_factory=dict)
    refused_until_s: float = 0.0
    lock: threading.Lock = msgspec.field(default_factory=threading.Lock)


class VersionMemory:
    """
    What a client has learned of each method, for as long as it lives.

    :param clock: the time to go by.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._choices: dict[object, Choice] = {}

    def of(self, method: object) -> Choice:
        """What is known of a method."""
        with self._lock:
            return self._choices.setdefault(method, Choice())

    def untried(self, choice: Choice, versions: Sequence[Version]) -> list[Version]:
        """
        The versions that are still to be asked.

        :raises LivePersonError: if all were refused a moment ago.
        """
        untried = [each for each in versions if each not in choice.refused]
        if not untried and self.clock.monotonic() < choice.refused_until_s:
            raise _most_telling(choice.refused)
        return untried or list(versions)

    def all_refused(self, choice: Choice) -> LivePersonError:
        """Remember for a moment that all were refused; gives the refusal that says most."""
        choice.refused_until_s = self.clock.monotonic() + REFUSED_FOR_S
        return _most_telling(choice.refused)


def _most_telling(refused: Mapping[Version, LivePersonError]) -> LivePersonError:
    return max(refused.values(), key=lambda error: VERSION_REFUSALS.index(error.status or 0))
