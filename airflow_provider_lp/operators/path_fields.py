"""The period in a path: ``{start}`` and ``{end}``, with formats of Python's datetimes."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, tzinfo
from string import Formatter
from zoneinfo import ZoneInfo

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.windows import Window, to_ms

#: What Python documents for formatting a datetime.
DIRECTIVES = frozenset("aAwdbBmyYHIpMSfzZjUWcxXGuV%")
ONE_DAY = timedelta(days=1)
MINUTE_MS = 60_000

_ALLOWED = (
    "Only {start} and {end} of the period may stand in braces, with a format of Python's datetimes, such as "
    "{start:%Y-%m-%d}. Names of files and folders cannot have braces."
)


def names_window(path: str) -> bool:
    """Whether a path that :func:`check_fields` takes differs from window to window."""
    return any(name for _, name, _, _ in Formatter().parse(path))


def named_alike(path: str, window: Window, zone: tzinfo = UTC) -> Window | None:
    """
    The window of whole minutes that a path gives the same name as one which begins or ends between minutes.

    No schedule gives the latter: its run was started by hand.

    :param path: as it was given, without templates.
    :param window: of a run.
    :param zone: the time zone that it is named in.
    :return: ``None`` if the window is one of whole minutes, or the path tells it from that.
    """
    other = Window(window.start_ms // MINUTE_MS * MINUTE_MS, window.end_ms // MINUTE_MS * MINUTE_MS)
    if other == window or not names_window(path) or _named(path, other, zone) != _named(path, window, zone):
        return None
    return other


def neighbour_alike(path: str, window: Window, zone: tzinfo = UTC) -> Window | None:
    """
    The window of the same length before or after one that a path gives the same name: all of them share an object.

    :param path: as it was given, without templates.
    :param window: of a run.
    :param zone: the time zone that it is named in.
    :return: ``None`` if the path tells the window from both.
    """
    if not names_window(path):
        return None
    length_ms = window.end_ms - window.start_ms
    neighbours = (Window(start, start + length_ms) for start in (window.end_ms, window.start_ms - length_ms))
    return next((each for each in neighbours if _named(path, each, zone) == _named(path, window, zone)), None)


def check_fields(path: str, *, has_window: bool = True) -> None:
    """
    Refuse what in braces cannot be filled in.

    :param path: as it was given, without templates.
    :param has_window: whether there is a period to fill in.
    :raises LivePersonConfigurationError: naming the field.
    """
    try:
        fields = [field for field in Formatter().parse(path) if field[1] is not None]
    except ValueError as error:
        raise LivePersonConfigurationError(f"path={path!r}: {error}. {_ALLOWED}") from error
    for _, name, spec, conversion in fields:
        written = "{" + str(name) + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
        if name not in ("start", "end") or conversion or not _is_time_format(spec or ""):
            raise LivePersonConfigurationError(f"path={path!r}: {written} cannot be filled in. {_ALLOWED}")
        if not has_window:
            raise LivePersonConfigurationError(
                f"path={path!r}: {written} is the {name} of the period that is exported, and this task has none. Use a "
                "template such as {{ ds }}."
            )


def with_window(path: str, window: Window | None, zone: tzinfo = UTC) -> str:
    """
    The path with ``{start}`` and ``{end}`` filled in.

    :param path: as it was given, without templates.
    :param window: the period; ``None`` if there is none.
    :param zone: the time zone that it is named in.
    :raises LivePersonConfigurationError: naming the remedy, if a field cannot be filled in, or does not tell the window
        from one that follows it where clocks go back.
    """
    if "{" not in path and "}" not in path:
        return path
    check_fields(path, has_window=window is not None)
    if window is None:
        return path
    named = _named(path, window, zone)
    other = _repeated(window, zone)
    if other is not None and _named(path, other, zone) == named:
        raise LivePersonConfigurationError(
            f"path={path!r} names the same object for two windows, {other} and {window}: the clocks of "
            f"path_timezone={str(zone)!r} go back there. Name the offset too, such as {{start:%H%z}}, or leave "
            "path_timezone out."
        )
    return named


def zone_named(path_timezone: object) -> tzinfo:
    """
    The time zone that paths name their period in.

    :param path_timezone: the argument of that name: a name such as ``Europe/Berlin``, or a time zone.
    :raises LivePersonConfigurationError: if there is no such time zone.
    """
    if isinstance(path_timezone, tzinfo):
        return path_timezone
    if path_timezone == "UTC":
        return UTC
    try:
        return ZoneInfo(str(path_timezone))
    except (ValueError, OSError, LookupError):
        raise LivePersonConfigurationError(
            f"path_timezone={path_timezone!r} is no time zone: give its name, such as 'Europe/Berlin'; default 'UTC'."
        ) from None


def _named(path: str, window: Window, zone: tzinfo) -> str:
    return path.format(start=window.start.astimezone(zone), end=window.end.astimezone(zone))


def _repeated(window: Window, zone: tzinfo) -> Window | None:
    """The other window of that length, if there is one, whose local times are the same."""
    before, after = ((window.start + days).astimezone(zone).utcoffset() for days in (-ONE_DAY, ONE_DAY))
    if before is None or after is None or window.length > before - after:
        return None
    is_second = window.start.astimezone(zone).utcoffset() == after
    moved = after - before if is_second else before - after
    return Window(to_ms(window.start + moved), to_ms(window.end + moved))


def _is_time_format(spec: str) -> bool:
    directives = re.findall(r"%(.?)", spec, re.DOTALL)
    return not spec or (bool(directives) and set(directives) <= DIRECTIVES)
