"""The three ways in which Airflow lets a sensor wait, without the rest of Airflow."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import airflow
import pytest

from airflow_provider_lp.compat import TaskDeferred
from airflow_provider_lp.sensors.base import LivePersonSensor
from tests.fake_clock import FakeClock

from .virtual_time import run, virtual_time

MODES = ("poke", "reschedule", "deferrable")


def options_of(mode: str) -> dict[str, Any]:
    """The arguments by which a sensor waits in this mode."""
    return {"deferrable": True} if mode == "deferrable" else {"mode": mode, "deferrable": False}


def wait(sensor: LivePersonSensor, clock: FakeClock, context: Any = None) -> Any:
    """
    Run a sensor to its end, whatever its mode; gives what it returns.

    It waits on ``clock``, where only pauses take time: how long anything else takes changes nothing.
    """
    known = dict(context or {})
    with virtual_time(clock):
        if sensor.reschedule and not sensor.deferrable:
            return _rescheduled(sensor, clock, known)
        try:
            return sensor.execute(known)
        except TaskDeferred as deferred:
            return _deferred(sensor, clock, known, deferred)


def _rescheduled(sensor: LivePersonSensor, clock: FakeClock, context: dict[str, Any]) -> Any:
    first = datetime.fromtimestamp(clock.now(), UTC)
    context["ti"] = SimpleNamespace(
        get_first_reschedule_date=lambda _: first,
        **dict.fromkeys(("dag_id", "task_id", "run_id", "map_index"), "x"),
        max_tries=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        if airflow.__version__.startswith("2."):
            # Airflow 2 asks its database instead of the task instance.
            patch.setattr("airflow.sensors.base._orig_start_date", lambda **_: first)
        while True:
            try:
                return sensor.execute(context)
            except Exception as again:
                if type(again).__name__ != "AirflowRescheduleException":
                    raise
                clock.sleep(max(0.0, again.reschedule_date.timestamp() - clock.now()))


def _deferred(sensor: LivePersonSensor, clock: FakeClock, context: dict[str, Any], deferred: TaskDeferred) -> Any:
    # Airflow's own, for when no triggerer runs; it must not forestall the trigger's.
    assert deferred.timeout is not None
    assert deferred.timeout.total_seconds() == sensor.timeout + 1800
    event = as_stored(run(clock, event_of(moved(deferred.trigger))))
    return sensor.resume_execution(deferred.method_name, {"event": event}, context)


def moved(trigger: Any) -> Any:
    """The trigger as another process makes it from its serialised form."""
    path, fields = trigger.serialize()
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)(**json.loads(json.dumps(fields)))


async def event_of(trigger: Any) -> Any:
    """Run a trigger until it fires; gives the event's payload."""
    return (await anext(trigger.run())).payload


def as_stored(payload: Any) -> Any:
    """An event's payload as the task gets it."""
    return json.loads(json.dumps(payload))
