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
from airflow_provider_lp.operators.path_fields import named_alike, names_window, neighbour_alike, zone_named
from airflow_provider_lp.operators.paths import ANY_WINDOW, as_text, check_target, names_run
from airflow_provider_lp.windows import Window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import BaseOperatorLink, ObjectStoragePath

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 4
MOST_CONCURRENT = 64


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
        self._names_run = names_run(self.path)
        self.storage_conn_id = storage_conn_id
        self.format = format
        self.max_xcom_bytes = max_xcom_bytes

    @property
    def undone(self) -> str:
        """What has not been done where the task fails."""
        return "Nothing was published" if self._publishes else "Nothing was returned"

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
        if window is not None:
            self._check_replaced(target, window, zone)
        return target

    def _check_replaced(self, target: Target, window: Window, zone: tzinfo) -> None:
        """
        Let no run replace what was published for more than its own window: a whole day by an hour of it, say.

        :raises LivePersonWindowError: if the path names the run's period, and has an object that would lose something
            by a run which does not belong at that path.
        """
        from airflow_provider_lp.export.labels import earlier_at

        path = as_text(self.path)
        if not (self._names_run or names_window(path)):
            return
        url, earlier = target.url.text, earlier_at(target.path)
        # Of whole days under a path by the day, there is none.
        alike = named_alike(path, window, zone) or neighbour_alike(path, window, zone)
        if earlier is None:
            if alike:
                log.warning("%s would be the path of %s, too. It will hold the window %s only.", url, alike, window)
        elif earlier.window is None:
            if alike:
                raise LivePersonWindowError(
                    f"{url} is there already and does not say for which window it was exported. This run's is "
                    f"{window}, and the path is the same for {alike}: what lies outside may be lost. {_REMEDY}"
                )
        elif not window.covers(earlier.window):
            if alike or earlier.window.covers(window):
                raise LivePersonWindowError(
                    f"{url} holds the window {earlier.window}, which an earlier run has exported. This run's window "
                    f"{window} does not cover that: what lies outside would be lost. {_REMEDY}"
                )
            # A schedule was moved, or the paths of a week are used again each week.
            log.warning("%s holds the window %s. It is replaced by the window %s.", url, earlier.window, window)


_REMEDY = (
    "Start the run with a date on the schedule, or give it a path that names its window, such as "
    "{start:%Y-%m-%dT%H%M%S}. If the object is to be replaced, delete it first."
)


def check_max_concurrency(max_concurrency: object) -> None:
    """
    Refuse what is no number of requests that may be in flight.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if type(max_concurrency) is not int or not 1 <= max_concurrency <= MOST_CONCURRENT:
        raise LivePersonConfigurationError(
            f"max_concurrency={max_concurrency!r} must be a whole number from 1 to {MOST_CONCURRENT}."
        )
