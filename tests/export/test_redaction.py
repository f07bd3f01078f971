"""Personal data in exports: in no object, no spool, no result, no log and no error, and the export stays what it is."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonIncompleteDataError,
)
from airflow_provider_lp.export.conversations import collect_conversations, export_conversations
from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.lookup import Lookup
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules
from airflow_provider_lp.sandbox import Fault
from airflow_provider_lp.windows import Window
from tests.exported import connect, ids_in, ids_of, lines, query_of
from tests.samples import BY_CONSUMER, at, crowd
from tests.tables.built import build_from, source_of, tables_in

from .archive import DAY_WINDOW, archive_of, client_of, page
from .redaction.seeds import CONSUMER, Seeds, record

PERSONAL = Redactor(Rules.checked("personal"))
KEYED = Redactor(Rules.checked({"preset": "personal", "key_conn_id": "k"}), key="secret key")


def spooled() -> Iterator[bytes]:
    """What is in the nameless files of this process in the temporary folder."""
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith(tempfile.gettempdir()) and "(deleted)" in target:
            yield descriptor.read_bytes()


def files_in(folder: Path) -> Iterator[bytes]:
    return (each.read_bytes() for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize("redactor", [PERSONAL, KEYED], ids=["dropped", "pseudonymised"])
def test_nothing_personal_is_anywhere(
    redactor: Redactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    seeds = Seeds()
    content = [record(seeds, f"c{number}", at(10, number)) for number in range(2)]
    ids = [each["info"]["conversationId"] for each in content]
    with archive_of(content) as (_, server), client_of(server) as client:
        summary = export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "x.ndjson"), redactor=redactor)
        found = collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 24, redactor=redactor)
        query = LookupQuery.checked(conversation_ids=ids, consumer_id=None)
        with Lookup(client, query, redactor) as lookup:
            looked_up = lookup.collect(1 << 24)
        batches = Download(client, query_of(DAY_WINDOW), redactor=redactor).batches()
        next(batches)
        waiting = [each for each in [*spooled(), *files_in(temporary)] if each]
        batches.close()
    build_from([source_of(tmp_path / "x.ndjson")], tmp_path)
    written = (tmp_path / "x.ndjson").read_bytes()
    assert any(b'"c0"' in each for each in waiting)
    everything = [written.decode(), json.dumps([summary, found, looked_up], ensure_ascii=False), caplog.text]
    everything += [each.decode() for each in waiting]
    everything += [repr(rows) for rows in tables_in(tmp_path).values()]
    assert seeds.seen_in(*everything) == set()
    assert not any("secret key" in text for text in everything)
    assert len(seeds.values) > 2000
    assert ids_in(tmp_path / "x.ndjson") == ids_of(found) == ids_of(looked_up["records"]) == ids
    assert summary["redacted"] == looked_up["redacted"]
    assert list(summary["redacted"]) == redactor.names
    assert summary["redacted"]["mask email"] > 300


def test_a_repetition_gives_the_same_bytes(tmp_path: Path) -> None:
    content = [record(Seeds(), f"c{number}", at(10, number)) for number in range(2)]
    with archive_of(content) as (_, server), client_of(server) as client:
        for name in ("x", "y"):
            # A worker of its own, which knows nothing of what another has met before.
            worker = Redactor(Rules.checked({"preset": "personal", "key_conn_id": "k"}), key="secret key")
            export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / name), redactor=worker)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def says_everything(error: BaseException) -> str:
    """An error as it may be logged, with all that is chained to it."""
    return "".join(traceback.format_exception(error)) + repr(error.__dict__)


def test_no_failure_shows_anything_personal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seeds = Seeds()
    whole, odd, deep = (record(seeds, f"c{number}", at(10, number)) for number in range(3))
    odd["info"]["conversationId"] = {seeds.email(): seeds.text()}
    nested: Any = seeds.email()
    for _ in range(1500):
        nested = [nested]
    deep["new"] = nested
    (tmp_path / "folder" / "x").mkdir(parents=True)

    def exports(client: LivePersonClient, path: str) -> None:
        export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / path), redactor=PERSONAL)

    def collects(client: LivePersonClient, _: str) -> None:
        collect_conversations(client, query_of(DAY_WINDOW), max_bytes=100, redactor=PERSONAL)

    said = [caplog.text]
    for spoilt, count, work, path in (
        (whole, 2, exports, "x"),
        (odd, 1, exports, "x"),
        (deep, 1, exports, "x"),
        (whole, 1, collects, ""),
        (whole, 1, exports, "folder"),
    ):
        with archive_of([whole]) as (archive, server), client_of(server) as client:
            archive.spoil = lambda *_, spoilt=spoilt, count=count: page([spoilt], count)
            with pytest.raises((LivePersonError, OSError)) as caught:
                work(client, path)
        said += [says_everything(caught.value), caplog.text]
    assert len(seeds.values) > 3000
    assert seeds.seen_in(*said) == set()
    assert not (tmp_path / "x").exists()


def test_what_the_export_goes_by_may_be_taken_out(sandbox_of: Any, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(5, is_partial=True), *crowd(250)[5:])
    hidden = Redactor(
        Rules.checked(
            {
                "pseudonymise": ["info.conversationId"],
                "key_conn_id": "k",
                "drop": ["info.startTimeL", "info.startTime", "info.status", "info.isPartial", "messageRecords"],
            }
        ),
        key="k",
    )
    with connect(sandbox) as client:
        plain = export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "plain.ndjson"))
        summary = export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "x.ndjson"), redactor=hidden)
    counts = ("conversations", "messages", "open_conversations", "outside_bounds", "shortfall")
    assert [summary[name] for name in counts] == [plain[name] for name in counts]
    found = [json.loads(line)["info"] for line in lines(tmp_path / "x.ndjson")]
    # In the order of the true ids, which nobody sees.
    assert [each["conversationId"] for each in found] == [
        hidden.pseudonym(each) for each in ids_in(tmp_path / "plain.ndjson")
    ]
    assert {"startTimeL", "status", "isPartial"}.isdisjoint(found[0])
    assert summary["redacted"]["drop messageRecords"] == 250


def test_redaction_and_a_shortfall_go_together(tmp_path: Path) -> None:
    seeds = Seeds()
    content = [record(seeds, "c0")]
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, count, __: page(matching, count + 1)
        query = query_of(DAY_WINDOW, max_shortfall=1)
        summary = export_conversations(client, query, UPath(tmp_path / "x.ndjson"), redactor=PERSONAL)
        with pytest.raises(LivePersonIncompleteDataError) as caught:
            export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "y.ndjson"), redactor=PERSONAL)
    assert (summary["shortfall"], summary["conversations"]) == (1, 1)
    # Read several times over, each record is counted once.
    assert summary["redacted"]["drop **.firstName"] == 1
    assert seeds.seen_in(says_everything(caught.value)) == set()


def test_without_rules_nothing_is_decoded_and_the_summary_says_so(sandbox_of: Any, tmp_path: Path) -> None:
    with connect(sandbox_of(*crowd(3))) as client:
        assert export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "x.ndjson"))["redacted"] == {}


def test_odd_records_are_repaired_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    odd = (
        b'{"info":{"conversationId":"odd","startTimeL":%d},"messageRecords":[{"messageData":{"msg":{"text":'
        b'"caf\xe9 \\ud83d a@x.org \x01"}}}],"consumerParticipants":[{"firstName":"\xff","x":NaN}]}'
        % DAY_WINDOW.start_ms
    )
    # More than are written at a time.
    others = [{"info": {"conversationId": f"c{number}", "startTimeL": at(10)}} for number in range(30)]
    with archive_of([*others, odd]) as (_, server), client_of(server) as client:
        summary = export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "x.ndjson"), redactor=PERSONAL)
    *rest, made = map(json.loads, lines(tmp_path / "x.ndjson"))
    assert sorted(rest, key=str) == sorted(others, key=str)
    assert made["messageRecords"][0]["messageData"]["msg"]["text"] == "caf\ufffd \ufffd [email] \x01"
    assert made["consumerParticipants"] == [{"x": None}]
    assert summary["repaired"] == 1
    assert "a@x.org" not in caplog.text
    assert "of conversations odd." in caplog.text


def test_a_function_that_fails_publishes_nothing(sandbox_of: Any, tmp_path: Path) -> None:
    def fails(text: str) -> str:
        raise ValueError(text)

    redactor = Redactor(Rules.checked({"text": "some.function"}), text=fails)
    with (
        connect(sandbox_of(*crowd(3))) as client,
        pytest.raises(LivePersonConfigurationError, match="raised ValueError"),
    ):
        export_conversations(client, query_of(DAY_WINDOW), UPath(tmp_path / "x.ndjson"), redactor=redactor)
    assert list(tmp_path.iterdir()) == []


def test_no_error_names_the_consumer(sandbox_of: Any, clock: Any) -> None:
    sandbox = sandbox_of(*crowd(3, consumer_id=CONSUMER))
    sandbox.add_fault(Fault("count_off", times=None, path=BY_CONSUMER))
    query = LookupQuery.checked(conversation_ids=None, consumer_id=CONSUMER)
    with (
        connect(sandbox, clock) as client,
        Lookup(client, query, PERSONAL) as lookup,
        pytest.raises(LivePersonIncompleteDataError, match="belong to the consumer") as caught,
    ):
        lookup.collect(1 << 20)
    assert CONSUMER not in repr(caught.value)


def test_a_lookup_by_consumer_is_redacted(sandbox_of: Any) -> None:
    query = LookupQuery.checked(conversation_ids=None, consumer_id=CONSUMER)
    with connect(sandbox_of(*crowd(3, consumer_id=CONSUMER))) as client, Lookup(client, query, KEYED) as lookup:
        found = lookup.collect(1 << 20)
    assert CONSUMER not in json.dumps(found)
    assert found["records"][0]["consumerParticipants"][0]["participantId"] == KEYED.pseudonym(CONSUMER)


def test_adjoining_windows_still_tile(sandbox_of: Any, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(100, apart_ms=600_000))
    middle = at(10, 7, 3)
    with connect(sandbox) as client:
        for name, window in (("a", Window(at(10), middle)), ("b", Window(middle, at(11)))):
            export_conversations(client, query_of(window), UPath(tmp_path / name), redactor=PERSONAL)
    assert len(ids_in(tmp_path / "a")) + len(ids_in(tmp_path / "b")) == 100
