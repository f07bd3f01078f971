"""Writing batches of conversations: as one object in a store, or into memory."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.export.objects import publish_object
from airflow_provider_lp.export.publishing import StoragePath
from airflow_provider_lp.export.spool import Batch


@dataclass(slots=True)
class Written:
    """
    What was written.

    :param conversations: how many.
    :param messages: how many messages they have.
    :param open_conversations: how many of them are still open.
    :param outside_bounds: how many of them lie outside the bounds that LivePerson was asked for.
    :param bytes: size of the object, compressed.
    :param sha256: of the object, in hexadecimal.
    :param records: the conversations themselves, where they were written into memory.
    """

    conversations: int = 0
    messages: int = 0
    open_conversations: int = 0
    outside_bounds: int = 0
    bytes: int = 0
    sha256: str = ""
    records: list[dict[str, Any]] = field(default_factory=list)

    def count(self, batch: Batch) -> None:
        """Add a batch to the counts."""
        self.conversations += len(batch.rows)
        self.messages += sum(row.messages for row in batch.rows)
        self.open_conversations += sum(row.is_open for row in batch.rows)
        self.outside_bounds += sum(row.is_outside for row in batch.rows)

    def summary(self, url: str) -> dict[str, Any]:
        """What describes the object at ``url``."""
        return {
            "path": url,
            "format": "ndjson",
            "compression": compression_of(url),
            "conversations": self.conversations,
            "messages": self.messages,
            "open_conversations": self.open_conversations,
            "bytes": self.bytes,
            "sha256": self.sha256,
        }


def publish(batches: Generator[Batch, None, None], path: StoragePath, *, publish_empty: bool = True) -> Written:
    """
    Publish batches as one object: newline-delimited JSON, compressed as the path's suffix says.

    :param batches: conversations; an error while they come leaves what is at the path as it was.
    :param path: where to.
    :param publish_empty: whether an object without conversations is published, default yes.
    :raises LivePersonConfigurationError: if the path cannot be written.
    """
    written = Written()

    def chunks() -> Generator[bytes, None, None]:
        with closing(batches):
            for batch in batches:
                written.count(batch)
                yield batch.ndjson

    published = publish_object(chunks(), path, is_wanted=lambda: publish_empty or written.conversations > 0)
    written.bytes = published.bytes
    written.sha256 = published.sha256
    return written


def collect(batches: Generator[Batch, None, None], max_bytes: int) -> Written:
    """
    Batches in memory.

    :param max_bytes: how large they may be together, as JSON.
    :raises LivePersonConfigurationError: as soon as they are larger; nothing is ever cut short.
    """
    written = Written()
    with closing(batches):
        for batch in batches:
            written.count(batch)
            written.bytes += len(batch.ndjson)
            if written.bytes > max_bytes:
                raise LivePersonConfigurationError(
                    f"The result has {written.bytes} bytes after {written.conversations} conversations, more than "
                    f"max_xcom_bytes={max_bytes} lets through XCom. Give a path to write it to, or raise "
                    "max_xcom_bytes."
                )
            written.records.extend(msgspec.json.decode(line) for line in batch.ndjson.splitlines())
    return written
