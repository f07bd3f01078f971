"""What every LivePerson sensor is: a condition, and Airflow's three ways to wait for it."""

from __future__ import annotations

import logging
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_lp.client.errors import LivePersonAuthenticationError
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
    from airflow_provider_lp.conditions.base import Condition, Seen
    from airflow_provider_lp.triggers.pace import Pace

log = logging.getLogger(__name__)

#: How long after its timeout a deferred sensor is ended by Airflow's scheduler, if no triggerer has done so.
WITHOUT_TRIGGERER = timedelta(minutes=30)


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
        self._seen: Seen | None = None
        self._ends_s = math.inf
        self._is_told_to_end = False

    @abstractmethod
    def condition(self, context: Context) -> Condition:
        """
        What to wait for.

        :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
        """

    def poke(self, context: Context) -> PokeReturnValue:
        """Look whether the condition is met."""
        try:
            self._seen = seen = self._look(context)
        finally:
            if self._ends_s == math.inf:
                # By itself, outside of execute: there is no later look to keep the client for.
                self._close()
        return PokeReturnValue(seen.is_met, seen.value)

    def execute(self, context: Context) -> Any:
        """Wait; gives what was waited for."""
        self._ends_s = time.monotonic() + self.timeout
        try:
            with self._soft_failures(), self._timeouts_in_words():
                return self._defer(context) if self.deferrable else super().execute(context)
        finally:
            self._ends_s = math.inf
            self._close()

    @contextmanager
    def _timeouts_in_words(self) -> Iterator[None]:
        """Let a timeout of Airflow's own loop say what the last look has seen, as the trigger's does."""
        try:
            yield
        except AirflowSensorTimeout as timeout:
            words = self._seen.words if self._seen else ""
            raise AirflowSensorTimeout(self._timed_out(words)) from timeout

    def _defer(self, context: Context) -> NoReturn:
        """
        Leave the first look, too, to the triggerer: there one login serves all that wait.

        :raises TaskDeferred: always.
        """
        from airflow_provider_lp.conditions.kinds import described
        from airflow_provider_lp.triggers.waiting import LivePersonConditionTrigger

        with self.final_failures():
            condition = self.condition(context)
        trigger = LivePersonConditionTrigger(
            liveperson_conn_id=self.liveperson_conn_id,
            condition=described(condition),
            pace=asdict(self._pace()),
        )
        log.info("Waiting in the triggerer (airflow triggerer), for %.12g s at most.", self.timeout)
        # The trigger knows when to stop, and why nothing came; Airflow's own timeout is for when no triggerer runs.
        timeout = timedelta(seconds=self.timeout) + WITHOUT_TRIGGERER
        raise TaskDeferred(trigger=trigger, method_name="execute_complete", timeout=timeout)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002
        """End as the trigger says."""
        with self._soft_failures():
            match event:
                case {"outcome": "met", "value": value}:
                    return value
                case {"outcome": "timeout", "words": words}:
                    raise AirflowSensorTimeout(self._timed_out(words))
                case {"outcome": "failed", "words": words}:
                    raise AirflowFailException(words)
            raise AirflowException(f"The trigger fired an event that this sensor does not know: {event!r}.")

    def _timed_out(self, words: str) -> str:
        return f"Sensor has timed out after {self.timeout:.12g} seconds. {words}"

    def _pace(self) -> Pace:
        from airflow_provider_lp.triggers.pace import Pace

        return Pace(
            started_s=time.time(),
            timeout_s=self.timeout,
            poke_interval_s=self.poke_interval,
            exponential_backoff=bool(self.exponential_backoff),
            max_wait_s=self.max_wait.total_seconds() if self.max_wait else None,
        )

    def _look(self, context: Context) -> Seen:
        with self.final_failures():
            condition = self.condition(context)
            is_kept = self._client is not None
            try:
                seen = self._look_at(condition)
            except LivePersonAuthenticationError:
                if not is_kept:
                    raise
                # What was accepted once may have been replaced since: the connection is read anew.
                self._close()
                seen = self._look_at(condition)
        return seen

    def _look_at(self, condition: Condition) -> Seen:
        from airflow_provider_lp.conditions.base import LONGEST_PATIENCE, look

        client = self._connected()
        remaining_s = max(0.0, self._ends_s - time.monotonic())
        patience = timedelta(seconds=min(remaining_s, LONGEST_PATIENCE.total_seconds()))
        seen = look(condition, client, None, patience)
        if seen.confirm_after is not None:
            client.wait(seen.confirm_after)
            seen = look(condition, client, seen, patience)
        return seen

    def _connected(self) -> LivePersonClient:
        """One client for all looks of this process; the next look is the retry."""
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        if self._client is None:
            self._client = LivePersonHook(self.liveperson_conn_id).get_conn(retry=False)
        return self._client

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def on_kill(self) -> None:
        """Ask LivePerson for nothing more and stop waiting, so that the task fails."""
        self._is_told_to_end = True
        super().on_kill()

    def _get_next_poke_interval(self, started_at: Any, run_duration: Callable[[], float], poke_count: int) -> float:
        # Airflow's pause between two pokes, in both modes: LivePerson's wish for a longer one prevails.
        pause_s: float = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        if self._is_told_to_end:
            raise AirflowException("The sensor was told to end.")
        if self._seen is None:
            return pause_s
        remaining_s = max(0.0, self.timeout - run_duration())
        hold_s = self._seen.hold.total_seconds()
        if hold_s > remaining_s:
            # Nothing more may be asked in time. A task that is rescheduled would not know that.
            if not self.reschedule:
                self._connected().wait(timedelta(seconds=remaining_s))
            raise AirflowSensorTimeout
        return max(pause_s, hold_s, min(self._seen.rest.total_seconds(), remaining_s))

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
