from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonBadRequestError, LivePersonConfigurationError
from airflow_provider_lp.client.filters import (
    CONSOLE_CONTENT_TYPES,
    CONTENT_TYPES,
    FILTERS,
    NOT_BY_CONSUMER,
    _warn,
    check_content,
    check_filters,
    check_status,
    warn_of_undocumented,
)
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from tests.exported import calls, connect
from tests.samples import BY_CONSUMER, NOW, at

WINDOW = {"start": {"from": at(10), "to": at(11)}}
SDE_KINDS = [
    "personalInfo",
    "customerInfo",
    "userUpdate",
    "marketingCampaignInfo",
    "lead",
    "purchase",
    "viewedProduct",
    "cartStatus",
    "serviceActivity",
    "visitorError",
    "searchContent",
]

#: Each filter of LivePerson's documentation in its documented forms.
DOCUMENTED: list[tuple[str, Any]] = [
    ("status", ["OPEN"]),
    ("status", ["OPEN", "CLOSE"]),
    ("skillIds", [-1, 12, "13", 9_007_199_254_740_993]),
    ("latestSkillIds", ["-1"]),
    ("agentIds", ["4294967301", 7, "8d5ea3b6-5e5d-4b0a-a9ec-6b26d7f1c2aa"]),
    ("userPermissions", ["ASSIGNED_AGENT", "AGENT", "AGENT_MANGER", "READER"]),
    ("latestAgentIds", ["4294967301"]),
    ("agentGroupIds", [-1, "5"]),
    ("keyword", "refund"),
    ("keyword", '"where is my order"'),
    ("summary", "was helped"),
    ("duration", {"from": 0, "to": 3600}),
    ("duration", {"from": 60}),
    ("duration", {"to": 60}),
    ("mcs", {"from": 0, "to": 100}),
    ("mcs", {"from": 50}),
    ("alertedMcsValues", ["-1", "0", "1"]),
    ("csat", {"from": 1, "to": 5}),
    ("csat", {"to": 2}),
    ("nps", {"from": 0, "to": 10}),
    ("fcr", ["yes", "no", "1", "0"]),
    ("source", ["APP", "SHARK", "AGENT", "SMS", "FACEBOOK", "APPLE_BUSINESS_CHAT", "WHATSAPP_BUSINESS"]),
    ("device", ["DESKTOP", "TABLET", "MOBILE", "NA"]),
    (
        "messageContentTypes",
        [
            "TEXT_PLAIN",
            "TEXT_HTML",
            "LINK",
            "HOSTED_FILE",
            "IMG",
            "SECURE_FORM_INVITATION",
            "SECURE_FORM_SUBMIT",
            "RICH_CONTENT",
        ],
    ),
    ("latestConversationQueueState", "IN_QUEUE"),
    ("latestConversationQueueState", "ACTIVE"),
    *[("sdeSearch", {kind: "word"}) for kind in SDE_KINDS],
    ("responseTime", {"from": 1000}),
    ("responseTime", {"to": 60_000}),
    ("questionBrick", "brick"),
    ("invalidFreeTextAnswer", "INVALID_FREE_TEXT_ANSWER"),
    ("surveyBotConversations", "SURVEY_BOT"),
    ("surveyIds", ["123", 456]),
    *[
        ("questionTypeAndFormatToRetrieve", {"type": kind, "format": form})
        for kind in ("custom", "csat", "nps", "fcr")
        for form in ("single", "open")
    ],
    ("answerText", ["great", "service"]),
    ("selectedIntentOnly", True),
    ("conversationsWithStepUpOnly", False),
    (
        "agentSurveySearch",
        {
            "pendingAgentSurvey": [True, False],
            "questionId": ["1"],
            "questionName": ["Solved?"],
            "questionKeywords": ["solved"],
            "answerKeywords": ["yes"],
            "surveyId": [8589934611],
        },
    ),
    ("annotationStates", ["OPEN", "SUBMITTED", "VETTED"]),
    ("cappingConfiguration", "PersonalInfoEvent:5:desc,CustomerInfoEvent:5:desc"),
]

WRONG: list[tuple[str, Any]] = [
    ("status", "OPEN"),
    ("status", []),
    ("status", ["open"]),
    ("status", ["OPEN", "CLOSED"]),
    ("status", None),
    ("skillIds", []),
    ("skillIds", 5),
    ("skillIds", [True]),
    ("skillIds", [1.5]),
    ("skillIds", [None]),
    ("skillIds", [""]),
    ("skillIds", ["1 2"]),
    ("skillIds", ["Sales"]),
    ("latestSkillIds", [-2]),
    ("skillIds", ["None"]),
    ("agentIds", "7"),
    ("agentIds", [["7"]]),
    ("userPermissions", ["AGENT_MANAGER"]),
    ("keyword", ""),
    ("keyword", "  "),
    ("keyword", ["refund"]),
    ("summary", 5),
    ("duration", {}),
    ("duration", 60),
    ("duration", {"from": 60, "to": 30}),
    ("duration", {"from": -1}),
    ("duration", {"from": 1.5}),
    ("duration", {"from": True}),
    ("duration", {"min": 1}),
    ("mcs", {"to": 101}),
    ("mcs", {"from": -1}),
    ("csat", {"from": 0}),
    ("csat", {"to": 6}),
    ("csat", 5),
    ("csat", {"from": None}),
    ("nps", {"to": 11}),
    ("alertedMcsValues", [2]),
    ("fcr", ["maybe"]),
    ("fcr", [True]),
    ("source", ["app"]),
    ("source", []),
    ("device", ["PHONE"]),
    ("messageContentTypes", ["TEXT"]),
    ("latestConversationQueueState", ["ACTIVE"]),
    ("latestConversationQueueState", "QUEUED"),
    ("sdeSearch", {}),
    ("sdeSearch", {"unknown": "x"}),
    ("sdeSearch", {"lead": ""}),
    ("sdeSearch", {"lead": "order 1234"}),
    ("sdeSearch", "x"),
    ("responseTime", {}),
    ("questionBrick", ""),
    ("invalidFreeTextAnswer", True),
    ("surveyBotConversations", "yes"),
    ("surveyIds", []),
    ("questionTypeAndFormatToRetrieve", {"type": "other", "format": "single"}),
    ("questionTypeAndFormatToRetrieve", {"type": "csat"}),
    ("questionTypeAndFormatToRetrieve", {}),
    ("answerText", "great"),
    ("answerText", [""]),
    ("selectedIntentOnly", "true"),
    ("selectedIntentOnly", 1),
    ("conversationsWithStepUpOnly", None),
    ("agentSurveySearch", {"surveyId": []}),
    ("agentSurveySearch", {"surveyId": ["a-survey"]}),
    ("agentSurveySearch", {"questionIds": ["1"]}),
    ("agentSurveySearch", {"pendingAgentSurvey": True}),
    ("annotationStates", ["CLOSED"]),
    ("cappingConfiguration", ""),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Account.of([Conversation("c", at(10, 5), end_ms=at(10, 6))], now=NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[LivePersonClient]:
    with connect(sandbox) as connected:
        yield connected


def test_every_filter_is_tried_here() -> None:
    assert {name for name, _ in DOCUMENTED} == set(FILTERS)
    alike = {"latestSkillIds", "latestAgentIds", "agentGroupIds"}  # checked as skillIds are
    assert {name for name, _ in WRONG} | alike == set(FILTERS)


@pytest.mark.parametrize(("name", "value"), DOCUMENTED)
def test_a_documented_filter_is_accepted_by_us_and_by_the_server(
    client: LivePersonClient, name: str, value: Any
) -> None:
    client.interactions.search({**WINDOW, **check_filters({name: value})})


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_before_any_request(
    sandbox: Sandbox, client: LivePersonClient, name: str, value: Any
) -> None:
    before = len(sandbox.requests)
    with pytest.raises(LivePersonConfigurationError, match=f"filters.'{name}"):
        check_filters({name: value})
    with pytest.raises(LivePersonConfigurationError, match=f"filters.'{name}"):
        client.interactions.search({**WINDOW, name: value})
    assert len(sandbox.requests) == before


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 101),
        st.floats(0, 3),
        st.sampled_from(
            ["", "x", "OPEN", "CLOSE", "APP", "yes", "1", "-1", "12345", "csat", "single", "AGENT", "a.b@c"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["from", "to", "type", "format", "lead", "surveyId", "questionId", "pendingAgentSurvey"]),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=150)
@given(name=st.sampled_from(sorted(FILTERS)), value=values)
def test_whatever_is_accepted_here_the_server_accepts_too(client: LivePersonClient, name: str, value: Any) -> None:
    try:
        checked = check_filters({name: value})
    except LivePersonConfigurationError:
        return
    client.interactions.search({**WINDOW, **checked})


@pytest.mark.parametrize("name", ["skills", "Status", "skillId", "", 5, None])
def test_an_unknown_filter_is_refused_and_the_known_ones_named(name: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"is not a filter.*Known: .*skillIds"):
        check_filters({name: ["1"]})


@pytest.mark.parametrize("name", ["start", "end", "fullDialogEndTime", "latestUpdateTime"])
def test_a_time_filter_belongs_to_the_operator(name: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match="belongs to the operator"):
        check_filters({name: {"from": 1, "to": 2}})


def test_content_is_no_filter() -> None:
    with pytest.raises(LivePersonConfigurationError, match="content="):
        check_filters({"contentToRetrieve": ["campaign"]})


@pytest.mark.parametrize("filters", [[], "status", 5, [("status", ["OPEN"])]])
def test_filters_that_are_no_dict_are_refused(filters: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="filters="):
        check_filters(filters)


def test_no_filters_are_none() -> None:
    assert check_filters(None) == check_filters({}) == {}


# Content.


@pytest.mark.parametrize("name", sorted(CONTENT_TYPES))
def test_every_content_type_is_accepted_by_us_and_by_the_server(client: LivePersonClient, name: str) -> None:
    (record,) = client.interactions.search(WINDOW, content=[name]).records()
    assert "info" in record
    client.interactions.by_id(["c"], content=[name])
    if name not in NOT_BY_CONSUMER:
        client.interactions.by_consumer("x", content=[name])


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log, as of a process that has warned of nothing yet."""
    _warn.cache_clear()
    yield caplog
    _warn.cache_clear()


@pytest.mark.parametrize("name", sorted(NOT_BY_CONSUMER | CONSOLE_CONTENT_TYPES))
def test_content_that_is_not_documented_for_the_search_by_consumer_is_passed_on_with_a_warning(
    sandbox: Sandbox, client: LivePersonClient, warnings: pytest.LogCaptureFixture, name: str
) -> None:
    with suppress(LivePersonBadRequestError):
        client.interactions.by_consumer("x", content=[name, "campaign"])
    assert calls(sandbox, BY_CONSUMER)[-1].body["contentToRetrieve"] == [name, "campaign"]
    (line,) = warnings.messages
    assert f"content={name!r} is not documented" in line


def test_what_the_console_asks_for_is_passed_on_with_one_warning(warnings: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        content = check_content(["pageViews", "summary"])
        filters = check_filters({"status": ["OPEN", "OVERDUE"]})
        status = check_status(["OVERDUE"])
        assert (content, filters, status) == (["pageViews", "summary"], {"status": ["OPEN", "OVERDUE"]}, ["OVERDUE"])
        # A DAG file is parsed again and again: what only checks it says nothing.
        assert len(warnings.messages) in (0, 3)
        warn_of_undocumented(filters=filters, content=content, status=status)
    assert [line.partition(" is not")[0] for line in warnings.messages] == [
        "content='pageViews'",
        "status='OVERDUE'",
        "OVERDUE in filters['status']",
    ]


def test_what_is_documented_is_not_warned_of(warnings: pytest.LogCaptureFixture) -> None:
    warn_of_undocumented(content=sorted(CONTENT_TYPES), filters={"status": ["OPEN"]}, status=["OPEN", "CLOSE"])
    warn_of_undocumented(content=sorted(CONTENT_TYPES - NOT_BY_CONSUMER), by_consumer=True)
    assert warnings.messages == []


@pytest.mark.parametrize(
    ("check", "wrong", "meant"),
    [
        (check_filters, {"skillId": [1]}, "'skillIds'"),
        (check_filters, {"Status": ["OPEN"]}, "'status'"),
        (check_filters, {"status": ["CLOSED"]}, "'CLOSE'"),
        (check_filters, {"device": ["mobile"]}, "'MOBILE'"),
        (check_content, ["Campaign"], "'campaign'"),
        (check_content, ["messageRecord"], "'messageRecords'"),
        (check_status, ["CLOSED"], "'CLOSE'"),
        (check_status, ["open"], "'OPEN'"),
    ],
)
def test_a_name_that_is_surely_wrong_is_refused_with_the_nearest_one(check: Any, wrong: Any, meant: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=rf"Did you mean {meant}\?"):
        check(wrong)


def test_a_name_like_no_other_is_refused_without_a_guess() -> None:
    for check, wrong in ((check_filters, {"xyzzy": 1}), (check_content, ["xyzzy"]), (check_status, ["xyzzy"])):
        with pytest.raises(LivePersonConfigurationError, match="xyzzy") as caught:
            check(wrong)  # type: ignore[operator]
        assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("status", ["OPEN", [], None, {"OPEN": 1}, [None], [1], [["OPEN"]]])
def test_a_wrong_status_is_refused(status: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="status="):
        check_status(status)


@pytest.mark.parametrize("content", ["campaign", [], ["unknown"], ["Campaign"], [1], [["campaign"]], 5, True, {}])
def test_wrong_content_is_refused(content: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="content="):
        check_content(content)


def test_content_is_asked_for_once_and_only_where_it_is_given(sandbox: Sandbox, client: LivePersonClient) -> None:
    client.interactions.search(WINDOW, content=["campaign", "summary", "campaign"])
    assert calls(sandbox)[-1].body["contentToRetrieve"] == ["campaign", "summary"]
    client.interactions.search(WINDOW)
    assert "contentToRetrieve" not in calls(sandbox)[-1].body
