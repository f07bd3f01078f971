"""A condition, and what one poll of LivePerson shows of it."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient


class PollResult(msgspec.Struct, frozen=True):
    """
    What a poll showed.

    :param is_met: whether the condition is met.
    :param message: what was seen, for people.
    :param value: what the task returns if the condition is met; of a poll to be confirmed, what the confirmation
        compares.
    :param confirm_after: set if only :meth:`Condition.confirm`, that much later, can tell.
    :param rest: the shortest pause before the next poll.
    :param hold: how long LivePerson wants no request of this account.
    :param has_failed: whether nothing was seen, because of trouble that may pass.
    """

    is_met: bool
    message: str
    value: Any = None
    confirm_after: timedelta | None = None
    rest: timedelta = timedelta(0)
    hold: timedelta = timedelta(0)
    has_failed: bool = False


class Condition(msgspec.Struct, frozen=True, tag=True):
    """Something to wait for. Its fields are JSON, and its tag is its name, so that it can move between processes."""

    @abstractmethod
    def poll(self, client: LivePersonClient) -> PollResult:
        """
        Ask LivePerson whether the condition is met.

        :raises LivePersonError: by its kind.
        """

    def confirm(self, client: LivePersonClient, first: PollResult) -> PollResult:  # noqa: ARG002 - for those that compare
        """
        Ask again, after a poll that has set ``confirm_after``.

        :param first: what that poll showed.
        :raises LivePersonError: by its kind.
        """
        return self.poll(client)
