"""When a request may leave, as values: who has how many in flight, what is known of the limit, how long all is held."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from airflow_provider_lp.client.limit import ANSWERS_PER_THROTTLING, Chance, Limit

#: LivePerson's own advice after a 429.
LEAST_HOLD_S = 1.0
#: Holds last up to so much longer, so that tasks do not come back in step.
HOLD_JITTER = 0.25
#: Where one request at a time is too many, holds grow by this factor, up to this share of the time since the first
#: throttling, within bounds. Where few of the answers are throttlings, they shrink.
HOLD_GROWTH = 1.25
LONGEST_HOLD_SHARE = 0.1
LONGEST_HOLD_BOUNDS_S = (4.0, 15.0)
#: Who has been throttled so often in a row, with no answer between, tries again sooner: it is its turn.
STARVING_AFTER = 6
STARVING_HOLD_S = 3.0
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
#: How often to look whether another client has given a slot back: no slot rests for less.
POLL_EVERY_S = REST_BOUNDS_S[0]
#: What a client has in flight does not count after so long without a sign of life, or so many answers' time: a frozen
#: process keeps its seat, and would keep all others waiting.
SILENT_FOR_S = 10.0
SILENT_FOR_ANSWERS = 4
#: What was learned of the limit is forgotten when nothing was sent for so long.
FORGOTTEN_AFTER_S = 300.0
#: Clients that are throttled so often in a row, and for so long, without an answer are not finding a limit any more.
HOPELESS_THROTTLINGS = 10
HOPELESS_S = 300.0


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


class Pace(msgspec.Struct):
    """
    What the clients of one account know together. Moments are seconds of the machine's monotonic clock.

    :param most: how many requests each client has in flight at most.
    :param in_flight: how many each has in flight now.
    :param seen_at_s: when each has last asked for something here.
    """

    most: dict[str, int] = {}
    in_flight: dict[str, int] = {}
    seen_at_s: dict[str, float] = {}
    limit: Limit = msgspec.field(default_factory=Limit)
    used_at_s: float = -math.inf
    #: How many have been let through together since the last throttling, and when more were tried last.
    proven: int = 0
    tried_at_s: float = -math.inf
    #: When each of the slots that rest may be used again.
    resting: list[float] = []
    answer_s: float = 0.0
    answers: int = 0
    throttlings: int = 0
    throttlings_in_vain: int = 0
    in_vain_since_s: float = 0.0
    first_throttled_s: float = 0.0
    throttled_at_s: float = -math.inf
    hold_s: float = LEAST_HOLD_S
    held_until_s: float = -math.inf
    #: For how long all has been held so far, and will be.
    held_s: float = 0.0

    def join(self, client: str, most: int, in_flight: int = 0) -> None:
        """A client has come."""
        self.most[client] = most
        self.in_flight[client] = in_flight

    def leave(self, client: str) -> None:
        """A client has gone; what it had in flight does not count any more."""
        for of_clients in (self.most, self.in_flight, self.seen_at_s):
            of_clients.pop(client, None)

    def start(self, client: str, now_s: float) -> Ticket | float:
        """
        Let a request go, if one may leave now.

        :return: else the seconds until one may; infinite until the client has got an answer.
        """
        self.seen_at_s[client] = now_s
        own, in_flight = self.in_flight[client], self._in_flight_now(now_s)
        if not in_flight and now_s > max(self.used_at_s, self.held_until_s) + FORGOTTEN_AFTER_S:
            self._forget_limit()
        if own >= self.most[client]:
            return math.inf
        if in_flight >= self.limit.allowed:
            return math.inf if own == in_flight else POLL_EVERY_S
        if held_s := self.still_held_s(now_s):
            return held_s
        taken = self._taken(now_s)
        if taken >= self.limit.allowed:
            return self.resting[0] - now_s
        if taken >= self.proven:
            if wait_s := max(0.0, self.tried_at_s + self._gap_s() - now_s):
                return wait_s
            self.tried_at_s = now_s
        self.in_flight[client] = own + 1
        self.used_at_s = now_s
        return Ticket(now_s, taken + 1, self.throttlings)

    def answered(self, client: str, ticket: Ticket, now_s: float, chance: Chance) -> None:
        """LivePerson has let a request through, and answered it."""
        took_s = now_s - ticket.sent_s
        self.answer_s = SMOOTHING * (self.answer_s or took_s) + (1 - SMOOTHING) * took_s
        self.answers += 1
        self.throttlings_in_vain = 0
        if ticket.throttlings == self.throttlings:
            self.proven = max(self.proven, ticket.in_flight)
        is_reached = self._taken(now_s) >= self.limit.allowed
        self.limit.answered(ticket.sent_s, now_s, sum(self.most.values()), chance, is_reached=is_reached)
        if self.limit.is_lowered or now_s < self.throttled_at_s + REST_FOR_S:
            self.resting.append(now_s + _within(REST_BOUNDS_S, self.answer_s * REST_SHARE))
        self.give_back(client, now_s)

    def give_back(self, client: str, now_s: float) -> None:
        """A request has come to its end."""
        self.in_flight[client] -= 1
        self.used_at_s = self.seen_at_s[client] = now_s

    def throttled(self, client: str, ticket: Ticket, now_s: float, chance: Chance) -> bool:
        """
        LivePerson has refused a request, because too many were in flight.

        :return: whether it is the first refusal of those that were in flight together.
        """
        in_flight = max(ticket.in_flight, self._taken(now_s))
        is_first = ticket.throttlings == self.throttlings
        if is_first:
            self._note_throttling(now_s)
            self.limit.refused(in_flight)
            self._hold(self._next_hold_s(now_s) if in_flight == 1 else LEAST_HOLD_S, now_s, chance)
            self.answers = 0
        else:
            self.limit.refused_as_well()
        self._leave_limit_alone(now_s, chance)
        self.give_back(client, now_s)
        return is_first

    def hold(self, seconds: float, now_s: float, chance: Chance) -> float:
        """Let no request go for so long and a little longer; gives the seconds until one may."""
        if seconds > self.still_held_s(now_s):
            self._hold(seconds, now_s, chance)
            self._leave_limit_alone(now_s, chance)
        return self.still_held_s(now_s)

    def still_held_s(self, now_s: float) -> float:
        """For how many more seconds no request may leave."""
        return max(0.0, self.held_until_s - now_s)

    def is_hopeless(self, now_s: float) -> bool:
        """Whether LivePerson throttles these clients for so long that its limit cannot be the reason."""
        return self.throttlings_in_vain >= HOPELESS_THROTTLINGS and now_s - self.in_vain_since_s > HOPELESS_S

    def _taken(self, now_s: float) -> int:
        """Slots that are in use or rest."""
        self.resting = [until_s for until_s in self.resting if until_s > now_s]
        return self._in_flight_now(now_s) + len(self.resting)

    def _in_flight_now(self, now_s: float) -> int:
        """Of all clients that are awake."""
        since_s = now_s - max(SILENT_FOR_S, SILENT_FOR_ANSWERS * self.answer_s)
        return sum(number for client, number in self.in_flight.items() if self.seen_at_s.get(client, now_s) >= since_s)

    def _gap_s(self) -> float:
        return min(LONGEST_GAP_S, LONGEST_RAMP_S / sum(self.most.values()))

    def _forget_limit(self) -> None:
        self.limit = Limit()
        self.proven = 0
        self.throttlings_in_vain = 0
        self.throttled_at_s = -math.inf

    def _hold(self, least_s: float, now_s: float, chance: Chance) -> None:
        seconds = least_s * (1 + chance() * HOLD_JITTER)
        self.held_s += max(0.0, seconds - self.still_held_s(now_s))
        self.held_until_s = max(self.held_until_s, now_s + seconds)

    def _leave_limit_alone(self, now_s: float, chance: Chance) -> None:
        self.limit.leave_alone(max(self.held_until_s, now_s), chance)

    def _note_throttling(self, now_s: float) -> None:
        if not self.throttlings:
            self.first_throttled_s = now_s
        if not self.throttlings_in_vain:
            self.in_vain_since_s = now_s
        self.throttlings_in_vain += 1
        self.throttlings += 1
        self.throttled_at_s = now_s
        self.proven = 0

    def _next_hold_s(self, now_s: float) -> float:
        """For how long to hold all where one request was too many."""
        if self.answers >= ANSWERS_PER_THROTTLING:
            self.hold_s = max(self.hold_s / HOLD_GROWTH, LEAST_HOLD_S)
        elif self.throttlings > 1:
            longest_s = _within(LONGEST_HOLD_BOUNDS_S, (now_s - self.first_throttled_s) * LONGEST_HOLD_SHARE)
            if self.throttlings_in_vain > STARVING_AFTER:
                longest_s = STARVING_HOLD_S
            self.hold_s = min(self.hold_s * HOLD_GROWTH, longest_s)
        return self.hold_s


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])
