"""The stores an object can be published in: each makes it invisible at first, and visible in one step."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.export.local_files import LocalPublication, writing_to

log = logging.getLogger(__name__)

LOCAL_PROTOCOLS = ("", "file", "local")
#: Stores whose open files can be given up: nothing appears before ``commit()``.
UPLOADING_PROTOCOLS = ("s3", "s3a", "s3n")
GOOGLE_PROTOCOLS = ("gs", "gcs")
AZURE_PROTOCOLS = ("abfs", "abfss", "adl", "az")
#: S3 takes up to 10,000 such parts: 78 GiB.
UPLOAD_PART_BYTES = 8 << 20
#: How an object's label is called: as a file's attribute; and in a store, where Azure wants the name of an identifier.
FILE_LABEL = "user.liveperson-window"
LABEL, AZURE_LABEL = "liveperson-window", "liveperson_window"
#: What S3, and Google's storage as well, take for a name.
LONGEST_KEY_BYTES = 1024
#: What no other try will change.
NEVER_WRITABLE = (errno.ENAMETOOLONG, errno.EROFS, errno.ELOOP, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
#: How Google's and Azure's libraries call credentials that are wrong, and not only short of a permission.
REFUSED_CREDENTIALS = (
    "ClientAuthenticationError",
    "CredentialUnavailableError",
    "DefaultCredentialsError",
    "RefreshError",
)
NOT_WRITABLE = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)

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
def storing_at(path: str, outcome: str = "Nothing was published.") -> Iterator[None]:
    """
    Make any error of a store name the path.

    :param outcome: what it means for the export, unless the store itself has refused the request.
    :raises OSError: with the path, what the error means for the export and what to do.
    """
    try:
        yield
    except Exception as error:
        was_refused = isinstance(error, FileNotFoundError | PermissionError)
        if was_refused or hasattr(error, "response") or hasattr(error.__cause__, "response"):
            outcome = "Nothing was published."
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"The store failed while writing to {path}: {_first_line(error)}. {outcome} Let Airflow retry the task. "
            "If credentials of the store have expired, use some that last as long as the export.",
        ) from error


def _first_line(error: Exception) -> str:
    """What an error says. Azure adds its whole answer."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def reaching(path: StoragePath) -> Iterator[None]:
    """
    Make a missing bucket, and credentials that are refused, name the bucket and the connection.

    :raises OSError: of the kind that says that the path cannot be written.
    """
    bucket = _bucket_of(path)
    try:
        yield
    except FileNotFoundError as error:
        said = f"there is no bucket or container {bucket!r}. Create it, or correct the path"
        raise FileNotFoundError(errno.ENOENT, said) from error
    except Exception as error:
        if not isinstance(error, PermissionError) and not _are_refused(error):
            raise
        connection = getattr(path, "conn_id", None)
        whose = "the worker's own credentials" if connection is None else f"those of Airflow connection {connection!r}"
        said = f"bucket or container {bucket!r} does not take the credentials, {whose}: {_first_line(error)}"
        raise PermissionError(errno.EACCES, said) from error


def _bucket_of(path: StoragePath) -> str:
    return path.path.lstrip("/").partition("/")[0]


def _are_refused(error: Exception) -> bool:
    """Whether credentials are wrong altogether."""
    statuses = (getattr(error, "code", None), getattr(error, "status_code", None))
    return type(error).__name__ in REFUSED_CREDENTIALS or 401 in statuses or "401" in statuses


class UploadPublication:
    """
    An object that is uploaded in parts while it is made; the store shows it when the upload is completed.

    All parts but the last have the same size, as some stores that speak S3 want it.
    """

    def __init__(self, path: StoragePath, label: str | None) -> None:
        self._url = str(path)
        if len(path.path.partition("/")[2].encode()) > LONGEST_KEY_BYTES:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path.path)
        options: dict[str, Any] = {} if (name := content_type_of(path.path)) is None else {"ContentType": name}
        if label is not None:
            options["Metadata"] = {LABEL: label}
        self._file = path.fs.open(path.path, "wb", autocommit=False, block_size=UPLOAD_PART_BYTES, **options)
        self._room = UPLOAD_PART_BYTES
        self._is_committed = False
        # fsspec would begin the upload with the first full part. Begun now, a missing bucket or permission shows
        # before anything is downloaded.
        self._file.offset = 0
        with reaching(path):
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
    """
    An object that is made in a local temporary file and then put into the store in one call.

    Google's store and Azure's show an object when they have all of it, also when the call sends it in parts.
    """

    def __init__(self, path: StoragePath, label: str | None) -> None:
        self._fs = path.fs
        self._path = path.path
        self._url = str(path)
        self._label = None
        protocol = protocol_of(path)
        if protocol in GOOGLE_PROTOCOLS + AZURE_PROTOCOLS:
            _look_for_bucket(path)
        self._options = _content_options(protocol, content_type_of(path.path))
        if protocol in GOOGLE_PROTOCOLS and label is not None:
            self._options["metadata"] = {LABEL: label}
        elif protocol in AZURE_PROTOCOLS:
            self._label = label
        self._file = tempfile.NamedTemporaryFile(prefix="liveperson-")  # noqa: SIM115 - closed by discard

    def write(self, data: bytes) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.write(data)

    def commit(self) -> None:
        with writing_to(f"{tempfile.gettempdir()} (TMPDIR), where the object is made"):
            self._file.flush()
        with storing_at(self._url, "Whether it was published is not known; the next run replaces it."):
            self._fs.put_file(self._file.name, self._path, **self._options)
        if self._label is not None:
            self._add_label(self._label)

    def _add_label(self, label: str) -> None:
        """Azure's library has no place for it before."""
        try:
            self._fs.setxattrs(self._path, is_directory="false", **{AZURE_LABEL: label})
        except Exception as error:  # noqa: BLE001 - any store's errors; the object is published
            log.info("The object is published, but could not be labelled with its window: %s", _first_line(error))

    def discard(self) -> None:
        self._file.close()


def _look_for_bucket(path: StoragePath) -> None:
    """
    Find out before anything is downloaded whether the bucket is there and the credentials are right.

    Whoever may only write objects may not ask for their bucket: that is no proof of anything.

    :raises OSError: if they are not.
    """
    with reaching(path):
        try:
            path.fs.info(_bucket_of(path))
        except FileNotFoundError:
            raise
        except Exception as error:
            if _are_refused(error):
                raise
            log.debug("Whether the bucket is there shows only at the end: %s", error)


def _content_options(protocol: str, content_type: str | None) -> dict[str, Any]:
    """How a store is told what an object is."""
    if content_type is None:
        return {}
    if protocol in GOOGLE_PROTOCOLS:
        return {"content_type": content_type}
    if protocol in AZURE_PROTOCOLS:
        from azure.storage.blob import ContentSettings

        return {"content_settings": ContentSettings(content_type=content_type)}
    return {}


def protocol_of(path: StoragePath) -> str:
    protocol: str = path.protocol if isinstance(path.protocol, str) else path.protocol[0]
    return protocol


def label_name(path: StoragePath) -> str:
    """How the store of a path calls an object's label."""
    return AZURE_LABEL if protocol_of(path) in AZURE_PROTOCOLS else LABEL


def _open(path: StoragePath, label: str | None) -> Publication:
    protocol = protocol_of(path)
    if protocol in LOCAL_PROTOCOLS:
        return LocalPublication(path.path, {} if label is None else {FILE_LABEL: label})
    if protocol in UPLOADING_PROTOCOLS:
        return UploadPublication(path, label)
    return StagedPublication(path, label)


@contextmanager
def publication(path: StoragePath, label: str | None = None) -> Iterator[Publication]:
    """
    An object to write; unless committed inside the block, it leaves no trace.

    :param path: where.
    :param label: kept beside it, where the store can: see :mod:`airflow_provider_lp.export.labels`. Default none.
    :raises LivePersonConfigurationError: at once, if the path cannot be written.
    """
    try:
        opened = _open(path, label)
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
