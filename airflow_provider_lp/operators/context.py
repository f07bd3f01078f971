"""An Airflow run's context: what it knows of its time, and what its templates render to."""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.windows import RunMoments

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context


def moments_of(context: Context) -> RunMoments:
    """What the run knows of its time, on any Airflow."""
    values: Mapping[str, Any] = context
    dag_run = values.get("dag_run")
    return RunMoments(
        interval_start=values.get("data_interval_start"),
        interval_end=values.get("data_interval_end"),
        partition_date=values.get("partition_date"),
        logical_date=values.get("logical_date"),
        run_after=getattr(dag_run, "run_after", None),
    )


def from_template(value: Any) -> Any:
    """A list or dict, where a template made text of it; anything else as it is."""
    if isinstance(value, str) and value.strip().startswith(("[", "{", "(")):
        with suppress(SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            return literal_eval(value)
        with suppress(ValueError):
            return json.loads(value)
    return value
