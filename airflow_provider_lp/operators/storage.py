"""Paths in Airflow's object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_lp.client.errors import LivePersonConfigurationError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

STORAGE_EXTRAS = {"s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}


def check_path(path: object) -> str:
    """
    The path, if it can be the URL of one object.

    :raises LivePersonConfigurationError: naming the remedy.
    """
    if not isinstance(path, str) or path.strip() in ("", "None"):
        raise LivePersonConfigurationError(
            f"path={path!r} must be a URL such as s3://bucket/folder/file.ndjson.gz. (None comes from a template whose "
            "value this run does not have.)"
        )
    from airflow_provider_lp.export.compression import compression_of

    url = urlsplit(path)
    if path.endswith("/"):
        example = path if url.path.strip("/") else "s3://bucket/folder/"
        raise LivePersonConfigurationError(
            f"path={path!r} ends in a slash: exporting a folder of parts is not supported yet. Name one object, such "
            f"as {example}conversations.ndjson.gz."
        )
    if url.scheme and not url.path:
        raise LivePersonConfigurationError(
            f"path={path!r} names no object in it: give it whole, such as {path}/folder/conversations.ndjson.gz."
        )
    if (url.scheme == "file" and url.netloc.rpartition("@")[2]) or (not url.scheme and not path.startswith("/")):
        raise LivePersonConfigurationError(
            f"path={path!r} is relative: workers may have any working directory. Write it as file:///folder/file.ndjson."
        )
    compression_of(path)
    return path


def storage_path(path: object, storage_conn_id: str | None) -> ObjectStoragePath:
    """
    The path in Airflow's object storage.

    :param path: its URL.
    :param storage_conn_id: Airflow connection of the storage.
    :raises LivePersonConfigurationError: if the path is not usable, or the library for its storage is missing.
    """
    path = check_path(path)
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    scheme = urlsplit(path).scheme
    if storage_conn_id is not None:
        _check_connection(storage_conn_id)
    try:
        located = ObjectStoragePath(path, conn_id=storage_conn_id)
        _ = located.fs
    except (ImportError, ValueError) as error:
        extra = STORAGE_EXTRAS.get(scheme)
        remedy = (
            f"pip install 'airflow-provider-lp[{extra}]'"
            if extra
            else "install the Airflow provider that knows such URLs"
        )
        raise LivePersonConfigurationError(
            f"path={path!r}: the storage library for {scheme}:// is not installed or does not work ({error}). "
            f"To have it, {remedy}."
        ) from error
    return located


def _check_connection(storage_conn_id: str) -> None:
    # The providers of some storages go on without it, to wherever the worker's own credentials lead.
    try:
        BaseHook.get_connection(storage_conn_id)
    except AirflowNotFoundException as error:
        raise LivePersonConfigurationError(
            f"storage_conn_id={storage_conn_id!r} is not an Airflow connection. Define it, or leave it out to use the "
            "worker's own credentials."
        ) from error
