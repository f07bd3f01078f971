"""
The ways in which LivePerson counts time, a class each; :func:`timing_of` chooses once.

Each says how far back it reaches, what to ask for a window, what an answer covers, and what is wrong with it.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Self, TypeVar

from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonOutOfReachError,
    LivePersonWindowError,
)
from airflow_provider_lp.client.measurements import MetricsAnswer
from airflow_provider_lp.client.operations import CLOCK_DIFFERENCE_MS, MetricsRequest
from airflow_provider_lp.client.report_parameters import LONGEST_TIMEFRAME, check_divides
from airflow_provider_lp.client.reports import Counting, Report
from airflow_provider_lp.export.metrics.buckets import (
    BUCKET_MINUTES,
    BUCKET_MS,
    MINUTE,
    MINUTE_MS,
    bucket_ends,
    ceil_bucket,
    check_cuts,
    cut,
    floor_bucket,
)
from airflow_provider_lp.export.metrics.reach import out_of_reach
from airflow_provider_lp.export.metrics.totals import Dated, add_up, misplaced, shortfall
from airflow_provider_lp.windows import Window, from_ms

log = logging.getLogger(__name__)

Some = TypeVar("Some")

ONE_MS = timedelta(milliseconds=1)
#: By how much longer a timeframe gets with each try, for answers that take their time.
SLOWNESS_MS = 2 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Timing(ABC):
    """
    The time that a query is about, as its report counts it: the base of the four ways.

    :param report: which report.
    :param window: the window asked for; or
    :param timeframe: minutes back from the moment of the request; or neither, for the present.
    :param interval: minutes per row; ``None`` for one set of rows.
    """

    report: Report
    window: Window | None = None
    timeframe: int | None = None
    interval: int | None = None

    @property
    def covers(self) -> Window | None:
        """The window as LivePerson counts it."""
        return self.window

    def __str__(self) -> str:
        return f"within {self.covers}"

    @abstractmethod
    def check_interval(self) -> None:
        """Make sure that LivePerson takes the interval, or raise :class:`LivePersonConfigurationError`."""

    def check_reach(self, now_ms: int) -> None:
        """
        Make sure that LivePerson still holds the whole window.

        :raises LivePersonOutOfReachError: saying how late it is, and which schedule works.
        """
        window, earliest_ms = self.covers, self._earliest_ms(now_ms)
        if window is not None and window.start_ms < earliest_ms:
            raise LivePersonOutOfReachError(out_of_reach(self.report, window, earliest_ms, now_ms))

    def _earliest_ms(self, now_ms: int) -> int:
        # What is out of reach by LivePerson's clock is refused by it or, in buckets, missing without a word.
        return now_ms - self.report.reach // ONE_MS + CLOCK_DIFFERENCE_MS

    def until_over(self, now_ms: int) -> int:
        """Milliseconds to wait before the first request: until a window that has just ended is past."""
        return 0

    def so_far(self, now_ms: int) -> Self:
        """The same, without what has not begun."""
        return self

    def requests(self, batch: MetricsRequest) -> list[MetricsRequest]:
        """The requests that a batch of ids takes."""
        return [batch]

    @abstractmethod
    def at(self, request: MetricsRequest, now_ms: int, number: int) -> MetricsRequest:
        """
        A request as it is to be sent now.

        :param request: one of :meth:`requests`.
        :param now_ms: the present moment.
        :param number: how often it was asked before in vain.
        :raises LivePersonOutOfReachError: if LivePerson no longer holds all of the window.
        """

    def until_steady(self, request: MetricsRequest, now_ms: int) -> int:
        """Milliseconds until it is sure what an answer would cover, by LivePerson's clock too."""
        return 0

    def problem(self, request: MetricsRequest, answer: MetricsAnswer, now_ms: int) -> str:
        """
        What is wrong with an answer; empty string if it is whole.

        :param request: as it was sent.
        :param answer: what came.
        :param now_ms: when it came.
        """
        return misplaced(answer)

    @abstractmethod
    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        """What a whole answer holds of each interval."""


class Buckets(Timing):
    """
    Whole buckets of a window: each belongs to the window in which it is complete, so that adjacent windows tile.

    LivePerson is asked for single buckets: only their edges do not move with the moment of the request.
    """

    __slots__ = ()

    @property
    def covers(self) -> Window:
        """The buckets of the window."""
        window = _needed(self.window)
        start_ms, end_ms = floor_bucket(window.start_ms), floor_bucket(window.end_ms)
        if end_ms <= start_ms:
            raise LivePersonWindowError(
                f"The window {window} ends before a five-minute bucket of LivePerson's is complete. Let it start "
                "and end on five-minute marks (10:00, 10:05, ...)."
            )
        return Window(start_ms, end_ms)

    def check_interval(self) -> None:
        check_cuts(self.interval, self.covers, marks=", a multiple of 5,", step=BUCKET_MINUTES)

    def _earliest_ms(self, now_ms: int) -> int:
        return floor_bucket(super()._earliest_ms(now_ms))

    def so_far(self, now_ms: int) -> Self:
        start_ms, end_ms = self.covers.start_ms, self.covers.end_ms
        begun_ms = max(ceil_bucket(now_ms), start_ms + BUCKET_MS)
        return replace(self, window=Window(start_ms, min(end_ms, begun_ms)))

    def tiles(self) -> list[Window]:
        """The window cut into intervals."""
        return cut(self.covers, self.interval)

    def at(self, request: MetricsRequest, now_ms: int, number: int) -> MetricsRequest:
        self.check_reach(now_ms)
        # One bucket more than needed, where there is one, in case LivePerson's clock is ahead.
        buckets = -(-(now_ms - self.covers.start_ms) // BUCKET_MS) + 1
        timeframe = min(max(buckets, 1) * BUCKET_MINUTES, LONGEST_TIMEFRAME)
        return replace(request, timeframe=timeframe, interval=BUCKET_MINUTES)

    def problem(self, request: MetricsRequest, answer: MetricsAnswer, now_ms: int) -> str:
        intervals = answer.intervals or {}
        # The latest that the timeframe may have begun, by our clock or, as the stamps tell, by LivePerson's.
        start_ms = max(_rounded(request, now_ms).start_ms, max(intervals, default=0) - BUCKET_MS - _length_ms(request))
        if start_ms > self.covers.start_ms:
            return "came so late that the start of the window had gone out of its reach"
        if stray := [stamp_ms for stamp_ms in intervals if stamp_ms != floor_bucket(stamp_ms)]:
            return f"has intervals that do not end on five-minute marks, such as {stray[0]}"
        has_gaps = any(end_ms not in intervals for end_ms in bucket_ends(self.covers))
        return shortfall(self.report, answer, has_gaps=has_gaps)

    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        unknown = {name for each in answer.frame for name in each.metrics} - self.report.metrics.keys()
        if unknown:
            log.warning(
                "LivePerson sends metrics that are not documented for %s: %s. They are left out, since it is not "
                "known whether they may be added up. With timeframe, they are passed on.",
                self.report.name,
                ", ".join(sorted(unknown)),
            )
        # Without intervals, :meth:`problem` has made sure that all is zero.
        default = answer.frame if answer.intervals is None else []
        buckets = answer.intervals or {}
        return [
            Dated(
                tile, add_up(self.report, chain.from_iterable(buckets.get(end, default) for end in bucket_ends(tile)))
            )
            for tile in self.tiles()
        ]


class Frame(Timing):
    """Exactly a timeframe that ends at the moment of the request; for a window, as long as that needs."""

    __slots__ = ()

    def __str__(self) -> str:
        window = self.covers
        return f"from {window.start.isoformat()} up to now" if window else f"of the last {self.timeframe} minutes"

    def check_interval(self) -> None:
        if self.interval is not None:
            check_divides(self.interval, self.timeframe or LONGEST_TIMEFRAME)

    def at(self, request: MetricsRequest, now_ms: int, number: int) -> MetricsRequest:
        timeframe = self.timeframe
        if window := self.covers:
            self.check_reach(now_ms)
            timeframe = min(self._minutes(now_ms - window.start_ms, number), LONGEST_TIMEFRAME)
        return replace(request, timeframe=timeframe, interval=self.interval)

    def problem(self, request: MetricsRequest, answer: MetricsAnswer, now_ms: int) -> str:
        window = self.covers
        if window and self._frame(request, now_ms).start_ms > window.start_ms:
            return "came so slowly that the start of the window went out of its timeframe"
        if self.interval is None:
            return misplaced(answer)
        return self._problem_of_intervals(answer, self._frame(request, answer.asked_ms), self.interval)

    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        if self.interval is None:
            return [Dated(self._frame(request, answer.asked_ms), answer.frame)]
        length_ms, window = self.interval * MINUTE_MS, self.covers
        return [
            Dated(Window(start_ms, start_ms + length_ms), measurements)
            for start_ms, measurements in (answer.intervals or {}).items()
            if window is None or (start_ms < window.end_ms and start_ms + length_ms > window.start_ms)
        ]

    def _problem_of_intervals(self, answer: MetricsAnswer, frame: Window, interval: int) -> str:
        has_gaps = len(answer.intervals or ()) < frame.length // (interval * MINUTE)
        return shortfall(self.report, answer, has_gaps=has_gaps)

    def _minutes(self, back_ms: int, number: int) -> int:
        """How long a timeframe has to be to reach so far back."""
        step = self.interval or 1
        return -(-(back_ms + number * SLOWNESS_MS) // (step * MINUTE_MS)) * step

    def _frame(self, request: MetricsRequest, moment_ms: int) -> Window:
        """What an answer of that moment covers."""
        return Window(moment_ms - _length_ms(request), moment_ms)


class RoundedFrame(Frame):
    """A timeframe that ends at the moment of the request, rounded outwards to whole buckets."""

    __slots__ = ()

    @property
    def covers(self) -> Window | None:
        """From the bucket on in which the window starts."""
        window = self.window
        return window and Window(floor_bucket(window.start_ms), window.end_ms)

    def check_interval(self) -> None:
        super().check_interval()
        if (self.interval or 0) % BUCKET_MINUTES:
            raise LivePersonConfigurationError(
                f"interval={self.interval} (minutes) must be a multiple of 5 for report={self.report.name!r}: "
                "LivePerson counts in buckets of five minutes, and rounds intervals to them."
            )

    def _earliest_ms(self, now_ms: int) -> int:
        return floor_bucket(super()._earliest_ms(now_ms))

    def until_steady(self, request: MetricsRequest, now_ms: int) -> int:
        if self.interval is not None:
            return 0
        edges_ms = (now_ms, now_ms - _length_ms(request))
        past_mark_ms = (edge_ms - floor_bucket(edge_ms + CLOCK_DIFFERENCE_MS) for edge_ms in edges_ms)
        return max(0, *(CLOCK_DIFFERENCE_MS + 1 - past_ms for past_ms in past_mark_ms))

    def problem(self, request: MetricsRequest, answer: MetricsAnswer, now_ms: int) -> str:
        # The stamps of intervals tell which buckets LivePerson's clock was in; without them it may be in a neighbour.
        difference_ms = CLOCK_DIFFERENCE_MS if self.interval is None else 0
        earliest = self._frame(request, answer.asked_ms - difference_ms)
        if earliest != self._frame(request, now_ms + difference_ms):
            return "came so slowly that its timeframe moved on meanwhile"
        return super().problem(request, answer, now_ms)

    def _problem_of_intervals(self, answer: MetricsAnswer, frame: Window, interval: int) -> str:
        ends, found = set(_ends(frame, interval)), (answer.intervals or {}).keys()
        if stray := found - ends:
            return f"has intervals that end where none was asked for, such as {from_ms(min(stray)).isoformat()}"
        return shortfall(self.report, answer, has_gaps=bool(ends - found))

    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        frame, intervals = self._frame(request, answer.asked_ms), answer.intervals or {}
        if self.interval is None:
            return [Dated(frame, answer.frame)]
        length_ms = self.interval * MINUTE_MS
        return [
            Dated(Window(max(end_ms - length_ms, frame.start_ms), end_ms), intervals.get(end_ms, []))
            for end_ms in _ends(frame, self.interval)
        ]

    def _minutes(self, back_ms: int, number: int) -> int:
        # Rounded down, by any clock: LivePerson pushes the start outwards to the mark it was counted from.
        return max((back_ms - CLOCK_DIFFERENCE_MS - 1) // MINUTE_MS, 1)

    def _frame(self, request: MetricsRequest, moment_ms: int) -> Window:
        return _rounded(request, moment_ms)


class Period(Timing):
    """A window, an interval at a time: neither averages nor percentiles add up."""

    __slots__ = ()

    def check_interval(self) -> None:
        check_cuts(self.interval, _needed(self.window), marks=", at least 5,", step=1)

    def until_over(self, now_ms: int) -> int:
        ahead_ms = _needed(self.window).end_ms - (now_ms - CLOCK_DIFFERENCE_MS)
        return ahead_ms if 0 < ahead_ms <= CLOCK_DIFFERENCE_MS else 0

    def so_far(self, now_ms: int) -> Self:
        # LivePerson refuses periods that end in the future, by its clock.
        window = _needed(self.window)
        end_ms = max(min(window.end_ms, now_ms - CLOCK_DIFFERENCE_MS), window.start_ms + 1)
        return replace(self, window=Window(window.start_ms, end_ms))

    def requests(self, batch: MetricsRequest) -> list[MetricsRequest]:
        periods = cut(_needed(self.window), self.interval)
        return [replace(batch, period=(period.start_ms, period.end_ms)) for period in periods]

    def at(self, request: MetricsRequest, now_ms: int, number: int) -> MetricsRequest:
        self.check_reach(now_ms)
        return request

    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        return [Dated(Window(*_needed(request.period)), answer.frame)]


class Snapshot(Timing):
    """The state at the moment of the request; of what happened within a timeframe, where one was asked for."""

    __slots__ = ()

    def check_interval(self) -> None:
        """Nothing to check: a snapshot has no intervals."""

    def __str__(self) -> str:
        return "as of now" if self.timeframe is None else f"of the last {self.timeframe} minutes"

    def at(self, request: MetricsRequest, now_ms: int, number: int) -> MetricsRequest:
        return replace(request, timeframe=self.timeframe)

    def dated(self, request: MetricsRequest, answer: MetricsAnswer) -> list[Dated]:
        now_ms = answer.asked_ms
        covered = Window(now_ms - _length_ms(request), now_ms) if request.timeframe else now_ms
        return [Dated(covered, answer.frame)]


#: Which class answers for a window, and which for a timeframe or the present.
WAYS: dict[Counting, tuple[type[Timing], type[Timing]]] = {
    Counting.BUCKETS: (Buckets, RoundedFrame),
    Counting.ROUNDED_FRAME: (RoundedFrame, RoundedFrame),
    Counting.FRAME: (Frame, Frame),
    Counting.PERIOD: (Period, Frame),
    Counting.SNAPSHOT: (Period, Snapshot),
}


def timing_of(report: Report, window: Window | None, timeframe: int | None, interval: int | None) -> Timing:
    """The way in which a report counts the time that was asked for."""
    for_window, otherwise = WAYS[report.counting]
    return (otherwise if window is None else for_window)(report, window, timeframe, interval)


def _ends(frame: Window, interval: int) -> list[int]:
    """Where the intervals of a frame in buckets end: LivePerson cuts them from its end on; the earliest is shorter."""
    return sorted(range(frame.end_ms, frame.start_ms, -interval * MINUTE_MS))


def _length_ms(request: MetricsRequest) -> int:
    return _needed(request.timeframe) * MINUTE_MS


def _rounded(request: MetricsRequest, moment_ms: int) -> Window:
    """The buckets that LivePerson counts for a timeframe that ends at a moment."""
    return Window(floor_bucket(moment_ms - _length_ms(request)), ceil_bucket(moment_ms))


def _needed(value: Some | None) -> Some:
    if value is None:
        raise ValueError("this way of counting needs it")
    return value
