"""Where a task's result goes: an object in Airflow's storage, announced by log and asset events, or XCom."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.compat import AirflowNotFoundException, Asset, AssetAlias, BaseHook
from airflow_provider_lp.export.compression import compression_of

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context, ObjectStoragePath

log = logging.getLogger(__name__)

DEFAULT_MAX_XCOM_BYTES = 1 << 20
STORAGE_EXTRAS = {"s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}


def check_max_xcom_bytes(max_xcom_bytes: object) -> None:
    """
    Refuse what is no number of bytes.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_xcom_bytes) is not int or max_xcom_bytes < 1:
        raise LivePersonConfigurationError(
            f"max_xcom_bytes={max_xcom_bytes!r} must be a whole number of bytes above 0."
        )


@dataclass(frozen=True, slots=True)
class Target:
    """
    The object that a task publishes. Made by :meth:`checked`.

    :param url: as the DAG's author gave it.
    :param path: the same in Airflow's object storage.
    """

    url: str
    path: ObjectStoragePath

    @classmethod
    def checked(cls, url: object, storage_conn_id: str | None) -> Self:
        """
        The target at a URL.

        :param url: the URL of one object.
        :param storage_conn_id: Airflow connection of the storage; ``None`` for the worker's own credentials.
        :raises LivePersonConfigurationError: if the URL names no object, or its storage cannot be used.
        """
        checked = check_url(url)
        if storage_conn_id is not None:
            _check_connection(storage_conn_id)
        return cls(checked, _located(checked, storage_conn_id))

    def announce(self, summary: Mapping[str, Any], context: Context, outlets: Sequence[Any], *, counted: str) -> Any:
        """
        Log what was published, and make it the extra of the asset events that the outlets cause.

        :param summary: of the object.
        :param context: of the run.
        :param outlets: of the task.
        :param counted: the member of the summary that says how much was published.
        :return: the summary, with the URL as its path.
        """
        extra = {**summary, "path": self.url}
        log.info("Published %d %s (%d bytes) at %s.", extra[counted], counted, extra["bytes"], self.url)
        log.info("Summary: %s", json.dumps(extra))
        for outlet in outlets:
            if isinstance(outlet, AssetAlias):
                context["outlet_events"][outlet].add(Asset(self.url), extra=dict(extra))
            elif isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = dict(extra)
        return extra


def check_url(url: object) -> str:
    """
    The argument ``path``, if it can be the URL of one object.

    :raises LivePersonConfigurationError: naming the remedy.
    """
    if not isinstance(url, str) or url.strip() in ("", "None"):
        raise LivePersonConfigurationError(
            f"path={url!r} must be a URL such as s3://bucket/folder/file.ndjson.gz. (None comes from a template whose "
            "value this run does not have.)"
        )
    parts = urlsplit(url)
    if url.endswith("/"):
        example = url if parts.path.strip("/") else "s3://bucket/folder/"
        raise LivePersonConfigurationError(
            f"path={url!r} ends in a slash: exporting a folder of parts is not supported yet. Name one object, such "
            f"as {example}conversations.ndjson.gz."
        )
    if parts.scheme and not parts.path:
        raise LivePersonConfigurationError(
            f"path={url!r} names no object in it: give it whole, such as {url}/folder/conversations.ndjson.gz."
        )
    if (parts.scheme == "file" and parts.netloc.rpartition("@")[2]) or (not parts.scheme and not url.startswith("/")):
        raise LivePersonConfigurationError(
            f"path={url!r} is relative: workers may have any working directory. Write it as file:///folder/file.ndjson."
        )
    compression_of(url)
    return url


def _check_connection(storage_conn_id: str) -> None:
    # The providers of some storages go on without it, to wherever the worker's own credentials lead.
    try:
        BaseHook.get_connection(storage_conn_id)
    except AirflowNotFoundException as error:
        raise LivePersonConfigurationError(
            f"storage_conn_id={storage_conn_id!r} is not an Airflow connection. Define it, or leave it out to use the "
            "worker's own credentials."
        ) from error


def _located(url: str, storage_conn_id: str | None) -> ObjectStoragePath:
    from airflow_provider_lp.compat import ObjectStoragePath

    try:
        path = ObjectStoragePath(url, conn_id=storage_conn_id)
        _ = path.fs
    except (ImportError, ValueError) as error:
        scheme = urlsplit(url).scheme
        extra = STORAGE_EXTRAS.get(scheme)
        remedy = (
            f"pip install 'airflow-provider-lp[{extra}]'"
            if extra
            else "install the Airflow provider that knows such URLs"
        )
        raise LivePersonConfigurationError(
            f"path={url!r}: the storage library for {scheme}:// is not installed or does not work ({error}). "
            f"To have it, {remedy}."
        ) from error
    return path
