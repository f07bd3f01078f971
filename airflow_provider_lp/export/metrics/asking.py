"""Asking Messaging Operations for a portion of a report, and dating what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from airflow_provider_lp.client.errors import LivePersonBadRequestError, LivePersonIncompleteDataError
from airflow_provider_lp.client.liveperson import LivePersonClient
from airflow_provider_lp.client.measurements import Measurement, MetricsAnswer
from airflow_provider_lp.client.operations import LONGEST_TIMEFRAME_MINUTES
from airflow_provider_lp.export.metrics.buckets import MINUTE_MS, floor_bucket, frame_of, tiles, until_same_frame
from airflow_provider_lp.export.metrics.completeness import shortfall, silence
from airflow_provider_lp.export.metrics.portions import Portion
from airflow_provider_lp.export.metrics.query import CLOCK_DIFFERENCE_MS, MINUTES_PER_HOUR, MetricsQuery, check_reach
from airflow_provider_lp.export.metrics.reports import Dating
from airflow_provider_lp.export.metrics.sums import with_account
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.windows import Window, from_ms, to_ms

#: How long to wait before asking again for an answer that is not usable.
PAUSES = (timedelta(0), timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=10))
#: By how much longer to ask for, with each try.
SLOWNESS_MS = 2 * MINUTE_MS


class Dated(NamedTuple):
    """Measurements, and the period that they cover, or the moment, in epoch milliseconds, they were true."""

    covered: Window | int
    measurements: list[Measurement]


def ask(
    client: LivePersonClient,
    query: MetricsQuery,
    portion: Portion,
    timeframe: int = 0,
    interval: int | None = None,
    period: Window | None = None,
) -> MetricsAnswer:
    """
    One portion of a report; the account's total is in its place where skills and agents are views of the same events.

    :param timeframe: minutes back from now, for reports that take them.
    :param interval: minutes per interval, for reports that take them.
    :param period: for ``current_queue_health``; default the present.
    """
    answer = _ask(client, query, portion, timeframe, interval, period)
    if not query.report.additive:
        return answer
    section = "skills" if portion.skill_ids else "agents" if portion.agent_ids else None
    if portion.skill_ids and portion.agent_ids:
        section = query.account_section
    intervals = answer.intervals and {
        stamp_ms: with_account(query.report, measurements, section)
        for stamp_ms, measurements in answer.intervals.items()
    }
    return replace(answer, frame=with_account(query.report, answer.frame, section), intervals=intervals)


def _ask(
    client: LivePersonClient,
    query: MetricsQuery,
    portion: Portion,
    timeframe: int,
    interval: int | None,
    period: Window | None,
) -> MetricsAnswer:
    operations, options = client.operations, query.options
    skills = portion.skill_ids
    match query.report.name:
        case "messaging_conversation":
            return operations.messaging_conversation(
                timeframe,
                skill_ids=skills,
                agent_ids=portion.agent_ids,
                group_ids=portion.group_ids,
                interval_minutes=interval,
                by_post=portion.by_post,
            )
        case "csat_distribution":
            return operations.csat_distribution(timeframe, skill_ids=skills, agent_ids=portion.agent_ids)
        case "queue_health":
            return operations.queue_health(timeframe, skill_ids=skills, interval_minutes=interval)
        case "current_queue_health":
            start_ms, end_ms = (period.start_ms, period.end_ms) if period else (None, None)
            return operations.current_queue_health(
                start_ms=start_ms, end_ms=end_ms, skill_ids=skills, group_ids=portion.group_ids, **options
            )
        case "queue_health_by_group":
            return operations.queue_health_by_group(
                timeframe_hours=query.timeframe and query.timeframe // MINUTES_PER_HOUR,
                skill_ids=skills,
                allocated_agent_group_ids=portion.group_ids,
                **options,
            )
        case "skill_segments":
            return operations.skill_segments(timeframe, skill_ids=skills, interval_minutes=interval, **options)
        case "agent_segments":
            return operations.agent_segments(
                timeframe,
                agent_ids=portion.agent_ids,
                skill_ids=skills,
                group_ids=portion.group_ids,
                interval_minutes=interval,
                **options,
            )
    raise ValueError(f"no report {query.report.name!r}")


def ask_timeframe(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """
    A timeframe that ends now: as long as the query says, or as its window needs.

    :raises LivePersonWindowError: if LivePerson no longer holds all of the window.
    :raises LivePersonIncompleteDataError: if intervals are missing that are not empty.
    """
    problem = ""
    for number, pause in enumerate(PAUSES):
        client.wait(pause)
        timeframe = query.timeframe or _timeframe_for(query, client, number)
        if _is_one_frame_of_buckets(query):
            client.wait(timedelta(milliseconds=until_same_frame(_now_ms(client), timeframe, CLOCK_DIFFERENCE_MS)))
        answer = ask(client, query, portion, timeframe, query.interval)
        frame = _frame(query, answer.asked_ms, timeframe)
        latest = _frame(query, _now_ms(client), timeframe)
        problem = silence(query.report, portion, answer) or _problem(query, answer, frame)
        if query.report.dating is Dating.BUCKETS and _has_moved_on(query, client, answer, timeframe):
            problem = "came so slowly that its timeframe moved on meanwhile"
        if query.window and latest.start_ms > _latest_start_ms(query):
            problem = "came so slowly that the start of the window went out of its timeframe"
        if not problem:
            return list(_dated(query, answer, frame))
    raise LivePersonIncompleteDataError(
        f"LivePerson's answer to {query.report.name} {problem}, however often asked. Nothing was published. Let "
        "Airflow retry the task."
    )


def ask_periods(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """Queue health within the window, an interval at a time: neither its averages nor its percentiles add up."""
    if query.window is None:
        raise ValueError("a query for a timeframe has no periods")

    def ask_period(period: Window) -> Dated:
        check_reach(query, client.now)
        with _refused_if_out_of_reach(client, query):
            answer = client.operations.queue_health_between(period.start_ms, period.end_ms, skill_ids=portion.skill_ids)
        return Dated(period, answer.frame)

    so_far = Window(query.window.start_ms, _wait_until_past(client, query.window))
    return in_parallel(client, ask_period, tiles(so_far, query.interval))


def ask_snapshot(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """The state of now; or, where the query has a period, what is known of that."""
    period = None
    if query.window:
        check_reach(query, client.now)
        period = Window(query.window.start_ms, _wait_until_past(client, query.window))
    with _refused_if_out_of_reach(client, query):
        answer = ask(client, query, portion, period=period)
    now_ms = answer.asked_ms
    if period is None and query.timeframe:
        period = Window(now_ms - query.timeframe * MINUTE_MS, now_ms)
    return [Dated(period or now_ms, answer.frame)]


def _is_one_frame_of_buckets(query: MetricsQuery) -> bool:
    """Whether nothing in an answer tells which buckets it covers, as the stamps of intervals do."""
    return query.report.dating is Dating.BUCKETS and query.interval is None


def _has_moved_on(query: MetricsQuery, client: LivePersonClient, answer: MetricsAnswer, timeframe: int) -> bool:
    """Whether the frame may have changed between the request and its answer, by LivePerson's clock too if need be."""
    difference_ms = CLOCK_DIFFERENCE_MS if _is_one_frame_of_buckets(query) else 0
    earliest = _frame(query, answer.asked_ms - difference_ms, timeframe)
    return earliest != _frame(query, _now_ms(client) + difference_ms, timeframe)


@contextmanager
def _refused_if_out_of_reach(client: LivePersonClient, query: MetricsQuery) -> Iterator[None]:
    """Let a refusal say that the window has gone out of reach meanwhile, if it has."""
    try:
        yield
    except LivePersonBadRequestError:
        check_reach(query, client.now)
        raise


def _latest_start_ms(query: MetricsQuery) -> int:
    """The latest start of a timeframe that covers the query's window."""
    start_ms = query.window.start_ms if query.window else 0
    return floor_bucket(start_ms) if query.report.dating is Dating.BUCKETS else start_ms


def _wait_until_past(client: LivePersonClient, window: Window) -> int:
    """
    The latest moment of a window that is past by LivePerson's clock too, which refuses periods that end later.

    A window that has just ended is waited for.
    """
    ahead_ms = window.end_ms - (_now_ms(client) - CLOCK_DIFFERENCE_MS)
    if 0 < ahead_ms <= CLOCK_DIFFERENCE_MS:
        client.wait(timedelta(milliseconds=ahead_ms))
    return max(min(window.end_ms, _now_ms(client) - CLOCK_DIFFERENCE_MS), window.start_ms + 1)


def _now_ms(client: LivePersonClient) -> int:
    return to_ms(client.now)


def _timeframe_for(query: MetricsQuery, client: LivePersonClient, number: int) -> int:
    """Minutes back to the start of the window; with each try more, for answers that take their time."""
    check_reach(query, client.now)
    back_ms = _now_ms(client) - _latest_start_ms(query)
    if query.report.dating is Dating.BUCKETS:
        # Rounded down, by any clock: LivePerson pushes the start outwards to the mark it was counted from.
        minutes = max((back_ms - CLOCK_DIFFERENCE_MS - 1) // MINUTE_MS, 1)
    else:
        step = query.interval or 1
        minutes = -(-(back_ms + number * SLOWNESS_MS) // (step * MINUTE_MS)) * step
    return min(minutes, LONGEST_TIMEFRAME_MINUTES)


def _frame(query: MetricsQuery, now_ms: int, timeframe: int) -> Window:
    if query.report.dating is Dating.BUCKETS:
        return frame_of(now_ms, timeframe)
    return Window(now_ms - timeframe * MINUTE_MS, now_ms)


def _dated(query: MetricsQuery, answer: MetricsAnswer, frame: Window) -> Iterator[Dated]:
    if query.interval is None:
        yield Dated(frame, answer.frame)
        return
    length_ms = query.interval * MINUTE_MS
    intervals = answer.intervals or {}
    if query.report.dating is Dating.BUCKETS:
        for end_ms in _ends(frame, length_ms):
            yield Dated(Window(max(end_ms - length_ms, frame.start_ms), end_ms), intervals.get(end_ms, []))
        return
    for start_ms, measurements in intervals.items():
        covered = Window(start_ms, start_ms + length_ms)
        if query.window is None or (covered.start_ms < query.window.end_ms and covered.end_ms > query.window.start_ms):
            yield Dated(covered, measurements)


def _ends(frame: Window, length_ms: int) -> list[int]:
    """Where the intervals of a frame in buckets end: LivePerson cuts them from its end on; the earliest is shorter."""
    return sorted(range(frame.end_ms, frame.start_ms, -length_ms))


def _problem(query: MetricsQuery, answer: MetricsAnswer, frame: Window) -> str:
    """What is wrong with the intervals of an answer."""
    if query.interval is None:
        return ""
    intervals, length_ms = answer.intervals or {}, query.interval * MINUTE_MS
    if query.report.dating is not Dating.BUCKETS:
        has_gaps = len(intervals) < (frame.end_ms - frame.start_ms) // length_ms
        return shortfall(query.report, answer, has_gaps=has_gaps)
    ends = {*_ends(frame, length_ms)}
    if stray := intervals.keys() - ends:
        return f"has intervals that end where none was asked for, such as {from_ms(min(stray)).isoformat()}"
    return shortfall(query.report, answer, has_gaps=bool(ends - intervals.keys()))
