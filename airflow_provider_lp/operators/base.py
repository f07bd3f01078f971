"""What all LivePerson operators share: the run's moments, storage paths, and which failures are final."""

from __future__ import annotations

import json
import logging
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    Asset,
    AssetAlias,
    BaseHook,
    BaseOperator,
)

from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonPermissionError,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.windows import RunMoments

log = logging.getLogger(__name__)

STORAGE_EXTRAS = {"s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure"}


class LivePersonOperator(BaseOperator):
    """
    An operator that talks to LivePerson.

    :param liveperson_conn_id: the Airflow connection. (templated)
    """

    ui_color = "#fdeee2"

    def __init__(self, *, liveperson_conn_id: str = "liveperson_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.liveperson_conn_id = liveperson_conn_id
        self._client: LivePersonClient | None = None

    @contextmanager
    def client(self, max_concurrency: int) -> Iterator[LivePersonClient]:
        """A client for the connection, as long as the block lasts."""
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        with LivePersonHook(self.liveperson_conn_id).get_conn(max_concurrency=max_concurrency) as client:
            self._client = client
            try:
                yield client
            finally:
                self._client = None

    @contextmanager
    def final_failures(self) -> Iterator[None]:
        """Fail the task without retries where retrying cannot help."""
        try:
            yield
        except (LivePersonAuthenticationError, LivePersonPermissionError) as error:
            raise AirflowFailException(f"{error} (Airflow connection {self.liveperson_conn_id!r})") from error
        except LivePersonError as error:
            if error.retry_helps:
                raise
            raise AirflowFailException(str(error)) from error

    def on_kill(self) -> None:
        """Ask LivePerson for nothing more, so that the task fails before it publishes anything."""
        if self._client is not None:
            log.warning("Stopping: the task was told to end.")
            self._client.abort()


def from_template(value: Any) -> Any:
    """A list or dict, where a template made text of it; anything else as it is."""
    if isinstance(value, str) and value.strip().startswith(("[", "{", "(")):
        with suppress(SyntaxError, ValueError):
            return literal_eval(value)
        with suppress(ValueError):
            return json.loads(value)
    return value


def moments_of(context: Context) -> RunMoments:
    """What the run knows of its time, on any Airflow."""
    from airflow_provider_lp.windows import RunMoments

    values: Mapping[str, Any] = context
    dag_run = values.get("dag_run")
    return RunMoments(
        interval_start=values.get("data_interval_start"),
        interval_end=values.get("data_interval_end"),
        partition_date=values.get("partition_date"),
        logical_date=values.get("logical_date"),
        run_after=getattr(dag_run, "run_after", None),
    )


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


def report(summary: Mapping[str, Any], context: Context, outlets: Sequence[Any]) -> None:
    """Log the summary of what was published, and make it the extra of the asset events that the outlets cause."""
    log.info("Published %(conversations)d conversations (%(bytes)d bytes) at %(path)s.", summary)
    log.info("Summary: %s", json.dumps(summary))
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].add(Asset(summary["path"]), extra=dict(summary))
        elif isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra = dict(summary)
