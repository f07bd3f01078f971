"""Data of LivePerson's as an asset of Airflow's: ``liveperson://12345678/messaging-interactions/conversations``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from airflow_provider_lp.compat import Asset

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset


def create_asset(*, account_id: str, name: str, extra: dict[str, Any] | None = None) -> Asset:
    """
    An asset of LivePerson's, under the name that lineage gives it.

    :param account_id: the LivePerson account.
    :param name: ``messaging-interactions/conversations``, or ``messaging-operations/`` and the name of a report.
    :param extra: of the asset.
    """
    return Asset(uri=f"liveperson://{account_id}/{name}", extra=extra or {})


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """
    Refuse the URI of an asset that is none of LivePerson's.

    :raises ValueError: if it names no account, or nothing of it.
    """
    if not uri.netloc or not uri.path.strip("/"):
        raise ValueError(
            f"{uri.geturl()!r} must be liveperson://<account id>/<name>, such as "
            "liveperson://12345678/messaging-interactions/conversations."
        )
    return uri


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> Dataset:  # noqa: ARG001 - Airflow passes it
    """The asset as OpenLineage names it."""
    from openlineage.client.event_v2 import Dataset

    parts = urlsplit(asset.uri)
    return Dataset(namespace=f"liveperson://{parts.netloc}", name=parts.path.strip("/"))
