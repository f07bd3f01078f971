"""How many conversations LivePerson says there are, answer by answer, and which of it is believed."""

from __future__ import annotations

from collections import Counter

#: How many answers it takes to believe that there is nothing; and if another answer has counted something.
EMPTY_ANSWERS = 2
CONTRADICTING_EMPTY_ANSWERS = 3
#: How often LivePerson must have counted what came, if it mostly counts something else.
ANSWERS_BELIEVED = 2


class Counts:
    """What the answers to a search have counted, in the present pass over its pages and in all of them."""

    def __init__(self, *, has_shown_rows: bool = False) -> None:
        #: Whether any answer has ever held a conversation.
        self.has_shown_rows = has_shown_rows
        self._in_all: Counter[int] = Counter()
        self._in_pass: Counter[int] = Counter()
        self._empty_answers = 0

    def start_pass(self) -> None:
        """Begin anew, but remember what earlier passes have counted."""
        self._in_pass = Counter()

    def add(self, count: int, *, is_empty: bool) -> None:
        """Take in an answer's count, and whether it holds no conversation."""
        if count:
            self._in_pass[count] += 1
            self._in_all[count] += 1
        elif is_empty:
            self._empty_answers += 1
        self.has_shown_rows = self.has_shown_rows or not is_empty

    @property
    def lowest(self) -> int:
        """The least that was counted in this pass."""
        return min(self._in_pass, default=0)

    @property
    def highest(self) -> int:
        """The most that was counted in this pass."""
        return max(self._in_pass, default=0)

    @property
    def is_steady(self) -> bool:
        """Whether all answers of this pass have counted the same."""
        return len(self._in_pass) == 1

    @property
    def empty_answers_needed(self) -> int:
        """How many answers it takes to believe that there is nothing."""
        return CONTRADICTING_EMPTY_ANSWERS if self._in_all else EMPTY_ANSWERS

    def were_ever_above(self, number: int) -> bool:
        """Whether any answer has counted more."""
        return max(self._in_all, default=0) > number

    def are_mostly(self, number: int) -> bool:
        """Whether the answers of this pass differ, and none is more frequent than ``number``."""
        return len(self._in_pass) > 1 and self._in_pass[number] == max(self._in_pass.values())

    def include(self, number: int) -> bool:
        """Whether LivePerson has counted so many often enough to be believed, although it also counts others."""
        if self.has_shown_rows:
            return self._in_all[number] >= ANSWERS_BELIEVED
        return self._empty_answers >= CONTRADICTING_EMPTY_ANSWERS
