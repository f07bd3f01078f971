from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonPermissionError,
    LivePersonServerError,
)
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.reports import REPORTS
from airflow_provider_lp.client.version_table import as_markdown
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, OAUTH1, OAUTH2, USER, ms
from tests.scripted import Say, Seen, scripted

asked = MetricsRequest.checked
NOW_MS = ms(NOW)
DOCUMENTED_FIRST = [name for name in REPORTS if name != "current_queue_health"]
REFUSALS = (400, 401, 403, 404)
FULL = {"metricsTotals": {"x": 1}}


def query_of(seen: Seen) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(seen.path).query))


@contextmanager
def connected(
    respond: Callable[[dict[str, str]], Say], credentials: Any = OAUTH2, clock: FakeClock | None = None
) -> Iterator[tuple[LivePersonClient, list[dict[str, str]]]]:
    """A client of an account that answers metrics as a function says; and the queries that it is asked."""
    queries: list[dict[str, str]] = []

    def answer(seen: Seen) -> Say:
        if "/app/token" in seen.path:
            return Say(body={"access_token": "tok", "expires_in": 3600})
        if "/api/account/12345678/log" in seen.path:
            return Say(body={"bearer": "tok", "csrf": "c", "sessionId": "s"})
        queries.append(query_of(seen))
        return respond(queries[-1])

    with scripted(answer) as server:
        clock = clock or FakeClock(NOW_MS / 1000)
        with LivePersonClient("12345678", credentials, host=server.url, clock=clock) as client:
            yield client, queries


def only(version: str, status: int) -> Callable[[dict[str, str]], Say]:
    """An account that offers one version."""
    return lambda query: Say(body=FULL) if query["v"] == version else Say(status, {"message": "no"})


def request_for(report: str, **arguments: Any) -> MetricsRequest:
    return asked(report, **({"timeframe": 60} if REPORTS[report].needs_period else {}), **arguments)


# What is known is followed.


@pytest.mark.parametrize("skill_ids", [None, [12]])
def test_current_queues_are_asked_with_a_period_under_oauth2(skill_ids: Any) -> None:
    with connected(only("2", 401)) as (client, queries):
        answer = client.operations.send(asked("current_queue_health", skill_ids=skill_ids))
    (query,) = queries
    assert answer.asked_ms == NOW_MS
    assert query.pop("skillIds", None) == (skill_ids and "12")
    assert query == {"v": "2", "fromMillis": str(NOW_MS - 24 * HOUR - 2_000), "toMillis": str(NOW_MS - 2_000)}


def test_current_queues_are_asked_without_a_period_under_oauth1() -> None:
    with connected(only("1", 401), OAUTH1) as (client, queries):
        client.operations.send(asked("current_queue_health"))
        with pytest.raises(LivePersonConfigurationError, match=r"for a period.*OAuth 1.0 keys.*client_id"):
            client.operations.send(asked("current_queue_health", period=(NOW_MS - HOUR, NOW_MS)))
    assert queries == [{"v": "1"}]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("status", REFUSALS)
def test_what_is_known_of_oauth1_is_asked_once(report: str, status: int) -> None:
    with connected(only("2", status), OAUTH1) as (client, queries), pytest.raises(LivePersonError):
        client.operations.send(request_for(report))
    assert {query["v"] for query in queries} == {"1"}


def test_a_version_that_is_known_is_never_left_for_another() -> None:
    explained = pytest.raises(LivePersonPermissionError, match=r"scope.*permission.*feature")
    with connected(only("1", 403)) as (client, queries), explained:
        client.operations.send(asked("current_queue_health"))
    assert {query["v"] for query in queries} == {"2"}


# What is not known is tried, once.


@pytest.mark.parametrize("credentials", [OAUTH2, USER], ids=["oauth2", "user"])
@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("report", DOCUMENTED_FIRST)
def test_the_other_version_is_asked_once_the_documented_one_is_refused(
    report: str, status: int, credentials: Any
) -> None:
    with connected(only("2", status), credentials) as (client, queries):
        answers = [client.operations.send(request_for(report)).frame for _ in range(3)]
    assert [query["v"] for query in queries] == ["1", "2", "2", "2"]
    assert answers[0] == answers[1] == answers[2] != []


@pytest.mark.parametrize("report", DOCUMENTED_FIRST)
def test_the_documented_version_is_kept_where_it_works(report: str) -> None:
    with connected(only("1", 401)) as (client, queries):
        for _ in range(3):
            client.operations.send(request_for(report))
    assert [query["v"] for query in queries] == ["1", "1", "1"]


def test_a_user_gets_current_queues_in_either_version() -> None:
    for version, versions in (("1", ["1", "1"]), ("2", ["1", "2", "2"])):
        with connected(only(version, 401), USER) as (client, queries):
            for _ in range(2):
                client.operations.send(asked("current_queue_health"))
        assert [query["v"] for query in queries] == versions


def test_each_method_is_tried_by_itself() -> None:
    with connected(only("2", 403)) as (client, queries):
        for report in (*DOCUMENTED_FIRST, *DOCUMENTED_FIRST):
            client.operations.send(request_for(report))
    assert len([query for query in queries if query["v"] == "1"]) == len(DOCUMENTED_FIRST)


def test_what_polls_learn_is_known_to_the_client() -> None:
    with connected(only("2", 401)) as (client, queries):
        for _ in range(3):
            client.polling(timedelta(seconds=5)).operations.send(request_for("skill_segments"))
    assert [query["v"] for query in queries] == ["1", "2", "2", "2"]


def test_queue_health_of_a_timeframe_may_be_asked_for_as_a_period() -> None:
    with connected(only("2", 401)) as (client, queries):
        answer = client.operations.send(asked("queue_health", timeframe=60, skill_ids=[12]))
        client.operations.send(asked("queue_health", timeframe=1440))
    end_ms = NOW_MS - 2_000
    assert queries[1:] == [
        {"v": "2", "skillIds": "12", "fromMillis": str(end_ms - HOUR), "toMillis": str(end_ms)},
        {"v": "2", "fromMillis": str(NOW_MS - 24 * HOUR + 2_000), "toMillis": str(end_ms)},
    ]
    assert answer.asked_ms == end_ms


def test_a_period_and_intervals_have_one_version() -> None:
    """The first version takes no periods; what intervals mean in the second is not documented."""
    with connected(lambda _: Say(403)) as (client, queries):
        for request in (
            asked("queue_health", period=(NOW_MS - HOUR, NOW_MS)),
            asked("queue_health", timeframe=60, interval=5),
        ):
            with pytest.raises(LivePersonPermissionError, match="another kind of authentication"):
                client.operations.send(request)
    assert [query["v"] for query in queries] == ["2", "1"]


@pytest.mark.parametrize("statuses", [(a, b) for a in REFUSALS for b in REFUSALS], ids=str)
def test_where_no_version_works_the_refusals_are_explained(statuses: tuple[int, int]) -> None:
    with connected(lambda query: Say(statuses[int(query["v"]) - 1], {"message": f"told {query['v']}"})) as (
        client,
        queries,
    ):
        with pytest.raises(LivePersonError) as caught:
            client.operations.send(request_for("messaging_conversation"))
        with pytest.raises(LivePersonError):
            client.operations.send(request_for("messaging_conversation"))
    assert [query["v"] for query in queries] == ["1", "2"]
    kinds = {400: LivePersonBadRequestError, 404: LivePersonBadRequestError, 401: LivePersonAuthenticationError}
    telling = max(statuses, key=(400, 404, 401, 403).index)
    assert type(caught.value) is kinds.get(telling, LivePersonPermissionError)
    assert f"told {statuses.index(telling) + 1}" in str(caught.value)
    for words in (
        f"v=1 (HTTP {statuses[0]})",
        f"v=2 (HTTP {statuses[1]})",
        "msgconversation",
        "another kind of authentication",
        "scope",
        "permission",
        "feature",
    ):
        assert words in str(caught.value)
    assert not caught.value.retry_helps


@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_that_passes_is_no_failure_where_there_is_no_other_version(status: int) -> None:
    answers = iter([Say(status, b""), Say(body=FULL)])
    with connected(lambda _: next(answers)) as (client, queries):
        period = (NOW_MS - 2 * HOUR, NOW_MS - HOUR)
        assert client.operations.send(asked("queue_health", period=period)).frame
    assert [query["v"] for query in queries] == ["2", "2"]


def test_what_is_refused_is_asked_again_after_a_while() -> None:
    granted = threading.Event()
    clock = FakeClock(NOW_MS / 1000)
    with connected(lambda _: Say(body=FULL) if granted.is_set() else Say(403), clock=clock) as (client, queries):
        with pytest.raises(LivePersonPermissionError):
            client.operations.send(request_for("csat_distribution"))
        granted.set()
        with pytest.raises(LivePersonPermissionError):
            client.operations.send(request_for("csat_distribution"))
        clock.pass_time(61)
        assert client.operations.send(request_for("csat_distribution")).frame
    assert [query["v"] for query in queries] == ["1", "2", "1"]


def test_trouble_is_no_refusal() -> None:
    with connected(lambda query: Say(403 if query["v"] == "1" else 503)) as (client, queries):
        for _ in range(2):
            with pytest.raises(LivePersonServerError):
                client.operations.send(request_for("agent_segments"))
    assert [query["v"] for query in queries] == ["1", *["2"] * 8]


def test_of_several_requests_at_once_one_is_refused() -> None:
    with connected(only("2", 401)) as (client, queries), ThreadPoolExecutor(8) as threads:
        requests = [request_for("messaging_conversation", skill_ids=[number]) for number in range(8)]
        assert all(answer.frame for answer in threads.map(client.operations.send, requests))
    assert sorted(query["v"] for query in queries) == ["1", *["2"] * 8]


# The table.


def test_the_table_has_every_report_and_says_what_is_known() -> None:
    lines = [line.strip("| ").split(" | ") for line in as_markdown().splitlines()]
    assert lines[0][3:] == ["`oauth2`", "`user`", "`application`", "`oauth1`"]
    assert {len(line) for line in lines} == {7}
    current = {line[1]: line[3:] for line in lines if "current_queue_health" in line[0]}
    assert current == {
        "`1`": ["no", "asked first", "asked first", "yes"],
        "`2`": ["yes", "asked for periods, else asked second", "asked for periods, else asked second", "no"],
    }
    for name in REPORTS:
        assert any(f"`{name}`" in line[0] for line in lines)
