"""Marks of time: LivePerson's five-minute buckets, and windows cut into intervals."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.windows import Window

MINUTE = timedelta(minutes=1)
MINUTE_MS = 60_000
BUCKET_MINUTES = 5
BUCKET_MS = BUCKET_MINUTES * MINUTE_MS


def floor_bucket(moment_ms: int) -> int:
    """The five-minute mark at or before the moment."""
    return moment_ms // BUCKET_MS * BUCKET_MS


def ceil_bucket(moment_ms: int) -> int:
    """The five-minute mark at or after the moment."""
    return -(-moment_ms // BUCKET_MS) * BUCKET_MS


def bucket_ends(window: Window) -> range:
    """Where the buckets of a window end."""
    return range(window.start_ms + BUCKET_MS, window.end_ms + 1, BUCKET_MS)


def cut(window: Window, interval: int | None) -> list[Window]:
    """Windows of this length, from the start on, that tile a window; without a length the window itself."""
    if interval is None:
        return [window]
    step_ms = interval * MINUTE_MS
    starts = range(window.start_ms, window.end_ms, step_ms)
    return [Window(start_ms, min(start_ms + step_ms, window.end_ms)) for start_ms in starts]


def check_cuts(interval: int | None, window: Window, *, marks: str, step: int) -> None:
    """
    Make sure that a window can be cut into intervals.

    :raises LivePersonConfigurationError: if not.
    """
    if interval is not None and (interval % step or window.length % (interval * MINUTE)):
        raise LivePersonConfigurationError(
            f"interval={interval} (minutes{marks} as LivePerson counts) must divide the window {window}."
        )
