"""Windows of time, half-open ``[start, end)`` in UTC milliseconds; the one that a run is about; lengths of time."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError

#: LivePerson rounds the bounds of a search outwards to such marks.
MARK_MS = 10 * 60 * 1000
ONE_MS = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: ISO 8601's durations, but for months and years, which have no fixed length.
ISO_SPAN = (
    r"P(?=\d|T\d)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)
#: A length of time as Python writes it.
CLOCK_SPAN = r"(?:(-?\d+) days?, )?(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)"

NO_WINDOW = (
    "This run does not say which period to export: its data interval is {interval}, and no window is given. "
    'On Airflow 3 a plain schedule such as "@daily" gives data intervals of zero length. Give the operator '
    "window=timedelta(days=1) to export the day before the run (for metrics, hours=1 for the hour before it), or start "
    "and end, or schedule the DAG with CronDataIntervalTimetable."
)

NO_INTERVAL = "absent, as it is where a run is started without a logical date, or by an asset"


def to_ms(moment: datetime) -> int:
    """The first whole millisecond since the epoch that is not before ``moment``."""
    # By its parts: the moments of an Airflow run are pendulum's, whose differences do not divide.
    return timegm(moment.utctimetuple()) * 1000 - (-moment.microsecond // 1000)


def from_ms(moment_ms: int) -> datetime:
    """The moment, in UTC."""
    return EPOCH + moment_ms * ONE_MS


def floor_mark(moment_ms: int) -> int:
    """The ten-minute mark at or before the moment."""
    return moment_ms // MARK_MS * MARK_MS


def ceil_mark(moment_ms: int) -> int:
    """The ten-minute mark at or after the moment."""
    return -(-moment_ms // MARK_MS) * MARK_MS


class Window(msgspec.Struct, frozen=True):
    """
    A stretch of time from its start up to, but without, its end.

    :param start_ms: epoch milliseconds, UTC.
    :param end_ms: epoch milliseconds, UTC; after the start.
    """

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms:
            raise ValueError(f"{self} has its end not after its start")

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Window:
        """The window of all whole milliseconds from ``start`` up to but without ``end``."""
        return cls(to_ms(start), to_ms(end))

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return from_ms(self.start_ms)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return from_ms(self.end_ms)

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return (self.end_ms - self.start_ms) * ONE_MS

    def __contains__(self, moment_ms: int) -> bool:
        return self.start_ms <= moment_ms < self.end_ms

    def covers(self, other: Window) -> bool:
        """Whether it holds all of another window."""
        return self.start_ms <= other.start_ms and other.end_ms <= self.end_ms

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat()}"

    def split(self, parts: int) -> list[Window]:
        """
        About ``parts`` windows of like length that tile this one and meet on ten-minute marks.

        On such a mark the searches of two neighbours overlap in one millisecond only. A window that holds no mark
        between its bounds stays whole.
        """
        step = (self.end_ms - self.start_ms) / max(parts, 1)
        meetings = {round((self.start_ms + step * number) / MARK_MS) * MARK_MS for number in range(1, parts)}
        bounds = [self.start_ms, *sorted(mark for mark in meetings if self.start_ms < mark < self.end_ms), self.end_ms]
        return [Window(start, end) for start, end in pairwise(bounds)]

    def spans(self, longest: timedelta) -> list[Window]:
        """The fewest windows, none much longer than ``longest``, that tile this one and meet on ten-minute marks."""
        return self.split(-(-self.length // longest))


class RunMoments(msgspec.Struct, frozen=True):
    """
    What an Airflow run knows of its time; each may be absent.

    :param interval_start: start of its data interval.
    :param interval_end: end of its data interval.
    :param partition_date: start of its partition (Airflow >= 3.3).
    :param logical_date: its logical date.
    :param run_after: the earliest moment it could run.
    :param last_interval: finds the last whole interval of the DAG's schedule before the run, if it has intervals; asked
        only where the run has neither interval nor partition.
    """

    interval_start: datetime | None = None
    interval_end: datetime | None = None
    partition_date: datetime | None = None
    logical_date: datetime | None = None
    run_after: datetime | None = None
    last_interval: Callable[[], tuple[datetime, datetime] | None] | None = None


def parse_moment(name: str, value: object) -> datetime:
    """
    An aware moment from what a DAG author gave.

    :param name: the argument's name, for the error.
    :param value: a datetime or ISO 8601 text, with its offset from UTC.
    :raises LivePersonWindowError: if it is neither, or has no offset.
    """
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise LivePersonWindowError(
            f"{name}={value!r} is not a moment: give a datetime or ISO 8601 text such as 2026-01-31T00:00:00+00:00."
            + (" It comes from a template whose value this run does not have." if value in ("", "None") else "")
        )
    if moment.utcoffset() is None:
        raise LivePersonWindowError(
            f"{name}={value!r} has no time zone: add an offset such as +00:00, or use a time-zone-aware datetime."
        )
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise LivePersonWindowError(f"{name}={value!r} lies outside the years 1 to 9999 in UTC.") from None
    return moment


def parse_span(name: str, value: object) -> timedelta:
    """
    A length of time from what a DAG author gave.

    :param name: the argument's name, for the error.
    :param value: a timedelta; seconds, as a number or as text; ISO 8601 text such as ``PT1H`` or ``P1D``; or
        ``HH:MM:SS``, with days before it as Python writes a timedelta.
    :raises LivePersonConfigurationError: if it is none of these.
    """
    if isinstance(value, timedelta):
        return value
    try:
        if isinstance(value, str):
            return _span_of(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    raise LivePersonConfigurationError(
        f"{name}={value!r} is not a length of time: give a timedelta, seconds such as 3600, or ISO 8601 text such "
        "as PT1H or P1D (months and years have no fixed length)."
        + (" It comes from a template whose value this run does not have." if value in ("", "None") else "")
    )


def _span_of(text: str) -> timedelta:
    """
    A length of time from text.

    :raises ValueError: if it is none; :class:`OverflowError` if it is too long.
    """
    if duration := re.fullmatch(ISO_SPAN, text, re.IGNORECASE):
        return timedelta(**{unit: float(number) for unit, number in duration.groupdict(default="0").items()})
    if clock := re.fullmatch(CLOCK_SPAN, text):
        days, hours, minutes, seconds = clock.groups(default="0")
        return timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return timedelta(seconds=float(text))


def parse_length(window: object) -> timedelta | None:
    """
    The argument ``window``, as :func:`parse_span` takes it; ``None`` if it is not given.

    :raises LivePersonConfigurationError: if it is none, or not longer than zero.
    """
    length = None if window is None else parse_span("window", window)
    if length is not None and length < ONE_MS:
        raise LivePersonWindowError(f"window={window!r} must be longer than zero.")
    return length


def parse_period(start: object, end: object) -> Window | None:
    """
    The window of the arguments ``start`` and ``end``, as :func:`parse_moment` takes them; ``None`` if neither is given.

    :raises LivePersonWindowError: if only one of them is given, or they are no moments, or backwards.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "start" if start is None else "end"
        raise LivePersonWindowError(f"{missing} is missing: give both start and end, or neither.")
    first, last = parse_moment("start", start), parse_moment("end", end)
    if to_ms(last) <= to_ms(first):
        raise LivePersonWindowError(
            f"end={last.isoformat()} is not after start={first.isoformat()}: a window includes its start and "
            "excludes its end."
        )
    return Window.between(first, last)


def resolve_window(start: object, end: object, window: object, run: RunMoments, now: datetime) -> Window:
    """
    The window that a run is about, by the first of these that applies: ``start`` and ``end``; the data interval, if
    longer than zero; the partition date and ``window`` after it; ``window`` before the logical date, or before the
    moment the run was due; the last whole interval of the DAG's schedule before that moment.

    :param start: given start, ``None`` if not given.
    :param end: given end, ``None`` if not given.
    :param window: length of the window where the run only has a moment, as :func:`parse_span` takes it.
    :param run: what the run knows.
    :param now: the present moment.
    :raises LivePersonWindowError: if none applies, or what applies is backwards or in the future.
    """
    length = parse_length(window)
    resolved = parse_period(start, end)
    if resolved is None:
        try:
            resolved = _of_run(length, run)
        except OverflowError:
            raise LivePersonWindowError(f"window={window!r} reaches out of the years 1 to 9999.") from None
    if resolved.start >= now:
        raise LivePersonWindowError(
            f"The window {resolved} lies in the future (it is {now.isoformat(timespec='seconds')}): there is nothing "
            "to export yet. Check start, end and the DAG's schedule."
        )
    return resolved


def _of_run(window: timedelta | None, run: RunMoments) -> Window:
    interval = (run.interval_start, run.interval_end)
    if interval[0] and interval[1] and to_ms(interval[0]) < to_ms(interval[1]):
        return Window.between(interval[0], interval[1])
    if window is not None:
        if run.partition_date is not None:
            return Window.between(run.partition_date, run.partition_date + window)
        moment = run.logical_date or run.run_after
        if moment is not None:
            return Window.between(moment - window, moment)
    elif run.last_interval is not None and run.partition_date is None and not all(interval):
        last = run.last_interval()
        if last is not None:
            return Window.between(*last)
    known = f"{interval[0].isoformat()} to {interval[1].isoformat()}" if interval[0] and interval[1] else NO_INTERVAL
    raise LivePersonWindowError(NO_WINDOW.format(interval=known))
