"""When a sensor that waits in the triggerer looks, and until when: as Airflow's sensors do in their other modes."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """
    How often and how long to look. Moments are seconds since the epoch: they outlive the process.

    :param started_s: when the waiting began.
    :param timeout_s: how many seconds it may last.
    :param poke_interval_s: seconds between two looks.
    :param exponential_backoff: whether each pause is about twice as long as the one before.
    :param max_wait_s: the longest pause in seconds, ``None`` for no limit.
    """

    started_s: float
    timeout_s: float
    poke_interval_s: float
    exponential_backoff: bool = False
    max_wait_s: float | None = None

    def is_over(self, now_s: float) -> bool:
        """Whether the waiting has lasted too long."""
        return now_s - self.started_s > self.timeout_s

    def remaining_s(self, now_s: float) -> float:
        """Seconds until the waiting has lasted too long."""
        return max(0.0, self.started_s + self.timeout_s - now_s)

    def pause_s(self, now_s: float, least_s: float = 0.0) -> float:
        """
        Seconds until the next look; the last one comes as the time is over.

        :param least_s: seconds before which no look should come.
        """
        pause_s = self._backoff_s(now_s) if self.exponential_backoff else self.poke_interval_s
        if self.exponential_backoff and self.max_wait_s is not None:
            pause_s = min(pause_s, self.max_wait_s)
        return min(max(pause_s, least_s), self.remaining_s(now_s))

    def _backoff_s(self, now_s: float) -> float:
        # From the time that has passed, as Airflow does it for rescheduled sensors: a count of looks would begin anew
        # in another triggerer. Its jitter keeps sensors that began together from looking together for ever.
        passed_s = self.started_s
        least_s = max(1.0, self.poke_interval_s / 2)
        while passed_s + 1.5 * least_s <= now_s:
            passed_s += 1.5 * least_s
            least_s *= 2
        return least_s * random.uniform(1, 2)  # noqa: S311 - no secret
