"""What every LivePerson sensor is: a condition, and Airflow's three ways to wait for it."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
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
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.triggers.conditions.condition import Condition, Seen
    from airflow_provider_lp.triggers.pace import Pace

log = logging.getLogger(__name__)


class LivePersonSensor(LivePersonOperator, BaseSensorOperator):
    """
    Waits for a condition at LivePerson, in any of Airflow's modes.

    Trouble that may pass (throttling, outages, lost connections) is logged and waited out until the sensor's
    ``timeout``; what waiting cannot mend (arguments, credentials, permissions) fails the task at once.

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
        self._hold = timedelta(0)

    @abstractmethod
    def condition(self, context: Context) -> Condition:
        """
        What to wait for.

        :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
        """

    def poke(self, context: Context) -> PokeReturnValue:
        """Look whether the condition is met."""
        seen = self._look(context)
        return PokeReturnValue(seen.is_met, seen.value)

    def execute(self, context: Context) -> Any:
        """Wait; gives what was waited for."""
        try:
            if not self.deferrable:
                return super().execute(context)
            with self._soft_failures():
                return self._look_then_defer(context)
        finally:
            self._close()

    def _look_then_defer(self, context: Context) -> Any:
        from airflow_provider_lp.triggers.conditions.kinds import described
        from airflow_provider_lp.triggers.waiting import LivePersonConditionTrigger

        pace = self._pace()
        seen = self._look(context)
        if seen.is_met:
            return seen.value
        if pace.is_over(time.time()):
            raise AirflowSensorTimeout(self._timed_out(seen.words))
        trigger = LivePersonConditionTrigger(
            liveperson_conn_id=self.liveperson_conn_id,
            condition=described(self.condition(context)),
            pace=asdict(pace),
            held_until_s=time.time() + seen.hold.total_seconds(),
        )
        # Without Airflow's own timeout: the trigger knows when to stop, and why nothing came.
        raise TaskDeferred(trigger=trigger, method_name="execute_complete")

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
        return f"Sensor has timed out after {self.timeout:g} seconds. {words}"

    def _pace(self) -> Pace:
        from airflow_provider_lp.triggers.pace import Pace

        return Pace(
            started_s=time.time(),
            timeout_s=self.timeout,
            poke_interval_s=self.poke_interval,
            exponential_backoff=bool(self.exponential_backoff),
            max_wait_s=None if self.max_wait is None else self.max_wait.total_seconds(),
        )

    def _look(self, context: Context) -> Seen:
        from airflow_provider_lp.triggers.conditions.condition import look

        with self.final_failures():
            condition = self.condition(context)
            client = self._connected()
            seen = look(condition, client)
            if seen.confirm_after is not None:
                client.wait(seen.confirm_after)
                seen = look(condition, client, seen)
        self._hold = seen.hold
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

    def _get_next_poke_interval(self, *arguments: Any, **options: Any) -> float:
        # Airflow's pause between two pokes, in both modes: LivePerson's wish for a longer one prevails.
        return max(super()._get_next_poke_interval(*arguments, **options), self._hold.total_seconds())

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
