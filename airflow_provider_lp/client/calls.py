"""What crosses the border between the APIs and the transport: a call, its answer, and the contracts of both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import requests

Parsed = TypeVar("Parsed")


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
    """

    endpoint: str
    method: str
    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: bool = False


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
    """A way to sign requests."""

    def token(self) -> str | None:
        """The token to sign with, obtained first if need be; ``None`` where there are no tokens."""

    def sign(self, request: requests.PreparedRequest, token: str | None) -> requests.PreparedRequest:
        """Put the ``Authorization`` header on a request."""

    def renew(self, refused: str | None) -> bool:
        """Get another token in place of the refused one; ``False`` where that cannot be done."""


class Caller(Protocol):
    """Something that sends calls and gives what the answers hold."""

    def call(self, call: Call, parse: Callable[[Answer], Parsed], authorization: Authorization | None = None) -> Parsed:
        """Send a call, signed where there is an authorization; gives what ``parse`` makes of the answer."""
