"""What tables are made of: lines of JSON, compressed or not, and what is said of a source that is something else."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.tables import sources
from airflow_provider_lp.tables.sources import Read, read_batches

from .built import record, source_of


def zstd(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("backports.zstd").compress(data)
    return compressed


def read(path: Path, **known: Any) -> tuple[list[Any], Read]:
    seen = Read(str(path))
    return [each for batch in read_batches(source_of(path, **known), seen) for each in batch], seen


def ids(records: list[Any]) -> list[Any]:
    return [each["info"]["conversationId"] for each in records]


def lines(*names: str) -> bytes:
    return b"".join(json.dumps(record(info={"conversationId": name})).encode() + b"\n" for name in names)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd])
def test_any_compression_is_read_whatever_the_name(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "export"
    # In two parts, as appending to a compressed file leaves it.
    path.write_bytes(compress(lines("a", "b")) + compress(lines("c")))
    records, seen = read(path)
    assert ids(records) == ["a", "b", "c"]
    assert seen.conversations == 3
    assert seen.bytes == path.stat().st_size
    assert seen.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_night_has_no_conversations(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    records, seen = read(tmp_path / "x")
    assert (records, seen.conversations) == ([], 0)
    assert seen.sha256 == hashlib.sha256(content).hexdigest()


def test_blank_lines_line_endings_and_a_missing_last_one_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbf" + lines("a").replace(b"\n", b"\r\n") + b"\n \n" + lines("b")[:-1])
    assert ids(read(tmp_path / "x")[0]) == ["a", "b"]


def test_batches_are_bounded_by_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BATCH_BYTES", 2 * len(lines("a")))
    (tmp_path / "x").write_bytes(lines(*"abcde"))
    assert [len(batch) for batch in read_batches(source_of(tmp_path / "x"), Read("x"))] == [2, 2, 1]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data[:20] + bytes(9) + data[29:], lambda data: data + b"more"]
)
@pytest.mark.parametrize("compress", [gzip.compress, zstd])
def test_damaged_content_is_said_to_be_so(tmp_path: Path, compress: Any, damage: Any) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(damage(compress(lines(*map(str, range(1000))))))
    with pytest.raises(LivePersonConfigurationError, match=r"x\.gz cannot be read to its end.*export it again"):
        read(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"info": {', "no JSON"),
        (b"conversation;status", "no JSON"),
        (b'{"info": {"a": 01}}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"_metadata": {}, "conversationHistoryRecords": []}', "no record of a conversation"),
        (b'{"report": "queue_health", "level": "skill"}', "no record of a conversation"),
        (b"[]", "no record of a conversation"),
        (b"5", "no record of a conversation"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    (tmp_path / "x.ndjson").write_bytes(lines("a") + b"\n" + line + b"\n")
    with pytest.raises(
        LivePersonConfigurationError, match=rf"x\.ndjson, line 3: this is {said.removeprefix('this is ')}"
    ):
        read(tmp_path / "x.ndjson")


def test_what_can_be_understood_is_repaired_and_counted(tmp_path: Path) -> None:
    odd = b'{"info":{"conversationId":"a","n":NaN,"half":"\\ud83d","byte":"\xe9","large":1e400}}\n'
    (tmp_path / "x").write_bytes(odd + lines("b"))
    records, seen = read(tmp_path / "x")
    assert ids(records) == ["a", "b"]
    assert records[0]["info"]["n"] is None
    assert records[0]["info"]["half"] == records[0]["info"]["byte"] == "\N{REPLACEMENT CHARACTER}"
    assert bytes(records[0]["info"]["large"]) == b"1e400"
    assert (seen.conversations, seen.repaired) == (2, 1)


def test_an_object_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"there is no object at .*nothing\.ndjson"):
        read(tmp_path / "nothing.ndjson")


def test_what_an_export_describes_must_be_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(lines("a"))
    sha256 = hashlib.sha256(lines("a")).hexdigest()
    assert ids(read(path, sha256=sha256, conversations=1)[0]) == ["a"]
    with pytest.raises(LivePersonConfigurationError, match="is not what the export published there"):
        read(path, sha256="0" * 64)
    with pytest.raises(LivePersonConfigurationError, match="holds 1 conversations, and the export says 2"):
        read(path, conversations=2)


def test_zstandard_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.zst").write_bytes(zstd(lines("a")))
    monkeypatch.setitem(__import__("sys").modules, "backports", None)
    monkeypatch.setitem(__import__("sys").modules, "compression", None)
    with pytest.raises(LivePersonConfigurationError, match=r"pip install 'airflow-provider-lp\[zstd\]'"):
        read(tmp_path / "x.zst")
