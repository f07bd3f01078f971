"""Time frames of Messaging Operations, and the rows that an interval cuts them into."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_lp.sandbox.moments import MINUTE_MS

BUCKET_MS = 5 * MINUTE_MS


@dataclass(frozen=True)
class Frame:
    """A half-open range of epoch milliseconds."""

    start_ms: int
    end_ms: int

    def holds(self, moment_ms: int | None) -> bool:
        """Whether the moment has come and lies in the frame: its start does, its end does not."""
        return moment_ms is not None and self.start_ms <= moment_ms < self.end_ms

    def rows(self, interval_minutes: int) -> list[Frame]:
        """The rows of an interval, newest first. They are cut back from the end; what is left over is the earliest."""
        ends = range(self.end_ms, self.start_ms, -interval_minutes * MINUTE_MS)
        return [Frame(max(self.start_ms, end_ms - interval_minutes * MINUTE_MS), end_ms) for end_ms in ends]


def bucketed(clock_ms: int, timeframe_minutes: int) -> Frame:
    """The frame of methods that count in five-minute buckets: it takes in the whole bucket at either end."""
    start_ms = clock_ms - timeframe_minutes * MINUTE_MS
    return Frame(start_ms // BUCKET_MS * BUCKET_MS, -(-clock_ms // BUCKET_MS) * BUCKET_MS)


def sliding(clock_ms: int, timeframe_minutes: int) -> Frame:
    """The frame of methods that do not round."""
    return Frame(clock_ms - timeframe_minutes * MINUTE_MS, clock_ms)
