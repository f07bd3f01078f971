"""The library pyarrow, and its types for the kinds of columns."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.tables.schema.column import Kind


@cache
def arrow() -> ModuleType:
    """
    The library pyarrow, loaded when a task runs: it costs more to import than all of this package.

    :raises LivePersonConfigurationError: if it is not installed.
    """
    # Its own allocator keeps some tens of megabytes for later. It looks here once, when it is loaded.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        module = import_module("pyarrow")
        import_module("pyarrow.compute")
        import_module("pyarrow.parquet")
    except ImportError as error:
        raise LivePersonConfigurationError(
            f"Tables are written by pyarrow, which cannot be imported ({error}): pip install "
            "'airflow-provider-lp[parquet]'."
        ) from error
    return module


@cache
def arrow_type(kind: Kind) -> Any:
    """The ``pyarrow.DataType`` of a kind of columns."""
    pa = arrow()
    match kind:
        case Kind.INT:
            return pa.int64()
        case Kind.DOUBLE:
            return pa.float64()
        case Kind.BOOL:
            return pa.bool_()
        case Kind.TIME:
            return pa.timestamp("ms", tz="UTC")
        case Kind.TEXTS:
            return pa.list_(pa.string())
    return pa.string()
