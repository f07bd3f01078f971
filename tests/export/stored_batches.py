"""Batches to publish, and what goes wrong."""

from __future__ import annotations

import resource
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from airflow_provider_lp.export.spool import Batch
from airflow_provider_lp.windows import Window
from tests.samples import at

from .test_paging import rows

DAY_WINDOW = Window(at(10), at(11))
FAILURES = (KeyboardInterrupt, SystemExit, RuntimeError, GeneratorExit)
#: Of these tests alone: all S3 servers of a process share their buckets.
BUCKET = "publishing"


def batches(
    size: int = 10, error: type[BaseException] | None = None, line: bytes = b'{"a":1}\n'
) -> Generator[Batch, None, None]:
    for _ in range(size):
        yield Batch(line * 100, rows(*range(100)))
    if error:
        raise error("stop")


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
