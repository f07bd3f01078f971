"""What comes in over HTTP and what goes out, apart from sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``fault`` names the fault that has already changed its body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    fault: str | None = None


class Refused(Exception):  # noqa: N818  a refusal is an answer, not an error of the sandbox
    """The request is answered with an error status and this JSON body."""

    def __init__(self, status: int, payload: dict[str, Any] | str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, payload)
        self.status = status
        self.payload = {"message": payload} if isinstance(payload, str) else payload
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The refusal as it goes out."""
        return json_answer(self.status, self.payload, self.headers)


def json_answer(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is minified JSON."""
    return Answer(status, msgspec.json.encode(payload), dict(headers or {}))


@dataclass(frozen=True)
class Request:
    """A request as received; ``target`` is its path with the query, exactly as it came."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def host(self) -> str:
        """The host and port that the client addressed."""
        return self.headers.get("Host", "")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's names and values."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def scheme(self) -> str | None:
        """The scheme of the Authorization header: ``OAuth``, ``Bearer`` or another; ``None`` without a header."""
        header = self.headers.get("Authorization")
        return header.split(" ", 1)[0] if header else None

    def parsed_body(self) -> Any:
        """The body if it is JSON, else ``None``."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def json_object(self) -> dict[str, Any]:
        """The body, which must be declared as JSON and be an object."""
        if self.media_type != "application/json":
            raise Refused(400, "Content-Type must be application/json")
        payload = self.parsed_body()
        if not isinstance(payload, dict):
            raise Refused(400, "the body must be a JSON object")
        return payload

    def parameters(self, allowed: frozenset[str]) -> dict[str, str]:
        """The query's members, each of which must be known and given once."""
        found: dict[str, str] = {}
        for name, value in self.pairs:
            if name not in allowed:
                raise Refused(400, f"unknown query parameter {name!r}")
            if name in found:
                raise Refused(400, f"query parameter {name!r} is given twice")
            found[name] = value
        return found


@dataclass(frozen=True)
class SeenRequest:
    """A request that was answered. ``status`` is ``None`` if the connection was cut instead; ``authorization`` is the
    scheme; ``at`` is ``time.monotonic()`` as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None
    fault: str | None
    at: float
    authorization: str | None
