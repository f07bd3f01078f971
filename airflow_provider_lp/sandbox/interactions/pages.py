"""One page of an answer: encoded records within LivePerson's envelope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from airflow_provider_lp.sandbox.faults import Fault

_INTERNAL_HOST = "http://msghist-7.sandbox.internal:8080"
_LINK_LIMIT = 50


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
        size = len(self.rows)
        if fault.kind == "partial_result":
            gone = max(1, size // 3)
            return replace(self, rows=self.rows[: size - gone], count=self.count - gone, partial_result=True)
        middle = size // 2
        if fault.kind == "records_missing":
            return replace(self, rows=[*self.rows[:middle], *self.rows[middle + max(1, size // 10) :]])
        return replace(self, rows=[*self.rows[:middle], self.rows[middle - 1], *self.rows[middle + 1 :]])

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
