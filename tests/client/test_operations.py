from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_lp.client import LivePersonClient, OAuth2Credentials
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.measurements import Measurement, Subject
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.reports import AGENT_SEGMENT_METRICS, GROUP_QUEUE_METRICS, REPORTS
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import DAY, HOUR, OAUTH1, OAUTH2, at
from tests.scripted import Say, Scripted, scripted

PATH = "/operations/api/account/12345678"
asked = MetricsRequest.checked


@contextmanager
def asking(body: Any = None, status: int = 200) -> Iterator[tuple[Scripted, LivePersonClient]]:
    say = Say(status, {"metricsTotals": {"x": 1}} if body is None else body)
    with scripted(lambda _: say) as server, LivePersonClient("12345678", OAUTH1, host=server.url) as client:
        yield server, client


# What is sent.

GETS: dict[str, tuple[MetricsRequest, str, dict[str, str]]] = {
    "messaging conversation": (
        asked("messaging_conversation", timeframe=60),
        "/msgconversation",
        {"timeframe": "60", "v": "1"},
    ),
    "messaging conversation with everything": (
        asked(
            "messaging_conversation",
            timeframe=1440,
            skill_ids=[12, "9007199254740993", 12],
            agent_ids="all",
            group_ids={17},
            interval=5,
        ),
        "/msgconversation",
        {
            "timeframe": "1440",
            "v": "1",
            "skillIds": "12,9007199254740993",
            "agentIds": "all",
            "groupIds": "17",
            "interval": "5",
        },
    ),
    "csat distribution": (
        asked("csat_distribution", timeframe=1, skill_ids="all", agent_ids=("7", "8")),
        "/msgcsatdistribution",
        {"timeframe": "1", "v": "1", "skillIds": "all", "agentIds": "7,8"},
    ),
    "queue health": (
        asked("queue_health", timeframe=120, skill_ids=["12"], interval=60),
        "/msgqueuehealth",
        {"timeframe": "120", "v": "1", "skillIds": "12", "interval": "60"},
    ),
    "queue health of a period": (
        asked("queue_health", period=(at(19), at(20)), skill_ids=[-1]),
        "/msgqueuehealth",
        {"v": "2", "fromMillis": str(at(19)), "toMillis": str(at(20)), "skillIds": "-1"},
    ),
    "current queue health": (
        asked("current_queue_health"),
        "/msgqueuehealth/current/",
        {"v": "1"},
    ),
    "queue health by group": (
        asked("queue_health_by_group"),
        "/msgqueuehealthbygroup/current/",
        {"v": "1"},
    ),
    "queue health by group, in hours": (
        asked(
            "queue_health_by_group",
            timeframe=72 * 60,
            skill_ids=["12"],
            group_ids="all",
            include_sub_groups=True,
            metrics=["actionableConversations", "unassignedConversations"],
        ),
        "/msgqueuehealthbygroup/current/",
        {
            "v": "1",
            "timeframe": "72",
            "skillIds": "12",
            "allocatedAgentGroupIds": "all",
            "includeSubGroups": "true",
            "metrics": "actionableConversations,unassignedConversations",
        },
    ),
    "skill segments": (
        asked("skill_segments", timeframe=180, skill_ids=["12"], interval=60, user_type="human"),
        "/msgskillsegments",
        {"timeframe": "180", "v": "1", "skillIds": "12", "interval": "60", "userType": "human"},
    ),
    "agent segments": (
        asked(
            "agent_segments",
            timeframe=60,
            agent_ids=["7f3c2d10-0000-4000-8000-00000000a6e7"],
            skill_ids=["12"],
            group_ids="all",
            interval=5,
            user_type="all",
            source=["APP", "FACEBOOK"],
            metrics=["interactiveAgentSegments"],
        ),
        "/msgagentsegments",
        {
            "timeframe": "60",
            "v": "1",
            "agentIds": "7f3c2d10-0000-4000-8000-00000000a6e7",
            "skillIds": "12",
            "groupIds": "all",
            "interval": "5",
            "userType": "all",
            "source": "APP,FACEBOOK",
            "metrics": "interactiveAgentSegments",
        },
    ),
    "agent segments of one channel": (
        asked("agent_segments", timeframe=60, source="all", metrics="all"),
        "/msgagentsegments",
        {"timeframe": "60", "v": "1", "source": "all", "metrics": "all"},
    ),
}


@pytest.mark.parametrize(("request_", "path", "query"), GETS.values(), ids=GETS.keys())
def test_each_report_is_asked_for_as_documented(request_: MetricsRequest, path: str, query: dict[str, str]) -> None:
    with asking() as (server, client):
        assert client.operations.send(request_).frame == [Measurement(Subject("account"), {"x": 1})]
    (seen,) = server.calls
    assert (seen.method, urlsplit(seen.path).path, seen.body) == ("GET", PATH + path, b"")
    assert dict(parse_qsl(urlsplit(seen.path).query, keep_blank_values=True)) == query
    assert seen.path.count("=") == len(query)


def test_the_host_is_that_of_the_reporting_service() -> None:
    with asking() as (server, client):
        client.operations.send(asked("messaging_conversation", timeframe=5))
    assert [seen.path for seen in server.requests if seen not in server.calls] == [
        "/api/account/12345678/service/leDataReporting/baseURI.json?version=1.0"
    ]


def test_a_post_has_all_parameters_as_text_in_its_body() -> None:
    ids = [str(4_294_967_296 + number) for number in range(500)]
    with asking() as (server, client):
        client.operations.send(
            asked(
                "messaging_conversation",
                timeframe=1440,
                skill_ids=[1, 2],
                agent_ids=ids,
                interval=1440,
                by_post=True,
            )
        )
    (seen,) = server.calls
    assert (seen.method, seen.path) == ("POST", f"{PATH}/msgconversation")
    assert seen.headers["Content-Type"] == "application/json"
    assert json.loads(seen.body) == {
        "timeframe": "1440",
        "v": "1",
        "agentIds": ",".join(ids),
        "interval": "1440",
        "skillIds": "1,2",
    }


def test_get_and_post_are_answered_alike(sandbox_of: Any) -> None:
    with connect(sandbox_of()) as client:
        answers = [
            client.operations.send(
                asked("messaging_conversation", timeframe=60, skill_ids="all", interval=30, by_post=by_post)
            )
            for by_post in (False, True)
        ]
    assert answers[0] == answers[1]
    assert len(answers[0].intervals or ()) > 1


def test_a_period_is_sent_with_what_else_current_queue_health_takes() -> None:
    request = asked(
        "current_queue_health",
        period=(at(20) - 72 * HOUR, at(20)),
        skill_ids="all",
        overdue_conversations=True,
        breakdown=False,
        metrics=["queue", "overdue"],
        group_ids=[17, 18],
    )
    (version,) = request.versions("oauth2")
    assert request.params(version, at(20)) == {
        "v": 2,
        "fromMillis": at(17),
        "toMillis": at(20),
        "skillIds": "all",
        "overdueConversations": "true",
        "breakdown": "false",
        "metrics": "queue,overdue",
        "groupIds": "17,18",
    }


# What is refused, before anything is sent.

BAD_IDS: tuple[Any, ...] = (
    [],
    "",
    "None",
    [None],
    [True],
    [1.5],
    ["1,2"],
    ["1 2"],
    ["a&b"],
    ["all", "12"],
    12.5,
    b"12",
    {"12": 1},
)
BAD_OPTIONS = {
    ("current_queue_health", "overdue_conversations"): ("true", 1, 0, []),
    ("current_queue_health", "breakdown"): ("false", 1),
    ("current_queue_health", "metrics"): ([], "", ["waits"], [5], 5, ["queue", None]),
    ("queue_health_by_group", "include_sub_groups"): ("yes", 1),
    ("queue_health_by_group", "metrics"): ([], ["queue"], [None]),
    ("queue_health_by_group", "timeframe"): (0, -1, 1.5, "1440", True, 90),
    ("skill_segments", "user_type"): ("", "Human", "humans", 1, ["human"]),
    ("agent_segments", "user_type"): ("agent",),
    ("agent_segments", "source"): ("", [], "app", ["APP", "x y"], [5], 5, ["all", "APP"], ["APP", "all"]),
    ("agent_segments", "metrics"): ([], ["totalSkillConversationSegments"]),
    ("csat_distribution", "interval"): (5,),
    ("queue_health", "agent_ids"): ("all",),
}
BAD_PERIODS = ((at(20), at(20)), (at(20), at(19)), (float(at(19)), at(20)), (str(at(19)), at(20)), (at(19), None))


def refused() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Reports, the arguments that they refuse, and what the error names."""
    needed: dict[str, dict[str, Any]] = {
        name: {"timeframe": 60} if report.needs_period else {} for name, report in REPORTS.items()
    }
    for name, report in REPORTS.items():
        if report.needs_period:
            for timeframe in (0, -1, 1441, 60.0, "60", True, None):
                yield name, {"timeframe": timeframe}, "timeframe"
        if "interval" in report.parameters:
            for interval in (31, 61, 0, -5, 7, 30.0, "30", True, 120, 4):
                yield name, {**needed[name], "interval": interval}, "interval"
        for ids in ("skill_ids", "agent_ids", "group_ids"):
            if ids in report.parameters:
                yield from ((name, {**needed[name], ids: bad}, ids) for bad in BAD_IDS)
        periods = BAD_PERIODS
        if report.period_hours:
            periods += ((at(20) - report.period_hours * HOUR - 1, at(20)), (0, at(20)), (-5, 5))  # type: ignore[assignment]
        yield from ((name, {"period": period}, "period") for period in periods)
    for (name, argument), values in BAD_OPTIONS.items():
        yield from ((name, {**needed[name], argument: value}, argument) for value in values)
    for by_post in ("yes", 1, None):
        yield "messaging_conversation", {"timeframe": 60, "by_post": by_post}, "by_post"
    yield "messaging_conversation", {"timeframe": 60, "group_ids": "all", "by_post": True}, "group_ids"
    yield "csat_distribution", {"timeframe": 60, "by_post": True}, "by_post"
    yield "queue_health", {"timeframe": 60, "period": (at(19), at(20))}, "timeframe"
    yield "queue_health", {"interval": 60, "period": (at(19), at(20))}, "interval"
    yield "conversations", {}, "report"


@pytest.mark.parametrize(("report", "arguments", "named"), list(refused()), ids=str)
def test_what_liveperson_would_refuse_or_misread_is_no_request(
    report: str, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(LivePersonConfigurationError, match=named):
        asked(report, **arguments)


@pytest.mark.parametrize(
    ("skill_ids", "words"), [("al", "Did you mean 'all'?"), (["Sales"], "must be numbers"), ([12, "x"], "numbers")]
)
def test_skills_are_named_by_their_numbers(skill_ids: Any, words: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=re.escape(words)) as caught:
        asked("queue_health", timeframe=60, skill_ids=skill_ids)
    assert f"skill_ids={skill_ids!r}" in str(caught.value)


def test_the_longest_periods_are_sent() -> None:
    with asking() as (server, client):
        client.operations.send(asked("queue_health", period=(at(20) - 24 * HOUR, at(20))))
        assert len(server.calls) == 1


def test_every_metric_that_is_documented_may_be_asked_for() -> None:
    with asking() as (server, client):
        for name in GROUP_QUEUE_METRICS:
            client.operations.send(asked("queue_health_by_group", metrics=[name]))
        for name in AGENT_SEGMENT_METRICS:
            client.operations.send(asked("agent_segments", timeframe=60, metrics=[name]))
    sent = [dict(parse_qsl(urlsplit(seen.path).query))["metrics"] for seen in server.calls]
    assert sent == [*GROUP_QUEUE_METRICS, *AGENT_SEGMENT_METRICS]


# Answers.


@pytest.mark.parametrize("broken", [b"{", b"<html></html>", {"message": "busy"}, {"metricsByIntervals": [{}]}])
def test_an_answer_that_is_none_is_asked_for_again(broken: Any) -> None:
    said = iter([Say(body=broken), Say(body={"metricsTotals": {"x": 1}})])
    clock = FakeClock()
    with scripted(lambda _: next(said)) as server:
        with LivePersonClient("12345678", OAUTH1, host=server.url, clock=clock) as client:
            assert client.operations.send(asked("messaging_conversation", timeframe=60)).frame[0].metrics == {"x": 1}
        assert [seen.path for seen in server.calls] == [f"{PATH}/msgconversation?timeframe=60&v=1"] * 2
    assert clock.pauses == [5.0]


def test_an_answer_that_stays_none_is_an_error_that_names_the_method() -> None:
    with scripted(lambda _: Say(body=b"{")) as server:
        client = LivePersonClient("12345678", OAUTH1, host=server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonTransportError, match="msgagentsegments"):
            client.operations.send(asked("agent_segments", timeframe=60))
        assert len(server.calls) > 1


def test_no_content_is_asked_for_again_and_fails_in_the_end() -> None:
    with scripted(lambda _: Say(204)) as server:
        client = LivePersonClient("12345678", OAUTH1, host=server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonTransportError, match="HTTP 204"):
            client.operations.send(asked("csat_distribution", timeframe=60))
        assert len(server.calls) == 4


def test_a_refusal_is_final_and_says_what_liveperson_said() -> None:
    with asking({"message": "period too far back"}, status=400) as (server, client):
        with pytest.raises(LivePersonBadRequestError, match="period too far back"):
            client.operations.send(asked("queue_health", period=(at(20) - DAY, at(20))))
        assert len(server.calls) == 1


def test_credentials_that_are_refused_say_nothing_about_versions(sandbox_of: Any) -> None:
    sandbox = sandbox_of()
    wrong = OAuth2Credentials(OAUTH2.client_id, "wrong")
    with (
        connect(sandbox, FakeClock(), wrong) as client,
        pytest.raises(LivePersonAuthenticationError, match="invalid_client") as caught,
    ):
        client.operations.send(MetricsRequest.checked("queue_health", timeframe=60))
    assert "v=1" not in str(caught.value)
    assert [call.status for call in calls(sandbox, "/app/token")] == [400]
