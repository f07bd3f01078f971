"""Exporting the conversations of a period."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.publishing import Exported, collect_batches, publish_batches
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.export.stores import StoragePath

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient
    from airflow_provider_lp.export.redaction.redactor import Redactor

log = logging.getLogger(__name__)


def export_conversations(
    client: LivePersonClient,
    query: ConversationQuery,
    path: StoragePath,
    *,
    publish_empty: bool = True,
    redactor: Redactor | None = None,
) -> dict[str, Any]:
    """
    Publish what a query finds as one object.

    :param client: LivePerson.
    :param query: which conversations.
    :param path: where to; its suffix chooses the compression.
    :param publish_empty: whether an object without conversations is published, default yes.
    :param redactor: takes personal data out of them before they are stored anywhere; default nothing is taken out.
    :return: the summary: counts, what was asked for and when, bytes and sha256 of the object.
    :raises LivePersonError: by its kind; nothing is published then, and what was published stays.
    """
    requests, retries = client.requests, client.retries
    download = Download(client, query, redactor=redactor)
    exported = publish_batches(
        download.batches(),
        path,
        window=query.window,
        publish_empty=publish_empty,
        rules=redactor.names if redactor else (),
    )
    _warn(exported, query, download.shortfall)
    return {
        **exported.summary(str(path)),
        "window": {
            "time_field": query.time_field,
            "start": query.window.start.isoformat(),
            "end": query.window.end.isoformat(),
        },
        # What a later count needs, to find the same conversations.
        "account_id": client.account_id,
        "filters": dict(query.filters),
        "max_age_s": None if query.time_field == "start" else query.max_age.total_seconds(),
        "exported_at": query.now.isoformat(timespec="milliseconds"),
        "final": query.is_final,
        "outside_bounds": exported.outside_bounds,
        "shortfall": download.shortfall,
        **({"days": _days(exported, query)} if query.time_field == "latest_update" else {}),
        "requests": client.requests - requests,
        "retries": client.retries - retries,
    }


def _days(exported: Exported, query: ConversationQuery) -> list[str]:
    """
    The days, in UTC, on which the conversations of an export by ``latest_update`` have started.

    LivePerson gives later ones, too: what has started after the window was not updated in it.
    """
    first = datetime.fromtimestamp(0, UTC)
    days = (first + timedelta(days=number) for number in sorted(exported.days) if number)
    return [f"{day:%Y-%m-%d}" for day in days if day < query.window.end]


def collect_conversations(
    client: LivePersonClient, query: ConversationQuery, *, max_bytes: int, redactor: Redactor | None = None
) -> list[dict[str, Any]]:
    """
    The conversations that a query finds, in memory.

    :param client: LivePerson.
    :param query: which conversations.
    :param max_bytes: how large they may be together, as JSON.
    :param redactor: takes personal data out of them; default nothing is taken out.
    :raises LivePersonConfigurationError: if they are larger; nothing is ever cut short.
    :raises LivePersonError: by its kind, if LivePerson does not give all of it.
    """
    download = Download(client, query, redactor=redactor)
    exported = collect_batches(download.batches(), max_bytes, rules=redactor.names if redactor else ())
    _warn(exported, query, download.shortfall)
    if redactor:
        log.info("Redacted: %s", json.dumps(exported.redacted))
    return exported.records


def _warn(exported: Exported, query: ConversationQuery, shortfall: int) -> None:
    if shortfall:
        log.warning(
            "LivePerson counts %d more conversations by %s within %s than it gives. They are missing from this export, "
            "as max_shortfall=%d allows.",
            shortfall,
            query.time_field,
            query.window,
            query.max_shortfall,
        )
    if exported.outside_bounds:
        log.warning(
            "%d conversations have their %s outside %s, although LivePerson returned them for that window: it seems "
            "to filter on another field. They were kept, since no other window might return them.",
            exported.outside_bounds,
            query.time_field,
            query.window,
        )
