"""The label of an object: for which window it was exported, where its store keeps such a thing beside the object."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import NamedTuple

from airflow_provider_lp.export.stored import reading
from airflow_provider_lp.export.stores import FILE_LABEL, LOCAL_PROTOCOLS, StoragePath, label_name, protocol_of
from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

#: Statuses by which a store says that the worker may not see whether an object is there.
MAY_NOT_LOOK = (401, 403)


class Earlier(NamedTuple):
    """
    An object that an earlier run has published.

    :param window: for which window; ``None`` if it does not say.
    """

    window: Window | None


def label_of(window: Window) -> str:
    """The label of what is exported for a window."""
    return f"{window.start.isoformat()}/{window.end.isoformat()}"


def earlier_at(path: StoragePath) -> Earlier | None:
    """
    What is published at a path; ``None`` if nothing is, or if the worker may write there and not look.

    :raises OSError: if the store does not say.
    """
    try:
        with reading(path):
            try:
                return Earlier(_window_of(_label_at(path)))
            except Exception as error:
                if not _may_not_look(error):
                    raise
                log.info("Whether there is an earlier object at %s cannot be seen: the worker may not read it.", path)
                return None
    except FileNotFoundError:
        return None


def _label_at(path: StoragePath) -> str | None:
    """
    The label of an object; ``None`` if it has none.

    :raises FileNotFoundError: if there is no object.
    """
    if protocol_of(path) in LOCAL_PROTOCOLS:
        return _label_of_file(path.path)
    # What a listing showed earlier may have gone.
    path.fs.invalidate_cache()
    try:
        label: str | None = path.fs.getxattr(path.path, label_name(path))
    except (AttributeError, KeyError, NotImplementedError, TypeError):
        # The object, or its store, knows no labels.
        if not path.fs.exists(path.path):
            raise FileNotFoundError(path.path) from None
        return None
    return label


def _label_of_file(path: str) -> str | None:
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    try:
        return os.getxattr(path, FILE_LABEL).decode()
    except (AttributeError, OSError, UnicodeDecodeError):
        return None


def _window_of(label: str | None) -> Window | None:
    try:
        start, end = map(datetime.fromisoformat, (label or "").split("/"))
        return Window.between(start, end)
    except ValueError:
        return None


def _may_not_look(error: Exception) -> bool:
    statuses = {str(getattr(error, name, "")) for name in ("code", "status_code")}
    return isinstance(error, PermissionError) or not statuses.isdisjoint(map(str, MAY_NOT_LOOK))
