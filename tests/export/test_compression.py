from __future__ import annotations

import gzip
import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.compression import compression_of, compressor


def compressed(parts: list[bytes], compression: str | None) -> bytes:
    sink = io.BytesIO()
    through = compressor(sink, compression)
    for part in parts:
        through.write(part)
    through.close()
    assert not sink.closed
    return sink.getvalue()


@pytest.mark.parametrize(
    ("path", "compression"),
    [
        ("x.ndjson", None),
        ("x.jsonl", None),
        ("x", None),
        ("x.gz/y", None),
        ("s3://bucket/x.ndjson.gz", "gzip"),
        ("x.json.zst", "zstd"),
        ("X.NDJSON.GZ", "gzip"),
    ],
)
def test_the_suffix_chooses(path: str, compression: str | None) -> None:
    assert compression_of(path) == compression


@pytest.mark.parametrize("suffix", ["parquet", "zip", "bz2", "xz", "br", "lz4", "snappy", "gzip", "zstd"])
def test_a_suffix_that_promises_another_format_is_refused(suffix: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"path=.*Known: \.gz, \.zst"):
        compression_of(f"x.ndjson.{suffix}")


@given(st.lists(st.binary(max_size=4_000), max_size=6))
def test_what_is_compressed_comes_back_and_is_the_same_every_time(parts: list[bytes]) -> None:
    plain = b"".join(parts)
    zipped = compressed(parts, "gzip")
    assert gzip.decompress(zipped) == plain
    assert zipped == compressed(parts, "gzip")
    assert compressed(parts, None) == plain


def test_gzip_has_neither_name_nor_time() -> None:
    header = compressed([b"x"], "gzip")[:10]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3] == 0
    assert header[4:8] == b"\0\0\0\0"


@given(parts=st.lists(st.binary(max_size=4_000), max_size=6))
def test_zstd_comes_back_and_is_the_same_every_time(parts: list[bytes]) -> None:
    zstd = pytest.importorskip("backports.zstd")
    zipped = compressed(parts, "zstd")
    assert zstd.decompress(zipped) == b"".join(parts)
    assert zipped == compressed(parts, "zstd")


def test_without_zstd_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    sink: Any = io.BytesIO()
    with pytest.raises(LivePersonConfigurationError, match=r"airflow-provider-lp\[zstd\]"):
        compressor(sink, "zstd")
