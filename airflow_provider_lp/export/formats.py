"""Rows as the content of one: newline-delimited JSON, or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Generator, Sequence
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError

FORMATS = ("ndjson", "csv")
ROWS_PER_CHUNK = 1_000


def check_suffix(format: str, path: str, formats: Collection[str] = FORMATS) -> None:
    """
    Make sure that a path does not promise another format than the one that is written.

    :param formats: those that could be written instead.
    :raises LivePersonConfigurationError: naming the remedy.
    """
    suffixes = [part for part in path.rpartition("/")[2].split(".")[1:] if part in ("csv", "ndjson", "jsonl")]
    promised = "csv" if suffixes[-1:] == ["csv"] else "ndjson"
    if suffixes and promised != format:
        remedy = f"give format={promised!r}, or another path" if promised in formats else "give another path"
        raise LivePersonConfigurationError(f"path={path!r} promises {promised}, but format={format!r}: {remedy}.")


def encoded(rows: Sequence[dict[str, Any]], columns: Sequence[str], format: str) -> Generator[bytes, None, None]:
    """
    The content of a file of rows.

    :param rows: flat rows.
    :param columns: in a CSV, its columns; others that rows have follow these.
    :param format: ``ndjson`` or ``csv``.
    """
    chunks = [rows[first : first + ROWS_PER_CHUNK] for first in range(0, len(rows), ROWS_PER_CHUNK)]
    if format == "ndjson":
        for chunk in chunks:
            yield b"".join(msgspec.json.encode(row) + b"\n" for row in chunk)
        return
    others = sorted({name for row in rows for name in row} - set(columns))
    for number, chunk in enumerate(chunks or [[]]):
        yield _csv(chunk, [*columns, *others], with_header=number == 0)


def _csv(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, with_header: bool) -> bytes:
    # The line ending of RFC 4180; with another one, Python would not quote a text that holds a carriage return.
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    if with_header:
        writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """JSON's words for what CSV has none; nothing at all for what has no data."""
    return str(value).lower() if isinstance(value, bool) else value
