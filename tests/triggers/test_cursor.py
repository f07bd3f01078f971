from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.triggers.conversations import Cursor

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[str]]]:
    """Polls at increasing moments: each finds the conversations that match within the hour before it."""
    matching = draw(
        st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10 * HOUR_MS), max_size=20)
    )
    pauses = draw(st.lists(st.integers(1, 3 * HOUR_MS), min_size=1, max_size=20))
    polls, now_ms = [], START_MS
    polled_ms = START_MS
    for pause in pauses:
        now_ms += pause
        first = polled_ms - HOUR_MS
        polls.append((now_ms, sorted(each for each, after in matching.items() if first <= START_MS + after < now_ms)))
        polled_ms = now_ms
    return polls


@given(histories(), st.sets(st.integers(0, 19)))
def test_each_is_new_once_and_none_is_missed_whatever_restarts(
    polls: list[tuple[int, list[str]]], restarts: set[int]
) -> None:
    cursor, told = Cursor(START_MS, {}), []
    for number, (now_ms, found) in enumerate(polls):
        if number in restarts:
            cursor = Cursor.of(json.loads(json.dumps(cursor.state())))
        assert cursor.window(now_ms, HOUR, YEAR).start_ms == cursor.polled_ms - HOUR_MS
        new, cursor = cursor.after(found, now_ms, HOUR)
        told += new
    assert sorted(told) == sorted({each for _, found in polls for each in found})


@given(histories())
def test_what_it_remembers_is_bounded(polls: list[tuple[int, list[str]]]) -> None:
    cursor = Cursor(START_MS, {})
    for now_ms, found in polls:
        _, cursor = cursor.after(found, now_ms, HOUR)
        assert min(cursor.known.values(), default=now_ms) >= now_ms - HOUR_MS


def test_one_whose_end_moves_is_not_new_again() -> None:
    cursor = Cursor(START_MS, {})
    new, cursor = cursor.after(["a"], START_MS + 1, HOUR)
    assert new == ["a"]
    new, cursor = cursor.after([], START_MS + HOUR_MS, HOUR)
    assert cursor.known == {"a": START_MS + 1}
    new, cursor = cursor.after(["a"], START_MS + HOUR_MS + 1, HOUR)
    assert new == []


def test_after_a_long_pause_it_polls_back_to_where_it_left_off() -> None:
    window = Cursor(START_MS, {}).window(START_MS + 1000 * HOUR_MS, HOUR, YEAR)
    assert (window.start_ms, window.end_ms) == (START_MS - HOUR_MS, START_MS + 1000 * HOUR_MS)


def test_it_never_polls_back_further_than_anything_can_be_seen() -> None:
    window = Cursor(START_MS, {}).window(START_MS + 400 * 24 * HOUR_MS, HOUR, YEAR)
    assert window.start_ms == window.end_ms - 365 * 24 * HOUR_MS


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    window = Cursor(START_MS, {}).window(START_MS - 5, HOUR, YEAR)
    assert (window.start_ms, window.end_ms) == (START_MS - 5 - HOUR_MS, START_MS - 5)
