"""The way in: the rows of a report, collected in memory or published as one object."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.export.formats import encoded
from airflow_provider_lp.export.metrics.fetch import fetch
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.recomputed import recomputed_rows
from airflow_provider_lp.export.metrics.rows import COLUMNS, Row, in_order, row_of
from airflow_provider_lp.export.metrics.totals import account_section, joined
from airflow_provider_lp.export.publishing import publish_object
from airflow_provider_lp.retention import is_final

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient
    from airflow_provider_lp.export.stores import StoragePath

log = logging.getLogger(__name__)


def collect_metrics(client: LivePersonClient, query: MetricsQuery, *, max_bytes: int | None = None) -> list[Row]:
    """
    The rows of a report, in order.

    :param client: LivePerson.
    :param query: which report, of whom, for when.
    :param max_bytes: how large they may be, as JSON; default any size.
    :raises LivePersonConfigurationError: if they are larger; nothing is ever cut short.
    :raises LivePersonError: by its kind, if LivePerson does not give all of it.
    """
    rows = in_order(recomputed_rows(client, query) if query.from_conversations else _measured_rows(client, query))
    if max_bytes is not None and (size := len(msgspec.json.encode(rows))) > max_bytes:
        raise LivePersonConfigurationError(
            f"The result has {len(rows)} rows of {size} bytes, more than max_xcom_bytes={max_bytes} lets through XCom. "
            "Give a path to write it to, or raise max_xcom_bytes."
        )
    return rows


def export_metrics(client: LivePersonClient, query: MetricsQuery, path: StoragePath, *, format: str) -> dict[str, Any]:
    """
    Publish the rows of a report as one object.

    :param client: LivePerson.
    :param query: which report, of whom, for when.
    :param path: where to; its suffix chooses the compression.
    :param format: ``ndjson`` or ``csv``.
    :return: the summary: counts, the period that the rows cover, bytes and sha256 of the object.
    :raises LivePersonError: by its kind; nothing is published then, and what was published stays.
    """
    requests, retries, now = client.requests, client.retries, client.now
    rows: list[Row] = []

    def content() -> Generator[bytes, None, None]:
        rows.extend(collect_metrics(client, query))
        yield from encoded(rows, [*COLUMNS, *query.report.metrics], format)

    published = publish_object(content(), path, window=query.window)
    return {
        "path": str(path),
        "format": format,
        "compression": compression_of(str(path)),
        "report": query.report.name,
        "rows": len(rows),
        "window": covered_by(rows),
        "derived": query.from_conversations,
        "final": None if query.window is None else is_final(query.window.end, now),
        "bytes": published.bytes,
        "sha256": published.sha256,
        "requests": client.requests - requests,
        "retries": client.retries - retries,
    }


def _measured_rows(client: LivePersonClient, query: MetricsQuery) -> Iterator[Row]:
    section = account_section(query.request.skill_ids, query.request.agent_ids)
    for covered, measurements in joined(query.report, fetch(client, query), section):
        for subject, metrics, _ in measurements:
            yield row_of(query.report, client.account_id, subject, covered, metrics)


def covered_by(rows: Sequence[Row]) -> dict[str, str] | None:
    """The period that rows cover; ``None`` where there are none."""
    if not rows:
        return None
    return {"start": min(row["interval_start"] for row in rows), "end": max(row["interval_end"] for row in rows)}
