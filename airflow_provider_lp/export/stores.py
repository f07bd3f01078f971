"""The stores an object can be published in: each makes it invisible at first, and visible in one step."""

from __future__ import annotations

import errno
import logging
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError

log = logging.getLogger(__name__)

LOCAL_PROTOCOLS = ("", "file", "local")
#: Stores whose open files can be given up: nothing appears before ``commit()``.
UPLOADING_PROTOCOLS = ("s3", "s3a", "s3n")
#: S3 takes up to 10,000 such parts: 78 GiB.
UPLOAD_PART_BYTES = 8 << 20
SYNC_BYTES = 16 << 20
#: What S3, and Google's storage as well, take for a name.
LONGEST_KEY_BYTES = 1024
#: What no other try will change.
NEVER_WRITABLE = (errno.ENAMETOOLONG, errno.EROFS, errno.ELOOP, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
NOT_WRITABLE = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)

NO_ROOM = "Make room there, or choose another place."
REMEDIES = {
    errno.ENOSPC: NO_ROOM,
    errno.EDQUOT: NO_ROOM,
    errno.EFBIG: NO_ROOM,
    errno.ENOENT: "Its folder has gone meanwhile: see what removes it, and let Airflow retry the task.",
}


#: What objects say they are, by how their paths end. What is compressed is said to be an archive, and not encoded: some
#: readers would decompress it by themselves.
CONTENT_TYPES = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".zst": "application/zstd",
}


def content_type_of(path: str) -> str | None:
    """What the object at a path says it is; ``None`` to leave that to the store."""
    return CONTENT_TYPES.get(os.path.splitext(path.lower())[1])


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

    :raises OSError: the same one, with the place, what it means for the export and what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        remedy = REMEDIES.get(error.errno, "Let Airflow retry the task.")
        raise OSError(
            error.errno, f"{os.strerror(error.errno)} while writing to {place}. Nothing was published. {remedy}"
        ) from error


@contextmanager
def storing_at(path: str, outcome: str = "Nothing was published.") -> Iterator[None]:
    """
    Make any error of a store name the path.

    :param outcome: what it means for the export, unless the store itself has refused the request.
    :raises OSError: with the path, what the error means for the export and what to do.
    """
    try:
        yield
    except Exception as error:
        if hasattr(error, "response") or hasattr(error.__cause__, "response"):
            outcome = "Nothing was published."
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"The store failed while writing to {path}: {error or type(error).__name__}. {outcome} Let Airflow retry "
            "the task. If credentials of the store have expired, use some that last as long as the export.",
        ) from error


class LocalPublication:
    """
    A file that is put in place by renaming, with the mode of the file that it replaces.

    Until then it has no name, where the file system knows nameless files, so that not even a killed process leaves
    anything behind.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        folder = os.path.dirname(self._path)
        os.makedirs(folder, exist_ok=True)
        replaced = _regular_file(self._path)
        self._unfinished = os.path.join(folder, f".liveperson-{uuid.uuid4().hex}")
        self._unsynced = 0
        nameless = _open_nameless(folder, self._unfinished)
        self._has_name = nameless is None
        self._file = os.fdopen(_open_named(self._unfinished) if nameless is None else nameless, "wb")
        if replaced:
            with suppress(OSError):
                os.fchown(self._file.fileno(), replaced.st_uid, replaced.st_gid)
            with suppress(OSError):
                os.fchmod(self._file.fileno(), stat.S_IMODE(replaced.st_mode))

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
                _name(self._file.fileno(), self._unfinished)
                self._has_name = True
            os.replace(self._unfinished, self._path)
        self._has_name = False
        self._file.close()

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()
        if self._has_name:
            with suppress(FileNotFoundError):
                os.unlink(self._unfinished)


def _regular_file(path: str) -> os.stat_result | None:
    """
    The file at a path, if there is one.

    :raises OSError: if something else is there, or nothing can be.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        kind = "a fifo" if stat.S_ISFIFO(found.st_mode) else "a socket" if stat.S_ISSOCK(found.st_mode) else "a device"
        raise FileExistsError(errno.EEXIST, f"there is {kind}, which is not a file to replace", path)
    return found


def _open_nameless(folder: str, unfinished: str) -> int | None:
    """A new file without a name, if such a one can be given a name later."""
    try:
        probe = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
        try:
            _name(probe, unfinished)
            os.unlink(unfinished)
        finally:
            os.close(probe)
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None


def _name(descriptor: int, path: str) -> None:
    # Only with a directory descriptor, which an absolute path has no use for, does Python follow the link.
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)


def _open_named(unfinished: str) -> int:
    """
    A new file, where files can be renamed.

    :raises OSError: where they cannot, as on many mounted buckets.
    """
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    renamed = f"{unfinished}-renamed"
    try:
        os.replace(unfinished, renamed)
        os.replace(renamed, unfinished)
    except OSError as error:
        os.close(descriptor)
        for left in (unfinished, renamed):
            with suppress(OSError):
                os.unlink(left)
        raise OSError(
            errno.ENOTSUP,
            f"its file system cannot rename files ({error.strerror}), by which an export becomes visible all at once. "
            "If it is a mounted bucket, write to the bucket by its URL, such as s3://bucket/folder/file.ndjson.gz; "
            "otherwise to another folder",
        ) from error
    return descriptor


class UploadPublication:
    """
    An object that is uploaded in parts while it is made; the store shows it when the upload is completed.

    All parts but the last have the same size, as some stores that speak S3 want it.
    """

    def __init__(self, path: StoragePath) -> None:
        self._url = str(path)
        if len(path.path.partition("/")[2].encode()) > LONGEST_KEY_BYTES:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path.path)
        content_type = {} if (name := content_type_of(path.path)) is None else {"ContentType": name}
        self._file = path.fs.open(path.path, "wb", autocommit=False, block_size=UPLOAD_PART_BYTES, **content_type)
        self._room = UPLOAD_PART_BYTES
        self._is_committed = False
        # fsspec would begin the upload with the first full part. Begun now, a missing bucket or permission shows
        # before anything is downloaded.
        self._file.offset = 0
        self._file._initiate_upload()

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        with storing_at(self._url):
            while rest:
                # A part is sent as soon as it is full; never more than it lacks is added, so that none is larger.
                some = rest[: self._room]
                self._file.write(some)
                self._room = self._room - len(some) or UPLOAD_PART_BYTES
                rest = rest[len(some) :]

    def commit(self) -> None:
        with storing_at(self._url):
            self._file.close()
        with storing_at(self._url, "Whether it was published is not known; the next run replaces it."):
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
        self._url = str(path)
        self._file = tempfile.NamedTemporaryFile(prefix="liveperson-")  # noqa: SIM115 - closed by discard

    def write(self, data: bytes) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.write(data)

    def commit(self) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.flush()
        with storing_at(self._url, "Whether it was published is not known; the next run replaces it."):
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
    except OSError as error:
        if not isinstance(error, NOT_WRITABLE) and error.errno not in NEVER_WRITABLE:
            raise
        reason = error.strerror or error
        is_said = error.errno is not None and error.strerror != os.strerror(error.errno)
        if isinstance(error, FileExistsError | NotADirectoryError) and error.filename and not is_said:
            reason = f"{error.filename} is a file, and no folder"
        raise LivePersonConfigurationError(
            f"path={str(path)!r} cannot be written: {reason}. Check the path, and what the worker (or "
            "storage_conn_id) may write."
        ) from error
    except LivePersonError:
        raise
    except Exception:
        # Not every store's errors are those of files.
        with storing_at(str(path)):
            raise
    try:
        yield opened
    finally:
        opened.discard()
