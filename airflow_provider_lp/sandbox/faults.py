"""Faults: what goes wrong on purpose, on which requests, and what is answered instead."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from airflow_provider_lp.sandbox.http.exchange import Answer, Request, json_answer

CONVERSATION_PATH = "/conversations/"
OPERATIONS_PATH = "/operations/"
_DOMAIN_PATH = "/baseURI.json"
_HTML = b"<!DOCTYPE html><html><body><h1>Sandbox maintenance page</h1></body></html>"

PAGE_KINDS = frozenset({"partial_result", "records_missing", "records_repeated"})
KINDS = PAGE_KINDS | {
    "throttle",
    "error_500",
    "error_503",
    "cut_connection",
    "cut_body",
    "cut_chunked",
    "not_json",
    "slow_body",
    "stall",
    "expired_token",
    "forbidden",
    "bad_domain",
    "redirect",
}


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong on purpose.

    :param kind: One of ``KINDS``.
    :param times: How many requests it hits; ``None`` is every one until the faults are cleared.
    :param after: How many matching requests pass first.
    :param every: Hit only every n-th matching request after those.
    :param path: A part of the paths that match, such as ``/operations/`` or ``/msgconversation``. Default: the
        conversation methods, for ``bad_domain`` the Domain API.
    :param retry_after: The header ``Retry-After`` of ``throttle`` and ``error_503``, word for word.
    :param seconds: How long ``slow_body`` and ``stall`` take; default 1.
    :param host: Where ``bad_domain`` and ``redirect`` send the client.
    """

    kind: str
    times: int | None = 1
    after: int = 0
    every: int | None = None
    path: str | None = None
    retry_after: str | None = None
    seconds: float | None = None
    host: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.kind in ("bad_domain", "redirect") and not self.host:
            raise ValueError(f"the fault {self.kind} needs a host")
        if self.every is not None and self.every < 1:
            raise ValueError("every must be at least 1")

    def matches(self, path: str) -> bool:
        """Whether requests of this path count."""
        default = _DOMAIN_PATH if self.kind == "bad_domain" else CONVERSATION_PATH
        return (self.path or default) in path


@dataclass
class _Standing:
    fault: Fault
    seen: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times

    def meets(self) -> bool:
        """Count one matching request; say whether it is hit."""
        self.seen += 1
        beyond = self.seen - self.fault.after
        hit = beyond > 0 and (self.fault.every is None or beyond % self.fault.every == 0)
        self.hits += hit
        return hit


class Faults:
    """The faults in force. The first that hits takes the request; those after it do not count it."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault into force, after those already there."""
        with self._lock:
            self._standing.append(_Standing(fault))

    def clear(self) -> None:
        """Take all faults out of force."""
        with self._lock:
            self._standing.clear()

    def for_request(self, path: str) -> Fault | None:
        """The fault that hits a request as it arrives."""
        return self._take(path, page=False)

    def for_page(self, path: str, rows: int) -> Fault | None:
        """The fault that hits a page about to be sent. One of fewer than two rows gives nothing to spoil."""
        return self._take(path, page=True) if rows > 1 else None

    def _take(self, path: str, *, page: bool) -> Fault | None:
        with self._lock:
            for standing in self._standing:
                fault = standing.fault
                concerned = (fault.kind in PAGE_KINDS) is page and fault.matches(path)
                if concerned and not standing.spent and standing.meets():
                    return fault
        return None


def outage(fault: Fault, request: Request) -> Answer | None:
    """The answer that replaces the real one; ``None`` if the fault lets the real one be made."""
    waiting = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    match fault.kind:
        case "throttle":
            return json_answer(429, {"message": "Too many requests"}, waiting)
        case "error_500":
            return json_answer(500, {"internalCode": "0007", "message": "Search engine exception"})
        case "error_503":
            return json_answer(503, {"message": "Service unavailable"}, waiting)
        case "not_json":
            return Answer(200, _HTML, content_type="text/html;charset=UTF-8")
        case "expired_token":
            return json_answer(401, {"message": "The token has expired"})
        case "forbidden":
            return json_answer(403, {"message": "The key lacks the permission"})
        case "redirect":
            host = fault.host or ""
            origin = host if "://" in host else f"http://{host}"
            return json_answer(307, {"message": "Moved"}, {"Location": f"{origin}{request.target}"})
        case _:
            return None
