"""
Publishing: one object in a store, compressed as its path says, measured, and visible only when it is complete.

Until then nothing is visible at its path, and what an earlier run published there stays.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.compression import compression_of, compressor
from airflow_provider_lp.export.labels import label_of
from airflow_provider_lp.export.spool import Batch
from airflow_provider_lp.export.stores import Publication, StoragePath, publication
from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

#: What DuckDB reads of a line, if it is not told otherwise.
LONGEST_LINE_BYTES = 16 << 20
DAY_MS = 86_400_000
NUL_ESCAPE = b"\\u0000"


@dataclass(frozen=True, slots=True)
class Published:
    """
    An object that was exported.

    :param bytes: its size, compressed.
    :param sha256: its checksum, in hexadecimal.
    """

    bytes: int
    sha256: str


class _Measured:
    """Passes bytes on to a publication, measuring them, until it is stopped."""

    def __init__(self, target: Publication) -> None:
        self._target: Publication | None = target
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        if self._target is not None:
            self._target.write(data)
            self.bytes += len(data)
            self.sha256.update(data)
        return len(data)

    def stop(self) -> None:
        self._target = None


def _always() -> bool:
    return True


def publish_object(
    chunks: Generator[bytes, None, None],
    path: StoragePath,
    *,
    window: Window | None = None,
    is_wanted: Callable[[], bool] = _always,
) -> Published:
    """
    Publish bytes as one object.

    :param chunks: the content; an error while it comes leaves what is at the path as it was.
    :param path: where to; its suffix chooses the compression.
    :param window: what it is exported for: its label. Default none.
    :param is_wanted: asked when all of the content has come: whether to publish it; default yes.
    :raises LivePersonConfigurationError: if the path cannot be exported.
    """
    with closing(chunks), publication(path, None if window is None else label_of(window)) as target:
        measured = _Measured(target)
        sink = compressor(measured, compression_of(path.path))
        try:
            for chunk in chunks:
                sink.write(chunk)
        except BaseException:
            measured.stop()
            raise
        finally:
            sink.close()
        if is_wanted():
            target.commit()
    return Published(measured.bytes, measured.sha256.hexdigest())


@dataclass(slots=True)
class Exported:
    """
    What was exported.

    :param conversations: how many.
    :param messages: how many messages they have.
    :param open_conversations: how many of them are still open.
    :param outside_bounds: how many of them lie outside the bounds that LivePerson was asked for.
    :param repaired: how many of them held something that is no valid JSON, or that where they go cannot hold.
    :param redacted: how much was taken out of them, by the name of the rule.
    :param days: on which days (since the epoch, in UTC) the moments lie that they are ordered by.
    :param bytes: size of the object, compressed.
    :param sha256: of the object, in hexadecimal.
    :param records: the conversations themselves, where they stay in memory.
    """

    conversations: int = 0
    messages: int = 0
    open_conversations: int = 0
    outside_bounds: int = 0
    repaired: int = 0
    redacted: dict[str, int] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)
    bytes: int = 0
    sha256: str = ""
    records: list[dict[str, Any]] = field(default_factory=list)

    def count(self, batch: Batch) -> None:
        """Add a batch to the counts."""
        self.conversations += len(batch.rows)
        self.messages += sum(row.messages for row in batch.rows)
        self.open_conversations += sum(row.is_open for row in batch.rows)
        self.outside_bounds += sum(row.is_outside for row in batch.rows)
        self.days.update(row.moment_ms // DAY_MS for row in batch.rows)
        self.count_repaired([row.conversation_id for row in batch.rows if row.is_repaired])
        for row in batch.rows:
            for name, number in row.redacted.items():
                self.redacted[name] = self.redacted.get(name, 0) + number
            if row.length > LONGEST_LINE_BYTES:
                log.warning(
                    "The record of conversation %s has %d bytes on its line: more than some readers take, such as "
                    "DuckDB (maximum_object_size, 16 MB by default).",
                    row.conversation_id,
                    row.length,
                )

    def count_repaired(self, conversation_ids: Sequence[str]) -> None:
        """Take in which records were repaired, and say so."""
        self.repaired += len(conversation_ids)
        if conversation_ids:
            log.warning(
                "Repaired %d records that held what is no valid text or number: of conversations %s.",
                len(conversation_ids),
                ", ".join(conversation_ids),
            )

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
            "repaired": self.repaired,
            "redacted": self.redacted,
        }


def publish_batches(
    batches: Generator[Batch, None, None],
    path: StoragePath,
    *,
    window: Window | None = None,
    publish_empty: bool = True,
    rules: Iterable[str] = (),
) -> Exported:
    """
    Publish batches as one object: newline-delimited JSON, compressed as the path's suffix says.

    :param batches: conversations; an error while they come leaves what is at the path as it was.
    :param path: where to.
    :param window: what they are exported for; default none.
    :param publish_empty: whether an object without conversations is published, default yes.
    :param rules: by which personal data was taken out; default none.
    :raises LivePersonConfigurationError: if the path cannot be exported.
    """
    exported = Exported(redacted=dict.fromkeys(rules, 0))

    def chunks() -> Generator[bytes, None, None]:
        with closing(batches):
            for batch in batches:
                exported.count(batch)
                yield batch.ndjson

    published = publish_object(
        chunks(), path, window=window, is_wanted=lambda: publish_empty or exported.conversations > 0
    )
    exported.bytes = published.bytes
    exported.sha256 = published.sha256
    return exported


def collect_batches(batches: Generator[Batch, None, None], max_bytes: int, *, rules: Iterable[str] = ()) -> Exported:
    """
    Batches in memory.

    :param max_bytes: how large they may be together, as JSON.
    :param rules: by which personal data was taken out; default none.
    :raises LivePersonConfigurationError: as soon as they are larger; nothing is ever cut short.
    """
    exported = Exported(redacted=dict.fromkeys(rules, 0))
    with closing(batches):
        for batch in batches:
            exported.count(batch)
            exported.bytes += len(batch.ndjson)
            if exported.bytes > max_bytes:
                raise LivePersonConfigurationError(
                    f"The result has {exported.bytes} bytes after {exported.conversations} conversations, more than "
                    f"max_xcom_bytes={max_bytes} lets through XCom. Give a path to write it to, or raise "
                    "max_xcom_bytes."
                )
            _collect(batch, exported)
    return exported


def _collect(batch: Batch, exported: Exported) -> None:
    repaired = []
    for row, line in zip(batch.rows, batch.ndjson.splitlines(), strict=True):
        record = _decoded(line)
        # Airflow's database may be PostgreSQL, whose JSON cannot hold it.
        if NUL_ESCAPE in line and (without := _without_nul(record)) != record:
            record = without
            repaired += [] if row.is_repaired else [row.conversation_id]
        exported.records.append(record)
    exported.count_repaired(repaired)


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.ValidationError:
        # A number that is too large for a float would be infinite, which JSON does not have.
        return json.loads(line, parse_float=lambda text: number if math.isfinite(number := float(text)) else None)


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    return value
