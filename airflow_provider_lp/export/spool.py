"""Where records wait until the search that finds them is whole: a nameless file that vanishes with the process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Generator, Iterable, Sequence
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from airflow_provider_lp.client.records import ConversationHead, Page, is_true
from airflow_provider_lp.export.local_files import writing_to
from airflow_provider_lp.export.pages import NOTHING_REDACTED, Row

if TYPE_CHECKING:
    from airflow_provider_lp.export.redaction.redactor import Redactor

ROWS_PER_BATCH = 100
#: A batch ends with the record that makes it as large as this.
BATCH_BYTES = 8 << 20
#: Records without their personal data are written so many at a time: a whole page of them is as large as the answer.
REDACTED_AT_A_TIME = 20


class Batch(NamedTuple):
    """A run of conversations, in order, as newline-delimited JSON."""

    ndjson: bytes
    rows: Sequence[Row]


class Judged(NamedTuple):
    """
    Where a conversation belongs.

    :param moment_ms: the moment it is ordered by.
    :param is_kept: whether it belongs to the export, and not to a neighbouring window.
    :param is_outside: whether it lies outside what was asked for.
    """

    moment_ms: int
    is_kept: bool = True
    is_outside: bool = False


class Spool:
    """Records that threads add in any order and one reader takes in the order it wants."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        self._end = 0

    def add_page(self, page: Page, judged: Iterable[Judged], redactor: Redactor | None = None) -> list[Row]:
        """
        Keep a page's records, a line each; truncated ones, and those that are not kept, are left out.

        :param judged: where each record belongs.
        :param redactor: takes personal data out of the records before they are kept; default nothing is taken out.
        :return: the page's conversations and their places.
        """
        records = [*zip(page.heads, page.raws, judged, strict=True)]
        rows = self._add_records(records, None) if redactor is None else self._add_redacted(records, redactor)
        for number in page.repaired:
            rows[number] = rows[number]._replace(is_repaired=True)
        return rows

    def _add_redacted(
        self, records: Sequence[tuple[ConversationHead, msgspec.Raw, Judged]], redactor: Redactor
    ) -> list[Row]:
        with redactor.turn:
            some = [records[at : at + REDACTED_AT_A_TIME] for at in range(0, len(records), REDACTED_AT_A_TIME)]
            return [row for each in some for row in self._add_records(each, redactor)]

    def _add_records(
        self, records: Sequence[tuple[ConversationHead, msgspec.Raw, Judged]], redactor: Redactor | None
    ) -> list[Row]:
        rows, lines, counts, position = [], [], [], 0
        for head, raw, (moment_ms, is_kept, is_outside) in records:
            info = head.info
            is_partial = is_true(info.is_partial)
            length = 0
            redacted = NOTHING_REDACTED
            if is_kept and not is_partial:
                line: msgspec.Raw | bytes = raw
                if redactor is not None:
                    line, redacted = redactor.redact(raw, info.conversation_id)
                lines.append(line)
                length = len(memoryview(line)) + 1
            messages = len(head.message_records or ())
            is_open = info.status == "OPEN"
            rows.append(
                (info.conversation_id, moment_ms, is_kept, is_outside, is_open, is_partial, messages, position, length)
            )
            counts.append(redacted)
            position += length
        base = self._add(b"\n".join([*lines, b""]))
        return [
            Row(*row[:7], row[7] + base, row[8], redacted=redacted) for row, redacted in zip(rows, counts, strict=True)
        ]

    def _add(self, data: bytes) -> int:
        with self._lock, writing_to(f"{tempfile.gettempdir()} (TMPDIR), where records wait to be complete"):
            if self._is_closed:
                raise ValueError("the spool is closed")
            if self._file is None:
                # Not before: of the many parts of a large night, only a few are read at a time.
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
            position = self._end
            view = memoryview(data)
            while view:
                written = os.pwrite(self._file.fileno(), view, self._end)
                self._end += written
                view = view[written:]
            return position

    def batches(self, rows: Sequence[Row]) -> Generator[Batch, None, None]:
        """The rows' records in the rows' order."""
        some: list[Row] = []
        size = 0
        for row in rows:
            some.append(row)
            size += row.length
            if len(some) == ROWS_PER_BATCH or size >= BATCH_BYTES:
                yield Batch(self._read(some), some)
                some, size = [], 0
        if some:
            yield Batch(self._read(some), some)

    def _read(self, rows: Sequence[Row]) -> bytes:
        if self._file is None:
            raise ValueError("nothing was added to the spool")
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
            self._is_closed = True
            if self._file is not None:
                self._file.close()
