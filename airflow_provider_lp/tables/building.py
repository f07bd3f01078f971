"""From exported conversations to published tables."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_lp.export.outcomes import after
from airflow_provider_lp.export.stores import StoragePath, publication
from airflow_provider_lp.tables.arrow import arrow
from airflow_provider_lp.tables.finding import find
from airflow_provider_lp.tables.flattening import flatten
from airflow_provider_lp.tables.parquet import ParquetFile
from airflow_provider_lp.tables.schema import SCHEMA_VERSION, TABLES
from airflow_provider_lp.tables.sources import Read, Source, read_batches

log = logging.getLogger(__name__)

#: Memory that the rows of all tables may take until some of them are written.
WAITING_BYTES = 16 << 20


@dataclass(slots=True)
class Built:
    """
    What was made.

    :param tables: of each table: path, rows, bytes and sha256.
    :param sources: what was read.
    :param unknown_fields: how often each member was met that the schema does not know, or whose value did not fit.
    :param duplicates: how many exact repetitions of an event were left out.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: list[Read] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0

    @property
    def conversations(self) -> int:
        """How many were read."""
        return sum(read.conversations for read in self.sources)

    def summary(self) -> dict[str, Any]:
        """What describes the tables."""
        return {
            "tables": self.tables,
            "conversations": self.conversations,
            "unknown_fields": dict(sorted(self.unknown_fields.items())),
            "duplicates": self.duplicates,
            "repaired": sum(read.repaired for read in self.sources),
            "schema_version": SCHEMA_VERSION,
        }


def build_tables(sources: Iterable[Source], paths: Mapping[str, StoragePath]) -> Built:
    """
    Publish tables of conversations. None of them is visible before all of them are complete.

    :param sources: the conversations, in the order that rows shall have.
    :param paths: which tables, and where to.
    :raises LivePersonConfigurationError: if a source cannot be read, or a path not be written.
    """
    arrow()
    built = Built()
    with ExitStack() as stack:
        targets = {name: stack.enter_context(publication(path)) for name, path in paths.items()}
        files = {name: ParquetFile(TABLES[name], target) for name, target in targets.items()}
        for file in files.values():
            stack.callback(file.abandon)
        for source in sources:
            read = Read(source.url)
            built.sources.append(read)
            batches = read_batches(source, read)
            with closing(batches):
                while _add_next(batches, files, built):
                    pass
            log.info("Read %d conversations (%d bytes) of %s.", read.conversations, read.bytes, read.url)
        checksums = ",".join(read.sha256 for read in built.sources)
        for file in files.values():
            file.close({"liveperson.source_sha256": checksums})
        for number, target in enumerate(targets.values()):
            done = ", ".join(list(targets)[:number])
            with after(f"Published before it, and anew with the next try: {done}." if done else ""):
                target.commit()
    built.tables = {
        name: {"path": str(paths[name]), "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}
        for name, file in files.items()
    }
    return built


def _add_next(batches: Iterator[list[dict[str, Any]]], files: Mapping[str, ParquetFile], built: Built) -> bool:
    """Add the next records to the files; false if there are none."""
    with _without_looking_for_cycles():
        if (records := next(batches, None)) is None:
            return False
        _add(records, files, built)
        del records
        return True


@contextmanager
def _without_looking_for_cycles() -> Iterator[None]:
    """Records are many objects and no cycles among them: to look for some would take a fourth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _add(records: list[dict[str, Any]], files: Mapping[str, ParquetFile], built: Built) -> None:
    """Add some records to the files."""
    found = find(records)
    built.duplicates += found.duplicates
    pa = arrow()
    accounts, conversations = pa.array(found.account_ids, pa.string()), pa.array(found.conversation_ids, pa.string())
    for name, file in files.items():
        rows = found.tables[name]
        count = len(rows.objects)
        if count:
            flat = flatten(TABLES[name], rows)
            built.unknown_fields += flat.unknown
            numbers = pa.array(rows.records, pa.int64())
            file.add(accounts.take(numbers), conversations.take(numbers), flat, count)
    while sum(file.waiting_bytes for file in files.values()) > WAITING_BYTES:
        max(files.values(), key=lambda file: file.waiting_bytes).write()
