"""When a request may leave: how many are in flight together, and none while LivePerson wants none."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

from airflow_provider_lp.client.clock import Clock

#: LivePerson's own advice after a 429.
LEAST_HOLD_S = 1.0
#: Holds last up to so much longer, so that tasks do not come back in step.
HOLD_JITTER = 0.25
#: Where one request at a time is too many, holds grow by this factor, up to this share of the time since the first
#: throttling, within bounds. Where so many requests are answered between two throttlings, they shrink.
HOLD_GROWTH = 1.25
LONGEST_HOLD_SHARE = 0.1
LONGEST_HOLD_BOUNDS_S = (4.0, 15.0)
ANSWERS_PER_THROTTLING = 25
#: Who has been throttled so often in a row, with no answer between, tries again sooner: it is its turn.
STARVING_AFTER = 6
STARVING_HOLD_S = 3.0
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
#: How many requests may be in flight together is tried one after the other, so far apart that a refusal comes back
#: before most of the next have left; all of them within the second time.
LONGEST_GAP_S = 0.015
LONGEST_RAMP_S = 0.1
#: Once throttled, a slot rests for this share of what an answer takes, within bounds: a server may count a request for
#: a moment after it has answered it, and tasks that were refused find a gap.
REST_SHARE = 1 / 16
REST_BOUNDS_S = (0.01, 0.1)
#: For how long slots rest after a throttling, although as many requests as ever may be in flight again.
REST_FOR_S = 60.0
SMOOTHING = 0.9
#: A client that is throttled so often in a row, and for so long, without an answer is not finding a limit any more.
HOPELESS_THROTTLINGS = 10
HOPELESS_S = 300.0

_chance = SystemRandom().random


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    A request's place in the flow.

    :param sent_s: when it left.
    :param in_flight: how many requests were in flight then, itself among them.
    :param throttlings: how many throttlings there had been.
    """

    sent_s: float
    in_flight: int
    throttlings: int


class Limit:
    """
    How many requests may be in flight. Refusals lower it to what was let through; then it comes back one by one.

    A raise that holds is followed by the next. The oftener raises are refused, the longer it waits with the next.

    :param most: where it starts, and ends.
    :param chance: gives a number from 0 to 1, another one each time.
    """

    def __init__(self, most: int, chance: Callable[[], float]) -> None:
        self.allowed = most
        self._most = most
        self._chance = chance
        self._let_through = most
        self._wait_s = LEAST_WAIT_S
        #: The next raise comes neither before this moment nor before so many answers to requests sent since the change.
        self._raise_at_s = 0.0
        self._answers_wanted = 0
        self._answers = 0
        self._changed_s = 0.0
        self._is_on_trial = False

    @property
    def is_lowered(self) -> bool:
        """Whether fewer requests are allowed than at first."""
        return self.allowed < self._most

    def refused(self, in_flight: int) -> None:
        """
        A request was refused, the first one of those that were in flight together.

        :param in_flight: how many these were.
        """
        if self._is_on_trial:
            self._wait_s = min(self._wait_s * WAIT_GROWTH, LONGEST_WAIT_S)
        elif self.is_lowered:
            self._shorten_wait()
        self._is_on_trial = False
        self._let_through = in_flight
        self.refused_as_well()

    def refused_as_well(self) -> None:
        """Another one of them was refused."""
        self._let_through -= 1
        self.allowed = max(1, min(self.allowed, self._let_through))

    def leave_alone(self, from_s: float) -> None:
        """
        Wait with the next raise.

        :param from_s: from when on.
        """
        wait_s = min(self._wait_s * self.allowed**WAIT_POWER, LONGEST_WAIT_OF_ALL_S)
        answers = min(LEAST_ANSWERS * self._wait_s / LEAST_WAIT_S, ANSWERS_PER_THROTTLING)
        self._wait(from_s, self._about(wait_s), round(self._about(answers)))

    def answered(self, sent_s: float, now_s: float, *, is_reached: bool) -> None:
        """
        A request was let through.

        :param sent_s: when it was sent.
        :param is_reached: whether as many requests were in flight as are allowed.
        """
        if not self.is_lowered:
            return
        self._answers += sent_s >= self._changed_s
        if self._answers < self._answers_wanted or now_s < self._raise_at_s:
            return
        if self._is_on_trial:
            self._is_on_trial = False
            self._shorten_wait()
        if is_reached:
            self.allowed += 1
            self._is_on_trial = True
            self._wait(now_s, self._about(TRIAL_S), self.allowed)

    def _wait(self, from_s: float, wait_s: float, answers: int) -> None:
        self._changed_s = from_s
        self._raise_at_s = from_s + wait_s
        self._answers_wanted = answers
        self._answers = 0

    def _about(self, value: float) -> float:
        """Tasks that were refused together do not try again together."""
        return value * (0.75 + self._chance() / 2)

    def _shorten_wait(self) -> None:
        self._wait_s = max(self._wait_s / WAIT_GROWTH, LEAST_WAIT_S)


class Flow:
    """
    Lets requests go as LivePerson's limit allows. How many it lets through at a time it does not say, and others share
    the same limit: the flow finds out, and keeps trying.

    :param most: how many requests are in flight at most, and at first.
    :param clock: the time to go by.
    :param chance: gives a number from 0 to 1, another one each time.
    """

    def __init__(self, most: int, clock: Clock, chance: Callable[[], float] = _chance) -> None:
        self._clock = clock
        self._chance = chance
        self._limit = Limit(most, chance)
        self._changed = threading.Condition()
        self._in_flight = 0
        self._gap_s = min(LONGEST_GAP_S, LONGEST_RAMP_S / most)
        #: How many have been let through together since the last throttling, and when more were tried last.
        self._proven = 0
        self._tried_at_s = -math.inf
        #: When each of the slots that rest may be used again.
        self._resting: deque[float] = deque()
        self._answer_s = 0.0
        self._answers = 0
        self._throttlings = 0
        self._throttlings_in_vain = 0
        self._in_vain_since_s = 0.0
        self._first_throttled_s = 0.0
        self._throttled_at_s = -math.inf
        self._hold_s = LEAST_HOLD_S
        self._held_until_s = -math.inf
        self._held_s = 0.0

    @property
    def allowed(self) -> int:
        """How many requests may be in flight at present."""
        return self._limit.allowed

    @property
    def throttled_s(self) -> float:
        """For how many seconds so far all requests were held, because LivePerson had throttled one."""
        with self._changed:
            # Never a hair below zero, as sums of fractions may be.
            return max(0.0, self._held_s - self._still_held_s())

    @property
    def held_s(self) -> float:
        """For how many more seconds no request may leave."""
        with self._changed:
            return self._still_held_s()

    @property
    def is_hopeless(self) -> bool:
        """Whether LivePerson throttles this client for so long that its limit cannot be the reason."""
        with self._changed:
            since_s = self._clock.monotonic() - self._in_vain_since_s
            return self._throttlings_in_vain >= HOPELESS_THROTTLINGS and since_s > HOPELESS_S

    def start(self) -> Ticket:
        """Wait until a request may leave; each one that does ends in an answer, a failure or a throttling."""
        while True:
            self._clock.check()
            with self._changed:
                ticket = self._try_start()
                if isinstance(ticket, Ticket):
                    return ticket
                if ticket == math.inf:
                    self._changed.wait()
                    continue
            self._clock.sleep(ticket)

    def try_start(self) -> Ticket | float:
        """Let a request go, if one may leave now; else the seconds until one may, infinite until one has come back."""
        with self._changed:
            return self._try_start()

    def answered(self, ticket: Ticket) -> None:
        """LivePerson has let a request through, and answered it."""
        with self._changed:
            now_s = self._clock.monotonic()
            took_s = now_s - ticket.sent_s
            self._answer_s = SMOOTHING * (self._answer_s or took_s) + (1 - SMOOTHING) * took_s
            self._answers += 1
            self._throttlings_in_vain = 0
            if ticket.throttlings == self._throttlings:
                self._proven = max(self._proven, ticket.in_flight)
            is_reached = self._taken(now_s) >= self._limit.allowed
            self._limit.answered(ticket.sent_s, now_s, is_reached=is_reached)
            if self._limit.is_lowered or now_s < self._throttled_at_s + REST_FOR_S:
                self._resting.append(now_s + _within(REST_BOUNDS_S, self._answer_s * REST_SHARE))
            self._free_slot()

    def failed(self) -> None:
        """A request has come to nothing, but not because of the limit."""
        with self._changed:
            self._free_slot()

    def throttled(self, ticket: Ticket) -> bool:
        """
        LivePerson has refused a request, because too many were in flight.

        :return: whether it is the first refusal of those that were in flight together.
        """
        with self._changed:
            now_s = self._clock.monotonic()
            in_flight = max(ticket.in_flight, self._taken(now_s))
            is_first = ticket.throttlings == self._throttlings
            if is_first:
                self._note_throttling(now_s)
                self._limit.refused(in_flight)
                self._hold(self._next_hold_s(now_s) if in_flight == 1 else LEAST_HOLD_S)
                self._answers = 0
            else:
                self._limit.refused_as_well()
            self._leave_limit_alone()
            self._free_slot()
            return is_first

    def hold(self, seconds: float) -> float:
        """Let no request go for so long and a little longer; gives the seconds until one may."""
        with self._changed:
            if seconds > self._still_held_s():
                self._hold(seconds)
                self._leave_limit_alone()
            return self._still_held_s()

    def close(self) -> None:
        """Wake those that wait, so that the clock tells them of its end."""
        with self._changed:
            self._changed.notify_all()

    def _try_start(self) -> Ticket | float:
        now_s = self._clock.monotonic()
        if self._in_flight >= self._limit.allowed:
            return math.inf
        if held_s := self._still_held_s():
            return held_s
        taken = self._taken(now_s)
        if taken >= self._limit.allowed:
            return self._resting[0] - now_s
        if taken >= self._proven:
            if now_s < self._tried_at_s + self._gap_s:
                return self._tried_at_s + self._gap_s - now_s
            self._tried_at_s = now_s
        self._in_flight += 1
        return Ticket(now_s, taken + 1, self._throttlings)

    def _taken(self, now_s: float) -> int:
        """Slots that are in use or rest."""
        while self._resting and self._resting[0] <= now_s:
            self._resting.popleft()
        return self._in_flight + len(self._resting)

    def _free_slot(self) -> None:
        self._in_flight -= 1
        self._changed.notify_all()

    def _still_held_s(self) -> float:
        return max(0.0, self._held_until_s - self._clock.monotonic())

    def _hold(self, least_s: float) -> None:
        seconds = least_s * (1 + self._chance() * HOLD_JITTER)
        longer_s = max(0.0, seconds - self._still_held_s())
        self._held_s += longer_s
        self._held_until_s = max(self._held_until_s, self._clock.monotonic() + seconds)

    def _leave_limit_alone(self) -> None:
        self._limit.leave_alone(max(self._held_until_s, self._clock.monotonic()))

    def _note_throttling(self, now_s: float) -> None:
        if not self._throttlings:
            self._first_throttled_s = now_s
        if not self._throttlings_in_vain:
            self._in_vain_since_s = now_s
        self._throttlings_in_vain += 1
        self._throttlings += 1
        self._throttled_at_s = now_s
        self._proven = 0

    def _next_hold_s(self, now_s: float) -> float:
        """For how long to hold all where one request was too many."""
        if self._answers >= ANSWERS_PER_THROTTLING:
            self._hold_s = max(self._hold_s / HOLD_GROWTH, LEAST_HOLD_S)
        elif self._throttlings > 1:
            longest_s = _within(LONGEST_HOLD_BOUNDS_S, (now_s - self._first_throttled_s) * LONGEST_HOLD_SHARE)
            if self._throttlings_in_vain > STARVING_AFTER:
                longest_s = STARVING_HOLD_S
            self._hold_s = min(self._hold_s * HOLD_GROWTH, longest_s)
        return self._hold_s


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])
