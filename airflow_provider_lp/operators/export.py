"""What operators that export share: a target for what they find, and how it is written."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.export.formats import check_suffix
from airflow_provider_lp.operators.base import LivePersonOperator
from airflow_provider_lp.operators.links import PublishedObjectLink
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.output import DEFAULT_MAX_XCOM_BYTES, Target, check_max_xcom_bytes
from airflow_provider_lp.operators.path_fields import names_window, zone_named
from airflow_provider_lp.operators.paths import ANY_WINDOW, as_text, check_target, object_url
from airflow_provider_lp.windows import Window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import BaseOperatorLink, ObjectStoragePath

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 4
MOST_CONCURRENT = 64
MINUTE_MS = 60_000


class LivePersonExportOperator(LivePersonOperator):
    """
    An operator that publishes what it finds as one object, or returns it through XCom.

    :param path: where to write: a URL of any storage that Airflow knows, an ``ObjectStoragePath`` or a
        ``pathlib.Path``; may hold ``{start}`` and ``{end}`` of the period, as Python formats datetimes; ``None``
        (default) returns the result through XCom. (templated)
    :param storage_conn_id: Airflow connection of the storage; default the one in the URL (``s3://conn@bucket/...``),
        or the worker's own credentials. (templated)
    :param format: one of :attr:`formats`; default ``"ndjson"``.
    :param max_xcom_bytes: without ``path``: more than this fails the task; default 1 MiB.
    :param liveperson_conn_id: the Airflow connection. (templated)
    """

    operator_extra_links: Collection[BaseOperatorLink] = (PublishedObjectLink(),)
    #: Start of the period, where it is given.
    start: datetime | str | None = None
    #: The time zone that the path names the period in.
    path_timezone: str | tzinfo = "UTC"
    #: Whether it is about a period, which its path may name.
    has_period: ClassVar[bool] = True
    #: What it can write.
    formats: ClassVar[Sequence[str]] = ("ndjson",)

    def __init__(
        self,
        *,
        path: str | PurePath | ObjectStoragePath | None = None,
        storage_conn_id: str | None = None,
        format: str = "ndjson",
        max_xcom_bytes: int = DEFAULT_MAX_XCOM_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = as_text(path)
        # A path that a template leaves empty is a mistake, and no wish for XCom.
        self._publishes = path is not None
        self.storage_conn_id = storage_conn_id
        self.format = format
        self.max_xcom_bytes = max_xcom_bytes

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("format", cls._check_format)
        given.check("max_xcom_bytes", check_max_xcom_bytes)
        given.check("max_concurrency", check_max_concurrency)
        if given.knows("path_timezone"):
            zone_named(given.get("path_timezone"))
        check_target(given, ANY_WINDOW if cls.has_period else None, partial(cls._check_suffix, given.get("format")))

    @classmethod
    def _check_format(cls, format: object) -> None:
        if format not in cls.formats:
            raise LivePersonConfigurationError(f"format={format!r} must be one of {', '.join(cls.formats)}.")

    @classmethod
    def _check_suffix(cls, format: str | None, path: str) -> None:
        if format is not None:
            check_suffix(format, path, cls.formats)
        compression_of(path)

    def target(self, window: Window | None = None) -> Target | None:
        """
        Where to publish; ``None`` where the result is returned through XCom.

        :param window: whose start and end the path may name.

        :raises LivePersonConfigurationError: if the path or its storage cannot be used.
        """
        if not self._publishes:
            return None
        zone = zone_named(self.path_timezone)
        target = Target.checked(self.path, self.storage_conn_id, window, zone=zone)
        if window is not None and self.start is None:
            self._check_replaced(target, window, zone)
        return target

    def _check_replaced(self, target: Target, window: Window, zone: tzinfo) -> None:
        """
        Let a run that was started by hand, at any second of the day, not replace what a scheduled run has published.

        :raises LivePersonWindowError: if the path names its window, though not down to the second, and has an object.
        """
        minute = Window(window.start_ms // MINUTE_MS * MINUTE_MS, window.end_ms // MINUTE_MS * MINUTE_MS)
        if minute == window or not names_window(self.path):
            return
        if object_url(self.path, self.storage_conn_id, minute, zone=zone).text != target.url.text:
            return
        odd = f"The window {window} of this run begins and ends when no schedule does: it was started by hand."
        if target.path.exists():
            raise LivePersonWindowError(
                f"{odd} {target.url.text} is there already, exported for another window of the same name, and would "
                "be replaced by other data. Start the run with a logical date on the schedule, or give start and end; "
                "or name the window down to its seconds in the path, such as {start:%Y-%m-%dT%H%M%S}."
            )
        log.warning("%s It is published at %s all the same.", odd, target.url.text)


def check_max_concurrency(max_concurrency: object) -> None:
    """
    Refuse what is no number of requests that may be in flight.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_concurrency) is not int or not 1 <= max_concurrency <= MOST_CONCURRENT:
        raise LivePersonConfigurationError(
            f"max_concurrency={max_concurrency!r} must be a whole number from 1 to {MOST_CONCURRENT}."
        )
