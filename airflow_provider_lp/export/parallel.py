"""Several requests in flight at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_lp.export.progress import Progress, Standing

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient


Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    client: LivePersonClient,
    ask: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    progress: Progress | None = None,
    standing: Callable[[Collection[Result]], Standing] | None = None,
) -> list[Result]:
    """
    What ``ask`` gives for each item, in their order; the first error ends it.

    :param client: says how many requests may be in flight.
    :param progress: says how far the task is; default a new one.
    :param standing: tells that, given the results so far; default a part for each item.
    """
    progress = progress or Progress(client)
    standing = standing or (lambda done: Standing(len(items), len(done)))
    threads = ThreadPoolExecutor(client.max_concurrency, thread_name_prefix="liveperson")
    waiting = enumerate(items)
    in_flight: dict[Future[Result], int] = {}
    results: dict[int, Result] = {}
    try:
        while True:
            for number, item in islice(waiting, client.max_concurrency - len(in_flight)):
                in_flight[threads.submit(ask, item)] = number
            if not in_flight:
                return [results[number] for number in sorted(results)]
            for future in progress.wait_for(in_flight, lambda: standing(results.values())):
                results[in_flight.pop(future)] = future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
