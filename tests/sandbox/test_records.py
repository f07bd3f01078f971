from __future__ import annotations

from typing import Any

import msgspec
import pytest

from airflow_provider_lp.sandbox import Account, Conversation
from airflow_provider_lp.sandbox.records.record import DEFAULT_CONTENT

from .caller import NOW, at

CLOSED = Conversation(
    "11111111-0000-4000-8000-000000000001",
    at(19, 10),
    end_ms=at(19, 11, 30),
    conversation_end_ms=at(19, 11),
    message_count=8,
    csat=5,
    skill_ids=(12, 3_141_592_653),
)
ACCOUNT = Account.of([CLOSED, Conversation("open", at(20, 1), mcs=1)], now=NOW)


def test_an_open_conversation_has_no_end() -> None:
    open_one = ACCOUNT.find("open")
    assert open_one is not None
    info = ACCOUNT.record(open_one)["info"]
    assert (info["status"], info["fullDialogStatus"]) == ("OPEN", "OPEN")
    for name in "endTime", "conversationEndTime", "fullDialogEndTime":
        assert (info[name], info[f"{name}L"]) == ("undefined", -1)


def test_a_closed_one_says_each_moment_twice() -> None:
    info = ACCOUNT.record(CLOSED)["info"]
    assert (info["startTime"], info["startTimeL"]) == ("2026-03-19 10:00:00.000+0000", at(19, 10))
    assert (info["endTimeL"], info["conversationEndTimeL"]) == (at(19, 11, 30), at(19, 11))
    assert info["duration"] == 90 * 60_000


def test_without_a_choice_the_default_containers_come_and_no_others() -> None:
    record = ACCOUNT.record(CLOSED)
    assert record.keys() - {"info"} <= set(DEFAULT_CONTENT)
    assert {"messageRecords", "agentParticipants", "transfers", "conversationSurveys"} <= record.keys()


def test_with_a_choice_only_the_named_containers_come() -> None:
    record = ACCOUNT.record(CLOSED, ["dialogs", "monitoring"])
    assert record.keys() == {"info", "dialogs", "monitoring"}
    assert [row["dialogType"] for row in record["dialogs"]] == ["MAIN", "POST_SURVEY"]


def test_version_1_writes_attributes_as_texts_and_knows_no_unauthenticated_ones() -> None:
    wide = Conversation("wide", at(19))
    typed, texts = (ACCOUNT.record(wide, ["sdes", "unAuthSdes"], version=version) for version in (2, 1))
    assert "unAuthSdes" in typed
    assert "unAuthSdes" not in texts
    of_version: list[Any] = [record["sdes"]["events"][0]["customerInfo"]["customerInfo"] for record in (typed, texts)]
    assert isinstance(of_version[0]["balance"], float)
    assert of_version[1]["balance"] == str(of_version[0]["balance"])


def test_the_truncated_form_has_half_of_the_messages_and_says_so() -> None:
    half, whole = ACCOUNT.record(CLOSED, whole=False), ACCOUNT.record(CLOSED)
    assert (half["info"]["isPartial"], whole["info"]["isPartial"]) == (True, False)
    assert half["messageRecords"] == whole["messageRecords"][:4]
    assert len(whole["messageRecords"]) == 8


@pytest.mark.parametrize("size", [7_000, 10_000, 40_000])
def test_records_can_be_padded_to_a_size(size: int) -> None:
    account = Account(now=NOW, days=0, per_day=40, record_bytes=size)
    sizes = [len(msgspec.json.encode(account.record(each))) for each in account.conversations()]
    sizes.sort()
    assert sizes[len(sizes) // 2] == pytest.approx(size, rel=0.1)
