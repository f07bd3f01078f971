"""Which place an operating system's complaint is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def writing_to(place: str) -> Iterator[None]:
    """
    Make an error of the file system, such as a full disk, name the place.

    :raises OSError: the same one, with the place and what it means for the export.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(
            error.errno, f"{os.strerror(error.errno)} while writing to {place}. Nothing was published"
        ) from error
