"""One page of an answer: encoded records within LivePerson's envelope."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from airflow_provider_lp.sandbox.faults import ODD_NUMBERS, ODD_TEXTS, Fault

_INTERNAL_HOST = "http://msghist-7.sandbox.internal:8080"
_LINK_LIMIT = 50
_FIRST_TEXT = re.compile(rb'"text":"')
_SOME_TEXT = re.compile(rb'"language":"')
_MCS = re.compile(rb'"mcs":[0-9]+')


@dataclass(frozen=True)
class Page:
    """Rows ``offset`` and following of ``count`` that match."""

    path: str
    parameters: dict[str, str]
    count: int
    offset: int
    limit: int
    rows: Sequence[bytes]
    partial_result: bool = False

    def spoiled(self, fault: Fault) -> Page:
        """The page as the fault leaves it."""
        rows, size = self.rows, len(self.rows)
        middle = size // 2
        match fault.kind:
            case "partial_result":
                gone = max(1, size // 3)
                return replace(self, rows=rows[: size - gone], count=self.count - gone, partial_result=True)
            case "records_missing":
                return replace(self, rows=[*rows[:middle], *rows[middle + max(1, size // 10) :]])
            case "records_repeated":
                return replace(self, rows=[*rows[:middle], rows[middle - 1], *rows[middle + 1 :]])
            case "odd_text":
                return replace(self, rows=[*rows[:middle], _odd(rows[middle], fault.text), *rows[middle + 1 :]])
            case "count_zero":
                return replace(self, rows=(), count=0)
            case "count_off":
                return replace(self, count=max(0, self.count + fault.rows))
            case "count_capped":
                return replace(self, count=min(self.count, fault.rows))
            case _:
                return self

    def encoded(self) -> bytes:
        """The body of the answer."""
        metadata = msgspec.json.encode(self._metadata())
        return b'{"_metadata":%b,"conversationHistoryRecords":[%b]}' % (metadata, b",".join(self.rows))

    def _metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = {"count": self.count, "self": self._link("self", self.offset, self.limit)}
        following = self.offset + len(self.rows)
        if self.rows and following < self.count:
            metadata["next"] = self._link("next", following, self.limit)
            last_offset = (self.count - 1) // _LINK_LIMIT * _LINK_LIMIT
            metadata["last"] = self._link("last", last_offset, self.count - last_offset)
        metadata["shardsStatusResult"] = {"partialResult": self.partial_result}
        return metadata

    def _link(self, rel: str, offset: int, limit: int) -> dict[str, str]:
        query = urlencode(self.parameters | {"offset": str(offset), "limit": str(limit)})
        return {"rel": rel, "href": f"{_INTERNAL_HOST}{self.path}?{query}"}


def _odd(row: bytes, name: str) -> bytes:
    """The record with something odd in its first message, or instead of its MCS."""
    odd = ODD_TEXTS[name]
    if name in ODD_NUMBERS:
        return _MCS.sub(lambda _: b'"mcs":' + odd, row, count=1)
    place = _FIRST_TEXT if _FIRST_TEXT.search(row) else _SOME_TEXT
    return place.sub(lambda found: found[0] + odd, row, count=1)
