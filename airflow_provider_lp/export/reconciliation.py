"""
Comparing exports with what they should be, without input or output.

Do the windows tile the period? And when is LivePerson's count believed to be another one than it was?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counts import ANSWERS_BELIEVED, CONTRADICTING_EMPTY_ANSWERS, EMPTY_ANSWERS
from airflow_provider_lp.export.manifest import ObjectEntry
from airflow_provider_lp.windows import Window

#: How often LivePerson is asked for a count at most.
MOST_ANSWERS = len(PAUSES)
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """
    A stretch of time that falls short of what it should be.

    :param window: which one.
    :param path: the object that an export of the window would replace, or make; ``None`` if none would mend it.
    :param reason: what is wrong, as the end of a sentence.
    """

    window: Window
    path: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.window}: {self.reason}" + (f" ({self.path})" if self.path else "")

    def as_export(self) -> dict[str, str]:
        """The arguments of an export that mends it."""
        return {
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            **({"path": self.path} if self.path else {}),
        }


def gaps(windows: Iterable[Window], period: Window) -> list[Window]:
    """The stretches of a period that no window covers, in order."""
    found = []
    reached_ms = period.start_ms
    for window in sorted(windows, key=lambda each: each.start_ms):
        if reached_ms < min(window.start_ms, period.end_ms):
            found.append(Window(reached_ms, min(window.start_ms, period.end_ms)))
        reached_ms = max(reached_ms, window.end_ms)
    if reached_ms < period.end_ms:
        found.append(Window(reached_ms, period.end_ms))
    return found


def at_midnights(window: Window) -> list[Window]:
    """The window cut at each midnight, UTC."""
    midnights = range((window.start_ms // DAY_MS + 1) * DAY_MS, window.end_ms, DAY_MS)
    return [Window(start, end) for start, end in pairwise([window.start_ms, *midnights, window.end_ms])]


def misplaced(objects: Sequence[ObjectEntry], period: Window) -> list[Difference]:
    """Where exports cover a moment twice, or one that is no part of the period. No further export mends that."""
    return [*_overlaps(objects), *_outside(objects, period)]


def _overlaps(objects: Sequence[ObjectEntry]) -> Iterator[Difference]:
    """Every two objects that overlap."""
    ordered = sorted(((each.window, each.path) for each in objects), key=lambda each: each[0].start_ms)
    open_ones: list[tuple[Window, str]] = []
    for window, path in ordered:
        open_ones = [each for each in open_ones if each[0].end_ms > window.start_ms]
        for other, other_path in open_ones:
            both = Window(window.start_ms, min(window.end_ms, other.end_ms))
            yield Difference(both, None, f"it is covered twice, by {other_path} ({other}) and by {path} ({window})")
        open_ones.append((window, path))


def _outside(objects: Sequence[ObjectEntry], period: Window) -> Iterator[Difference]:
    for each in objects:
        window = each.window
        if window.start_ms < period.start_ms or window.end_ms > period.end_ms:
            yield Difference(window, None, f"{each.path} reaches out of the period {period}")


@dataclass(slots=True)
class CountCheck:
    """
    Whether LivePerson still counts as many conversations as it did: told one answer after the other.

    One answer that agrees is enough, unless it says that there are none. One that does not may be wrong, of a server
    that is behind; so may be the lone answer that there are none.

    :param expected: how many LivePerson counted when the window was exported.
    """

    expected: int
    answers: list[int] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether LivePerson counts as many."""
        if self.expected:
            return self.expected in self.answers
        return self._comes_last(0, CONTRADICTING_EMPTY_ANSWERS if any(self.answers) else EMPTY_ANSWERS)

    @property
    def is_decided(self) -> bool:
        """Whether no further answer is needed."""
        if self.agrees or len(self.answers) >= MOST_ANSWERS:
            return True
        latest = self.answers[-1] if self.answers else None
        if latest is None or latest == self.expected:
            return False
        return self._comes_last(latest, ANSWERS_BELIEVED if latest else CONTRADICTING_EMPTY_ANSWERS)

    def _comes_last(self, count: int, times: int) -> bool:
        return self.answers[-times:] == [count] * times

    @property
    def reason(self) -> str:
        """What is different, as the end of a sentence."""
        latest = self.answers[-1]
        if self._comes_last(latest, min(ANSWERS_BELIEVED, len(self.answers))):
            return f"LivePerson now counts {latest} conversations instead of {self.expected}"
        seen = ", now ".join(map(str, self.answers))
        return f"LivePerson counts now {seen} conversations instead of {self.expected}: its count still moves"
