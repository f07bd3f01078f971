from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.triggers.condition import Schedule

seconds = st.floats(0.1, 10_000)


@given(seconds, seconds, seconds, st.booleans(), st.none() | seconds, st.floats(0, 1_000))
def test_no_pause_outlasts_the_time_and_none_is_shorter_than_liveperson_wants(
    passed_s: float, timeout_s: float, interval_s: float, backoff: bool, max_wait_s: float | None, hold_s: float
) -> None:
    schedule = Schedule(1e9, timeout_s, interval_s, backoff, max_wait_s)
    now_s = 1e9 + passed_s
    pause_s = schedule.pause_s(now_s, hold_s)
    assert pause_s <= schedule.remaining_s(now_s)
    assert pause_s >= min(hold_s, schedule.remaining_s(now_s))
    assert schedule.is_over(now_s) == (passed_s > timeout_s) or abs(passed_s - timeout_s) < 1e-3
    assert msgspec.convert(msgspec.to_builtins(schedule), Schedule) == schedule


def test_without_backoff_pauses_are_even() -> None:
    assert [Schedule(0, 1000, 60).pause_s(now) for now in (0, 100, 900, 970, 1000)] == [60, 60, 60, 30, 0]


@given(st.floats(2, 600), st.integers(3, 12))
def test_with_backoff_each_pause_is_about_twice_the_last(interval_s: float, polls: int) -> None:
    schedule, now_s, pauses = Schedule(0, 1e12, interval_s, exponential_backoff=True), 0.0, []
    for _ in range(polls):
        pauses.append(schedule.pause_s(now_s))
        now_s += pauses[-1]
    assert interval_s / 2 <= pauses[0] <= max(interval_s, 2)
    assert sum(pauses) >= interval_s * 2 ** (polls - 3)
    assert sum(pauses) <= max(interval_s, 2) * 2**polls


def test_the_longest_pause_is_bounded() -> None:
    assert Schedule(0, 1e9, 60, exponential_backoff=True, max_wait_s=300).pause_s(1e6) == 300
