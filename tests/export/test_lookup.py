from __future__ import annotations

import functools
import json
import operator
from collections import UserList
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonIncompleteDataError
from airflow_provider_lp.export.lookup import Lookup
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.sandbox import Conversation, Fault
from tests.exported import calls, connect, ids_in, ids_of
from tests.fake_clock import FakeClock
from tests.samples import BY_CONSUMER, BY_ID, at, crowd

IDS = [f"c{number:05}" for number in range(250)]


def look_up(client: Any, *, max_bytes: int = 1 << 30, **query: Any) -> dict[str, Any]:
    query = {"conversation_ids": None, "consumer_id": None, **query}
    with Lookup(client, LookupQuery.checked(**query)) as lookup:
        return lookup.collect(max_bytes)


def test_any_number_of_ids_goes_in_hundreds(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(250))
    with connect(sandbox, FakeClock()) as client:
        result = look_up(client, conversation_ids=IDS[::-1])
    assert ids_of(result["records"]) == IDS
    assert (result["conversations"], result["missing"], result["retries"]) == (250, [], 0)
    asked = [seen.body["conversationIds"] for seen in calls(sandbox, BY_ID)]
    assert sorted(map(len, asked)) == [50, 100, 100]
    assert sorted(functools.reduce(operator.iadd, asked, [])) == IDS


def test_an_id_given_twice_is_looked_up_once(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, FakeClock()) as client:
        assert look_up(client, conversation_ids=["c00001", "c00001"])["conversations"] == 1


def test_records_are_whole_and_ordered_by_start_and_id(sandbox_of: Any) -> None:
    sandbox = sandbox_of(
        Conversation("b", at(10), is_partial=True),
        Conversation("a", at(11)),
        Conversation("c", at(10), is_partial=True),
    )
    with connect(sandbox, FakeClock()) as client:
        records = look_up(client, conversation_ids=["a", "b", "c"])["records"]
    assert ids_of(records) == ["b", "c", "a"]
    assert not any(record["info"]["isPartial"] for record in records)


@pytest.mark.parametrize(
    "given",
    [
        ["c00001", "c00002"],
        ("c00001", "c00002"),
        "['c00001', 'c00002']",
        '["c00001", "c00002"]',
        " [ 'c00001' , 'c00002' ] ",
        "('c00001', 'c00002')",
        "c00001,c00002",
        "c00001, c00002",
        "c00001 c00002\n",
        UserList(["c00001", "c00002"]),
    ],
)
def test_ids_may_be_a_list_or_what_a_template_makes_of_one(given: Any) -> None:
    query = LookupQuery.checked(conversation_ids=given, consumer_id=None)
    assert query.conversation_ids == ["c00001", "c00002"]


@pytest.mark.parametrize(
    "given", [5, [5], [None], [""], ["  "], "[1, 2]", "['a'", "[open('x')]", {"a": 1}, b"a", "None"]
)
def test_what_is_no_list_of_ids_is_refused(given: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="conversation_ids="):
        LookupQuery.checked(conversation_ids=given, consumer_id=None)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"conversation_ids": None, "consumer_id": None}, "conversation_ids or consumer_id"),
        ({"conversation_ids": ["a"], "consumer_id": "b"}, "conversation_ids or consumer_id"),
        ({"conversation_ids": None, "consumer_id": ""}, "consumer_id="),
        ({"conversation_ids": None, "consumer_id": 5}, "consumer_id="),
        ({"conversation_ids": None, "consumer_id": "x", "status": "OPEN"}, "status="),
        ({"conversation_ids": None, "consumer_id": "x", "status": ["CLOSED"]}, "status="),
        ({"conversation_ids": None, "consumer_id": "x", "status": []}, "status="),
        ({"conversation_ids": None, "consumer_id": "x", "content": ["dialog"]}, "content="),
        ({"conversation_ids": ["a"], "consumer_id": None, "content": ["everything"]}, "content="),
    ],
)
def test_an_argument_that_cannot_be_right_is_named(query: Any, named: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=named):
        LookupQuery.checked(**query)


def test_missing_ids_fail_and_are_named(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    wanted = ["c00001", *(f"nobody-{number}" for number in range(9))]
    with (
        connect(sandbox, FakeClock()) as client,
        pytest.raises(LivePersonIncompleteDataError, match=r"9 of 10 conversation_ids.*nobody-0.*allow_missing"),
    ):
        look_up(client, conversation_ids=wanted)


def test_missing_ids_are_listed_where_they_may_be_missing(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, FakeClock()) as client:
        result = look_up(client, conversation_ids=["x", "c00001", "y"], allow_missing=True)
        assert (ids_of(result["records"]), result["missing"]) == (["c00001"], ["x", "y"])
        nothing = look_up(client, conversation_ids=["x"], allow_missing=True)
        assert (nothing["records"], nothing["missing"]) == ([], ["x"])


@pytest.mark.parametrize("allow_missing", [False, True])
@pytest.mark.parametrize("kind", ["records_missing", "records_repeated", "partial_result", "cut_body", "throttle"])
def test_an_answer_that_lost_records_is_not_taken_for_missing_ids(
    sandbox_of: Any, clock: FakeClock, kind: str, allow_missing: bool
) -> None:
    sandbox = sandbox_of(*crowd(50))
    sandbox.add_fault(Fault(kind, times=1))
    with connect(sandbox, clock) as client:
        result = look_up(client, conversation_ids=IDS[:50], allow_missing=allow_missing)
    assert (result["conversations"], result["missing"]) == (50, [])


@pytest.mark.parametrize("kind", ["records_missing", "records_repeated", "partial_result"])
def test_answers_that_keep_losing_records_fail_even_where_ids_may_be_missing(
    sandbox_of: Any, clock: FakeClock, kind: str
) -> None:
    sandbox = sandbox_of(*crowd(50))
    sandbox.add_fault(Fault(kind, times=None))
    with connect(sandbox, clock) as client:
        try:
            result = look_up(client, conversation_ids=IDS[:50], allow_missing=True)
        except LivePersonIncompleteDataError:
            return
    # Asked for one by one, they may all have come in the end; none may be called missing that is not.
    assert (result["conversations"], result["missing"]) == (50, [])


# By consumer.


@pytest.mark.parametrize("number", [0, 1, 100, 230])
def test_all_conversations_of_a_consumer_are_paged_through(sandbox_of: Any, number: int) -> None:
    others = [Conversation(f"other-{position}", at(10), consumer_id="another") for position in range(5)]
    sandbox = sandbox_of(*crowd(number, consumer_id="someone"), *others)
    with connect(sandbox, FakeClock()) as client:
        result = look_up(client, consumer_id="someone")
    assert ids_of(result["records"]) == IDS[:number]
    assert result["missing"] == []
    # That there is nothing, or nothing after a full page, is seen by another request.
    assert len(calls(sandbox, BY_CONSUMER)) == -(-number // 100) + (1 if number % 100 == 0 else 0) + (number == 0)


def test_truncated_conversations_of_a_consumer_are_fetched_whole(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(130, consumer_id="someone", is_partial=True))
    with connect(sandbox, FakeClock()) as client:
        records = look_up(client, consumer_id="someone", content=["messageRecords"])["records"]
    assert len(records) == 130
    assert not any(record["info"]["isPartial"] for record in records)
    assert len(calls(sandbox, BY_ID)) == 2


def test_the_status_narrows_a_consumers_conversations(sandbox_of: Any) -> None:
    sandbox = sandbox_of(
        Conversation("open", at(10), consumer_id="x"), Conversation("closed", at(10), end_ms=at(11), consumer_id="x")
    )
    with connect(sandbox, FakeClock()) as client:
        assert ids_of(look_up(client, consumer_id="x", status=["OPEN"])["records"]) == ["open"]
        assert ids_of(look_up(client, consumer_id="x", status=["CLOSE"])["records"]) == ["closed"]
        assert ids_of(look_up(client, consumer_id="x")["records"]) == ["closed", "open"]


@pytest.mark.parametrize("kind", ["records_missing", "records_repeated", "partial_result"])
def test_a_consumers_page_that_is_not_whole_is_asked_for_again(sandbox_of: Any, clock: FakeClock, kind: str) -> None:
    sandbox = sandbox_of(*crowd(230, consumer_id="someone"))
    sandbox.add_fault(Fault(kind, times=1, after=1))
    with connect(sandbox, clock) as client:
        assert ids_of(look_up(client, consumer_id="someone")["records"]) == IDS[:230]


# Output.


def test_a_lookup_is_published_with_its_summary(sandbox_of: Any, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(250))
    path = tmp_path / "x.ndjson.gz"
    query = LookupQuery.checked(conversation_ids=[*IDS, "x"], consumer_id=None, allow_missing=True)
    with connect(sandbox, FakeClock()) as client, Lookup(client, query) as lookup:
        summary = lookup.export(UPath(path))
    assert ids_in(path) == IDS
    assert summary["missing"] == ["x"]
    assert (summary["conversations"], summary["messages"], summary["open_conversations"]) == (250, 500, 0)
    assert summary["bytes"] == path.stat().st_size
    assert set(summary) == {
        "path", "format", "compression", "conversations", "messages", "open_conversations", "missing", "bytes",
        "sha256", "repaired", "redacted", "requests", "retries",
    }  # fmt: skip
    json.dumps(summary)


def test_a_lookup_that_fails_publishes_nothing(sandbox_of: Any, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(3))
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    query = LookupQuery.checked(conversation_ids=["c00001", "x"], consumer_id=None)
    with (
        connect(sandbox, FakeClock()) as client,
        Lookup(client, query) as lookup,
        pytest.raises(LivePersonIncompleteDataError),
    ):
        lookup.export(UPath(path))
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_too_much_for_xcom_is_refused(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with (
        connect(sandbox, FakeClock()) as client,
        pytest.raises(LivePersonConfigurationError, match="max_xcom_bytes=100"),
    ):
        look_up(client, conversation_ids=["c00001"], max_bytes=100)
