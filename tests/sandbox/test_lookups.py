from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Conversation

from .caller import BY_CONSUMER, BY_CONVERSATION, SEARCH, Caller, at, ids, records

Serve = Callable[..., Caller]


def test_ids_give_whole_records_and_unknown_ones_nothing(caller: Caller) -> None:
    conversations = caller.sandbox.account.conversations()
    wanted = [each.conversation_id for each in conversations[:60] if each.is_partial][:1]
    wanted += [each.conversation_id for each in conversations[:70]]
    unknown = ["ffffffff-ffff-4fff-8fff-ffffffffffff", "nonsense", "00000000-zzzz-4000-8000-000000000000"]
    page = caller.conversations(BY_CONVERSATION, {"conversationIds": wanted + unknown}).json()
    assert sorted(ids(page)) == sorted(set(wanted))
    assert page["_metadata"]["count"] == len(set(wanted))
    assert {record["info"]["isPartial"] for record in records(page)} == {False}


def test_a_hundred_ids_are_the_most(steady: Caller) -> None:
    hundred = [f"id-{number}" for number in range(100)]
    assert steady.conversations(BY_CONVERSATION, {"conversationIds": hundred}).status_code == 200
    assert steady.conversations(BY_CONVERSATION, {"conversationIds": [*hundred, "more"]}).status_code == 400


def test_one_id_with_chosen_content(serve: Serve) -> None:
    caller = serve(Conversation("a", at(19)), Conversation("b", at(19)))
    body = {"conversationId": "b", "contentToRetrieve": ["messageScores"]}
    (record,) = records(caller.conversations(BY_CONVERSATION, body).json())
    assert record["info"]["conversationId"] == "b"
    assert record.keys() == {"info", "messageScores"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"conversationId": "a", "conversationIds": ["a"]},
        {"conversationIds": []},
        {"conversationIds": "a"},
        {"conversationId": ["a"]},
        {"conversationId": "a", "status": ["OPEN"]},
        {"start": {"from": 0, "to": 1}},
    ],
    ids=str,
)
def test_bad_id_requests_are_refused(steady: Caller, body: Any) -> None:
    assert steady.conversations(BY_CONVERSATION, body).status_code == 400


def test_lookups_know_no_sort_and_ids_no_paging(steady: Caller) -> None:
    by_id, by_consumer = {"conversationId": "a"}, {"consumer": "c", "status": ["OPEN"]}
    assert steady.conversations(BY_CONVERSATION, by_id).status_code == 200
    assert steady.conversations(BY_CONVERSATION, by_id, limit=10).status_code == 400
    assert steady.conversations(BY_CONSUMER, by_consumer, limit=10).status_code == 200
    assert steady.conversations(BY_CONSUMER, by_consumer, sort="start:asc").status_code == 400


def test_a_consumers_conversations_come_by_state_and_page(serve: Serve) -> None:
    caller = serve(
        Conversation("open", at(19, 1), consumer_id="c1"),
        Conversation("closed", at(19, 2), end_ms=at(19, 3), consumer_id="c1"),
        Conversation("other", at(19, 2), consumer_id="c2"),
    )

    def found(*states: str, **parameters: int) -> list[str]:
        return ids(caller.conversations(BY_CONSUMER, {"consumer": "c1", "status": list(states)}, **parameters).json())

    assert found("OPEN") == ["open"]
    assert found("OPEN", "CLOSE") == ["closed", "open"]
    assert found("OPEN", "CLOSE", offset=1, limit=1) == ["open"]


@pytest.mark.parametrize(
    "body",
    [
        {"consumer": "c"},
        {"status": ["OPEN"]},
        {"consumer": "c", "status": []},
        {"consumer": "c", "status": ["OPEN"], "contentToRetrieve": ["dialog"]},
        {"consumer": "c", "status": ["OPEN"], "start": {"from": 0, "to": 1}},
    ],
    ids=str,
)
def test_bad_consumer_requests_are_refused(steady: Caller, body: Any) -> None:
    assert steady.conversations(BY_CONSUMER, body).status_code == 400


def test_what_livepersons_own_console_sends_is_accepted(steady: Caller) -> None:
    content = ["dialogs", "latestAgentSurvey", "intents", "pageViews"]
    for method, body in (
        (BY_CONSUMER, {"consumer": "c", "status": ["OPEN", "CLOSE", "OVERDUE"]}),
        (SEARCH, {"start": {"from": at(18), "to": at(19)}, "status": ["CLOSE", "OVERDUE"]}),
    ):
        answer = steady.conversations(method, {**body, "contentToRetrieve": content})
        assert answer.status_code == 200, answer.text
