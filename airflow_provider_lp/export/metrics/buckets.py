"""LivePerson's five-minute buckets: it counts in whole ones, at both ends of a timeframe."""

from __future__ import annotations

from airflow_provider_lp.windows import Window

MINUTE_MS = 60_000
BUCKET_MINUTES = 5
BUCKET_MS = BUCKET_MINUTES * MINUTE_MS


def floor_bucket(moment_ms: int) -> int:
    """The five-minute mark at or before the moment."""
    return moment_ms // BUCKET_MS * BUCKET_MS


def ceil_bucket(moment_ms: int) -> int:
    """The five-minute mark at or after the moment."""
    return -(-moment_ms // BUCKET_MS) * BUCKET_MS


def frame_of(now_ms: int, timeframe_minutes: int) -> Window:
    """The buckets that LivePerson counts for a timeframe that ends now."""
    return Window(floor_bucket(now_ms - timeframe_minutes * MINUTE_MS), ceil_bucket(now_ms))


def until_same_frame(now_ms: int, timeframe_minutes: int, clock_difference_ms: int) -> int:
    """
    How long until :func:`frame_of` is the same by all clocks that differ from ours by at most so much, in milliseconds.
    """
    edges_ms = (now_ms, now_ms - timeframe_minutes * MINUTE_MS)
    past_mark_ms = (edge_ms - floor_bucket(edge_ms + clock_difference_ms) for edge_ms in edges_ms)
    return max(0, *(clock_difference_ms + 1 - past_ms for past_ms in past_mark_ms))


def tiles(window: Window, interval_minutes: int | None) -> list[Window]:
    """Windows of this length, from the start on, that tile a window; without a length the window itself."""
    if interval_minutes is None:
        return [window]
    step_ms = interval_minutes * MINUTE_MS
    starts = range(window.start_ms, window.end_ms, step_ms)
    return [Window(start_ms, min(start_ms + step_ms, window.end_ms)) for start_ms in starts]
