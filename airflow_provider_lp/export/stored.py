"""What is stored at a path: its size, its checksum, its content."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_lp.client.errors import LivePersonError
from airflow_provider_lp.export.stores import StoragePath

CHUNK_BYTES = 1 << 20


@contextmanager
def reading(path: StoragePath | str, conn_id: str = "storage_conn_id") -> Iterator[None]:
    """
    Make any error of a store name the path, but for that of an object that is not there.

    :param path: what is read, or its URL.
    :param conn_id: the argument that names the connection of its storage.
    :raises OSError: with the path, and what to do.
    """
    try:
        yield
    except (FileNotFoundError, LivePersonError, MemoryError):
        raise
    except Exception as error:
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"The store failed while reading {path}: {error or type(error).__name__}. Check what {conn_id}, or "
            "the worker, may read; otherwise let Airflow retry the task.",
        ) from error


def size_of(path: StoragePath) -> int | None:
    """How many bytes the object has; ``None`` if there is none."""
    with reading(path):
        # What a listing showed earlier may have gone.
        path.fs.invalidate_cache(path.path)
        try:
            found = path.fs.info(path.path)
        except FileNotFoundError:
            return None
    return int(found["size"]) if found.get("type") == "file" else None


def sha256_of(path: StoragePath) -> str:
    """
    The checksum of the object as it is stored, in hexadecimal.

    :raises FileNotFoundError: if there is none.
    """
    checksum = hashlib.sha256()
    with reading(path), path.fs.open(path.path, "rb") as stored:
        while chunk := stored.read(CHUNK_BYTES):
            checksum.update(chunk)
    return checksum.hexdigest()


def content_of(path: StoragePath) -> bytes:
    """
    All that is stored.

    :raises FileNotFoundError: if there is nothing.
    """
    with reading(path):
        path.fs.invalidate_cache(path.path)
        content: bytes = path.fs.cat_file(path.path)
        return content
