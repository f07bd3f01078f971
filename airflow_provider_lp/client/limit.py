"""How many requests LivePerson lets through at a time, as far as refusals tell: lowered by them, tried again later."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

#: What is allowed while nothing has been refused.
UNLIMITED = 1 << 30
#: Where so many requests are answered between two throttlings, nothing needs to be slowed down further.
ANSWERS_PER_THROTTLING = 25
#: How long a limit of one is left alone, and for how many answers. A higher one is left alone for longer, by a power:
#: if one more is too many, all of them are held. With each raise that is refused both grow, the answers up to what a
#: throttling is worth.
LEAST_WAIT_S = 2.0
LEAST_ANSWERS = 12
LONGEST_WAIT_S = 12.0
WAIT_POWER = 1.5
WAIT_GROWTH = 1.5
LONGEST_WAIT_OF_ALL_S = 30.0
#: How long a raise is on trial before the next one: longer than most holds. Room that is free only while others are
#: held is theirs when they come back.
TRIAL_S = 4.0

Chance = Callable[[], float]


class Limit(msgspec.Struct):
    """
    How many requests may be in flight. Refusals lower it to what was let through; then it comes back one by one.

    A raise that holds is followed by the next. The oftener raises are refused, the longer it waits with the next.
    """

    allowed: int = UNLIMITED
    let_through: int = UNLIMITED
    wait_s: float = LEAST_WAIT_S
    #: The next raise comes neither before this moment nor before so many answers to requests sent since the change.
    raise_at_s: float = 0.0
    answers_wanted: int = 0
    answers: int = 0
    changed_s: float = 0.0
    is_on_trial: bool = False

    @property
    def is_lowered(self) -> bool:
        """Whether there is a limit, as far as is known."""
        return self.allowed < UNLIMITED

    def refused(self, in_flight: int) -> None:
        """
        A request was refused, the first one of those that were in flight together.

        :param in_flight: how many these were.
        """
        if self.is_on_trial:
            self.wait_s = min(self.wait_s * WAIT_GROWTH, LONGEST_WAIT_S)
        elif self.is_lowered:
            self._shorten_wait()
        self.is_on_trial = False
        self.let_through = in_flight
        self.refused_as_well()

    def refused_as_well(self) -> None:
        """Another one of them was refused."""
        self.let_through -= 1
        self.allowed = max(1, min(self.allowed, self.let_through))

    def leave_alone(self, from_s: float, chance: Chance) -> None:
        """
        Wait with the next raise.

        :param from_s: from when on.
        """
        wait_s = min(self.wait_s * self.allowed**WAIT_POWER, LONGEST_WAIT_OF_ALL_S)
        answers = min(LEAST_ANSWERS * self.wait_s / LEAST_WAIT_S, ANSWERS_PER_THROTTLING)
        self._wait(from_s, _about(wait_s, chance), round(_about(answers, chance)))

    def answered(self, sent_s: float, now_s: float, most: int, chance: Chance, *, is_reached: bool) -> None:
        """
        A request was let through.

        :param sent_s: when it was sent.
        :param most: how many requests there are ever in flight.
        :param is_reached: whether as many requests were in flight as are allowed.
        """
        if not self.is_lowered:
            return
        self.answers += sent_s >= self.changed_s
        if self.answers < self.answers_wanted or now_s < self.raise_at_s:
            return
        if self.is_on_trial:
            self.is_on_trial = False
            self._shorten_wait()
        if is_reached:
            self.allowed = self.allowed + 1 if self.allowed + 1 < most else UNLIMITED
            self.is_on_trial = True
            self._wait(now_s, _about(TRIAL_S, chance), self.allowed)

    def _wait(self, from_s: float, wait_s: float, answers: int) -> None:
        self.changed_s = from_s
        self.raise_at_s = from_s + wait_s
        self.answers_wanted = answers
        self.answers = 0

    def _shorten_wait(self) -> None:
        self.wait_s = max(self.wait_s / WAIT_GROWTH, LEAST_WAIT_S)


def _about(value: float, chance: Chance) -> float:
    """Tasks that were refused together do not try again together."""
    return value * (0.75 + chance() / 2)
