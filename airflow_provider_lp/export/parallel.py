"""Several requests in flight at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient


Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(client: LivePersonClient, ask: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """
    What ``ask`` gives for each item, in their order; the first error ends it.

    :param client: says how many requests may be in flight.
    """
    threads = ThreadPoolExecutor(client.max_concurrency, thread_name_prefix="liveperson")
    try:
        return list(threads.map(ask, items))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
