from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import msgspec
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.export.query import can_split, was_asked_for
from airflow_provider_lp.windows import (
    MARK_MS,
    RunMoments,
    Window,
    ceil_mark,
    floor_mark,
    from_ms,
    parse_moment,
    parse_span,
    resolve_window,
    to_ms,
)
from tests.samples import DAY, HOUR, NOW, at

D18, D19, D20 = (datetime(2026, 3, day, tzinfo=UTC) for day in (18, 19, 20))
INTERVAL = RunMoments(interval_start=D18, interval_end=D19)
EMPTY_INTERVAL = RunMoments(interval_start=D19, interval_end=D19, logical_date=D19, run_after=D20)
ONE_DAY = timedelta(days=1)

moments = st.integers(at(1), at(28))
aware = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def resolve(start: object = None, end: object = None, window: object = None, run: RunMoments | None = None) -> Window:
    return resolve_window(start, end, window, run or RunMoments(), NOW)  # type: ignore[arg-type]


# The order in which a run's period is found.


def test_what_is_given_comes_first() -> None:
    given_window = resolve("2026-03-01T00:00:00+01:00", D18, ONE_DAY, INTERVAL)
    assert given_window == Window(at(1) - HOUR, at(18))


def test_then_the_data_interval_even_where_a_window_is_given() -> None:
    run = RunMoments(D18, D19, partition_date=D19, logical_date=D20, run_after=D20)
    assert resolve(window=timedelta(hours=1), run=run) == Window(at(18), at(19))


def test_an_interval_of_zero_length_is_none() -> None:
    assert resolve(window=ONE_DAY, run=EMPTY_INTERVAL) == Window(at(18), at(19))
    assert resolve(window=ONE_DAY, run=RunMoments(D18, D18, partition_date=D19)) == Window(at(19), at(20))


def test_a_backwards_interval_is_none() -> None:
    assert resolve(window=ONE_DAY, run=RunMoments(D20, D18, logical_date=D19)) == Window(at(18), at(19))


def test_then_the_partition_date_with_the_window_after_it() -> None:
    run = RunMoments(partition_date=D18, logical_date=D20, run_after=D20)
    assert resolve(window=timedelta(hours=6), run=run) == Window(at(18), at(18, 6))


def test_then_the_window_before_the_logical_date() -> None:
    assert resolve(window=ONE_DAY, run=RunMoments(logical_date=D19, run_after=D20)) == Window(at(18), at(19))


def test_or_before_the_moment_the_run_was_due() -> None:
    assert resolve(window=ONE_DAY, run=RunMoments(run_after=D20)) == Window(at(19), at(20))


def test_or_the_last_interval_of_the_schedule_where_the_run_has_none() -> None:
    def last() -> tuple[datetime, datetime]:
        return D18, D19

    assert resolve(run=RunMoments(run_after=D20, last_interval=last)) == Window(at(18), at(19))
    # What the run or the operator says goes before it.
    assert resolve(window=ONE_DAY, run=RunMoments(run_after=D20, last_interval=last)) == Window(at(19), at(20))
    assert resolve(run=msgspec.structs.replace(INTERVAL, last_interval=lambda: (D19, D20))) == Window(at(18), at(19))
    for run in (
        msgspec.structs.replace(EMPTY_INTERVAL, last_interval=last),
        RunMoments(partition_date=D19, last_interval=last),
        RunMoments(run_after=D20, last_interval=lambda: None),
    ):
        with pytest.raises(LivePersonWindowError, match="does not say which period"):
            resolve(run=run)


@pytest.mark.parametrize(
    ("run", "window"),
    [(RunMoments(), None), (RunMoments(), ONE_DAY), (EMPTY_INTERVAL, None), (RunMoments(partition_date=D18), None)],
)
def test_without_any_of_these_the_error_says_what_to_change(run: RunMoments, window: timedelta | None) -> None:
    with pytest.raises(LivePersonWindowError, match=r"window=timedelta\(days=1\).*CronDataIntervalTimetable") as caught:
        resolve(window=window, run=run)
    assert not caught.value.retry_helps
    if run is EMPTY_INTERVAL:
        assert "2026-03-19T00:00:00+00:00 to 2026-03-19T00:00:00+00:00" in str(caught.value)


def test_a_window_error_is_a_configuration_error() -> None:
    assert issubclass(LivePersonWindowError, LivePersonConfigurationError)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/New_York"])
def test_moments_of_airflow_are_pendulums(zone: str) -> None:
    start, end = pendulum.datetime(2026, 3, 18, tz=zone), pendulum.datetime(2026, 3, 19, 0, 0, 0, 1, tz=zone)
    expected = Window(to_ms(datetime.fromisoformat(start.isoformat())), to_ms(datetime.fromisoformat(end.isoformat())))
    assert to_ms(end) - to_ms(start) == DAY + 1
    assert resolve(start, end) == expected
    assert resolve(run=RunMoments(start, end)) == expected
    assert resolve(window=ONE_DAY, run=RunMoments(logical_date=start)).end_ms == expected.start_ms
    assert resolve(window=ONE_DAY, run=RunMoments(partition_date=start)).start_ms == expected.start_ms


def test_a_local_day_has_the_hours_it_has() -> None:
    start = pendulum.datetime(2025, 3, 30, tz="Europe/Amsterdam")
    assert resolve(start, start.add(days=1)).length == timedelta(hours=23)


# What is refused.


@pytest.mark.parametrize(
    "value", ["", "None", "yesterday", "2026-13-01T00:00:00Z", 1_700_000_000, D18.date(), [], b"x"]
)
def test_what_is_no_moment_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(LivePersonWindowError, match=r"^end=.*is not a moment"):
        resolve(D18, value)


@pytest.mark.parametrize("value", ["2026-03-18", "2026-03-18T00:00:00", datetime(2026, 3, 18)])  # noqa: DTZ001
def test_a_naive_moment_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(LivePersonWindowError, match=r"^start=.*no time zone"):
        resolve(value, D19)


@pytest.mark.parametrize(("start", "end", "missing"), [(D18, None, "end"), (None, D18, "start")])
def test_half_a_window_is_refused(start: object, end: object, missing: str) -> None:
    with pytest.raises(LivePersonWindowError, match=f"^{missing} is missing"):
        resolve(start, end, run=INTERVAL)


@pytest.mark.parametrize("end", [D18, D18 - timedelta(milliseconds=1)])
def test_a_backwards_or_empty_window_is_refused(end: datetime) -> None:
    with pytest.raises(LivePersonWindowError, match="is not after start="):
        resolve(D18, end)


@pytest.mark.parametrize(
    "window", [timedelta(0), timedelta(days=-1), timedelta(microseconds=999), 0, -5, "-1 day, 0:00:00", "PT0S", "1 day"]
)
def test_a_window_that_is_no_length_is_refused(window: object) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"^window="):
        resolve(window=window, run=INTERVAL)


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (timedelta(hours=36), timedelta(hours=36)),
        (pendulum.duration(days=1), timedelta(days=1)),
        (3600, timedelta(hours=1)),
        (0.25, timedelta(milliseconds=250)),
        ("86400", timedelta(days=1)),
        (" 1.5 ", timedelta(seconds=1.5)),
        ("PT1H", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("P1W", timedelta(days=7)),
        ("PT1.5H", timedelta(minutes=90)),
        ("P1DT12H30M5S", timedelta(days=1, hours=12, minutes=30, seconds=5)),
        ("pt15m", timedelta(minutes=15)),
        ("01:00:00", timedelta(hours=1)),
        ("36:30:05.5", timedelta(hours=36, minutes=30, seconds=5.5)),
        (str(timedelta(days=90)), timedelta(days=90)),
        (str(timedelta(days=1, hours=6)), timedelta(days=1, hours=6)),
        (str(timedelta(seconds=-1)), timedelta(seconds=-1)),
    ],
)
def test_a_length_of_time_may_be_given_in_many_ways(value: object, length: timedelta) -> None:
    assert parse_span("window", value) == length


@pytest.mark.parametrize(
    "value",
    [
        None, "", "None", "1 day", "1d", "PT", "P1M", "P1Y", "P", "PT1H30", "-PT1H", "2026-03-18", "12:00", "1:60:00",
        True, [], {"days": 1}, float("nan"), float("inf"), "inf", 1e300, "P99999999999D", "P1D/P2D",
    ],
)  # fmt: skip
def test_what_is_no_length_of_time_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"^delay=.*is not a length of time.*PT1H"):
        parse_span("delay", value)


@given(st.timedeltas())
def test_what_python_writes_of_a_timedelta_is_read_as_that(length: timedelta) -> None:
    assert abs(parse_span("delay", str(length)) - length) <= timedelta(microseconds=1)


@pytest.mark.parametrize("run", [RunMoments(logical_date=D18), RunMoments(partition_date=D18)])
def test_a_window_longer_than_the_calendar_is_refused(run: RunMoments) -> None:
    with pytest.raises(LivePersonWindowError, match=r"^window='P9999999D' reaches out"):
        resolve(window="P9999999D", run=run)


def test_the_future_is_refused_but_a_window_that_has_begun_is_not() -> None:
    with pytest.raises(LivePersonWindowError, match="in the future"):
        resolve(NOW, NOW + ONE_DAY)
    with pytest.raises(LivePersonWindowError, match="in the future"):
        resolve(run=RunMoments(NOW + ONE_DAY, NOW + 2 * ONE_DAY))
    begun = resolve(NOW - timedelta(milliseconds=1), NOW + ONE_DAY)
    assert begun.length == ONE_DAY + timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["2026-03-18T01:00:00+01:00", " 2026-03-18T00:00:00Z ", "20260318T000000+0000"])
def test_iso_texts_of_any_offset_are_moments(text: str) -> None:
    assert parse_moment("start", text) == D18


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    assert to_ms(D18.astimezone(timezone(timedelta(hours=5, minutes=30)))) == at(18)


def test_no_window_is_empty() -> None:
    with pytest.raises(ValueError, match="not after"):
        Window(5, 5)


# Windows tile.


@given(st.lists(aware, min_size=2, max_size=8, unique=True), aware)
def test_every_moment_is_in_exactly_one_of_adjacent_windows(bounds: list[datetime], moment: datetime) -> None:
    windows = [Window.between(start, end) for start, end in pairwise(sorted(bounds)) if to_ms(start) < to_ms(end)]
    moment_ms = to_ms(moment)
    holding = [window for window in windows if moment_ms in window]
    assert len(holding) == (to_ms(min(bounds)) <= moment_ms < to_ms(max(bounds)))


@given(aware)
def test_a_bound_within_a_millisecond_leaves_that_millisecond_to_the_window_before(bound: datetime) -> None:
    bound = bound.replace(microsecond=bound.microsecond // 1000 * 1000 + 1)
    before, after = Window.between(bound - ONE_DAY, bound), Window.between(bound, bound + ONE_DAY)
    cut = to_ms(bound.replace(microsecond=bound.microsecond - 1))
    assert cut in before
    assert cut not in after
    assert cut + 1 in after
    assert cut + 1 not in before


@given(st.integers(0, 10**14))
def test_milliseconds_survive_the_way_to_a_moment_and_back(moment_ms: int) -> None:
    assert to_ms(from_ms(moment_ms)) == moment_ms
    assert floor_mark(moment_ms) <= moment_ms <= ceil_mark(moment_ms)
    assert ceil_mark(moment_ms) - floor_mark(moment_ms) in (0, MARK_MS)


def check_tiling(whole: Window, parts: list[Window]) -> None:
    assert parts[0].start_ms == whole.start_ms
    assert parts[-1].end_ms == whole.end_ms
    for one, next_one in pairwise(parts):
        assert one.end_ms == next_one.start_ms
        assert one.end_ms % MARK_MS == 0


@given(moments, st.integers(1, 40 * DAY), st.integers(0, 60))
def test_parts_tile_and_meet_on_marks(start_ms: int, length_ms: int, number: int) -> None:
    whole = Window(start_ms, start_ms + length_ms)
    parts = whole.split(number)
    check_tiling(whole, parts)
    assert len(parts) <= max(number, 1)


@given(moments, st.integers(1, 4 * MARK_MS), st.integers(2, 9))
def test_what_can_be_split_is_split(start_ms: int, length_ms: int, number: int) -> None:
    whole = Window(start_ms, start_ms + length_ms)
    holds_mark = any(start_ms < mark < whole.end_ms for mark in range(ceil_mark(start_ms), whole.end_ms, MARK_MS))
    assert can_split(whole) == holds_mark
    assert (len(whole.split(number)) > 1) == holds_mark


@given(moments, st.integers(1, 500 * DAY), st.integers(1, 100))
def test_spans_tile_and_are_hardly_longer_than_asked(start_ms: int, length_ms: int, longest_days: int) -> None:
    whole, longest = Window(start_ms, start_ms + length_ms), timedelta(days=longest_days)
    spans = whole.spans(longest)
    check_tiling(whole, spans)
    assert all(span.length <= longest + timedelta(minutes=10) for span in spans)
    assert len(spans) == max(1, -(-whole.length // longest))


@given(moments, st.integers(1, 3 * MARK_MS), moments)
def test_what_a_rounded_search_returns_was_asked_for(start_ms: int, length_ms: int, moment_ms: int) -> None:
    span = Window(start_ms, start_ms + length_ms)
    returned = floor_mark(span.start_ms) <= moment_ms <= ceil_mark(span.end_ms - 1)
    assert was_asked_for(span, moment_ms) >= returned
    assert not was_asked_for(span, span.start_ms - MARK_MS)
    assert not was_asked_for(span, span.end_ms + MARK_MS)
