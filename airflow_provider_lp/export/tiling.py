"""Windows that tile a period: the rules they keep to, and which neighbouring stretches make one window together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Self

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.windows import MARK_MS, ONE_MS, Window

ONE_DAY = timedelta(days=1)
DAY_MS = ONE_DAY // ONE_MS
#: A stretch of more than so many times the target is cut: below twice the target, as counts may rise until the export.
TOO_MANY = 1.5
#: No window holds more than so many times the target, unless it is ten minutes long.
FAR_TOO_MANY = 2
#: LivePerson takes three months; for conversations by their end, some time before the stretch included.
LONGEST_STRETCH = timedelta(days=80)
#: What a window costs that holds nothing. One of half the target costs a quarter.
EMPTY_COST = 10.0
#: How much the number of windows counts, from none at all to as many as there are stretches.
GAINS = (0.0, 0.25, 0.5, 0.75, 1.0, 2 * EMPTY_COST)
#: The same where there must be as few as possible.
LEAST_WINDOWS = -1000.0


def check_target_conversations(target_conversations: object) -> int:
    """
    How many conversations a window is to hold.

    :raises LivePersonConfigurationError: if it is no number of conversations.
    """
    if type(target_conversations) is not int or target_conversations < 1:
        raise LivePersonConfigurationError(
            f"target_conversations={target_conversations!r} must be a whole number of conversations above 0."
        )
    return target_conversations


def check_longest(longest: timedelta) -> None:
    """
    Refuse windows that are shorter than searches can be.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if longest < MARK_MS * ONE_MS:
        raise LivePersonConfigurationError(
            f"longest={str(longest)!r} must be ten minutes or more, as LivePerson rounds the bounds of searches to "
            "that. (A number counts seconds.)"
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A stretch that is not cut any further, and about how many conversations it holds."""

    span: Window
    count: int


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What a plan keeps to.

    :param target: how many conversations a window is to hold, about.
    :param longest: how long a window may be, ten minutes at least.
    :param most_windows: how many windows there may be.
    :param uncounted: how many conversations there may be in any window that no count of it includes; default none.
    """

    target: int
    longest: timedelta
    most_windows: int
    uncounted: int = 0

    @classmethod
    def checked(cls, *, target_conversations: object, longest: timedelta, most_windows: int) -> Self:
        """
        Rules that can be kept.

        :raises LivePersonConfigurationError: naming the argument that makes no sense.
        """
        check_longest(longest)
        return cls(check_target_conversations(target_conversations), longest, most_windows)

    @property
    def many(self) -> float:
        """How many conversations a stretch may hold without being cut."""
        return self.target * TOO_MANY

    @property
    def most(self) -> int:
        """How many conversations a window may hold that is longer than ten minutes."""
        return self.target * FAR_TOO_MANY - self.uncounted

    def allow(self, span: Window) -> bool:
        """Whether a window may have these bounds: it lies within a day, or holds whole days, and is not too long."""
        is_of_whole_days = span.start_ms % DAY_MS == 0 and span.end_ms % DAY_MS == 0
        return span.length <= self.longest and (is_of_whole_days or not crosses_midnight(span))

    def check_number(self, windows: int, *, is_final: bool) -> None:
        """
        Refuse a plan of too many windows.

        :param is_final: whether all is known, so that there will not be more.
        :raises LivePersonConfigurationError: saying what to change.
        """
        if windows > self.most_windows:
            raise LivePersonConfigurationError(
                f"The plan has {'' if is_final else 'at least '}{windows} windows, and Airflow maps a task to no more "
                f"than {self.most_windows} (max_map_length in section [core] of its configuration). Raise "
                f"target_conversations={self.target} or longest={str(self.longest)!r}, plan a shorter period, or raise "
                "that setting."
            )


def crosses_midnight(span: Window) -> bool:
    """Whether a UTC midnight lies inside."""
    return span.start_ms // DAY_MS != (span.end_ms - 1) // DAY_MS


def longest_windows(period: Window, rules: Rules) -> list[Window]:
    """
    The fewest windows that tile a period, of like length as far as the rules allow.

    :raises LivePersonConfigurationError: if even these are too many.
    """
    longest = min(rules.longest, LONGEST_STRETCH)
    first_midnight_ms, last_midnight_ms = -(-period.start_ms // DAY_MS) * DAY_MS, period.end_ms // DAY_MS * DAY_MS
    bounds = {period.start_ms, first_midnight_ms, last_midnight_ms, period.end_ms}
    within = sorted(bound for bound in bounds if period.start_ms <= bound <= period.end_ms)
    windows: list[Window] = []
    for start_ms, end_ms in pairwise(within):
        part = Window(start_ms, end_ms)
        windows += _whole_days(part, longest) if part.length > ONE_DAY else _parts_of_a_day(part, longest)
    if rules.longest <= LONGEST_STRETCH:
        rules.check_number(len(windows), is_final=False)
    return windows


def _whole_days(span: Window, longest: timedelta) -> list[Window]:
    days = span.length // ONE_DAY
    if longest < ONE_DAY:
        starts = range(span.start_ms, span.end_ms, DAY_MS)
        return [part for start_ms in starts for part in _parts_of_a_day(Window(start_ms, start_ms + DAY_MS), longest)]
    number = -(-days // (longest // ONE_DAY))
    bounds = [span.start_ms + days * each // number * DAY_MS for each in range(number + 1)]
    return [Window(start_ms, end_ms) for start_ms, end_ms in pairwise(bounds)]


def _parts_of_a_day(span: Window, longest: timedelta) -> list[Window]:
    number = -(-span.length // longest)
    while any(part.length > longest for part in span.split(number)):
        # Parts meet on ten-minute marks, so that they are not all as long.
        number += 1
    return span.split(number)


def joined(leaves: Sequence[Leaf], rules: Rules, *, least_windows: int) -> list[Leaf]:
    """
    Make windows of neighbouring leaves: of about the target, none empty unless it must be.

    :param leaves: stretches that tile a period, in order.
    :param rules: what each window keeps to.
    :param least_windows: how many windows there are to be at least, as far as there are so many leaves.
    :raises LivePersonConfigurationError: if there are too many windows, however few there are made.
    """
    windows: list[Leaf] = []
    for gain in GAINS:
        windows = _cheapest(leaves, rules, gain)
        if len(windows) >= least_windows:
            break
    if len(windows) > rules.most_windows:
        windows = _cheapest(leaves, rules, LEAST_WINDOWS)
    rules.check_number(len(windows), is_final=True)
    return windows


def _cheapest(leaves: Sequence[Leaf], rules: Rules, gain: float) -> list[Leaf]:
    """
    The cheapest way to make windows of all leaves.

    :param gain: what each window is worth: the more, the more windows.
    """
    costs, begins = [0.0], [0]
    for end in range(1, len(leaves) + 1):
        ways = ((costs[begin] + _cost(count, rules) - gain, begin) for begin, count in _windows_to(end, leaves, rules))
        cost, begin = min(ways)
        costs.append(cost)
        begins.append(begin)
    bounds = [len(leaves)]
    while bounds[-1]:
        bounds.append(begins[bounds[-1]])
    return [_one(leaves[begin:end]) for begin, end in pairwise(reversed(bounds))]


def _windows_to(end: int, leaves: Sequence[Leaf], rules: Rules) -> Iterator[tuple[int, int]]:
    """Where windows may begin that hold all leaves up to ``end``, and how many conversations they hold."""
    count = filled = 0
    for begin in range(end - 1, -1, -1):
        count += leaves[begin].count
        filled += leaves[begin].count > 0
        # What is empty may be added to whatever is not far too large by itself.
        most = rules.many if filled > 1 else rules.most
        span = Window(leaves[begin].span.start_ms, leaves[end - 1].span.end_ms)
        is_single = begin == end - 1
        if not is_single and (count > most or span.length > rules.longest):
            return
        if is_single or rules.allow(span):
            yield begin, count


def _cost(count: int, rules: Rules) -> float:
    return EMPTY_COST if not count else math.pow(count / rules.target - 1, 2)


def _one(leaves: Sequence[Leaf]) -> Leaf:
    return Leaf(Window(leaves[0].span.start_ms, leaves[-1].span.end_ms), sum(leaf.count for leaf in leaves))
