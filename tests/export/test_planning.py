"""Plans of long periods: properties, against a LivePerson that counts as the real one does."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export import planning
from airflow_provider_lp.export.planning import Question, Sight, survey
from airflow_provider_lp.export.query import can_split
from airflow_provider_lp.export.tiling import Leaf, Rules, joined, longest_windows
from airflow_provider_lp.windows import Window, ceil_mark, floor_mark
from tests.samples import DAY, HOUR, MARK, at

START = at(1)
FOREVER = 10**15
#: How conversations are spread over the hours of a day.
HOURS = (3, 2, 1, 1, 1, 2, 4, 7, 11, 14, 15, 14, 12, 13, 14, 14, 13, 12, 11, 10, 9, 8, 6, 4)


class LivePerson:
    """
    Counts what lies within a search's bounds, rounded outwards, and shows the first or last of it.

    :param capped_at: where it stops counting.
    :param shows_rows: whether its answers tell the moments.
    """

    def __init__(self, moments: Iterable[int], *, capped_at: int | None = None, shows_rows: bool = True) -> None:
        self.moments = sorted(moments)
        self.asked: list[Question] = []
        self._capped_at = capped_at
        self._shows_rows = shows_rows

    def answer(self, question: Question) -> Sight:
        self.asked.append(question)
        low = bisect_left(self.moments, floor_mark(question.span.start_ms))
        high = bisect_right(self.moments, ceil_mark(question.span.end_ms))
        count = min(high - low, self._capped_at or FOREVER)
        if not count or not self._shows_rows:
            return Sight([count])
        return Sight([count], self.moments[high - 1 if question.asks_last else low])

    def holds(self, window: Window) -> int:
        """The truth."""
        return bisect_left(self.moments, window.end_ms) - bisect_left(self.moments, window.start_ms)


def planned(liveperson: LivePerson, period: Window, rules: Rules, now_ms: int = FOREVER) -> list[Window]:
    asking = survey(longest_windows(period, rules), rules, now_ms)
    try:
        questions = next(asking)
        while True:
            questions = asking.send([liveperson.answer(question) for question in questions])
    except StopIteration as end:
        leaves, requests = end.value
    assert requests == len(liveperson.asked)
    return [leaf.span for leaf in joined(leaves, rules, least_windows=-(-(requests - 10) // 2))]


def rules_of(target: int = 50_000, longest: timedelta = timedelta(days=1), most_windows: int = 10**6) -> Rules:
    return Rules.checked(target_conversations=target, longest=longest, most_windows=most_windows)


def check_shape(windows: Sequence[Window], period: Window, rules: Rules) -> None:
    assert (windows[0].start_ms, windows[-1].end_ms) == (period.start_ms, period.end_ms)
    for window, following in pairwise(windows):
        assert window.end_ms == following.start_ms
        assert window.end_ms % MARK == 0
    for window in windows:
        assert window.length <= rules.longest
        days = range(window.start_ms // DAY, (window.end_ms - 1) // DAY + 1)
        assert len(days) == 1 or window.start_ms % DAY == window.end_ms % DAY == 0


def check_sizes(windows: Sequence[Window], liveperson: LivePerson, rules: Rules) -> None:
    for window in windows:
        assert liveperson.holds(window) <= 2 * rules.target or not can_split(window)


def check_empty(windows: Sequence[Window], liveperson: LivePerson, rules: Rules) -> None:
    """None that is empty could have been part of a neighbour."""
    for window, following in pairwise(windows):
        if not (liveperson.holds(window) and liveperson.holds(following)):
            both = Window(window.start_ms, following.end_ms)
            assert not rules.allow(both) or liveperson.holds(both) > 2 * rules.target


@st.composite
def periods(draw: st.DrawFn) -> Window:
    start_ms = START + draw(
        st.one_of(st.just(0), st.integers(0, 143).map(lambda mark: mark * MARK), st.integers(0, DAY))
    )
    length_ms = draw(st.one_of(st.integers(1, 40).map(lambda days: days * DAY), st.integers(1, 3 * DAY)))
    return Window(start_ms, start_ms + length_ms)


@st.composite
def crowds(draw: st.DrawFn, period: Window, *, on_marks: bool) -> list[int]:
    """Moments: some spread over the period, others over a day, ten minutes, or all at once, and that on a mark."""
    rng = draw(st.randoms(use_true_random=False))
    moments: list[int] = []
    widths = st.sampled_from([1, MARK, HOUR, DAY, period.end_ms - period.start_ms, *([0] if on_marks else [])])
    for width_ms, number in draw(st.lists(st.tuples(widths, st.sampled_from([1, 3, 30, 300])), max_size=12)):
        middle_ms = rng.randrange(period.start_ms, period.end_ms)
        first_ms = middle_ms - middle_ms % (width_ms or MARK)
        moments += [first_ms + rng.randrange(width_ms or 1) for _ in range(number)]
    return moments if on_marks else [moment if moment % MARK else moment + 1 for moment in moments]


lengths = st.one_of(
    st.just(timedelta(days=1)),
    st.integers(10, 1440).map(lambda minutes: timedelta(minutes=minutes)),
    st.sampled_from([2, 3, 7.5, 30, 100]).map(lambda days: timedelta(days=days)),
)
targets = st.sampled_from([1, 2, 5, 10, 50, 1000])


@settings(max_examples=150)
@given(st.data(), periods(), targets, lengths)
def test_every_plan_keeps_the_rules(data: st.DataObject, period: Window, target: int, longest: timedelta) -> None:
    liveperson = LivePerson(data.draw(crowds(period, on_marks=True)))
    rules = rules_of(target, longest)
    windows = planned(liveperson, period, rules)
    check_shape(windows, period, rules)
    check_sizes(windows, liveperson, rules)
    assert len(liveperson.asked) <= 2 * len(windows) + 10


@settings(max_examples=80)
@given(st.data(), periods(), targets, lengths)
def test_no_window_is_empty_that_need_not_be(
    data: st.DataObject, period: Window, target: int, longest: timedelta
) -> None:
    # What lies on a mark is counted on both sides of it, and what lies off the period's ends may be counted with it.
    period = Window(floor_mark(period.start_ms), ceil_mark(period.end_ms))
    liveperson = LivePerson(data.draw(crowds(period, on_marks=False)))
    rules = rules_of(target, longest)
    check_empty(planned(liveperson, period, rules), liveperson, rules)


@settings(max_examples=40)
@given(st.data(), periods(), targets, lengths)
def test_answers_without_moments_will_do(data: st.DataObject, period: Window, target: int, longest: timedelta) -> None:
    liveperson = LivePerson(data.draw(crowds(period, on_marks=True)), shows_rows=False)
    rules = rules_of(target, longest)
    windows = planned(liveperson, period, rules)
    check_shape(windows, period, rules)
    check_sizes(windows, liveperson, rules)


@settings(max_examples=40)
@given(st.data(), periods(), targets, lengths)
def test_counts_that_stop_somewhere_are_not_taken_for_the_truth(
    data: st.DataObject, period: Window, target: int, longest: timedelta
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "CAPPED_COUNT", 20)
        liveperson = LivePerson(data.draw(crowds(period, on_marks=True)), capped_at=20)
        rules = rules_of(target, longest)
        windows = planned(liveperson, period, rules)
    check_shape(windows, period, rules)
    check_sizes(windows, liveperson, rules)
    assert len(liveperson.asked) <= 2 * len(windows) + 10


@settings(max_examples=40)
@given(st.data(), periods(), targets, lengths, st.randoms(use_true_random=False))
def test_the_windows_tile_whatever_is_answered(
    data: st.DataObject, period: Window, target: int, longest: timedelta, rng: random.Random
) -> None:
    """Counts that flicker, lone answers without anything, moments of nowhere."""

    class Erratic(LivePerson):
        def answer(self, question: Question) -> Sight:
            sight = super().answer(question)
            wrong = [
                sight,
                Sight([0]),
                Sight([rng.randrange(100)], rng.randrange(period.start_ms - DAY, period.end_ms + DAY)),
                Sight([sight.counts[0] + 1], sight.edge_ms),
                Sight([planning.CAPPED_COUNT], sight.edge_ms),
            ]
            return rng.choice(wrong)

    rules = rules_of(target, longest)
    check_shape(planned(Erratic(data.draw(crowds(period, on_marks=True))), period, rules), period, rules)


# A year and a month of a million conversations.


def million(seed: int, days: int = 397) -> list[int]:
    rng = random.Random(seed)
    # Some weeks are busier than others, and nights are quiet.
    busy = [0.4 + rng.random() * (0.3 if day % 7 > 4 else 1.2) for day in range(days)]
    chosen = rng.choices(range(days), busy, k=1_000_000)
    hours = rng.choices(range(24), HOURS, k=1_000_000)
    return [START + day * DAY + hour * HOUR + int(rng.random() * HOUR) for day, hour in zip(chosen, hours, strict=True)]


@pytest.fixture(scope="module")
def year() -> list[int]:
    return million(1)


@pytest.mark.parametrize(
    ("target", "longest", "requests", "windows"),
    [(50_000, 1, 397, 397), (50_000, 30, 60, 30), (10_000, 7, 250, 130), (2_500, 1, 900, 650), (1_500, 1, 2_000, 900)],
)
def test_a_year_of_a_million_takes_few_requests(
    year: list[int], target: int, longest: int, requests: int, windows: int
) -> None:
    liveperson = LivePerson(year)
    period = Window(START, START + 397 * DAY)
    rules = rules_of(target, timedelta(days=longest), 1024)
    made = planned(liveperson, period, rules)
    check_shape(made, period, rules)
    check_sizes(made, liveperson, rules)
    check_empty(made, liveperson, rules)
    assert len(liveperson.asked) <= min(requests, 2 * len(made) + 10)
    assert len(made) <= windows


def test_windows_hold_about_the_target(year: list[int]) -> None:
    liveperson = LivePerson(year)
    made = planned(liveperson, Window(START, START + 60 * DAY), rules_of(1_000))
    counts = [liveperson.holds(window) for window in made]
    assert sum(500 <= count <= 1_500 for count in counts) > 0.9 * len(counts)


def test_empty_weeks_cost_little_more_than_a_request_a_day() -> None:
    liveperson = LivePerson([])
    assert len(planned(liveperson, Window(START, START + 280 * DAY), rules_of())) == 280
    assert len(liveperson.asked) == 280 + 10


def test_a_lone_empty_answer_is_not_believed() -> None:
    class Blinking(LivePerson):
        def answer(self, question: Question) -> Sight:
            return super().answer(question) if len(self.asked) else super().answer(question)._replace(counts=[0])

    liveperson = Blinking(START + 7 * MARK + 1_000 * number for number in range(300))
    rules = rules_of(60)
    made = planned(liveperson, Window(START, START + 3 * DAY), rules)
    assert liveperson.asked[3].is_repeated
    check_sizes(made, liveperson, rules)


def test_nothing_is_cut_where_the_future_begins() -> None:
    """Windows that have not begun cannot be exported."""
    now_ms = START + 9 * HOUR + 5
    liveperson = LivePerson((now_ms - 1_000 * number for number in range(500)), shows_rows=False)
    made = planned(liveperson, Window(START, START + DAY), rules_of(10), now_ms)
    assert made[-1].start_ms <= now_ms


# Too many windows.


@pytest.mark.parametrize(
    ("rules", "asked", "words"),
    [
        (rules_of(longest=timedelta(hours=1), most_windows=239), 0, "at least 240 windows"),
        (rules_of(20, most_windows=240), 10, r"at least 2\d\d windows"),
        (rules_of(50, most_windows=1), 0, "at least 10 windows"),
    ],
)
def test_too_many_windows_are_refused_before_they_are_all_found(rules: Rules, asked: int, words: str) -> None:
    liveperson = LivePerson(START + 86_400 * number for number in range(10_000))
    with pytest.raises(LivePersonConfigurationError, match=rf"{words}.*max_map_length.*target_conversations.*longest"):
        planned(liveperson, Window(START, START + 10 * DAY), rules)
    assert len(liveperson.asked) == asked


def test_windows_are_joined_before_they_are_too_many() -> None:
    leaves = [Leaf(Window(START + hour * HOUR, START + (hour + 1) * HOUR), 50) for hour in range(24)]
    assert len(joined(leaves, rules_of(50, most_windows=24), least_windows=0)) == 24
    assert [leaf.count for leaf in joined(leaves, rules_of(70, most_windows=12), least_windows=24)] == [100] * 12
    with pytest.raises(LivePersonConfigurationError, match=r"The plan has 12 windows.*no more than 11"):
        joined(leaves, rules_of(70, most_windows=11), least_windows=0)


@pytest.mark.parametrize("target", [0, -1, 1.5, True, "many", None])
def test_a_target_that_is_no_number_is_refused_by_its_name(target: object) -> None:
    with pytest.raises(LivePersonConfigurationError, match="target_conversations="):
        Rules.checked(target_conversations=target, longest=timedelta(days=1), most_windows=9)


def test_windows_of_less_than_ten_minutes_are_refused() -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"longest='0:09:59'.*ten minutes"):
        rules_of(longest=timedelta(minutes=9, seconds=59))
