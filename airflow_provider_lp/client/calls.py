"""What crosses the border between the APIs and the transport: a call, its answer, and the contracts of both sides."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import requests

Parsed = TypeVar("Parsed")
#: Puts the ``Authorization`` header on a request.
Sign: TypeAlias = "Callable[[requests.PreparedRequest], requests.PreparedRequest]"


@dataclass(frozen=True, slots=True)
class Call:
    """
    One request to LivePerson.

    :param endpoint: what to call it in logs and errors.
    :param method: HTTP method.
    :param url: URL without query.
    :param params: query parameters.
    :param content: body, already encoded.
    :param headers: headers, the body's type among them.
    :param login: whether it is a login: its refusals are about the credentials, and it is throttled harder.
    :param tentative: whether the caller knows another way: a refusal (401, 404) then comes back at once.
    :param divisible: whether the caller can ask for the same in smaller parts: what may have failed by its size is then
        retried only once.
    """

    endpoint: str
    method: str
    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: bool = False
    tentative: bool = False
    divisible: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A successful answer.

    :param status: HTTP status.
    :param body: the whole body, decompressed.
    :param cookies: cookies by their names.
    :param sent_at: when its request was sent, in seconds since the epoch.
    """

    status: int
    body: bytes = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    sent_at: float = 0.0


class Authorization(Protocol):
    """
    A way to authorize requests.

    ``kind`` is the connection's ``auth_type``: ``oauth1``, ``oauth2``, ``user`` or ``application``.
    """

    kind: str

    def flow(self, call: Call) -> Generator[Sign, None, None]:
        """
        Authorize one call, without sending it: yields how to sign the next request.

        Whoever sends resumes the flow once LivePerson has accepted a request, and throws the error in if it has not.
        The flow then yields another signature, a renewed token say, or lets an error out, which ends the call.
        """


class Caller(Protocol):
    """Something that sends calls and gives what the answers hold."""

    def call(self, call: Call, parse: Callable[[Answer], Parsed], authorization: Authorization | None = None) -> Parsed:
        """Send a call, signed where there is an authorization; gives what ``parse`` makes of the answer."""

    def hide(self, *secrets: str) -> None:
        """Never show these values in an error, and tell whoever masks logs."""
