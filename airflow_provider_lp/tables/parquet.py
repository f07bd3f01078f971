"""Tables as Parquet: their Arrow schema, and files that are written as rows come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.tables.arrow import arrow, arrow_type
from airflow_provider_lp.tables.flattening import Flat
from airflow_provider_lp.tables.schema import ACCOUNT_ID, CONVERSATION_ID, EXTRA, SCHEMA_VERSION, TABLES, Table

if TYPE_CHECKING:
    from airflow_provider_lp.export.stores import Publication

ROW_GROUP_ROWS = 100_000
ZSTD_LEVEL = 1
#: Columns whose values hardly repeat: to look for repetitions would only take time.
WITHOUT_DICTIONARY = frozenset({"message_id", "text"})


@cache
def arrow_schema(table: Table) -> Any:
    """A table's ``pyarrow.Schema``; the same whatever the data."""
    pa = arrow()
    columns = [(column.name, arrow_type(column.kind)) for column in table.columns]
    return pa.schema(
        [(ACCOUNT_ID, pa.string()), (CONVERSATION_ID, pa.string()), *columns, (EXTRA, pa.string())],
        metadata={"liveperson.table": table.name, "liveperson.schema_version": str(SCHEMA_VERSION)},
    )


def columns_of(name: str) -> list[tuple[str, str, str]]:
    """
    The columns of a table's file: name, Arrow's type and, for people, the meaning.

    :param name: of the table.
    """
    known = {column.name: column for column in TABLES[name].columns}
    return [
        (each.name, str(each.type), known[each.name].words if each.name in known else "")
        for each in arrow_schema(TABLES[name])
    ]


class _Sink:
    """What pyarrow writes a file to: passes bytes on, and measures them."""

    closed = False

    def __init__(self, target: Publication) -> None:
        self._target: Publication | None = target
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: Any) -> int:
        content = bytes(data)
        if self._target is not None:
            self._target.write(content)
            self.sha256.update(content)
        self.bytes += len(content)
        return len(content)

    def stop(self) -> None:
        """Pass nothing on any more."""
        self._target = None

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        """The publication holds nothing back."""

    def close(self) -> None:
        """The publication is closed by whom it belongs to."""


class ParquetFile:
    """
    A table's file, written in groups of rows: memory does not grow with their number.

    :param table: which table.
    :param target: where the bytes go.
    """

    def __init__(self, table: Table, target: Publication) -> None:
        self._schema = arrow_schema(table)
        self._sink = _Sink(target)
        self._writer = arrow().parquet.ParquetWriter(
            self._sink,
            self._schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=[name for name in self._schema.names if name not in WITHOUT_DICTIONARY],
        )
        #: How many rows, and the columns of theirs that have values.
        self._batches: list[tuple[int, dict[str, Any]]] = []
        self._waiting_rows = 0
        self.rows = 0
        #: Memory that rows take which wait to be written.
        self.waiting_bytes = 0

    @property
    def bytes(self) -> int:
        """Size of the file so far."""
        return self._sink.bytes

    @property
    def sha256(self) -> str:
        """Checksum of the file so far, in hexadecimal."""
        return self._sink.sha256.hexdigest()

    def add(self, account_ids: Any, conversation_ids: Any, flat: Flat, count: int) -> None:
        """
        Add rows.

        :param account_ids: a ``pyarrow.Array`` of the account of each row.
        :param conversation_ids: likewise, of the conversation.
        :param flat: the other columns.
        :param count: how many rows.
        """
        pa = arrow()
        given: dict[str, Any] = {ACCOUNT_ID: account_ids, CONVERSATION_ID: conversation_ids, **flat.columns}
        if flat.extra:
            given[EXTRA] = [flat.extra.get(row) for row in range(count)]
        columns = {
            field.name: pa.array(given[field.name], field.type)
            if isinstance(given[field.name], list)
            else given[field.name]
            for field in self._schema
            if given.get(field.name) is not None
        }
        self._batches.append((count, columns))
        self.rows += count
        self._waiting_rows += count
        # Not nbytes, which takes as long as some dozens of values.
        self.waiting_bytes += sum(values.get_total_buffer_size() for values in columns.values())
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self.write()

    def write(self) -> None:
        """Write the rows that wait, as a group."""
        columns = [self._column(field) for field in self._schema]
        rows = arrow().Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        self._batches = []
        self._waiting_rows = self.waiting_bytes = 0
        # Otherwise some tens of megabytes would be kept for later.
        arrow().default_memory_pool().release_unused()

    def _column(self, field: Any) -> Any:
        """The values of a column in the rows that wait."""
        pa = arrow()
        if not any(field.name in columns for _, columns in self._batches):
            return pa.nulls(self._waiting_rows, field.type)
        parts = [columns.get(field.name) for _, columns in self._batches]
        counts = (count for count, _ in self._batches)
        return pa.chunked_array(
            [pa.nulls(count, field.type) if part is None else part for part, count in zip(parts, counts, strict=True)],
            field.type,
        )

    def close(self, metadata: Mapping[str, str]) -> None:
        """
        Write what is left, and the end of the file.

        :param metadata: what else the file's metadata says, where pyarrow can write it.
        """
        if self._waiting_rows:
            self.write()
        if hasattr(self._writer, "add_key_value_metadata"):  # pyarrow 17, which the constraints of Airflow 3.0 exclude
            self._writer.add_key_value_metadata(dict(metadata))
        self._writer.close()

    def abandon(self) -> None:
        """Write nothing more; otherwise the writer would end its file when it is collected as garbage."""
        self._sink.stop()
        self._writer.close()
