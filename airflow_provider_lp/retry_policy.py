"""When Airflow tries a task again that has failed, and how long it waits until then. For Airflow 3.3 or newer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.client.retry import task_pause_s
from airflow_provider_lp.compat import RetryPolicy

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context, RetryDecision

DEFAULT_LONGEST = timedelta(hours=1)

_chance = SystemRandom().random


class LivePersonRetryPolicy(RetryPolicy):
    """
    Lets a task wait as long as its failure asks for, and fail at once where waiting mends nothing.

    ::

        LivePersonConversationsOperator(..., retries=5, retry_policy=LivePersonRetryPolicy())

    What retrying cannot mend (credentials, permissions, arguments, differences) fails the task, also in a function of
    your own that uses the hook: this package's operators fail so without the policy, too. Otherwise the next try comes
    after what LivePerson has asked for (``Retry-After``), or after a few minutes that double from try to try, and a
    little later, so that tasks do not come back in step. Other errors go by the task's own ``retry_delay``.

    :param longest: how long a pause may become that LivePerson has not asked for; default one hour.
    :raises LivePersonConfigurationError: on an Airflow that knows no retry policies.
    """

    def __init__(self, longest: timedelta = DEFAULT_LONGEST, *, chance: Callable[[], float] = _chance) -> None:
        if RetryPolicy is object:
            raise LivePersonConfigurationError(
                "LivePersonRetryPolicy needs Airflow 3.3 or newer. Leave retry_policy out here: what retrying cannot "
                "mend fails without retries all the same, and retry_exponential_backoff=True makes pauses grow."
            )
        if not isinstance(longest, timedelta) or longest <= timedelta(0):
            raise LivePersonConfigurationError(f"longest={longest!r} must be a timedelta of more than nothing.")
        self.longest = longest
        self._chance = chance

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002 - Airflow passes it
        context: Context | None = None,  # noqa: ARG002 - likewise
    ) -> RetryDecision:
        """
        What is to follow a failure.

        :param exception: what the task failed with.
        :param try_number: which try it was, from 1 on.
        :param max_tries: how many there are; Airflow itself sees to that.
        :param context: of the run.
        """
        decision = compat.RetryDecision
        if not isinstance(exception, LivePersonError):
            return decision.default()
        reason = f"{type(exception).__name__}: {exception}"
        if not exception.retry_helps:
            return decision.fail(reason)
        pause_s = task_pause_s(exception, try_number, self.longest.total_seconds(), self._chance())
        return decision.retry(timedelta(seconds=round(pause_s)), reason)

    def serialize(self) -> dict[str, Any]:
        """As JSON."""
        return {"longest_s": self.longest.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> LivePersonRetryPolicy:
        """From what :meth:`serialize` gives."""
        return cls(timedelta(seconds=data["longest_s"]))
