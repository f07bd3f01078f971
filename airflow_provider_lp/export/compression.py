"""Compression, chosen by the path's suffix; the same bytes for the same input every time."""

from __future__ import annotations

import sys
from typing import Any, Protocol, cast

from airflow_provider_lp.client.errors import LivePersonConfigurationError

BY_SUFFIX = {".gz": "gzip", ".zst": "zstd"}
OTHER_SUFFIXES = (".br", ".bz2", ".gzip", ".lz4", ".parquet", ".snappy", ".xz", ".zip", ".zstd")
GZIP_LEVEL = 1
ZSTD_LEVEL = 1


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> Any:
        """Take in all of ``data``."""


class ClosingSink(Sink, Protocol):
    """A sink that has something to finish."""

    def close(self) -> None:
        """Write what is still held back; does not close what it writes to."""


class _Plain:
    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def close(self) -> None:
        """Nothing is held back."""


def compression_of(path: str) -> str | None:
    """
    ``"gzip"``, ``"zstd"`` or ``None``, by how the path ends.

    :raises LivePersonConfigurationError: if the path promises another one.
    """
    for suffix, name in BY_SUFFIX.items():
        if path.lower().endswith(suffix):
            return name
    if path.lower().endswith(OTHER_SUFFIXES):
        raise LivePersonConfigurationError(
            f"path={path!r} ends in a format that is not written. Known: {', '.join(BY_SUFFIX)}, or none of them for "
            "plain text."
        )
    return None


def compressor(sink: Sink, compression: str | None) -> ClosingSink:
    """
    What compresses into ``sink``.

    :raises LivePersonConfigurationError: if the library for it is not installed.
    """
    if compression == "gzip":
        try:
            from isal.igzip import IGzipFile
        except ImportError as error:
            raise LivePersonConfigurationError(
                "path ends in .gz, but isal cannot be imported: pip install isal, or end the path in .ndjson or .zst."
            ) from error

        # Neither name nor time in the header: the same data gives the same bytes.
        gzip: Any = IGzipFile
        return cast("ClosingSink", gzip("", "wb", GZIP_LEVEL, sink, mtime=0))
    return _Zstd(sink) if compression == "zstd" else _Plain(sink)


class _Zstd:
    """One frame, whole even if nothing is written; the library's file object leaves an empty file then."""

    def __init__(self, sink: Sink) -> None:
        try:
            if sys.version_info >= (3, 14):
                from compression.zstd import ZstdCompressor
            else:
                from backports.zstd import ZstdCompressor
        except ImportError as error:
            raise LivePersonConfigurationError(
                "path ends in .zst, but Zstandard is not installed: pip install 'airflow-provider-lp[zstd]', or end "
                "the path in .gz."
            ) from error
        self._sink = sink
        self._compressor = ZstdCompressor(ZSTD_LEVEL)

    def write(self, data: bytes) -> None:
        self._sink.write(self._compressor.compress(data))

    def close(self) -> None:
        self._sink.write(self._compressor.flush())
