from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from tests.exported import calls, connect
from tests.samples import BY_CONSUMER, BY_ID, HOUR, at, crowd

WINDOW = {"start": {"from": at(10), "to": at(11)}}


def test_a_search_pins_version_sort_paging_and_source(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox) as client:
        page = client.interactions.search(WINDOW, offset=1, limit=1)
    assert (page.count, len(page.raws)) == (3, 1)
    (seen,) = calls(sandbox)
    assert seen.query == {"v": "2", "sort": "start:asc", "offset": "1", "limit": "1", "source": "AirflowProviderLP"}


@pytest.mark.parametrize("source", ["A", "Acme_Export_2", "a" * 20])
def test_the_caller_name_is_sent_with_every_search(sandbox_of: Any, source: str) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, source=source) as client:
        client.interactions.search(WINDOW)
        client.interactions.by_id(["c00000"])
        client.interactions.by_consumer("x")
    seen = [call for path in ("/search", BY_ID, BY_CONSUMER) for call in calls(sandbox, path)]
    assert {call.query["source"] for call in seen} == {source}
    assert re.fullmatch("[A-Za-z0-9_]{1,20}", "AirflowProviderLP")


@pytest.mark.parametrize("sort", ["start:asc", "start:desc", "end:asc", "end:desc"])
def test_every_sort_is_taken(sandbox_of: Any, sort: str) -> None:
    with connect(sandbox_of(*crowd(3))) as client:
        ids = [head.info.conversation_id for head in client.interactions.search(WINDOW, sort=sort).heads]
    assert ids == sorted(ids, reverse=sort.endswith("desc"))


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"start": {"from": at(10)}},
        {"start": {"to": at(10)}},
        {"start": {"from": at(11), "to": at(10)}},
        {"start": {"from": str(at(10)), "to": str(at(11))}},
        {"start": {"from": float(at(10)), "to": at(11)}},
        {"start": {"from": True, "to": at(11)}},
        {"start": [at(10), at(11)]},
        {"start": None},
        {**WINDOW, "end": {"from": at(10)}},
        {**WINDOW, "latestUpdateTime": {"from": at(10), "to": at(11)}},
        {"end": {"from": at(10), "to": at(11)}},
    ],
)
def test_times_that_liveperson_would_refuse_or_misread_are_refused(sandbox_of: Any, filters: Any) -> None:
    sandbox = sandbox_of()
    with connect(sandbox) as client, pytest.raises(LivePersonConfigurationError, match="filters"):
        client.interactions.search(filters)
    assert not sandbox.requests


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"sort": "start"}, {"sort": "id:asc"}, {"sort": ""}]
)
def test_paging_that_liveperson_would_refuse_is_refused(sandbox_of: Any, options: Any) -> None:
    sandbox = sandbox_of()
    with connect(sandbox) as client, pytest.raises(LivePersonConfigurationError, match=next(iter(options))):
        client.interactions.search(WINDOW, **options)
    assert not sandbox.requests


def test_all_time_filters_may_be_used_together(sandbox_of: Any) -> None:
    end = {"from": at(10), "to": at(10) + HOUR}
    filters = {**WINDOW, "end": end, "fullDialogEndTime": end, "latestUpdateTime": {"from": at(9)}}
    with connect(sandbox_of(*crowd(3))) as client:
        assert client.interactions.search(filters).count == 3


def test_by_id_gives_whole_records_and_leaves_unknown_ids_out(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3, is_partial=True))
    with connect(sandbox) as client:
        assert [head.info.is_partial for head in client.interactions.search(WINDOW).heads] == [True] * 3
        page = client.interactions.by_id(["c00002", "nobody", "c00000"])
        assert {head.info.conversation_id: head.info.is_partial for head in page.heads} == {
            "c00000": False,
            "c00002": False,
        }
        assert client.interactions.by_id(["c00001"]).count == 1
    bodies = [seen.body for seen in calls(sandbox, BY_ID)]
    assert bodies == [{"conversationIds": ["c00002", "nobody", "c00000"]}, {"conversationId": "c00001"}]


@pytest.mark.parametrize("number", [0, 101])
def test_by_id_takes_1_to_100_ids(sandbox_of: Any, number: int) -> None:
    sandbox = sandbox_of()
    with connect(sandbox) as client, pytest.raises(LivePersonConfigurationError, match=f"has {number} ids"):
        client.interactions.by_id(["x"] * number)
    assert not sandbox.requests


def test_by_consumer_asks_for_open_and_closed_ones_and_is_paged(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(5, consumer_id="someone"))
    with connect(sandbox) as client:
        page = client.interactions.by_consumer("someone", offset=4)
    assert (page.count, len(page.raws)) == (5, 1)
    (seen,) = calls(sandbox, BY_CONSUMER)
    assert seen.body == {"consumer": "someone", "status": ["OPEN", "CLOSE"]}
    assert (seen.query["offset"], seen.query["limit"]) == ("4", "100")


@pytest.mark.parametrize(
    "options",
    [
        {"consumer_id": ""},
        {"consumer_id": None},
        {"consumer_id": 5},
        {"consumer_id": "x", "status": "OPEN"},
        {"consumer_id": "x", "status": []},
        {"consumer_id": "x", "status": ["open"]},
        {"consumer_id": "x", "status": 5},
        {"consumer_id": "x", "limit": 101},
    ],
)
def test_a_wrong_search_by_consumer_is_refused(sandbox_of: Any, options: Any) -> None:
    sandbox = sandbox_of()
    with connect(sandbox) as client, pytest.raises(LivePersonConfigurationError):
        client.interactions.by_consumer(**options)
    assert not sandbox.requests
