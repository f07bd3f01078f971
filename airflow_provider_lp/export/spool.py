"""Where records wait until the search that finds them is whole: a nameless file that vanishes with the process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Generator, Sequence
from typing import NamedTuple

from airflow_provider_lp.client.records import ConversationHead, Page, is_true
from airflow_provider_lp.export.reading import Row

ROWS_PER_BATCH = 100


class Batch(NamedTuple):
    """A run of conversations, in order, as newline-delimited JSON."""

    ndjson: bytes
    rows: Sequence[Row]


def row_of(head: ConversationHead, moment_ms: int = 0) -> Row:
    """A row that is kept, not yet in a spool."""
    info = head.info
    return Row(
        conversation_id=info.conversation_id,
        moment_ms=moment_ms,
        is_kept=True,
        is_outside=False,
        is_open=info.status == "OPEN",
        is_partial=is_true(info.is_partial),
        messages=len(head.message_records or ()),
        position=0,
        length=0,
    )


class Spool:
    """Records that threads add in any order and one reader takes in the order it wants."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
        self._lock = threading.Lock()
        self._end = 0

    def add_page(self, page: Page, rows: Sequence[Row]) -> list[Row]:
        """
        Keep a page's records, a line each.

        :param rows: the page's rows; truncated ones, and those that are not kept, are not stored.
        :return: the rows with their places.
        """
        lengths = [
            len(memoryview(raw)) + 1 if row.is_kept and not row.is_partial else 0
            for row, raw in zip(rows, page.raws, strict=True)
        ]
        lines = [raw for raw, length in zip(page.raws, lengths, strict=True) if length]
        position = self._add(b"\n".join([*lines, b""]))
        placed = []
        for row, length in zip(rows, lengths, strict=True):
            placed.append(row._replace(position=position, length=length))
            position += length
        return placed

    def _add(self, data: bytes) -> int:
        with self._lock:
            position = self._end
            view = memoryview(data)
            while view:
                written = os.pwrite(self._file.fileno(), view, self._end)
                self._end += written
                view = view[written:]
            return position

    def batches(self, rows: Sequence[Row]) -> Generator[Batch, None, None]:
        """The rows' records in the rows' order."""
        for first in range(0, len(rows), ROWS_PER_BATCH):
            some = rows[first : first + ROWS_PER_BATCH]
            yield Batch(self._read(some), some)

    def _read(self, rows: Sequence[Row]) -> bytes:
        runs: list[tuple[int, int]] = []
        for row in rows:
            if runs and sum(runs[-1]) == row.position:
                runs[-1] = (runs[-1][0], runs[-1][1] + row.length)
            else:
                runs.append((row.position, row.length))
        descriptor = self._file.fileno()
        return b"".join([os.pread(descriptor, length, position) for position, length in runs])

    def close(self) -> None:
        """Drop everything; a thread that still adds gets a :class:`ValueError`."""
        with self._lock:
            self._file.close()
