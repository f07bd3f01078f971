"""Writing bytes as one object in a store: compressed as its path says, measured, and visible only when it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from airflow_provider_lp.export.compression import compression_of, compressor
from airflow_provider_lp.export.publishing import Publication, StoragePath, publication


@dataclass(frozen=True, slots=True)
class Published:
    """
    An object that was written.

    :param bytes: its size, compressed.
    :param sha256: its checksum, in hexadecimal.
    """

    bytes: int
    sha256: str


class _Measured:
    """Passes bytes on to a publication, measuring them, until it is stopped."""

    def __init__(self, target: Publication) -> None:
        self._target: Publication | None = target
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        if self._target is not None:
            self._target.write(data)
            self.bytes += len(data)
            self.sha256.update(data)
        return len(data)

    def stop(self) -> None:
        self._target = None


def _always() -> bool:
    return True


def publish_object(
    chunks: Generator[bytes, None, None], path: StoragePath, *, is_wanted: Callable[[], bool] = _always
) -> Published:
    """
    Publish bytes as one object.

    :param chunks: the content; an error while it comes leaves what is at the path as it was.
    :param path: where to; its suffix chooses the compression.
    :param is_wanted: asked when all of the content has come: whether to publish it; default yes.
    :raises LivePersonConfigurationError: if the path cannot be written.
    """
    with closing(chunks), publication(path) as target:
        measured = _Measured(target)
        sink = compressor(measured, compression_of(path.path))
        try:
            for chunk in chunks:
                sink.write(chunk)
        except BaseException:
            measured.stop()
            raise
        finally:
            sink.close()
        if is_wanted():
            target.commit()
    return Published(measured.bytes, measured.sha256.hexdigest())
