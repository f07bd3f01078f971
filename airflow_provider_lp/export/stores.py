"""The stores an object can be published in: each makes it invisible at first, and visible in one step."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from airflow_provider_lp.client.errors import LivePersonConfigurationError

log = logging.getLogger(__name__)

LOCAL_PROTOCOLS = ("", "file", "local")
#: Stores whose open files can be given up: nothing appears before ``commit()``.
UPLOADING_PROTOCOLS = ("s3", "s3a", "s3n")
#: S3 takes up to 10,000 such parts: 78 GiB.
UPLOAD_PART_BYTES = 8 << 20
SYNC_BYTES = 16 << 20
NOT_WRITABLE = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)


class StoragePath(Protocol):
    """A path in a store, as ``universal_pathlib`` and Airflow's ``ObjectStoragePath`` have it."""

    @property
    def fs(self) -> Any:
        """The fsspec file system."""

    @property
    def path(self) -> str:
        """The path within it."""

    @property
    def protocol(self) -> Any:
        """The URL scheme."""


class Publication(Protocol):
    """An object that comes into being by :meth:`commit`, or not at all."""

    def write(self, data: bytes) -> Any:
        """Add to the object."""

    def commit(self) -> None:
        """Make it visible, in place of what was there."""

    def discard(self) -> None:
        """Leave everything as it was; nothing is left to discard after :meth:`commit`."""


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


class LocalPublication:
    """
    A file that is put in place by renaming.

    Until then it has no name, where the file system knows nameless files, so that not even a killed process leaves
    anything behind.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        folder = os.path.dirname(self._path)
        os.makedirs(folder, exist_ok=True)
        if os.path.isdir(self._path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self._path)
        self._unfinished = os.path.join(folder, f".liveperson-{uuid.uuid4().hex}")
        self._has_name = False
        self._unsynced = 0
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
        except (AttributeError, OSError):
            descriptor = os.open(self._unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            self._has_name = True
        self._file = os.fdopen(descriptor, "wb")

    def write(self, data: bytes) -> None:
        with writing_to(self._path):
            self._file.write(data)
        self._unsynced += len(data)
        if self._unsynced >= SYNC_BYTES and hasattr(os, "posix_fadvise"):
            # Makes the kernel begin to write to the disk, so that commit() does not wait for all of it.
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self._unsynced = 0

    def commit(self) -> None:
        with writing_to(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
        if not self._has_name:
            descriptor = self._file.fileno()
            # Only with a directory descriptor, which an absolute path has no use for, does Python follow the link.
            os.link(f"/proc/self/fd/{descriptor}", self._unfinished, src_dir_fd=descriptor, follow_symlinks=True)
            self._has_name = True
        os.replace(self._unfinished, self._path)
        self._has_name = False
        self._file.close()

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()
        if self._has_name:
            os.unlink(self._unfinished)


class UploadPublication:
    """An object that is uploaded in parts while it is made; the store shows it when the upload is completed."""

    def __init__(self, path: StoragePath) -> None:
        self._file = path.fs.open(path.path, "wb", autocommit=False, block_size=UPLOAD_PART_BYTES)
        self._is_committed = False
        # fsspec would begin the upload with the first full part. Begun now, a missing bucket or permission shows
        # before anything is downloaded.
        self._file.offset = 0
        self._file._initiate_upload()

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def commit(self) -> None:
        self._file.close()
        self._file.commit()
        self._is_committed = True

    def discard(self) -> None:
        if self._is_committed:
            return
        try:
            self._file.discard()
        except Exception as error:  # noqa: BLE001 - any store's errors; the one that led here matters more
            log.warning("Could not give up the unfinished upload, which stays invisible but takes space: %s", error)
        # Otherwise the file would begin another upload when it is collected as garbage.
        self._file.closed = True


class StagedPublication:
    """An object that is made in a local temporary file and then put into the store in one call."""

    def __init__(self, path: StoragePath) -> None:
        self._fs = path.fs
        self._path = path.path
        self._file = tempfile.NamedTemporaryFile(prefix="liveperson-")  # noqa: SIM115 - closed by discard

    def write(self, data: bytes) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.write(data)

    def commit(self) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.flush()
        self._fs.put_file(self._file.name, self._path)

    def discard(self) -> None:
        self._file.close()


def _open(path: StoragePath) -> Publication:
    protocol = path.protocol if isinstance(path.protocol, str) else path.protocol[0]
    if protocol in LOCAL_PROTOCOLS:
        return LocalPublication(path.path)
    if protocol in UPLOADING_PROTOCOLS:
        return UploadPublication(path)
    return StagedPublication(path)


@contextmanager
def publication(path: StoragePath) -> Iterator[Publication]:
    """
    An object to write; unless committed inside the block, it leaves no trace.

    :param path: where.
    :raises LivePersonConfigurationError: at once, if the path cannot be written.
    """
    try:
        opened = _open(path)
    except NOT_WRITABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise LivePersonConfigurationError(
            f"path={str(path)!r} cannot be written: {reason}. Check the path, and what the worker (or "
            "storage_conn_id) may write."
        ) from error
    try:
        yield opened
    finally:
        opened.discard()
