"""The objects that tables are made of: conversations, one a line of JSON, compressed or not."""

from __future__ import annotations

import hashlib
import io
import json
import math
import sys
import zlib
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.odd_json import BYTE_ORDER_MARK, repair
from airflow_provider_lp.export.stored import reading

#: How much of an object is asked for at a time, and how much of that is looked at.
BLOCK_BYTES = 4 << 20
READ_BYTES = 1 << 20
#: A batch ends with the line that makes it as large as this.
BATCH_BYTES = 6 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
WANTED = "Tables are made of what exports of conversations write: a record a line."


@dataclass(frozen=True, slots=True)
class Source:
    """
    An object of conversations.

    :param fs: the fsspec file system it is in.
    :param path: where in it.
    :param url: the same, for people.
    :param sha256: its checksum, as the export that wrote it says; ``None`` if that is not known.
    :param conversations: how many it holds, likewise.
    :param conn_id: the connection of its storage; ``None`` for the worker's own credentials.
    """

    fs: Any
    path: str
    url: str
    sha256: str | None = None
    conversations: int | None = None
    conn_id: str | None = None


@dataclass(slots=True)
class Read:
    """
    What was read of a source.

    :param url: where it is.
    :param bytes: its size, compressed.
    :param sha256: its checksum, in hexadecimal.
    :param conversations: how many it holds.
    :param repaired: how many of them are no valid JSON, and could be read all the same.
    """

    url: str
    bytes: int = 0
    sha256: str = ""
    conversations: int = 0
    repaired: int = 0


class _Measured(io.RawIOBase):
    """Reads from a file, and measures it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        length: int = self._file.readinto(buffer)
        self.bytes += length
        self.sha256.update(memoryview(buffer)[:length])
        return length


def read_batches(source: Source, read: Read) -> Generator[list[dict[str, Any]], None, None]:
    """
    The conversations of a source, some at a time.

    :param source: what to read.
    :param read: told what was read.
    :raises LivePersonConfigurationError: if it cannot be read, or is not what the export says that wrote it.
    """
    batch: list[dict[str, Any]] = []
    size = 0
    with closing(_lines(source, read)) as lines:
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            batch.append(_record(line, number, read))
            read.conversations += 1
            size += len(line)
            if size >= BATCH_BYTES:
                full, batch, size = [batch], [], 0
                # Popped, so that nothing here keeps the records alive while the next ones are read.
                yield full.pop()
    if batch:
        yield batch
    _check(source, read)


def _check(source: Source, read: Read) -> None:
    """Refuse what is not the object that the export describes."""
    if source.sha256 is not None and source.sha256 != read.sha256:
        raise LivePersonConfigurationError(
            f"{source.url} is not what the export published there: its sha256 is {read.sha256}, and the export says "
            f"{source.sha256}. It was written anew since: run the export again, and then this task."
        )
    if source.conversations is not None and source.conversations != read.conversations:
        raise LivePersonConfigurationError(
            f"{source.url} holds {read.conversations} conversations, and the export says {source.conversations}: run "
            "the export again, and then this task."
        )


def _lines(source: Source, read: Read) -> Generator[bytes, None, None]:
    conn_id = "source_conn_id" if source.conn_id is None else f"source_conn_id={source.conn_id!r}"
    with reading(source.url, conn_id):
        yield from _stored_lines(source, read)


def _stored_lines(source: Source, read: Read) -> Generator[bytes, None, None]:
    try:
        file = source.fs.open(source.path, "rb", block_size=BLOCK_BYTES)
    except FileNotFoundError as error:
        raise LivePersonConfigurationError(
            f"source: there is no object at {source.url}. Let the export that writes it run before this task."
        ) from error
    except IsADirectoryError as error:
        raise LivePersonConfigurationError(
            f"source: {source.url} is a folder. Give a pattern of what is in it, such as {source.url}/*.ndjson.gz."
        ) from error
    with closing(file):
        measured = _Measured(file)
        raw: Any = io.BufferedReader(measured, READ_BYTES)
        content, damage = _decompressed(raw, source.url)
        try:
            yield from content
        except damage as error:
            raise LivePersonConfigurationError(
                f"{source.url} cannot be read to its end: {error}. It is cut short or damaged: export it again."
            ) from error
    read.bytes = measured.bytes
    read.sha256 = measured.sha256.hexdigest()


def _decompressed(raw: Any, url: str) -> tuple[Iterable[bytes], tuple[type[Exception], ...]]:
    """The content without its compression, which shows in its first bytes; and the errors of damaged content."""
    start = raw.peek(4)[:4]
    if start.startswith(GZIP_MAGIC):
        from isal import igzip, isal_zlib

        gzip: Any = igzip
        damage: Any = (EOFError, isal_zlib.error, zlib.error, gzip.BadGzipFile)
        return io.BufferedReader(gzip.IGzipFile(fileobj=raw, mode="rb"), READ_BYTES), damage
    if start == ZSTD_MAGIC:
        zstd = _zstd(url)
        return zstd.ZstdFile(raw, "rb"), (EOFError, zstd.ZstdError)
    return raw, ()


def _zstd(url: str) -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise LivePersonConfigurationError(
            f"{url} is compressed by Zstandard, which is not installed: pip install 'airflow-provider-lp[zstd]'."
        ) from error
    return zstd


def _record(line: bytes, number: int, read: Read) -> dict[str, Any]:
    line = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = _odd(line, number, read)
    if not isinstance(record, dict) or "info" not in record:
        raise LivePersonConfigurationError(
            f"{read.url}, line {number}: this is no record of a conversation, which has a member info. {WANTED}"
        )
    return record


def _odd(line: bytes, number: int, read: Read) -> Any:
    """A record that is no valid JSON, if what is wrong can be told from what is meant."""
    repaired, places = repair(line)
    try:
        record = json.loads(repaired, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise LivePersonConfigurationError(f"{read.url}, line {number}: this is no JSON ({error}). {WANTED}") from error
    read.repaired += bool(places)
    return record


def _number(text: str) -> Any:
    number = float(text)
    # Too large for any column: it stays as LivePerson sent it.
    return number if math.isfinite(number) else msgspec.Raw(text.encode())
