"""Tables of some records, as rows that Python reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from upath import UPath

from airflow_provider_lp.tables.building import Built, build_tables
from airflow_provider_lp.tables.schema import TABLES
from airflow_provider_lp.tables.sources import Source

Tables = dict[str, list[dict[str, Any]]]


def source_of(path: Path, **known: Any) -> Source:
    return Source(LocalFileSystem(), str(path), str(path), **known)


def write(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def build(folder: Path, records: Iterable[Any], names: Iterable[str] = TABLES) -> Built:
    """Make tables of records in a folder."""
    return build_from([source_of(write(folder / "source.ndjson", records))], folder, names)


def build_from(sources: Iterable[Source], folder: Path, names: Iterable[str] = TABLES) -> Built:
    return build_tables(sources, {name: UPath(folder / f"{name}.parquet") for name in names})


def tables_in(folder: Path, names: Iterable[str] = TABLES) -> Tables:
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in names}


def tables_of(folder: Path, *records: Any) -> Tables:
    """The tables of records."""
    build(folder, records)
    return tables_in(folder)


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what it does not say, its moments as milliseconds, and its JSON read."""
    return {
        name: json.loads(value) if name == "_extra" else _plain(value)
        for name, value in row.items()
        if value is not None and name not in ("account_id", "conversation_id")
    }


def _plain(value: Any) -> Any:
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value


def record(**members: Any) -> dict[str, Any]:
    """A record with what each has."""
    info = {"conversationId": "c1", "brandId": "a1", **members.pop("info", {})}
    return {"info": info, **members}
