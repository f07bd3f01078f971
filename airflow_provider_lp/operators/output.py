"""Where a task's result goes: an object in Airflow's storage, announced by log and asset events, or XCom."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import msgspec

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonConnectionNotFoundError
from airflow_provider_lp.compat import AirflowNotFoundException, Asset, AssetAlias, BaseHook
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.hooks.connection_ids import check_conn_id
from airflow_provider_lp.operators.paths import STORAGE_EXTRAS, ObjectUrl, object_url

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context, ObjectStoragePath
    from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

DEFAULT_MAX_XCOM_BYTES = 1 << 20
#: How fsspec and Airflow say that nothing installed knows such URLs.
UNKNOWN_SCHEME = ("Protocol not known", "No filesystem registered")


def check_max_xcom_bytes(max_xcom_bytes: object) -> None:
    """
    Refuse what is no number of bytes.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_xcom_bytes) is not int or max_xcom_bytes < 1:
        raise LivePersonConfigurationError(
            f"max_xcom_bytes={max_xcom_bytes!r} must be a whole number of bytes above 0."
        )


class Target(msgspec.Struct, frozen=True):
    """
    The object that a task publishes. Made by :meth:`checked`.

    :param url: where it is, as the DAG's author gave it.
    :param path: the same in Airflow's object storage.
    """

    url: ObjectUrl
    path: ObjectStoragePath

    @classmethod
    def checked(
        cls,
        path: object,
        storage_conn_id: str | None,
        window: Window | None = None,
        check_suffix: Callable[[str], object] = compression_of,
        zone: tzinfo = UTC,
    ) -> Self:
        """
        The target that ``path`` names.

        :param path: what names one object: a URL, an absolute path, or a path object.
        :param storage_conn_id: Airflow connection of the storage; ``None`` for the one in the path, or the worker's own
            credentials.
        :param window: whose start and end the path may name.
        :param check_suffix: refuses what the path must not end in; default another compression than those of exports.
        :param zone: the time zone that the path names the window in; default UTC.
        :raises LivePersonConfigurationError: if the path names no object, or its storage cannot be used.
        """
        url = object_url(path, storage_conn_id, window, check_suffix, zone)
        if url.conn_id is not None:
            _check_connection(url.conn_id, in_path=url.text if storage_conn_id is None else None)
        return cls(url, _located(url))

    def announce(
        self,
        summary: Mapping[str, Any],
        context: Context,
        outlets: Sequence[Any],
        *,
        counted: str,
        partitions: Collection[str] = (),
    ) -> Any:
        """
        Log what was published, and make it the extra of the asset events that the outlets cause.

        :param summary: of the object.
        :param context: of the run.
        :param outlets: of the task.
        :param counted: the member of the summary that says how much was published.
        :param partitions: keys of the partitions of an asset that it is about; default none.
        :return: the summary, with the URL as its path.
        """
        extra = {**summary, "path": self.url.text}
        log.info("Published %d %s (%d bytes) at %s.", extra[counted], counted, extra["bytes"], self.url.text)
        log.info("Summary: %s", json.dumps(extra))
        describe_events(extra, [self], context, outlets, partitions)
        return extra


def describe_events(
    extra: Mapping[str, Any],
    targets: Iterable[Target],
    context: Context,
    outlets: Iterable[Any],
    partitions: Collection[str] = (),
) -> None:
    """
    Give the asset events of a task's outlets an extra; for an alias, there is an event for each object.

    :param extra: what describes the objects.
    :param targets: the objects that the task has published.
    :param context: of the run.
    :param outlets: of the task.
    :param partitions: keys of partitions: an asset has an event for each of them, where Airflow knows partitions (3.3).
    """
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            for target in targets:
                context["outlet_events"][outlet].add(Asset(target.url.url), extra=dict(extra))
        elif isinstance(outlet, Asset):
            event = context["outlet_events"][outlet]
            event.extra = dict(extra)
            if partitions and hasattr(event, "add_partitions"):
                event.add_partitions(list(partitions))


class StoredObjects:
    """
    Finds objects that were published earlier; each connection is looked up once.

    :param storage_conn_id: Airflow connection of their storage; ``None`` for the one in each path, or the worker's own
        credentials.
    """

    def __init__(self, storage_conn_id: str | None) -> None:
        self._storage_conn_id = storage_conn_id
        self._checked: set[str] = set()

    def locate(self, path: object) -> ObjectStoragePath:
        """
        The object that ``path`` names.

        :raises LivePersonConfigurationError: if the path names no object, or its storage cannot be used.
        """
        url = object_url(path, None, None)
        in_path = url.text if url.conn_id is not None else None
        url = msgspec.structs.replace(url, conn_id=url.conn_id or self._storage_conn_id)
        if url.conn_id is not None and url.conn_id not in self._checked:
            _check_connection(url.conn_id, in_path=in_path)
            self._checked.add(url.conn_id)
        return _located(url)


def _check_connection(storage_conn_id: str, *, in_path: str | None) -> None:
    """
    Refuse a connection that is not there.

    :param in_path: the path, if the id stands in it.
    """
    check_conn_id("storage_conn_id", storage_conn_id)
    # The providers of some storages go on without it, to wherever the worker's own credentials lead.
    try:
        BaseHook.get_connection(storage_conn_id)
    except AirflowNotFoundException as error:
        raise LivePersonConnectionNotFoundError(
            f"storage_conn_id={storage_conn_id!r} is not an Airflow connection. Define it, or leave it out to use the "
            "worker's own credentials."
            + (f" (What stands before the @ in path={in_path!r} is taken for its id.)" if in_path else "")
        ) from error


def _located(url: ObjectUrl) -> ObjectStoragePath:
    try:
        path = compat.ObjectStoragePath(url.url, conn_id=url.conn_id)
        _ = path.fs
    except (ImportError, RecursionError, TypeError, ValueError) as error:
        reason = _why_unusable(urlsplit(url.url).scheme, error)
        raise LivePersonConfigurationError(f"path={url.text!r}: {reason}") from error
    return path


def _why_unusable(scheme: str, error: Exception) -> str:
    if not _airflow_makes_paths():
        airflow, library = version("apache-airflow"), version("universal-pathlib")
        return (
            f"Airflow {airflow} cannot use universal-pathlib {library} ({str(error).rstrip('.')}). "
            "Install Airflow with its constraints, or pip install 'universal-pathlib<0.3'."
        )
    if not isinstance(error, ImportError) and not str(error).startswith(UNKNOWN_SCHEME):
        return (
            f"the storage cannot be opened ({error}). See what its connection, or the worker's own credentials, lack."
        )
    extra = STORAGE_EXTRAS.get(scheme)
    remedy = (
        f"pip install 'airflow-provider-lp[{extra}]'" if extra else "install the Airflow provider that knows such URLs"
    )
    return f"the storage library for {scheme}:// is not installed or does not work ({error}). To have it, {remedy}."


def _airflow_makes_paths() -> bool:
    """Airflow 2.11.0, 3.0 and 3.1 need universal-pathlib 0.2, but only their constraints say so."""
    try:
        str(compat.ObjectStoragePath("file:///"))
    except (RecursionError, TypeError, ValueError):
        return False
    return True
