"""Files of the local disk: made without a name, put in place in one step."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

SYNC_BYTES = 16 << 20
NO_ROOM = "Make room there, or choose another place."
REMEDIES = {
    errno.ENOSPC: NO_ROOM,
    errno.EDQUOT: NO_ROOM,
    errno.EFBIG: NO_ROOM,
    errno.ENOENT: "Its folder has gone meanwhile: see what removes it, and let Airflow retry the task.",
}


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


class LocalPublication:
    """
    A file that is put in place by renaming, with the mode of the file that it replaces.

    Until then it has no name, where the file system knows nameless files, so that not even a killed process leaves
    anything behind.

    :param path: where.
    :param attributes: kept beside it by the file system, if it knows such.
    """

    def __init__(self, path: str, attributes: Mapping[str, str] | None = None) -> None:
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
        for name, value in (attributes or {}).items():
            with suppress(AttributeError, OSError):
                os.setxattr(self._file.fileno(), name, value.encode())

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
