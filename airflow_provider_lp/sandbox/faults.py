"""Faults: what goes wrong on purpose, on which requests, and what is answered instead."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from airflow_provider_lp.sandbox.http.exchange import Answer, Request, json_answer

CONVERSATION_PATH = "/conversations/"
OPERATIONS_PATH = "/operations/"
_DOMAIN_PATH = "/baseURI.json"
_HTML = b"<!DOCTYPE html><html><body><h1>Sandbox maintenance page</h1></body></html>"

#: Kinds that change what a page says. Those of the first line need two rows to change anything.
SPOILING_KINDS = frozenset({"partial_result", "records_missing", "records_repeated"})
PAGE_KINDS = SPOILING_KINDS | {"count_zero", "count_off", "count_capped", "ties_shuffled", "heavy_page", "odd_text"}
KINDS = PAGE_KINDS | {
    "throttle",
    "error_500",
    "error_503",
    "status",
    "no_content",
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

#: What ``odd_text`` writes into a record, as bytes of JSON: into its first message, or as its MCS if it is a number.
ODD_TEXTS = {
    "half_surrogate": rb"\ud83d",
    "surrogates_reversed": rb"\ude00\ud83d",
    "latin1": b"caf\xe9",
    "cesu8": b"\xed\xa0\xbd\xed\xb8\x80",
    "nul": rb"\u0000",
    "nan": b"NaN",
    "infinity": b"-Infinity",
}
ODD_NUMBERS = ("nan", "infinity")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong on purpose.

    Instead of the answer: ``throttle`` (429), ``error_500``, ``error_503``, ``status`` (any), ``no_content`` (204, as
    if a search found nothing), ``not_json``, ``expired_token`` (401), ``forbidden`` (403), ``bad_domain`` and
    ``redirect``.
    On its way: ``cut_connection``, ``cut_body``, ``cut_chunked``, ``slow_body``, ``stall``.
    In a page of conversations:

    * ``partial_result`` lacks a third and says so, ``records_missing`` lacks some and does not, ``records_repeated``
      has one twice and lacks another;
    * ``count_zero`` says that nothing is found; ``count_off`` counts ``rows`` too many, or too few if negative (with
      ``every=2`` the count flickers); ``count_capped`` never counts more than ``rows``;
    * ``ties_shuffled`` has rows of one moment in another order at each request;
    * ``heavy_page`` answers 500 to a page of more than ``rows`` rows;
    * ``odd_text`` makes the record in the middle hard to read, by ``text``.

    :param kind: One of ``KINDS``.
    :param times: How many requests it hits; ``None`` is every one until the faults are cleared.
    :param after: How many matching requests pass first.
    :param every: Hit only every n-th matching request after those.
    :param path: A part of the paths that match, such as ``/operations/`` or ``/msgconversation``. Default: the
        conversation methods, for ``bad_domain`` the Domain API.
    :param retry_after: The header ``Retry-After`` of ``throttle``, ``error_503`` and ``status``, word for word.
    :param seconds: How long ``slow_body`` and ``stall`` take; default 1.
    :param host: Where ``bad_domain`` and ``redirect`` send the client.
    :param status: The status of ``status``.
    :param rows: How many rows ``count_off``, ``count_capped`` and ``heavy_page`` mean; default 1.
    :param text: What ``odd_text`` writes, one of ``ODD_TEXTS``; default ``half_surrogate``.
    """

    kind: str
    times: int | None = 1
    after: int = 0
    every: int | None = None
    path: str | None = None
    retry_after: str | None = None
    seconds: float | None = None
    host: str | None = None
    status: int | None = None
    rows: int = 1
    text: str = "half_surrogate"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.kind in ("bad_domain", "redirect") and not self.host:
            raise ValueError(f"the fault {self.kind} needs a host")
        if self.kind == "status" and not 400 <= (self.status or 0) <= 599:
            raise ValueError("the fault status needs a status from 400 to 599")
        if self.text not in ODD_TEXTS:
            raise ValueError(f"the text of a fault must be one of {', '.join(ODD_TEXTS)}")
        if self.every is not None and self.every < 1:
            raise ValueError("every must be at least 1")

    def matches(self, path: str) -> bool:
        """Whether requests of this path count."""
        default = _DOMAIN_PATH if self.kind == "bad_domain" else CONVERSATION_PATH
        return (self.path or default) in path

    def changes(self, rows: int) -> bool:
        """Whether a page of so many rows gives it anything to do."""
        if self.kind == "heavy_page":
            return rows > self.rows
        if self.kind == "odd_text":
            return rows > 0
        return rows > 1 or self.kind not in SPOILING_KINDS


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
        """The fault that hits a page of so many rows. One of fewer than two gives nothing to spoil, and none in which
        nothing is odd or heavy is hit."""
        return self._take(path, page=True, rows=rows)

    def _take(self, path: str, *, page: bool, rows: int = 0) -> Fault | None:
        with self._lock:
            for standing in self._standing:
                fault = standing.fault
                concerned = (fault.kind in PAGE_KINDS) is page and fault.matches(path)
                if page and not fault.changes(rows):
                    continue
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
        case "status":
            return json_answer(fault.status or 500, {"message": "A proxy on the way answered"}, waiting)
        case "no_content":
            return Answer(204)
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
