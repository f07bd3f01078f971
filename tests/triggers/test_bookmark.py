from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.triggers.bookmark import Bookmark

HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[str]]]:
    """Looks at increasing moments: each finds the conversations that match within the hour before it."""
    matching = draw(
        st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10 * HOUR_MS), max_size=20)
    )
    pauses = draw(st.lists(st.integers(1, 3 * HOUR_MS), min_size=1, max_size=20))
    looks, now_ms = [], START_MS
    bookmark_ms = START_MS
    for pause in pauses:
        now_ms += pause
        first = bookmark_ms - HOUR_MS
        looks.append((now_ms, sorted(each for each, after in matching.items() if first <= START_MS + after < now_ms)))
        bookmark_ms = now_ms
    return looks


@given(histories(), st.sets(st.integers(0, 19)))
def test_each_is_new_once_and_none_is_missed_whatever_restarts(
    looks: list[tuple[int, list[str]]], restarts: set[int]
) -> None:
    bookmark, told = Bookmark(START_MS, {}), []
    for number, (now_ms, found) in enumerate(looks):
        if number in restarts:
            bookmark = Bookmark.of(json.loads(json.dumps(bookmark.stored())))
        assert bookmark.window(now_ms, HOUR, YEAR).start_ms == bookmark.looked_ms - HOUR_MS
        new, bookmark = bookmark.after(found, now_ms, HOUR)
        told += new
    assert sorted(told) == sorted({each for _, found in looks for each in found})


@given(histories())
def test_what_it_remembers_is_bounded(looks: list[tuple[int, list[str]]]) -> None:
    bookmark = Bookmark(START_MS, {})
    for now_ms, found in looks:
        _, bookmark = bookmark.after(found, now_ms, HOUR)
        assert min(bookmark.known.values(), default=now_ms) >= now_ms - HOUR_MS


def test_one_whose_end_moves_is_not_new_again() -> None:
    bookmark = Bookmark(START_MS, {})
    new, bookmark = bookmark.after(["a"], START_MS + 1, HOUR)
    assert new == ["a"]
    new, bookmark = bookmark.after([], START_MS + HOUR_MS, HOUR)
    assert bookmark.known == {"a": START_MS + 1}
    new, bookmark = bookmark.after(["a"], START_MS + HOUR_MS + 1, HOUR)
    assert new == []


def test_after_a_long_pause_it_looks_back_to_where_it_left_off() -> None:
    window = Bookmark(START_MS, {}).window(START_MS + 1000 * HOUR_MS, HOUR, YEAR)
    assert (window.start_ms, window.end_ms) == (START_MS - HOUR_MS, START_MS + 1000 * HOUR_MS)


def test_it_never_looks_back_further_than_anything_can_be_seen() -> None:
    window = Bookmark(START_MS, {}).window(START_MS + 400 * 24 * HOUR_MS, HOUR, YEAR)
    assert window.start_ms == window.end_ms - 365 * 24 * HOUR_MS


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    window = Bookmark(START_MS, {}).window(START_MS - 5, HOUR, YEAR)
    assert (window.start_ms, window.end_ms) == (START_MS - 5 - HOUR_MS, START_MS - 5)
