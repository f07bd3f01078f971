"""That the proof finds what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from .proof import prove


def write(path: Path, *ids: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(b"".join(b'{"info":{"conversationId":"%b"}}\n' % each.encode() for each in ids)))


def test_it_counts_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "date=1" / "a.ndjson.gz", "a", "b")
    write(tmp_path / "date=2" / "a.ndjson.gz", "c")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"objects": [{}, {}], "totals": {"conversations": 3}}))
    proof = prove(tmp_path, ["a", "b", "c"])
    assert (proof.objects, proof.conversations, proof.manifests, proof.flaws) == (2, 3, 1, [])


def test_it_reads_the_manifest(tmp_path: Path) -> None:
    write(tmp_path / "a.ndjson.gz", "a", "b")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"objects": [{}], "totals": {"conversations": 3}}))
    assert prove(tmp_path, ["a", "b"]).flaws == [f"{manifest} tells of 1 objects with 3 conversations"]


@pytest.mark.parametrize(
    ("second", "truth", "flaw"),
    [
        (["c"], "abcd", "1 conversations are missing, such as d"),
        (["b"], "ab", "1 conversations are there more than once, such as b"),
        (["c"], "ab", "1 conversations are there that the sandbox does not have, such as c"),
    ],
)
def test_it_names_what_is_wrong(tmp_path: Path, second: list[str], truth: str, flaw: str) -> None:
    write(tmp_path / "date=1" / "a.ndjson.gz", "a", "b")
    write(tmp_path / "date=2" / "a.ndjson.gz", *second)
    assert prove(tmp_path, truth).flaws == [flaw]


def test_it_names_what_was_left_behind(tmp_path: Path) -> None:
    left = tmp_path / ".a.ndjson.gz.1234.part"
    left.touch()
    assert prove(tmp_path, []).flaws == [f"1 files are no objects and no manifest, such as {left}"]
