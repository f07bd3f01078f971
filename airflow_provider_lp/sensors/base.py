"""What every LivePerson sensor is: a condition, and Airflow's three ways to wait for it."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.compat import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    TaskDeferred,
    conf,
)
from airflow_provider_lp.operators.base import LivePersonOperator

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.compat import Context
    from airflow_provider_lp.conditions.base import Condition, PollResult
    from airflow_provider_lp.conditions.poller import Poller
    from airflow_provider_lp.triggers.condition import LivePersonConditionTrigger

log = logging.getLogger(__name__)

#: How long after its timeout a deferred sensor is ended by Airflow's scheduler, if no triggerer has done so.
WITHOUT_TRIGGERER = timedelta(minutes=30)
#: The time that sensors go by.
CLOCK = Clock()


def present() -> datetime:
    """The present moment."""
    return datetime.fromtimestamp(CLOCK.now(), UTC)


class LivePersonSensor(LivePersonOperator, BaseSensorOperator):
    """
    Waits for a condition at LivePerson, in any of Airflow's modes.

    Trouble that may pass (throttling, outages, lost connections) is logged and waited out until the sensor's
    ``timeout``; what waiting cannot mend (arguments, credentials, permissions) fails the task at once. Where LivePerson
    wants no request before ``timeout`` has passed, the sensor times out without another one; in mode ``reschedule``, as
    soon as it is told so.

    :param deferrable: whether to wait in the triggerer instead of on a worker; default as Airflow's setting
        ``[operators] default_deferrable`` says.
    :param liveperson_conn_id: the Airflow connection. (templated)
    """

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self._poller: Poller | None = None
        self._result: PollResult | None = None
        self._ends_s = math.inf
        self._is_told_to_end = False

    @abstractmethod
    def condition(self, context: Context) -> Condition:
        """
        What to wait for.

        :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
        """

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once."""
        try:
            self._result = result = self._poll(context)
        finally:
            if self._ends_s == math.inf:
                # By itself, outside of execute: there is no later poll to keep the client for.
                self._close()
        return PokeReturnValue(result.is_met, result.value)

    def execute(self, context: Context) -> Any:
        """Wait; gives what was waited for."""
        self._ends_s = CLOCK.monotonic() + self.timeout
        try:
            with self._soft_failures(), self._explained_timeout():
                return self._defer(context) if self.deferrable else super().execute(context)
        finally:
            self._ends_s = math.inf
            self._close()

    @contextmanager
    def _explained_timeout(self) -> Iterator[None]:
        """Let a timeout of Airflow's own loop say what the last poll has seen, as the trigger's does."""
        try:
            yield
        except AirflowSensorTimeout as timeout:
            raise AirflowSensorTimeout(self._timed_out(self._result.message if self._result else "")) from timeout

    def _defer(self, context: Context) -> NoReturn:
        """
        Leave the first poll, too, to the triggerer: there one login serves all that wait.

        :raises TaskDeferred: always.
        """
        with self.final_failures():
            condition = self.condition(context)
        log.info("Waiting in the triggerer (airflow triggerer), for %.12g s at most.", self.timeout)
        # The trigger knows when to stop, and why nothing came; Airflow's own timeout is for when no triggerer runs.
        timeout = timedelta(seconds=self.timeout) + WITHOUT_TRIGGERER
        raise TaskDeferred(trigger=self._trigger(condition), method_name="execute_complete", timeout=timeout)

    def _trigger(self, condition: Condition) -> LivePersonConditionTrigger:
        # Here, since Airflow's triggers and asgiref are not for every parse of a DAG file.
        from airflow_provider_lp.triggers.condition import LivePersonConditionTrigger, Schedule

        schedule = Schedule(
            started_s=CLOCK.now(),
            timeout_s=self.timeout,
            poke_interval_s=self.poke_interval,
            exponential_backoff=bool(self.exponential_backoff),
            max_wait_s=self.max_wait.total_seconds() if self.max_wait else None,
        )
        return LivePersonConditionTrigger(
            condition=msgspec.to_builtins(condition),
            schedule=msgspec.to_builtins(schedule),
            liveperson_conn_id=self.liveperson_conn_id,
        )

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002
        """End as the trigger says."""
        with self._soft_failures():
            match event:
                case {"outcome": "met", "value": value}:
                    return value
                case {"outcome": "timeout", "message": message}:
                    raise AirflowSensorTimeout(self._timed_out(message))
                case {"outcome": "failed", "message": message, "retry": True}:
                    raise AirflowException(message)
                case {"outcome": "failed", "message": message}:
                    raise AirflowFailException(message)
            raise AirflowException(f"The trigger fired an event that this sensor does not know: {event!r}.")

    def _timed_out(self, message: str) -> str:
        return f"Sensor has timed out after {self.timeout:.12g} seconds. {message}"

    def _poll(self, context: Context) -> PollResult:
        from airflow_provider_lp.conditions.poller import LONGEST_PATIENCE, Poller

        with self.final_failures():
            condition = self.condition(context)
            self._poller = poller = self._poller or Poller(self._connect)
            remaining_s = max(0.0, self._ends_s - CLOCK.monotonic())
            patience = timedelta(seconds=min(remaining_s, LONGEST_PATIENCE.total_seconds()))
            result = poller.poll(condition, patience)
            if result.confirm_after is not None:
                poller.wait(result.confirm_after)
                result = poller.poll(condition, patience, result)
        return result

    def _connect(self) -> LivePersonClient:
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        # The next poll is the retry.
        return LivePersonHook(self.liveperson_conn_id).get_conn(retry=False)

    def _close(self) -> None:
        if self._poller is not None:
            self._poller.close()
            self._poller = None

    def on_kill(self) -> None:
        """Ask LivePerson for nothing more and stop waiting, so that the task fails."""
        log.warning("Stopping: the task was told to end.")
        self._is_told_to_end = True
        if self._poller is not None:
            self._poller.abort()

    def _get_next_poke_interval(self, started_at: Any, run_duration: Callable[[], float], poke_count: int) -> float:
        # Airflow's pause between two pokes, in both modes: LivePerson's wish for a longer one prevails.
        pause_s: float = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        if self._is_told_to_end:
            raise AirflowException("The sensor was told to end.")
        if self._result is None:
            return pause_s
        remaining_s = max(0.0, self.timeout - run_duration())
        hold_s = self._result.hold.total_seconds()
        if hold_s > remaining_s:
            # Nothing more may be asked in time. A task that is rescheduled would not know that.
            if not self.reschedule and self._poller is not None:
                self._poller.wait(timedelta(seconds=remaining_s))
            raise AirflowSensorTimeout
        return max(pause_s, hold_s, min(self._result.rest.total_seconds(), remaining_s))

    @contextmanager
    def _soft_failures(self) -> Iterator[None]:
        """Skip instead of failing where the sensor was told to: what Airflow itself does in its other modes."""
        try:
            yield
        except AirflowSkipException:
            raise
        except (AirflowSensorTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipping instead of failing: {error}") from error
            raise
