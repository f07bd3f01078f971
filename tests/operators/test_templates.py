"""What templates make of values, and what is made of that."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import check_filters
from airflow_provider_lp.compat import AirflowFailException
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.templates import filters_from_template, ids_from_template
from tests.exported import calls, ids_of
from tests.operators.conftest import DAG
from tests.operators.test_conversations import INTERVAL
from tests.samples import crowd

IDS = ["c00000", "c00001", "c00002"]


class Lazy(Sequence[str]):
    """As Airflow gives the results of mapped tasks: its text says nothing of what it holds."""

    def __getitem__(self, index: Any) -> Any:
        return IDS[index]

    def __len__(self) -> int:
        return len(IDS)

    def __repr__(self) -> str:
        return f"LazySelectSequence([{len(self)} items])"


def rendered(kind: type, context: dict[str, Any], *, native: bool = False, **arguments: Any) -> Any:
    dag = DAG("some", schedule=None, render_template_as_native_obj=native)
    made = kind(task_id="task", dag=dag, **arguments)
    made.render_template_fields(context)
    return made


@pytest.mark.parametrize("native", [False, True])
def test_params_may_fill_filters(serve: Any, native: bool) -> None:
    sandbox = serve(*crowd(3))
    context = {"params": {"skills": [12, 13], "skill": 7, "only": True, "low": 1, "word": "True", "sentence": "[1, 2]"}}
    export = rendered(
        LivePersonConversationsOperator,
        context,
        native=native,
        filters={
            "skillIds": "{{ params.skills }}",
            "latestSkillIds": ["{{ params.skill }}"],
            "selectedIntentOnly": "{{ params.only }}",
            "csat": {"from": "{{ params.low }}", "to": 5},
            "mcs": "{{ {'from': params.low} }}",
            "keyword": "5",
            "agentSurveySearch": {
                "pendingAgentSurvey": ["{{ params.only }}"],
                "surveyId": ["{{ params.skill }}"],
                "questionKeywords": ["yes"],
            },
        },
    )
    export.execute(INTERVAL)
    body = calls(sandbox)[0].body
    assert body["skillIds"] == [12, 13]
    assert [str(some) for some in body["latestSkillIds"]] == ["7"]
    assert body["selectedIntentOnly"] is True
    assert body["csat"] == {"from": 1, "to": 5}
    assert body["mcs"] == {"from": 1}
    assert body["keyword"] == "5"
    assert body["agentSurveySearch"] == {
        "pendingAgentSurvey": [True], "surveyId": [7], "questionKeywords": ["yes"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"skillIds": "['1', '2']"}, {"skillIds": ["1", "2"]}),
        ({"skillIds": '["1", 2]'}, {"skillIds": ["1", 2]}),
        ({"skillIds": "(1, 2)"}, {"skillIds": [1, 2]}),
        ({"skillIds": {1: "a"}.keys()}, {"skillIds": [1]}),
        ({"status": " ['CLOSE']\n"}, {"status": ["CLOSE"]}),
        ({"csat": '{"from": "1", "to": 2}'}, {"csat": {"from": 1, "to": 2}}),
        ({"duration": {"from": "60"}}, {"duration": {"from": 60}}),
        ({"conversationsWithStepUpOnly": "false"}, {"conversationsWithStepUpOnly": False}),
        ({"keyword": "True"}, {"keyword": "True"}),
        ({"keyword": "['refund']"}, {"keyword": "['refund']"}),
        ({"keyword": 404}, {"keyword": "404"}),
        ({"answerText": [5, "yes"]}, {"answerText": ["5", "yes"]}),
        ({"sdeSearch": {"lead": 404}}, {"sdeSearch": {"lead": "404"}}),
        ({"agentSurveySearch": {"questionId": [1]}}, {"agentSurveySearch": {"questionId": ["1"]}}),
        ({"answerText": "['True', '5']"}, {"answerText": ["True", "5"]}),
        ({"sdeSearch": {"lead": "['x']"}}, {"sdeSearch": {"lead": "['x']"}}),
        ("{'status': ['OPEN']}", {"status": ["OPEN"]}),
        (None, {}),
    ],
)
def test_the_text_of_a_value_is_read_as_the_filter_takes_it(given: Any, meant: Any) -> None:
    assert check_filters(filters_from_template(given)) == meant


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"skillIds": "None"}, r"filters\['skillIds'\]='None'.*template"),
        ({"skillIds": ["None"]}, r"filters\['skillIds'\]=\['None'\].*template"),
        ({"skillIds": [""]}, r"filters\['skillIds'\].*template"),
        ({"skillIds": "LazySelectSequence([3 items])"}, r"filters\['skillIds'\].*a list"),
        ({"skillIds": "{'1', '2'}"}, r"filters\['skillIds'\].*a list"),
        ({"selectedIntentOnly": "yes"}, "True or False"),
        ({"csat": {"from": "None"}}, r"filters\['csat'\].*template"),
        ({"csat": {"from": None}}, r"filters\['csat'\].*template"),
        ({"keyword": "None"}, r"filters\['keyword'\]='None'.*template"),
        ({"answerText": ["good", "None"]}, r"filters\['answerText'\].*template"),
        ({"sdeSearch": {"lead": "None"}}, r"filters\['sdeSearch'\].*template"),
        ({"skillIds": [*range(5000), "no id"]}, r"filters\['skillIds'\]=\[0, 1, .{,300}$"),
        ({"status": ["CLOSED"]}, r"Did you mean 'CLOSE'\?$"),
        ("None", r"filters='None'.*template"),
        ("{'status': ", "filters="),
    ],
)
def test_a_template_value_that_is_wrong_is_named(serve: Any, filters: Any, named: str) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        LivePersonConversationsOperator(task_id="export", filters=filters).execute(INTERVAL)
    assert not sandbox.requests


# Ids.


def iterated() -> Iterator[str]:
    yield from IDS


@pytest.mark.parametrize(
    "given", [Lazy(), UserList(IDS), dict.fromkeys(IDS).keys(), set(IDS), iterated(), str(IDS), ", ".join(IDS)]
)
def test_ids_of_any_collection_are_looked_up(serve: Any, given: Any) -> None:
    serve(*crowd(5))
    result = LivePersonConversationLookupOperator(task_id="task", conversation_ids=given).execute({})
    assert ids_of(result["records"]) == IDS


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("template", ["{{ found | list }}", "{{ found | join(',') }}"])
def test_a_template_makes_a_list_of_mapped_results(serve: Any, template: str, native: bool) -> None:
    serve(*crowd(5))
    task = rendered(LivePersonConversationLookupOperator, {"found": Lazy()}, native=native, conversation_ids=template)
    assert ids_of(task.execute({})["records"]) == IDS


def test_mapped_results_themselves_may_be_rendered_natively(serve: Any) -> None:
    serve(*crowd(5))
    task = rendered(
        LivePersonConversationLookupOperator, {"found": Lazy()}, native=True, conversation_ids="{{ found }}"
    )
    assert ids_of(task.execute({})["records"]) == IDS


@pytest.mark.parametrize("as_rendered", [dict, str])
def test_what_a_sensor_has_found_gives_its_ids(as_rendered: Any) -> None:
    found = as_rendered({"count": 2, "conversation_ids": ["a", "b"]})
    assert ids_from_template("conversation_ids", found) == ["a", "b"]


def test_ids_may_be_numbers_where_they_are_rendered_natively(serve: Any) -> None:
    assert ids_from_template("conversation_ids", [7, "8"]) == ["7", "8"]
    assert ids_from_template("conversation_ids", "[7, 8]") == ["7", "8"]
    serve(*crowd(3, consumer_id="4711"))
    task = rendered(LivePersonConversationLookupOperator, {"who": 4711}, native=True, consumer_id="{{ who }}")
    assert task.execute({})["conversations"] == 3


@pytest.mark.parametrize(
    "given",
    [
        str(Lazy()), "dict_keys(['a', 'b'])", "{'a'}", "{'a': 1}", "<generator object x at 0x7f>", "map object(x)",
        "['a', None]", "[['a'], ['b']]", "a=b", ["LazySelectSequence([3 items])"], ["a b"], [["a"]], [True], [1.5],
        {"a": 1}, b"a", 5, True, "x" * 5000 + "{", "...", "*", ["a", "null"],
    ],
)  # fmt: skip
def test_ids_made_of_what_is_no_list_are_refused_though_they_may_be_missing(serve: Any, given: Any) -> None:
    sandbox = serve(*crowd(3))
    task = LivePersonConversationLookupOperator(task_id="task", conversation_ids="{{ ids }}", allow_missing=True)
    task.conversation_ids = given
    with pytest.raises(AirflowFailException, match=r"conversation_ids=.*other_task.output.*\| list") as caught:
        task.execute({})
    assert not sandbox.requests
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("conversation_ids", "consumer_id") for value in ("None", "null", "nan", "False", " ")]
    + [("conversation_ids", "undefined")],
)
def test_ids_of_a_template_without_a_value_are_refused(serve: Any, name: str, value: str) -> None:
    sandbox = serve(*crowd(3))
    task = LivePersonConversationLookupOperator(task_id="task", allow_missing=True, **{name: "{{ value }}"})
    setattr(task, name, value)
    with pytest.raises(AirflowFailException, match=f"{name}={value!r}.*template"):
        task.execute({})
    assert not sandbox.requests


def test_an_empty_list_of_ids_is_one(serve: Any) -> None:
    serve(*crowd(3))
    assert LivePersonConversationLookupOperator(task_id="task", conversation_ids="[]").execute({})["conversations"] == 0
    with pytest.raises(LivePersonConfigurationError):
        ids_from_template("conversation_ids", "[")
