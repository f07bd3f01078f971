from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.publishing import collect_batches, publish_batches
from airflow_provider_lp.export.spool import Batch
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import connect, export, lines, plain
from tests.fake_clock import FakeClock
from tests.samples import NOW, at, crowd

from .test_paging import rows

SUFFIXES = ("", ".gz", ".zst")
DAY_WINDOW = Window(at(18), at(19))


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with Sandbox(Account(now=NOW, days=3, per_day=150)) as running:
        yield running


def exported(sandbox: Sandbox, path: Path, max_concurrency: int = 4, **options: Any) -> dict[str, Any]:
    if path.suffix == ".zst":
        pytest.importorskip("backports.zstd")
    with connect(sandbox, FakeClock(), max_concurrency=max_concurrency) as client:
        return export(client, DAY_WINDOW, path, **options)


def batches(*texts: bytes) -> Generator[Batch, None, None]:
    for text in texts:
        yield Batch(text, rows(*range(text.count(b"\n"))))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_window_gives_the_same_bytes(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"one.ndjson{suffix}", tmp_path / f"two.ndjson{suffix}"
    first = exported(sandbox, one, max_concurrency=1)
    second = exported(sandbox, two, max_concurrency=6)
    assert one.read_bytes() == two.read_bytes()
    assert first["sha256"] == second["sha256"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_size_and_checksum_are_those_of_the_object(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    summary = exported(sandbox, path)
    assert summary["bytes"] == path.stat().st_size
    assert summary["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert summary["compression"] == {"": None, ".gz": "gzip", ".zst": "zstd"}[suffix]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_or_not_the_content_is_the_same(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    exported(sandbox, tmp_path / "x.ndjson")
    exported(sandbox, tmp_path / f"x.ndjson{suffix}")
    assert plain(tmp_path / f"x.ndjson{suffix}") == (tmp_path / "x.ndjson").read_bytes()


def test_every_line_is_what_the_server_sent_minified(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    exported(sandbox, path)
    found = lines(path)
    assert len(found) == len(sandbox.account.truth("start", at(18), at(19))) > 140
    for line in found:
        record = json.loads(line)
        sent = sandbox.account.record(sandbox.account.find(record["info"]["conversationId"]))
        assert record == json.loads(json.dumps(sent))
        assert json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() == line


def test_the_summary_counts_what_the_object_holds(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    summary = exported(sandbox, path)
    records = [json.loads(line) for line in lines(path)]
    assert summary["conversations"] == len(records)
    assert summary["messages"] == sum(len(record["messageRecords"]) for record in records) > 500
    still_open = sum(record["info"]["status"] == "OPEN" for record in records)
    assert summary["open_conversations"] == still_open > 0


def test_the_summary_has_these_members(sandbox: Sandbox, tmp_path: Path) -> None:
    summary = exported(sandbox, tmp_path / "x.ndjson")
    assert set(summary) == {
        "path", "format", "compression", "conversations", "messages", "open_conversations", "window", "bytes", "sha256",
        "outside_bounds", "repaired", "redacted", "shortfall", "requests", "retries", "account_id", "filters",
        "max_age_s", "exported_at", "final",
    }  # fmt: skip
    assert summary["format"] == "ndjson"
    assert summary["window"] == {
        "time_field": "start",
        "start": "2026-03-18T00:00:00+00:00",
        "end": "2026-03-19T00:00:00+00:00",
    }
    assert json.loads(json.dumps(summary)) == summary


def test_line_separators_of_unicode_do_not_cut_a_record(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three\x85four"
    line = json.dumps({"info": {}, "text": text}, ensure_ascii=False).encode() + b"\n"
    assert collect_batches(batches(line), 10_000).records == [{"info": {}, "text": text}]


def test_too_much_for_xcom_fails_with_size_and_remedy() -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"12 bytes after 4 conversations.*max_xcom_bytes=11.*path"):
        collect_batches(batches(b"{}\n{}\n", b"{}\n{}\n", b"{}\n"), 11)
    assert len(collect_batches(batches(b"{}\n{}\n", b"{}\n{}\n"), 12).records) == 4


def test_an_empty_export_is_published_only_if_wanted(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("earlier\n")
    assert publish_batches(batches(), UPath(path), publish_empty=False).conversations == 0
    assert path.read_text() == "earlier\n"
    publish_batches(batches(), UPath(path), publish_empty=True)
    assert path.read_text() == ""


def test_the_export_of_one_conversation_is_one_line(tmp_path: Path) -> None:
    account = Account.of([Conversation("only", at(18, 5), message_count=2)], now=NOW)
    with Sandbox(account) as sandbox:
        summary = exported(sandbox, tmp_path / "x.ndjson")
    assert (summary["conversations"], summary["open_conversations"]) == (1, 1)
    assert (tmp_path / "x.ndjson").read_bytes().count(b"\n") == 1


def test_memory_stays_flat(tmp_path: Path) -> None:
    import tracemalloc

    def peak(number: int) -> int:
        account = Account.of(crowd(number, first_ms=at(18), apart_ms=20), now=NOW, record_bytes=10_000)
        with Sandbox(account) as sandbox, connect(sandbox, FakeClock(), max_concurrency=2) as client:
            for conversation in account.conversations():
                # The sandbox keeps what it has made; only what the export holds is to be measured.
                account.record(conversation)
            export(client, DAY_WINDOW, tmp_path / "warm.ndjson")
            tracemalloc.start()
            export(client, DAY_WINDOW, tmp_path / "x.ndjson")
            _, highest = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return highest

    small, large = peak(300), peak(3_000)
    assert (tmp_path / "x.ndjson").stat().st_size > 28_000_000
    assert large < small + 10_000_000
