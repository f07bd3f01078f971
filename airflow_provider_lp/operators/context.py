"""An Airflow run's context: what it knows, what its templates render to, and what it is told of an export."""

from __future__ import annotations

import json
import logging
from ast import literal_eval
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_lp.windows import RunMoments

log = logging.getLogger(__name__)


def moments_of(context: Context) -> RunMoments:
    """What the run knows of its time, on any Airflow."""
    from airflow_provider_lp.windows import RunMoments

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


def announce(summary: Mapping[str, Any], context: Context, outlets: Sequence[Any], *, counted: str) -> None:
    """
    Log the summary of what was published, and make it the extra of the asset events that the outlets cause.

    :param counted: the member of the summary that says how much was published.
    """
    log.info("Published %d %s (%d bytes) at %s.", summary[counted], counted, summary["bytes"], summary["path"])
    log.info("Summary: %s", json.dumps(summary))
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].add(Asset(summary["path"]), extra=dict(summary))
        elif isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra = dict(summary)
