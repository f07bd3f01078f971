"""What the assets of a watcher remember: Airflow's state stores of them, from Airflow 3.3 on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async

log = logging.getLogger(__name__)


class AssetState:
    """
    The state stores of all assets that have the same watcher, as one: Airflow runs equal triggers once for all of them.

    What one remembers, all do, so that neither an asset that is added nor one that goes makes the watcher begin anew.

    :param accessors: what Airflow gives the trigger: the task SDK's ``AssetStateStoreAccessors``.
    """

    def __init__(self, accessors: Any) -> None:
        # The accessors give a store only to those who know its asset, which a trigger does not. The two private members
        # that hold all stores were seen in the task SDK 1.3.0, 1.3.1 and 1.3.2 (Airflow 3.3.0, 3.3.1 and 3.3.2).
        by_name, by_uri = getattr(accessors, "_by_name", None), getattr(accessors, "_by_uri", None)
        self._is_known = isinstance(by_name, Mapping) and isinstance(by_uri, Mapping)
        if isinstance(by_name, Mapping) and isinstance(by_uri, Mapping):
            self._stores = [*by_name.values(), *by_uri.values()]
        else:
            log.warning(
                "This Airflow keeps the state of assets in another way than Airflow 3.3.0 to 3.3.2: a watcher of more "
                "than one asset remembers nothing beyond this triggerer. Look for a newer version of this provider."
            )
            self._stores = [accessors]

    async def get(self, key: str) -> Any:
        """The state that was saved last, if any: an asset whose DAG was paused meanwhile is behind."""
        try:
            states = [state for store in self._stores if (state := await _get(store, key)) is not None]
        except ValueError as error:
            if self._is_known:
                raise
            # What the accessors answer of themselves if they have more than one asset.
            log.warning("The watcher remembers nothing beyond this triggerer: %s", error)
            self._stores = []
            return None
        return max(states, key=lambda state: state.get("polled_ms", 0), default=None)

    async def set(self, key: str, value: Any) -> None:
        """Let each asset remember it."""
        for store in self._stores:
            await _set(store, key, value)


async def _get(store: Any, key: str) -> Any:
    # The task SDK has the asynchronous methods from 1.3.2 on. The others must not be called in the triggerer's loop.
    if hasattr(store, "aget"):
        return await store.aget(key)
    return await sync_to_async(store.get, thread_sensitive=False)(key)


async def _set(store: Any, key: str, value: Any) -> None:
    if hasattr(store, "aset"):
        await store.aset(key, value)
    else:
        await sync_to_async(store.set, thread_sensitive=False)(key, value)
