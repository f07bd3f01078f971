from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation

from .caller import NOW, SEARCH, Caller, at, ids, ms, records

Serve = Callable[..., Caller]
MINUTE = 60_000


def test_bounds_are_inclusive_and_rounded_outwards_to_ten_minutes(serve: Serve) -> None:
    moments = {
        "before": at(19, 9, 50) - 1,
        "floor": at(19, 9, 50),
        "inside": at(19, 10, 5),
        "ceiling": at(19, 10, 20),
        "after": at(19, 10, 20) + 1,
    }
    caller = serve(*(Conversation(name, moment) for name, moment in moments.items()))
    assert caller.found(at(19, 9, 59), at(19, 10, 10) + 1) == ["floor", "inside", "ceiling"]


def test_bounds_on_a_mark_stay_there(serve: Serve) -> None:
    caller = serve(*(Conversation(f"c{offset}", at(19, 10) + offset) for offset in (-1, 0, 1)))
    assert caller.found(at(19, 10), at(19, 10)) == ["c0"]


def test_latest_update_is_rounded_down_and_inclusive(serve: Serve) -> None:
    mark = at(19, 10)
    caller = serve(*(Conversation(f"c{each}", at(19), latest_update_ms=mark + each) for each in (-1, 0, 1)))
    found = caller.found(at(19), at(20), {"latestUpdateTime": {"from": mark + 9 * MINUTE}})
    assert sorted(found) == ["c0", "c1"]


@pytest.mark.parametrize("time_field", ["start", "end", "full_dialog_end"])
def test_an_aligned_window_is_the_truth_and_its_closing_mark(steady: Caller, time_field: str) -> None:
    account = steady.sandbox.account
    window = {"from": at(18), "to": at(19)}
    name = {"start": "start", "end": "end", "full_dialog_end": "fullDialogEndTime"}[time_field]
    body = {"start": {"from": at(1), "to": at(21)}} | {name: window}
    got: list[str] = []
    while True:
        page = steady.conversations(SEARCH, body, offset=len(got)).json()
        if not records(page):
            break
        got += ids(page)
    closing = account.truth(time_field, at(19), at(19) + 1)
    assert sorted(got) == sorted(account.truth(time_field, at(18), at(19)) + closing)
    assert closing
    assert len(got) == page["_metadata"]["count"]


def test_latest_update_is_the_truth_for_an_aligned_moment(caller: Caller) -> None:
    body = {"start": {"from": at(1), "to": at(21)}, "latestUpdateTime": {"from": at(20, 6)}}
    page = caller.conversations(SEARCH, body).json()
    assert page["_metadata"]["count"] == len(ids(page))
    assert sorted(ids(page)) == sorted(caller.sandbox.account.truth("latest_update", at(20, 6), 0))


def test_the_end_filter_tests_the_chosen_moment(serve: Serve) -> None:
    ends = {"end_ms": at(19, 12), "conversation_end_ms": at(19, 11), "full_dialog_end_ms": at(19, 13)}
    for hour, field in ((12, "end"), (11, "conversation_end"), (13, "full_dialog_end")):
        caller = serve(Conversation("c", at(19, 10), **ends), end_filter_field=field)
        hits = [
            each
            for each in (11, 12, 13)
            if caller.found(at(19), at(20), {"end": {"from": at(19, each), "to": at(19, each)}})
        ]
        assert hits == [hour]


def test_pages_tile_the_search(steady: Caller) -> None:
    pages = [steady.search(at(17), at(19), offset=offset, limit=25) for offset in range(0, 150, 25)]
    rows = [row for page in pages for row in records(page)]
    found = [row["info"]["conversationId"] for row in rows]
    assert len(set(found)) == len(found) == pages[0]["_metadata"]["count"] > 100
    moments = [row["info"]["startTimeL"] for row in rows]
    assert moments == sorted(moments)


def test_sorting_by_end_and_downwards(serve: Serve) -> None:
    caller = serve(
        Conversation("a", at(19, 1), end_ms=at(19, 9)),
        Conversation("b", at(19, 2), end_ms=at(19, 8)),
        Conversation("c", at(19, 3)),
    )
    assert caller.found(at(19), at(20), sort="end:asc") == ["c", "b", "a"]
    assert caller.found(at(19), at(20), sort="end:desc") == ["a", "b", "c"]
    assert caller.found(at(19), at(20), sort="start:desc") == ["c", "b", "a"]
    assert caller.found(at(19), at(20), sort=None) == ["c", "b", "a"]


def test_links_lead_to_internal_hosts_and_the_last_has_another_limit(caller: Caller) -> None:
    metadata = caller.search(at(17), at(19), limit=30)["_metadata"]
    assert metadata["next"]["rel"] == "next"
    assert "offset=30&limit=30" in metadata["next"]["href"]
    assert metadata["next"]["href"].startswith("http://msghist-7.sandbox.internal")
    assert "limit=30" not in metadata["last"]["href"]
    assert metadata["shardsStatusResult"] == {"partialResult": False}


def test_beyond_the_last_row_the_page_is_empty_and_the_count_stays(steady: Caller) -> None:
    page = steady.search(at(17), at(19), offset=9_999)
    assert records(page) == []
    assert page["_metadata"]["count"] > 100
    assert "next" not in page["_metadata"]


def test_nothing_found_is_200_or_on_request_204(serve: Serve) -> None:
    caller = serve()
    assert caller.search(at(17), at(19))["_metadata"]["count"] == 0
    caller.sandbox.empty_as_204 = True
    answer = caller.conversations(SEARCH, {"start": {"from": at(17), "to": at(19)}})
    assert (answer.status_code, answer.content) == (204, b"")
    assert caller.conversations(SEARCH, {}).status_code == 400


def test_a_limit_is_50_unless_given_and_the_server_may_send_less(caller: Caller) -> None:
    assert len(caller.found(at(17), at(19), limit=None)) == 50
    caller.sandbox.page_rows = 7
    page = caller.search(at(17), at(19), limit=20)
    assert len(records(page)) == 7
    assert "offset=7&" in page["_metadata"]["next"]["href"]


def test_what_starts_between_two_pages_moves_the_rows(serve: Serve) -> None:
    account = Account.of([Conversation("a", at(19, 1)), Conversation("b", at(19, 2))], now=NOW.replace(day=19, hour=1))
    caller = serve(account=account)
    assert caller.found(at(19), at(20), sort="start:desc", limit=1) == ["a"]
    account.now = NOW
    assert caller.found(at(19), at(20), sort="start:desc", limit=1, offset=1) == ["a"]


def test_a_truncated_record_says_so_and_is_whole_by_its_id(serve: Serve) -> None:
    caller = serve(Conversation("cut", at(19), is_partial=True, message_count=10))
    (cut,) = records(caller.search(at(19), at(19)))
    assert (cut["info"]["isPartial"], len(cut["messageRecords"])) == (True, 5)
    (whole,) = records(caller.conversations("conversation/search", {"conversationId": "cut"}).json())
    assert (whole["info"]["isPartial"], len(whole["messageRecords"])) == (False, 10)


def test_records_come_as_the_account_says(caller: Caller) -> None:
    account = caller.sandbox.account
    for record in records(caller.search(at(18), at(18, 12))):
        conversation = account.find(record["info"]["conversationId"])
        assert conversation is not None
        assert record == account.record(conversation, whole=not conversation.is_partial)


def test_content_comes_as_named(steady: Caller) -> None:
    page = steady.search(at(18), at(18, 12), {"contentToRetrieve": ["summary", "dialogs"]})
    kept = {name for record in records(page) for name in record}
    assert kept == {"info", "summary", "dialogs"}


def test_epochs_may_be_texts_and_the_end_open(serve: Serve) -> None:
    caller = serve(Conversation("c", at(19)))
    body = {"start": {"from": str(at(19)), "to": -1}}
    assert ids(caller.conversations(SEARCH, body).json()) == ["c"]


GOOD = {"start": {"from": at(18), "to": at(19)}}


@pytest.mark.parametrize(
    "changed",
    [
        {"limit": 101},
        {"limit": 0},
        {"limit": "ten"},
        {"offset": -1},
        {"sort": "start"},
        {"sort": "duration:asc"},
        {"v": 3},
        {"source": None},
        {"source": "a" * 21},
        {"source": "with-dash"},
        {"rollover": "yes"},
        {"page": 2},
    ],
    ids=str,
)
def test_bad_parameters_are_refused(steady: Caller, changed: dict[str, Any]) -> None:
    assert steady.conversations(SEARCH, GOOD).status_code == 200
    answer = steady.conversations(SEARCH, GOOD, **changed)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"start": {"from": at(18)}},
        {"start": {"from": at(19), "to": at(18)}},
        {"start": {"from": "2026-03-18", "to": at(19)}},
        {"start": {"from": float(at(18)) + 0.5, "to": at(19)}},
        {"start": {"from": at(18), "to": at(19), "until": 1}},
        GOOD | {"end": {"from": at(18)}},
        GOOD | {"latestUpdateTime": {"from": at(18), "to": at(19)}},
        GOOD | {"colour": ["red"]},
        GOOD | {"status": "OPEN"},
        GOOD | {"status": ["OPENED"]},
        GOOD | {"status": []},
        GOOD | {"mcs": {"from": 50, "to": 101}},
        GOOD | {"csat": {"from": 0, "to": 5}},
        GOOD | {"csat": {}},
        GOOD | {"nps": {"from": 9, "to": 2}},
        GOOD | {"duration": {"from": -1}},
        GOOD | {"skillIds": [True]},
        GOOD | {"userPermissions": ["AGENT_MANAGER"]},
        GOOD | {"device": ["PHONE"]},
        GOOD | {"keyword": ""},
        GOOD | {"alertedMcsValues": [1]},
        GOOD | {"sdeSearch": {"weather": "rain"}},
        GOOD | {"latestConversationQueueState": ["ACTIVE"]},
        GOOD | {"selectedIntentOnly": "true"},
        GOOD | {"questionTypeAndFormatToRetrieve": {"type": "csat"}},
        GOOD | {"agentSurveySearch": {"surveyId": ["1"]}},
        GOOD | {"contentToRetrieve": ["messages"]},
        GOOD | {"contentToRetrieve": "messageRecords"},
    ],
    ids=str,
)
def test_bad_bodies_are_refused(steady: Caller, body: Any) -> None:
    assert steady.conversations(SEARCH, body).status_code == 400


def test_a_body_must_be_json_and_say_so(steady: Caller) -> None:
    url = "/messaging_history/api/account/12345678/conversations/search?source=a"
    as_text = steady.post(url, data="{}", headers={"Content-Type": "text/plain"}, auth=steady.auth)
    broken = steady.post(url, data="{", headers={"Content-Type": "application/json"}, auth=steady.auth)
    assert (as_text.status_code, broken.status_code) == (400, 400)


def test_three_calendar_months_are_the_most_counted_after_rounding(steady: Caller) -> None:
    first, last = ms(datetime(2025, 11, 15, tzinfo=UTC)), ms(datetime(2026, 2, 15, tzinfo=UTC))
    assert steady.conversations(SEARCH, {"start": {"from": first, "to": last}}).status_code == 200
    assert steady.conversations(SEARCH, {"start": {"from": first, "to": last + 1}}).status_code == 400
    shifted = {"start": {"from": first + 5 * MINUTE, "to": last + 3 * MINUTE}}
    assert steady.conversations(SEARCH, shifted).status_code == 400
    body = GOOD | {"end": {"from": first - 1, "to": last}}
    assert steady.conversations(SEARCH, body).status_code == 400
    assert steady.conversations(SEARCH, {"start": {"from": first, "to": -1}}).status_code == 400


def test_a_record_changes_when_its_conversation_does(serve: Serve) -> None:
    closing = Conversation("a", at(19, 1), end_ms=at(19, 3), latest_update_ms=at(19, 1), message_count=1)
    account = Account.of([closing], now=NOW.replace(day=19, hour=2))
    caller = serve(account=account)
    (before,) = records(caller.search(at(19), at(20)))
    account.now = NOW
    (after,) = records(caller.search(at(19), at(20)))
    assert (before["info"]["status"], after["info"]["status"]) == ("OPEN", "CLOSE")
