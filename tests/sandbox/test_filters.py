from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Conversation

from .caller import SEARCH, Caller, at

Serve = Callable[..., Caller]

ONE = Conversation(
    "one",
    at(19, 1),
    end_ms=at(19, 2),
    skill_ids=(12, 77),
    agent_ids=("a1", "a2"),
    reader_ids=("r1",),
    manager_ids=("m1",),
    agent_group_id=17,
    csat=5,
    nps=9,
    fcr="yes",
    mcs=80,
    alerted_mcs=1,
    source="SHARK",
    device="TABLET",
    message_count=12,
)
OTHER = Conversation(
    "other",
    at(19, 3),
    skill_ids=(-1,),
    agent_ids=("a3",),
    agent_group_id=-1,
    mcs=20,
    alerted_mcs=-1,
    source="SMS",
    device="NA",
    queue_state="IN_QUEUE",
    message_count=2,
    message_interval_ms=1_000,
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": ["CLOSE"]}, ["one"]),
        ({"status": ["OPEN"]}, ["other"]),
        ({"status": ["OPEN", "CLOSE"]}, ["one", "other"]),
        ({"skillIds": [12]}, ["one"]),
        ({"skillIds": ["-1"]}, ["other"]),
        ({"latestSkillIds": [12]}, []),
        ({"latestSkillIds": ["77", -1]}, ["one", "other"]),
        ({"agentIds": ["a1"]}, ["one"]),
        ({"agentIds": ["r1"]}, []),
        ({"agentIds": ["r1"], "userPermissions": ["READER"]}, ["one"]),
        ({"agentIds": ["a1"], "userPermissions": ["READER"]}, []),
        ({"userPermissions": ["AGENT_MANGER"]}, ["one"]),
        ({"latestAgentIds": ["a1"]}, []),
        ({"latestAgentIds": ["a2", "a3"]}, ["one", "other"]),
        ({"agentGroupIds": [17]}, ["one"]),
        ({"agentGroupIds": [-1]}, ["other"]),
        ({"duration": {"from": 3_600, "to": 3_600}}, ["one"]),
        ({"duration": {"to": 10}}, ["other"]),
        ({"mcs": {"from": 80}}, ["one"]),
        ({"mcs": {"to": 79}}, ["other"]),
        ({"alertedMcsValues": ["-1"]}, ["other"]),
        ({"csat": {"from": 5}}, ["one"]),
        ({"csat": {"to": 4}}, []),
        ({"nps": {"from": 9, "to": 9}}, ["one"]),
        ({"fcr": ["1"]}, ["one"]),
        ({"fcr": ["no"]}, []),
        ({"source": ["SMS"]}, ["other"]),
        ({"device": ["TABLET"]}, ["one"]),
        ({"messageContentTypes": ["RICH_CONTENT"]}, ["one"]),
        ({"messageContentTypes": ["TEXT_PLAIN"]}, ["one", "other"]),
        ({"latestConversationQueueState": "IN_QUEUE"}, ["other"]),
        ({"responseTime": {"from": 2_000}}, ["one"]),
        ({"status": ["CLOSE"], "mcs": {"to": 79}}, []),
        ({"surveyIds": ["1"], "annotationStates": ["VETTED"], "questionBrick": "word"}, ["one", "other"]),
        ({"agentSurveySearch": {"pendingAgentSurvey": [True], "surveyId": [1]}}, ["one", "other"]),
    ],
    ids=str,
)
def test_filters_let_pass(serve: Serve, filters: dict[str, Any], expected: list[str]) -> None:
    assert serve(ONE, OTHER).found(at(19), at(20), filters) == expected


def words_of(caller: Caller, name: str) -> str:
    account = caller.sandbox.account
    messages = account.record(next(each for each in account.conversations() if each.conversation_id == name))
    return str(messages["messageRecords"][0]["messageData"]["msg"]["text"])


def test_keywords_are_sought_in_messages_one_by_one_or_as_a_phrase(serve: Serve) -> None:
    caller = serve(ONE)
    first, second = words_of(caller, "one").split()[:2]
    assert caller.found(at(19), at(20), {"keyword": f"{second} {first}".upper()}) == ["one"]
    assert caller.found(at(19), at(20), {"keyword": f'"{first} {second}"'}) == ["one"]
    assert caller.found(at(19), at(20), {"keyword": f'"{second} {first}"'}) == []
    assert caller.found(at(19), at(20), {"keyword": "nobody-says-this"}) == []


def test_summaries_are_searched(caller: Caller) -> None:
    page = caller.search(at(17), at(19), {"summary": '"refund promised"'})
    texts = {record["summary"]["text"] for record in page["conversationHistoryRecords"]}
    assert texts == {"Refund promised"}


def test_attributes_are_searched_by_kind_and_not_by_long_numbers(serve: Serve) -> None:
    caller = serve(ONE)
    record = caller.sandbox.account.record(ONE, ["sdes"])
    customer = record["sdes"]["events"][0]["customerInfo"]["customerInfo"]

    def found(**words: str) -> list[str]:
        return caller.found(at(19), at(20), {"sdeSearch": words})

    assert found(customerInfo=customer["customerStatus"]) == ["one"]
    assert found(purchase=customer["customerStatus"]) == []
    assert found(purchase="x", customerInfo=customer["customerStatus"]) == ["one"]
    assert found(customerInfo=customer["customerId"]) == []


def test_a_search_is_not_mistaken_for_another(serve: Serve) -> None:
    caller = serve(ONE, OTHER)
    for _ in range(2):
        assert caller.found(at(19), at(20), {"mcs": {"from": 80}}) == ["one"]
        assert caller.found(at(19), at(20), {"mcs": {"from": 81}}) == []
    answer = caller.conversations(SEARCH, {"start": {"from": at(19), "to": at(20)}, "mcs": {"from": 200}})
    assert answer.status_code == 400
