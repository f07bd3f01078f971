"""
How the conversations of a long period are spread over it, found out by counting: a generator without input or output.

It yields what to ask, some questions at a time, and is sent what LivePerson answered. The smallest answer there is says
two things: how many conversations a stretch holds, and when the first (or the last) of them was. By the second, both
halves of whatever is cut hold something. Otherwise each halving of a day whose conversations all came within minutes
would cost a request and find nothing, and there would be many more requests than windows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from airflow_provider_lp.export.counting import CAPPED_COUNT
from airflow_provider_lp.export.query import can_split
from airflow_provider_lp.export.tiling import DAY_MS, Leaf, Rules, crosses_midnight
from airflow_provider_lp.windows import MARK_MS, Window, floor_mark

#: Empty stretches side by side that one more request proves to be empty.
LONGEST_PROOF = timedelta(days=28)


class Question(NamedTuple):
    """
    How many conversations a stretch holds, and when the first of them is.

    :param span: the stretch.
    :param asks_last: whether it asks for the last one instead.
    :param is_repeated: whether the same has been answered before, and is to be confirmed.
    """

    span: Window
    asks_last: bool = False
    is_repeated: bool = False


class Sight(NamedTuple):
    """
    What LivePerson answered.

    :param counts: how many conversations each search finds, those on the mark where the stretch ends perhaps included.
    :param edge_ms: when the first or the last of them is; ``None`` if the answer does not say.
    """

    counts: Sequence[int]
    edge_ms: int | None = None


class Survey(NamedTuple):
    """
    How the conversations of a period are spread.

    :param leaves: stretches that tile it, each of which may be a window.
    :param requests: how many requests it took to know.
    """

    leaves: list[Leaf]
    requests: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """
    A stretch of which something is known.

    :param count: how many conversations it holds.
    :param first_ms: when the first of them is; ``None`` if that has not been asked.
    :param last_ms: when the last of them is, likewise.
    :param may_hold_more: whether LivePerson may have stopped counting.
    :param is_guess: whether the count is still to be asked for.
    :param is_shared: whether what lies on the mark where it ends may have been counted with it.
    """

    span: Window
    count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    may_hold_more: bool = False
    is_guess: bool = False
    is_shared: bool = False


#: Yields questions, which may be asked side by side, and takes the answers in their order.
Asking = Generator[list[Question], list[Sight], list[_Stretch]]


def survey(spans: Sequence[Window], rules: Rules, now_ms: int) -> Generator[list[Question], list[Sight], Survey]:
    """
    Find out how the conversations of a period are spread.

    :param spans: the period, in the longest windows that there may be.
    :param rules: what the windows will have to keep to.
    :param now_ms: the present moment, in epoch milliseconds; nothing lies after it.
    :raises LivePersonConfigurationError: as soon as it is certain that there will be too many windows.
    """
    answers = _Answers(now_ms)
    known = yield from answers.ask(Question(span) for span in spans)
    known = yield from _confirm_empty(known, answers)
    rules.check_number(sum(_least_windows(stretch, rules) for stretch in known), is_final=False)
    leaves: list[Leaf] = []
    while known:
        leaves += [_leaf(stretch, rules) for stretch in known if _is_leaf(stretch, rules)]
        known = yield from _cut([stretch for stretch in known if not _is_leaf(stretch, rules)], leaves, rules, answers)
    return Survey(sorted(leaves, key=lambda leaf: leaf.span.start_ms), answers.requests)


def _is_leaf(stretch: _Stretch, rules: Rules) -> bool:
    is_small = stretch.count <= rules.many and not stretch.may_hold_more
    return not stretch.is_guess and (is_small or not can_split(stretch.span))


def _leaf(stretch: _Stretch, rules: Rules) -> Leaf:
    return Leaf(stretch.span, max(stretch.count, rules.most + 1) if stretch.may_hold_more else stretch.count)


def _least_windows(stretch: _Stretch, rules: Rules) -> int:
    """How many windows a stretch takes at least: none is shorter than ten minutes, nor needs to hold less."""
    marks = -(-(stretch.span.end_ms - floor_mark(stretch.span.start_ms)) // MARK_MS)
    return max(1, min(marks, -(-stretch.count // rules.most)))


class _Answers:
    """
    The answers so far, and what can be said of all of them.

    :param now_ms: the present moment, in epoch milliseconds.
    """

    def __init__(self, now_ms: int) -> None:
        self.requests = 0
        self._now_ms = now_ms
        self._highest = 0

    def ask(self, questions: Iterable[Question]) -> Asking:
        """What is known of each stretch that a question is about, once it is answered."""
        asked = list(questions)
        sights = (yield asked) if asked else []
        self.requests += sum(len(sight.counts) for sight in sights)
        self._highest = max(self._highest, *(max(sight.counts) for sight in sights), 0)
        return [self._seen(question, sight) for question, sight in zip(asked, sights, strict=True)]

    def _seen(self, question: Question, sight: Sight) -> _Stretch:
        span, edge_ms = question.span, sight.edge_ms
        if edge_ms is None:
            # Then anything is possible.
            edge_ms = span.end_ms if question.asks_last else span.start_ms
        is_beside = edge_ms < span.start_ms if question.asks_last else edge_ms >= span.end_ms
        count = sum(sight.counts)
        if not count or is_beside:
            return _Stretch(span)
        within_ms = min(max(edge_ms, span.start_ms), self.latest_ms(span))
        return _Stretch(
            span,
            count,
            first_ms=None if question.asks_last else within_ms,
            last_ms=within_ms if question.asks_last else None,
            # Who has counted further once does not stop there.
            may_hold_more=CAPPED_COUNT in sight.counts and self._highest == CAPPED_COUNT,
            is_shared=edge_ms >= span.end_ms,
        )

    def latest_ms(self, span: Window) -> int:
        """The last moment of a stretch that may hold anything."""
        return max(span.start_ms, min(span.end_ms - 1, self._now_ms))


def _confirm_empty(known: Sequence[_Stretch], answers: _Answers) -> Asking:
    """Ask once more about stretches that seem empty: about neighbours together, and one by one if they are not."""
    runs = list(_empty_runs(known))
    together = yield from answers.ask(
        Question(Window(run[0].span.start_ms, run[-1].span.end_ms), is_repeated=True) for run in runs
    )
    doubted = [stretch.span for run, whole in zip(runs, together, strict=True) if whole.count for stretch in run]
    again = yield from answers.ask(Question(span, is_repeated=True) for span in doubted)
    corrected = {stretch.span: stretch for stretch in again}
    return [corrected.get(stretch.span, stretch) for stretch in known]


def _empty_runs(known: Sequence[_Stretch]) -> Iterator[list[_Stretch]]:
    run: list[_Stretch] = []
    for stretch in known:
        is_long = bool(run) and Window(run[0].span.start_ms, stretch.span.end_ms).length > LONGEST_PROOF
        if run and (stretch.count or is_long):
            yield run
            run = []
        if not stretch.count:
            run.append(stretch)
    if run:
        yield run


def _cut(too_large: Sequence[_Stretch], leaves: list[Leaf], rules: Rules, answers: _Answers) -> Asking:
    """
    Cut each stretch once.

    1. Its first or last moment is not known: that is asked, and counts it once more.
    2. All of it lies within one day, or within ten minutes: that is a stretch of its own, with nothing around it.
    3. Otherwise both halves hold something. The earlier one is counted. The later one has the rest, unless that is
       uncertain.

    :return: the stretches that are left, small ones among them.
    """
    unknown = [stretch for stretch in too_large if stretch.first_ms is None or stretch.last_ms is None]
    asked = yield from answers.ask(Question(each.span, asks_last=each.last_ms is None) for each in unknown)
    rest = [_with_edge(stretch, seen, answers) for stretch, seen in zip(unknown, asked, strict=True)]
    halved: list[tuple[_Stretch, int]] = []
    for stretch in too_large:
        if stretch.first_ms is None or stretch.last_ms is None:
            continue
        cut_ms = _cut_of(stretch, stretch.first_ms, stretch.last_ms, rules)
        if cut_ms is None:
            rest += _core(stretch, stretch.first_ms, leaves, rules)
        else:
            halved.append((stretch, cut_ms))
    earlier = yield from answers.ask(
        Question(Window(stretch.span.start_ms, cut_ms), asks_last=True) for stretch, cut_ms in halved
    )
    for (stretch, cut_ms), seen in zip(halved, earlier, strict=True):
        rest += _halves(stretch, cut_ms, seen)
    return rest


def _with_edge(stretch: _Stretch, seen: _Stretch, answers: _Answers) -> _Stretch:
    """A stretch whose other edge has been asked for, and which was counted again by that. The higher count is taken."""
    if stretch.is_guess and not seen.count:
        return seen
    counted = stretch if seen.count < stretch.count and not stretch.is_guess else seen
    first_ms = seen.first_ms if stretch.first_ms is None else stretch.first_ms
    last_ms = seen.last_ms if stretch.last_ms is None else stretch.last_ms
    if first_ms is None or last_ms is None or first_ms > last_ms:
        first_ms, last_ms = stretch.span.start_ms, answers.latest_ms(stretch.span)
    return replace(counted, first_ms=first_ms, last_ms=last_ms, is_shared=stretch.is_shared or seen.is_shared)


def _unit_ms(span: Window) -> int:
    """What a stretch is cut on: midnights, as long as one lies inside, and then ten-minute marks."""
    return DAY_MS if crosses_midnight(span) else MARK_MS


def _cut_of(stretch: _Stretch, first_ms: int, last_ms: int, rules: Rules) -> int | None:
    """Where to cut a stretch so that both parts hold something, and each about a whole number of windows."""
    unit_ms = _unit_ms(stretch.span)
    earliest_ms, latest_ms = first_ms // unit_ms * unit_ms + unit_ms, last_ms // unit_ms * unit_ms
    if earliest_ms > latest_ms:
        return None
    windows = max(2, round(stretch.count / rules.target))
    wanted_ms = first_ms + (last_ms - first_ms) * (windows // 2) // windows
    return min(max(round(wanted_ms / unit_ms) * unit_ms, earliest_ms), latest_ms)


def _core(stretch: _Stretch, first_ms: int, leaves: list[Leaf], rules: Rules) -> list[_Stretch]:
    """What is left of a stretch that cannot be cut so that both parts hold something."""
    span = stretch.span
    if stretch.count <= rules.most and not stretch.may_hold_more:
        leaves.append(Leaf(span, stretch.count))
        return []
    unit_ms = _unit_ms(span)
    start_ms = max(span.start_ms, first_ms // unit_ms * unit_ms)
    end_ms = min(span.end_ms, first_ms // unit_ms * unit_ms + unit_ms)
    around = ((span.start_ms, start_ms), (end_ms, span.end_ms))
    leaves += [Leaf(Window(before_ms, after_ms), 0) for before_ms, after_ms in around if before_ms < after_ms]
    return [replace(stretch, span=Window(start_ms, end_ms))]


def _halves(stretch: _Stretch, cut_ms: int, earlier: _Stretch) -> list[_Stretch]:
    """The two parts of a stretch, once the earlier one has been counted."""
    later = replace(
        stretch, span=Window(cut_ms, stretch.span.end_ms), count=stretch.count - earlier.count, first_ms=None
    )
    if not earlier.count:
        # It held the first conversation a moment ago.
        earlier, later = replace(earlier, is_guess=True), replace(later, is_guess=True)
    elif stretch.may_hold_more or stretch.is_shared or earlier.may_hold_more or earlier.is_shared or later.count <= 0:
        later = replace(later, is_guess=True)
    return [replace(earlier, first_ms=stretch.first_ms), later]
