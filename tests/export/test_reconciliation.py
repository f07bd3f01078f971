"""Comparing exports with their period and with LivePerson's counts: each shortcoming is named, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.export.manifest import ObjectEntry
from airflow_provider_lp.export.reconciliation import (
    MOST_ANSWERS,
    CountCheck,
    Difference,
    at_midnights,
    gaps,
    misplaced,
)
from airflow_provider_lp.windows import Window
from tests.samples import DAY, HOUR, at

#: Ends of windows, in hours.
tilings = st.lists(st.integers(1, 500), min_size=2, max_size=12, unique=True).map(sorted)


def entry(start_ms: int, end_ms: int) -> ObjectEntry:
    window = Window(start_ms, end_ms)
    return ObjectEntry(
        path=f"/{start_ms}",
        start=window.start.isoformat(),
        end=window.end.isoformat(),
        conversations=1,
        bytes=1,
        sha256="",
        exported_at=window.end.isoformat(),
    )


def tiles(hours: list[int]) -> list[ObjectEntry]:
    return [entry(at(1) + start * HOUR, at(1) + end * HOUR) for start, end in pairwise(hours)]


def period_of(objects: list[ObjectEntry]) -> Window:
    return Window(objects[0].window.start_ms, objects[-1].window.end_ms)


def windows(objects: list[ObjectEntry]) -> list[Window]:
    return [each.window for each in objects]


# Tiling.


@given(tilings, st.randoms(use_true_random=False))
def test_what_tiles_is_not_complained_of_in_whatever_order(hours: list[int], random: Any) -> None:
    objects = tiles(hours)
    period = period_of(objects)
    random.shuffle(objects)
    assert gaps(windows(objects), period) == []
    assert misplaced(objects, period) == []


@given(tilings, st.data())
def test_each_gap_is_named(hours: list[int], data: Any) -> None:
    objects = tiles(hours)
    lost = data.draw(st.sets(st.integers(0, len(objects) - 1), min_size=1))
    kept = [each for number, each in enumerate(objects) if number not in lost]
    found = gaps(windows(kept), period_of(objects))
    # Together they are what was lost, and no two of them meet.
    assert sum(gap.end_ms - gap.start_ms for gap in found) == sum(
        objects[number].window.end_ms - objects[number].window.start_ms for number in lost
    )
    for number in lost:
        window = objects[number].window
        assert any(gap.start_ms <= window.start_ms and window.end_ms <= gap.end_ms for gap in found)
    assert all(one.end_ms < other.start_ms for one, other in pairwise(found))
    assert misplaced(kept, period_of(objects)) == []


@given(tilings, st.data())
def test_each_overlap_is_named_with_both_objects(hours: list[int], data: Any) -> None:
    objects = tiles(hours)
    period = period_of(objects)
    first = data.draw(st.integers(period.start_ms, period.end_ms - 1))
    last = data.draw(st.integers(first + 1, period.end_ms))
    planted = entry(first, last)
    planted = ObjectEntry(**{**{name: getattr(planted, name) for name in planted.__struct_fields__}, "path": "/twice"})
    touched = [each for each in objects if each.window.start_ms < last and first < each.window.end_ms]
    found = misplaced([*objects, planted], period)
    assert len(found) == len(touched)
    for each in touched:
        both = Window(max(first, each.window.start_ms), min(last, each.window.end_ms))
        (named,) = [difference for difference in found if difference.window == both]
        assert named.path is None
        assert each.path in named.reason
        assert "/twice" in named.reason
    assert gaps(windows([*objects, planted]), period) == []


@given(tilings, st.integers(1, 5 * HOUR), st.sampled_from(["start", "end"]))
def test_what_reaches_out_of_the_period_is_named(hours: list[int], by_ms: int, side: str) -> None:
    objects = tiles(hours)
    whole = period_of(objects)
    window = objects[0].window if side == "start" else objects[-1].window
    by_ms = min(by_ms, window.end_ms - window.start_ms - 1)
    if side == "start":
        shorter = Window(whole.start_ms + by_ms, whole.end_ms)
    else:
        shorter = Window(whole.start_ms, whole.end_ms - by_ms)
    (found,) = misplaced(objects, shorter)
    assert (found.window, found.path) == (window, None)
    assert gaps(windows(objects), shorter) == []


@given(st.integers(0, 5 * DAY), st.integers(1, 5 * DAY))
def test_a_gap_is_cut_at_midnights(start: int, length: int) -> None:
    gap = Window(at(10) + start, at(10) + start + length)
    days = at_midnights(gap)
    assert (days[0].start_ms, days[-1].end_ms) == (gap.start_ms, gap.end_ms)
    assert all(one.end_ms == other.start_ms and one.end_ms % DAY == 0 for one, other in pairwise(days))
    assert all((each.end_ms - 1) // DAY == each.start_ms // DAY for each in days)


def test_a_difference_is_words_for_people_and_arguments_for_an_export() -> None:
    window = Window(at(10), at(11))
    difference = Difference(window, "s3://b/x.ndjson", "its object is gone")
    assert str(difference) == (
        "2026-03-10T00:00:00+00:00 to 2026-03-11T00:00:00+00:00: its object is gone (s3://b/x.ndjson)"
    )
    start, end = "2026-03-10T00:00:00+00:00", "2026-03-11T00:00:00+00:00"
    assert difference.as_export() == {"start": start, "end": end, "path": "s3://b/x.ndjson"}
    assert Difference(window, None, "no export covers it").as_export() == {"start": start, "end": end}


# Counts.


def check(expected: int, answers: list[int]) -> tuple[bool, int]:
    """Whether the answers agree in the end, and how many of them were needed."""
    judged = CountCheck(expected)
    for answer in answers:
        if judged.is_decided:
            break
        judged.answers.append(answer)
    return judged.agrees, len(judged.answers)


@pytest.mark.parametrize(
    ("expected", "answers", "agrees", "needed"),
    [
        (5, [5], True, 1),
        (5, [4, 4], False, 2),
        (5, [6, 6], False, 2),
        # A server that is behind.
        (5, [4, 5], True, 2),
        (5, [4, 6, 5], True, 3),
        (5, [4, 6, 7, 8], False, 4),
        # A lone 204 does not say that a window shrank; nor do two.
        (5, [0, 5], True, 2),
        (5, [0, 0, 5], True, 3),
        (5, [0, 0, 0], False, 3),
        # That there still is nothing takes two, and three if there once was something.
        (0, [0, 0], True, 2),
        (0, [0, 3, 3], False, 3),
        (0, [3, 3], False, 2),
        (0, [3, 0, 0, 0], True, 4),
        (0, [3, 0, 3, 0], False, 4),
    ],
)
def test_how_many_answers_it_takes_to_believe_a_count(
    expected: int, answers: list[int], agrees: bool, needed: int
) -> None:
    assert check(expected, [*answers, 99, 99, 99, 99]) == (agrees, needed)


@given(st.integers(0, 3), st.lists(st.integers(0, 3), min_size=MOST_ANSWERS, max_size=MOST_ANSWERS))
def test_a_check_ends_and_is_never_wrong_about_steady_answers(expected: int, answers: list[int]) -> None:
    agrees, needed = check(expected, answers)
    assert 1 <= needed <= MOST_ANSWERS
    if len(set(answers)) == 1:
        assert agrees == (answers[0] == expected)
    if agrees:
        assert expected in answers[:needed]


def test_the_reason_names_what_is_counted_now() -> None:
    assert CountCheck(5, [4, 4]).reason == "LivePerson now counts 4 conversations instead of 5"
    assert "now 4, now 6, now 7: its count" not in CountCheck(5, [4, 6, 7, 7]).reason
    assert "counts now 4, now 6, now 7, now 8 conversations instead of 5" in CountCheck(5, [4, 6, 7, 8]).reason
