"""
Airflow's names, wherever the Airflow that is installed keeps them. The one place that knows, but for triggers.

Airflow's own compatibility layer, ``airflow.providers.common.compat.sdk``, knows all of these from 1.22 on only, which
is newer than what the constraints of any released Airflow allow; those of 2.11.0 and 3.0 allow none that has it at all.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage as OperatorLineage
    from airflow.sdk import Asset as Asset
    from airflow.sdk import AssetAlias as AssetAlias
    from airflow.sdk import BaseHook as BaseHook
    from airflow.sdk import BaseOperator as BaseOperator
    from airflow.sdk import BaseOperatorLink as BaseOperatorLink
    from airflow.sdk import BaseSensorOperator as BaseSensorOperator
    from airflow.sdk import Context as Context
    from airflow.sdk import ObjectStoragePath as ObjectStoragePath
    from airflow.sdk import PokeReturnValue as PokeReturnValue
    from airflow.sdk import RetryDecision as RetryDecision
    from airflow.sdk import RetryPolicy as RetryPolicy
    from airflow.sdk._shared.module_loading import import_string as import_string
    from airflow.sdk.configuration import conf as conf
    from airflow.sdk.exceptions import AirflowException as AirflowException
    from airflow.sdk.exceptions import AirflowFailException as AirflowFailException
    from airflow.sdk.exceptions import AirflowNotFoundException as AirflowNotFoundException
    from airflow.sdk.exceptions import AirflowSensorTimeout as AirflowSensorTimeout
    from airflow.sdk.exceptions import AirflowSkipException as AirflowSkipException
    from airflow.sdk.exceptions import AirflowTaskTerminated as AirflowTaskTerminated
    from airflow.sdk.exceptions import AirflowTaskTimeout as AirflowTaskTimeout
    from airflow.sdk.exceptions import TaskDeferred as TaskDeferred
    from airflow.sdk.execution_time.xcom import XCom as XCom
    from airflow.sdk.lineage import get_hook_lineage_collector as get_hook_lineage_collector
    from airflow.sdk.log import mask_secret as mask_secret
    from airflow.sdk.observability.stats import Stats as Stats
    from airflow.serialization.encoders import coerce_to_core_timetable as coerce_to_core_timetable

#: Where each name is: on the newest Airflow first. A name after the colon is what it is called there.
PLACES: dict[str, tuple[str, ...]] = {
    "AirflowException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowFailException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowNotFoundException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowSensorTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowSkipException": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowTaskTerminated": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "AirflowTaskTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "Asset": ("airflow.sdk", "airflow.datasets:Dataset"),
    "AssetAlias": ("airflow.sdk", "airflow.datasets:DatasetAlias"),
    "BaseHook": ("airflow.sdk", "airflow.hooks.base"),
    "BaseOperator": ("airflow.sdk", "airflow.models.baseoperator"),
    "BaseOperatorLink": ("airflow.sdk", "airflow.models.baseoperatorlink"),
    "BaseSensorOperator": ("airflow.sdk", "airflow.sensors.base"),
    "ObjectStoragePath": ("airflow.sdk", "airflow.io.path"),
    # Only OpenLineage's provider asks for what is made of it.
    "OperatorLineage": ("airflow.providers.openlineage.extractors", "types:SimpleNamespace"),
    "PokeReturnValue": ("airflow.sdk", "airflow.sensors.base"),
    # Before Airflow 3.3 there is none to inherit from.
    "RetryDecision": ("airflow.sdk", "builtins:object"),
    "RetryPolicy": ("airflow.sdk", "builtins:object"),
    "Stats": ("airflow.sdk.observability.stats", "airflow.observability.stats", "airflow.stats"),
    "TaskDeferred": ("airflow.sdk.exceptions", "airflow.exceptions"),
    "XCom": ("airflow.sdk.execution_time.xcom", "airflow.models.xcom"),
    # Before Airflow 3.2, DAGs have the timetables themselves.
    "coerce_to_core_timetable": ("airflow.serialization.encoders", "copy:copy"),
    "conf": ("airflow.sdk.configuration", "airflow.configuration"),
    "get_hook_lineage_collector": ("airflow.sdk.lineage", "airflow.lineage.hook"),
    "import_string": ("airflow.sdk.module_loading", "airflow.utils.module_loading"),
    "mask_secret": (
        "airflow.sdk.log",
        "airflow.sdk.execution_time.secrets_masker",
        "airflow.utils.log.secrets_masker",
    ),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A name of Airflow's, loaded when it is first asked for."""
        for place in PLACES.get(name, ()):
            module, _, other = place.partition(":")
            with suppress(AttributeError):
                try:
                    globals()[name] = getattr(import_module(module), other or name)
                    return globals()[name]
                except ModuleNotFoundError as error:
                    # Another one is missing to a module that is there: that must not be taken for an older Airflow.
                    if not f"{module}.".startswith(f"{error.name}."):
                        raise
                except ImportError:
                    pass
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
