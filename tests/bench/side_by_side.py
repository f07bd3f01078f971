"""Exports side by side, each a process of its own as Airflow's tasks are, at a server with a limit and without."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from .exporter import export
from .server import Load, serving

CONVERSATIONS = 30_000
ROWS_PER_PAGE = 100
#: Tasks, how many requests each may have in flight, how many the server serves at a time, and on how many machines.
ROWS = ((1, 4, 5, 1), (1, 8, 5, 1), (1, 8, 2, 1), (4, 4, 5, 1), (8, 4, 5, 1), (4, 4, 5, 4), (8, 4, 5, 8))
#: Until those that started together have been throttled once and have come back.
START_UP_S = 2.0
#: Slow enough for two cores to keep up with sixteen requests in flight.
BOUND_BY_LATENCY_S = 0.3


def _task(
    url: str, path: Path, threads: int, part: int, parts: int, machine: str, begins: Barrier, ends: Connection
) -> None:
    # What tasks of one machine share is in its temporary folder.
    tempfile.tempdir = machine
    logging.getLogger("airflow_provider_lp").setLevel(logging.ERROR)
    begins.wait()
    export(url, str(path), threads, part, parts)
    # Of all processes of this machine, it is the same clock.
    ends.send(time.monotonic())


def took_s(url: str, folder: Path, tasks: int, threads: int, machines: int = 1) -> float:
    """How long tasks take together to export the server's day, from when their processes have started."""
    own = [tempfile.mkdtemp(dir=folder) for _ in range(machines)]
    context = multiprocessing.get_context("spawn")
    begins = context.Barrier(tasks + 1)
    ends, end = context.Pipe(duplex=False)
    processes = [
        context.Process(
            target=_task,
            args=(url, folder / f"{part}.ndjson", threads, part, tasks, own[part % machines], begins, end),
        )
        for part in range(tasks)
    ]
    for process in processes:
        process.start()
    begins.wait()
    begun_s = time.monotonic()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("an export has failed")
    return max(ends.recv() for _ in processes) - begun_s


def beside_a_limit(folder: Path, latency_s: float) -> Iterator[tuple[str, str, str]]:
    """The rows of a table: what was measured, its ratio to the shortest time there is, and more about it."""
    for tasks, threads, limit, machines in ROWS:
        with serving(Load(CONVERSATIONS, latency_s, at_a_time=limit)) as server:
            seconds = took_s(server.url, folder, tasks, threads, machines)
            refused = server.refused() / (server.refused() + len(server.requests()))
        shortest_s = CONVERSATIONS / ROWS_PER_PAGE * latency_s / min(limit, tasks * threads)
        start_up_aside = f"{(seconds - START_UP_S) / shortest_s:.2f} without the first {START_UP_S:g} s"
        told = f"{seconds:.1f} s, {start_up_aside}; {refused:.1%} of the answers 429"
        apart = "" if machines == 1 else ", a machine each"
        yield f"{tasks} of {threads} in flight, limit {limit}{apart}", f"{seconds / shortest_s:.2f}", told


def four_to_one(folder: Path) -> float:
    """How long four tasks take compared with one, by a server that only waits."""
    with serving(Load(CONVERSATIONS, BOUND_BY_LATENCY_S)) as server:
        one_s, four_s = (took_s(server.url, folder, tasks, threads=4) for tasks in (1, 4))
    return four_s / one_s
