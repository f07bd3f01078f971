"""At the wire: no single answer makes a wrong success, and no odd one fails an export for good."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import (
    LivePersonIncompleteDataError,
    LivePersonServerError,
    LivePersonTransportError,
    LivePersonUnreachableError,
)
from airflow_provider_lp.export import download
from airflow_provider_lp.export.conversations import collect_conversations
from airflow_provider_lp.export.lookup import Lookup
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.windows import Window
from tests.exported import export, ids_in, ids_of, query_of
from tests.fake_clock import FakeClock
from tests.samples import DAY, MARK, NOW, OAUTH1, at
from tests.scripted import EMPTY, Say, scripted

from .archive import (
    DAY_WINDOW,
    archive_of,
    client_of,
    id_of,
    lookups,
    offset_and_limit,
    page,
    records,
    searches,
)

EMPTY_ANSWERS = [Say(204, b""), Say(body=EMPTY)]


def collect(client: Any, window: Window = DAY_WINDOW, **query: Any) -> list[str]:
    return ids_of(collect_conversations(client, query_of(window, **query), max_bytes=1 << 30))


def cut_deep(monkeypatch: pytest.MonkeyPatch, rows: int = 60) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", rows)
    monkeypatch.setattr(download, "PLANNED_SEARCH", rows - 10)


# Nothing is proven.


@pytest.mark.parametrize("nothing", EMPTY_ANSWERS, ids=["204", "count 0"])
@pytest.mark.parametrize("position", range(6))
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_lone_empty_answer_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, nothing: Say, position: int, is_cut: bool
) -> None:
    if is_cut:
        cut_deep(monkeypatch)
    content = records(230, apart_ms=300_000)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, __, ___, number: nothing if number == position else None
        assert collect(client) == [id_of(each) for each in content]


@settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
@given(st.integers(0, 260), st.floats(0, 0.3), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_empty_answers_now_and_then_never_make_a_wrong_success(
    number: int, chance: float, seed: int, is_cut: bool, may_grow: bool
) -> None:
    content = records(number, apart_ms=300_000)
    was_empty: dict[bytes, bool] = {}
    rng = random.Random(seed)

    def spoil(seen: Any, *_: Any) -> Say | None:
        # The same request is answered so twice in a row only by chance of the content.
        was_empty[seen.body] = not was_empty.get(seen.body, False) and rng.random() < chance
        return rng.choice(EMPTY_ANSWERS) if was_empty[seen.body] else None

    with (
        pytest.MonkeyPatch.context() as patch,
        archive_of(content) as (archive, server),
        client_of(server, max_concurrency=1) as client,
    ):
        if is_cut:
            cut_deep(patch)
        archive.spoil = spoil
        try:
            found = collect(client, now=NOW.replace(day=11, hour=0, minute=0) if may_grow else NOW)
        except LivePersonIncompleteDataError:
            return
    assert found == [id_of(each) for each in content]


def test_parts_that_have_less_than_the_whole_was_counted_to_have_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cut_deep(monkeypatch)
    content = records(230, apart_ms=300_000)

    def spoil(seen: Any, matching: list[Any], *_: Any) -> Say | None:
        start = json.loads(seen.body)["start"]
        is_part = start["to"] - start["from"] < DAY - 1
        return Say(204, b"") if is_part and any(id_of(each) == "c00120" for each in matching) else None

    path = tmp_path / "x.ndjson"
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = spoil
        with pytest.raises(LivePersonIncompleteDataError, match=r"does not give \d+ conversations of 230 in .*parts"):
            export(client, DAY_WINDOW, path)
        assert not list(tmp_path.iterdir())
        summary = export(client, DAY_WINDOW, path, max_shortfall=200)
    assert 0 < summary["shortfall"] == 230 - summary["conversations"]
    assert len(ids_in(path)) == summary["conversations"]


def test_a_whole_that_was_counted_too_high_once_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_deep(monkeypatch)
    content = records(230, apart_ms=300_000)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, count, number: page(matching, count + 1) if number == 0 else None
        assert len(collect(client)) == 230


@pytest.mark.parametrize("nothing", EMPTY_ANSWERS, ids=["204", "count 0"])
@pytest.mark.parametrize("position", range(4))
def test_ids_are_missing_only_if_a_second_answer_says_so(nothing: Say, position: int) -> None:
    content = records(150)
    query = LookupQuery.checked(
        conversation_ids=[*(id_of(each) for each in content), "nobody"], consumer_id=None, allow_missing=True
    )
    with archive_of(content) as (archive, server), client_of(server) as client, Lookup(client, query) as lookup:
        archive.spoil = lambda _, __, ___, number: nothing if number == position else None
        result = lookup.collect(1 << 30)
        assert len(lookups(server)) <= 5
    assert (result["conversations"], result["missing"]) == (150, ["nobody"])


# Counts and orders that do not stand still.


@pytest.mark.parametrize("tie", [25, 333])
def test_thirty_days_of_ties_in_unstable_order_are_exported(tie: int) -> None:
    for day in range(30):
        rng = random.Random(day)
        content = sorted([*records(300, apart_ms=240_000), *records(tie, apart_ms=0, first_ms=at(10, 12))], key=start)
        for position, each in enumerate(content):
            each["info"]["conversationId"] = f"d{position:05}"
        with archive_of(content) as (archive, server), client_of(server) as client:
            archive.spoil = lambda seen, _, count, __, rng=rng, content=content: page(  # type: ignore[misc]
                in_any_order(content, rng)[slice_of(seen)], count
            )
            assert sorted(collect(client)) == sorted(id_of(each) for each in content)


def start(each: dict[str, Any]) -> int:
    return int(each["info"]["startTimeL"])


def in_any_order(content: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    return sorted(content, key=lambda each: (start(each), rng.random()))


def slice_of(seen: Any) -> slice:
    offset, limit = offset_and_limit(seen)
    return slice(offset, offset + limit)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("number", "is_cut"), [(0, False), (230, False), (230, True)])
def test_a_count_that_flickers_does_not_fail_a_closed_window(
    monkeypatch: pytest.MonkeyPatch, number: int, is_cut: bool, seed: int
) -> None:
    if is_cut:
        cut_deep(monkeypatch)
    rng = random.Random(seed)
    content = records(number, apart_ms=300_000)
    with archive_of(content) as (archive, server), client_of(server, max_concurrency=1) as client:
        archive.spoil = lambda _, matching, count, __: page(matching, count + rng.randrange(2))
        assert len(collect(client)) == number


def test_what_is_counted_once_and_never_comes_is_not_believed() -> None:
    with archive_of([]) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, __, number: page(matching, 100) if number == 0 else None
        assert collect(client) == []
        archive.spoil = lambda *_: page([], 1)
        with pytest.raises(LivePersonIncompleteDataError, match="the same 0 came each time"):
            collect(client)


def test_an_error_says_that_more_came_than_was_counted() -> None:
    content = records(230)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, __, ___: page(matching, 100)
        with pytest.raises(LivePersonIncompleteDataError, match=r"counts 100 .*4 times over gave more: the same 200"):
            collect(client)


def test_one_odd_page_is_asked_for_again_first() -> None:
    content = records(1_030)
    with archive_of(content) as (archive, server), client_of(server, max_concurrency=1) as client:
        archive.spoil = lambda _, matching, count, number: page(matching[7:], count - 7) if number == 5 else None
        assert len(collect(client)) == 1_030
        assert len(searches(server)) <= 13


def test_a_shortfall_is_said_in_summary_and_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = records(230)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, count, __: page(matching, count + 2)
        with pytest.raises(LivePersonIncompleteDataError, match=r"the same 230 came each time.*max_shortfall=2"):
            export(client, DAY_WINDOW, tmp_path / "x.ndjson")
        assert not list(tmp_path.iterdir())
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson", max_shortfall=3)
    assert (summary["conversations"], summary["shortfall"]) == (230, 2)
    assert "counts 2 more conversations" in caplog.text


def test_shortfalls_of_slices_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_deep(monkeypatch, 250)
    content = records(400, apart_ms=200_000)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda _, matching, count, __: page(matching, count + 1)
        with pytest.raises(LivePersonIncompleteDataError, match="max_shortfall=1 allows"):
            collect(client, max_shortfall=1)


def test_what_was_truncated_and_has_been_erased_since_is_no_failure() -> None:
    content = records(30)
    content[7]["info"]["isPartial"] = True
    with archive_of(content) as (archive, server), client_of(server) as client:

        def erase(seen: Any, *_: Any) -> Say | None:
            if "/conversation/search" in seen.path:
                archive.content = [each for each in archive.content if id_of(each) != "c00007"]
                return page([], 0)
            return None

        archive.spoil = erase
        assert collect(client) == [f"c{each:05}" for each in range(30) if each != 7]


# Heavy pages.


@pytest.mark.parametrize("most", [1, 7, 40])
@pytest.mark.parametrize(
    "said", [Say(500, b""), Say(504, b""), Say(200, b'{"_metadata":{"count":250},"conv')], ids=repr
)
def test_a_page_that_is_too_heavy_is_had_in_halves(most: int, said: Say) -> None:
    content = records(120)
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = lambda seen, *_: said if offset_and_limit(seen)[1] > most else None
        assert len(collect(client)) == 120


def test_one_heavy_record_costs_few_requests_and_fails_only_alone() -> None:
    content = records(500)

    def heavy(seen: Any, matching: list[Any], *_: Any) -> Say | None:
        return Say(500, b"") if len(matching) > 1 and any(id_of(each) == "c00321" for each in matching) else None

    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = heavy
        assert len(collect(client)) == 500
        assert len(searches(server)) < 60
        archive.spoil = lambda seen, matching, *_: Say(500, b"") if "c00321" in map(id_of, matching) else None
        with pytest.raises(LivePersonServerError):
            collect(client)


def test_what_cannot_be_reached_is_not_asked_for_in_halves() -> None:
    with scripted(lambda _: Say(), domain=Say(body={"baseURI": "127.0.0.1:1"})) as server:
        clock = FakeClock()
        with LivePersonClient("1", OAUTH1, host=server.url, clock=clock, max_concurrency=1) as client:
            with pytest.raises(LivePersonUnreachableError, match="refused"):
                collect(client)
            assert client.requests == 1 + 4
        assert clock.pauses == [5, 10, 15]


def test_heavy_records_are_looked_up_in_halves() -> None:
    content = records(90)
    for each in content:
        each["info"]["isPartial"] = True

    def whole(seen: Any, matching: list[Any], *_: Any) -> Say | None:
        if "/conversation/search" not in seen.path:
            return None
        if len(matching) > 10:
            return Say(504, b"")
        return page([{**each, "info": {**each["info"], "isPartial": False}} for each in matching], len(matching))

    ids = [id_of(each) for each in content]
    with archive_of(content) as (archive, server), client_of(server) as client:
        archive.spoil = whole
        assert collect(client) == ids
        with Lookup(client, LookupQuery.checked(conversation_ids=ids, consumer_id=None)) as lookup:
            assert lookup.collect(1 << 30)["conversations"] == 90


def test_the_bytes_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAGE_BYTES", 200_000)
    monkeypatch.setattr(download, "BYTES_IN_FLIGHT", 400_000)
    content = records(400, apart_ms=1_000, text="x" * 10_000)
    lock, flying, most = threading.Lock(), 0, 0

    def watch(seen: Any, matching: list[Any], count: int, number: int) -> Say | None:
        nonlocal flying, most
        if number < 12:
            # The first pages show how large records are.
            return None
        with lock:
            flying += 10_000 * len(matching)
            most = max(most, flying)
        time.sleep(0.01)
        with lock:
            flying -= 10_000 * len(matching)
        return None

    with archive_of(content) as (archive, server), client_of(server, max_concurrency=8) as client:
        # The archive answers under its lock; what is asked for meanwhile is what counts.
        archive.spoil = watch
        assert len(collect(client)) == 400
        limits = [offset_and_limit(seen)[1] for seen in searches(server)]
    assert limits[0] == 100
    assert set(limits[12:]) <= set(range(1, 21))
    assert most <= 400_000


@pytest.mark.parametrize("takes_truncated", [False, True])
def test_a_server_that_refuses_to_look_past_the_end_says_that_nothing_is_there(takes_truncated: bool) -> None:
    with archive_of(records(200)) as (archive, server), client_of(server) as client:
        archive.spoil = lambda seen, _, count, __: Say(400, b"") if offset_and_limit(seen)[0] >= count else None
        batches = download.Download(client, query_of(DAY_WINDOW), takes_truncated=takes_truncated).batches()
        assert sum(len(batch.rows) for batch in batches) == 200


@pytest.mark.parametrize("said", [Say(500, b""), Say(200, b"{")], ids=repr)
def test_what_polls_for_ids_alone_hears_of_trouble_at_once(said: Say) -> None:
    with archive_of(records(200)) as (archive, server), client_of(server, retry=False) as client:
        archive.spoil = lambda *_: said
        batches = download.Download(client, query_of(DAY_WINDOW), takes_truncated=True).batches()
        with pytest.raises((LivePersonServerError, LivePersonTransportError)):
            list(batches)
        assert len(searches(server)) == 1


def test_a_batch_is_bounded_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_lp.export import spool

    monkeypatch.setattr(spool, "BATCH_BYTES", 30_000)
    content = records(95, text="x" * 10_000)
    with archive_of(content) as (_, server), client_of(server) as client:
        batches = list(download.Download(client, query_of(DAY_WINDOW)).batches())
    assert [len(batch.rows) for batch in batches] == [*[3] * 31, 2]


def test_nothing_is_waited_for_by_the_clock_of_the_wall() -> None:
    clock = FakeClock()
    with archive_of([]) as (_, server), client_of(server, clock) as client:
        assert collect(client, Window(at(10), at(10) + MARK)) == []
    assert clock.pauses == [1.0]
