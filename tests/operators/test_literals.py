"""What is wrong as it stands in a DAG file shows when the file is parsed."""

from __future__ import annotations

import logging
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowFailException, BaseOperator
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from airflow_provider_lp.operators.literals import WrongArgumentError
from airflow_provider_lp.operators.metrics import LivePersonMetricsOperator
from airflow_provider_lp.operators.planning import LivePersonPlanWindowsOperator
from airflow_provider_lp.operators.reconciling import LivePersonReconcileOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sensors.conversations import (
    LivePersonConversationsSensor,
    LivePersonConversationStatusSensor,
    LivePersonWindowReadySensor,
)
from airflow_provider_lp.sensors.metrics import LivePersonMetricSensor
from tests.operators.conftest import DAG

Conversations, Lookup, Metrics = (
    LivePersonConversationsOperator,
    LivePersonConversationLookupOperator,
    LivePersonMetricsOperator,
)
Plan, Reconcile, Tables = LivePersonPlanWindowsOperator, LivePersonReconcileOperator, LivePersonTablesOperator
Matching, Ready, Status, Metric = (
    LivePersonConversationsSensor,
    LivePersonWindowReadySensor,
    LivePersonConversationStatusSensor,
    LivePersonMetricSensor,
)
#: What each class needs.
NEEDED: dict[Any, dict[str, Any]] = {
    Lookup: {"conversation_ids": ["a"]},
    Reconcile: {"exports": "{{ exports }}"},
    Tables: {"source": "s3://lake/x.ndjson", "path": "s3://lake/{table}.parquet"},
    Status: {"conversation_ids": ["a"]},
    Metric: {"metric": "unassignedConversations", "at_least": 1},
}
DAY = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}

WRONG: list[tuple[Any, dict[str, Any], str]] = [
    *(
        (operator, arguments, said)
        for operator in (Conversations, Plan, Matching, Ready)
        for arguments, said in (
            ({"start": DAY["start"]}, "end is missing"),
            ({**DAY, "end": DAY["start"]}, "is not after start"),
            ({**DAY, "start": datetime(2026, 1, 1)}, r"start=.*has no time zone"),  # noqa: DTZ001
            ({"start": "{{ ds }}", "end": "2026-01-02"}, r"end='2026-01-02' has no time zone"),
            ({"window": "P1M"}, "window='P1M' is not a length of time"),
            ({"window": 0}, "window=0 must be longer than zero"),
            ({"time_field": "ended"}, "time_field='ended' must be one of .*Did you mean 'end'"),
            ({"max_age": timedelta(days=500)}, "max_age="),
            ({"filters": {"skilIds": [1]}}, r"filters\['skilIds'\] is not a filter.* Did you mean 'skillIds'"),
            ({"filters": {"skilIds": "{{ ids }}"}}, r"filters\['skilIds'\] is not a filter"),
            ({"filters": {"skillIds": ["{{ id }}", "abc"]}}, r"filters\['skillIds'\]=\['abc'\]"),
            ({"filters": {"csat": {"from": "{{ low }}", "to": 9}}}, r"filters\['csat'\]"),
            ({"filters": "all"}, "filters='all' must be a dict"),
            ({"filter": {}}, "has no argument 'filter'. Did you mean 'filters'.*it takes .*filters"),
            ({"liveperson_conn_id": ""}, "liveperson_conn_id='' must be"),
        )
    ),
    *(
        (operator, arguments, said)
        for operator in (Conversations, Lookup)
        for arguments, said in (
            ({"content": ["messageRecord"]}, "content='messageRecord'.*Did you mean 'messageRecords'"),
            ({"content": ["{{ one }}", "sdse"]}, "content='sdse'"),
            ({"format": "csv"}, "format='csv' must be one of ndjson"),
            ({"path": "s3://lake/x.ndjson.bz2"}, "ends in a format that is not written"),
            ({"path": "s3://lake/date={{ ds }}/x.csv"}, "path='…/x.csv' promises csv, but format='ndjson'"),
            ({"path": "{{ base }}/x.parquet"}, "ends in a format that is not written"),
            ({"path": "wasb://lake/{{ ds }}.ndjson"}, "Write abfs://lake/….ndjson"),
            ({"path": "lake/{{ ds }}.ndjson"}, "is relative"),
            ({"path": Path("lake/x.ndjson")}, "is relative"),
            ({"path": "s3://lake/{day}/{{ ds }}.ndjson"}, "{day} cannot be filled in"),
            ({"path": "s3://lake@bucket/{{ ds }}", "storage_conn_id": "other"}, "names the connection 'lake'"),
            ({"path": 5}, "path=5 must be a URL"),
            ({"storage_conn_id": " "}, "storage_conn_id=' ' must be"),
            ({"redact": "personel"}, "knows no preset 'personel'.*Did you mean 'personal'"),
            ({"redact": {"drpo": "{{ paths }}"}}, "redact has no 'drpo'"),
            ({"redact": {"mask": ["{{ one }}", "emial"]}}, "Did you mean 'email'"),
            ({"redact": {"drop": ["consumerParticipants.*.emial"], "text": "{{ f }}"}}, "emial"),
            ({"max_concurrency": 0}, "max_concurrency=0 must be"),
            ({"max_xcom_bytes": "1 MB"}, "max_xcom_bytes='1 MB' must be"),
        )
    ),
    (Conversations, {"max_shortfall": -1}, "max_shortfall=-1"),
    (Conversations, {"path_timezone": "Europe/Berlun", "path": "/x"}, "path_timezone='Europe/Berlun'"),
    (Lookup, {"consumer_id": "a"}, "one of the two"),
    (Lookup, {"conversation_ids": None}, "one of the two"),
    (Lookup, {"conversation_ids": ["{{ one }}", "a b"]}, "conversation_ids="),
    (Lookup, {"status": "OPEN"}, "status goes with consumer_id"),
    (Lookup, {"conversation_ids": None, "consumer_id": "a", "status": ["OPNE"]}, "Did you mean 'OPEN'"),
    (Metrics, {"report": "queue_helth"}, "report='queue_helth'.*Did you mean 'queue_health'"),
    (Metrics, {"skill_ids": ["{{ one }}", "x"]}, "skill_ids="),
    (Metrics, {"group_ids": [1], "report": "skill_segments"}, "group_ids has no meaning"),
    (Metrics, {"timeframe": 2000}, "timeframe=2000"),
    (Metrics, {"timeframe": 60, "window": "PT1H"}, "timeframe=60 counts back"),
    (Metrics, {"report": "queue_health_by_group", **DAY}, "can have no meaning"),
    (Metrics, {"interval": timedelta(seconds=90)}, "interval="),
    (Metrics, {"source_of_truth": "archive"}, "source_of_truth="),
    (Metrics, {"max_age": "P3D"}, "max_age has a meaning"),
    (Metrics, {"format": "json"}, "format='json' must be one of ndjson, csv"),
    (Metrics, {"path": "/x/{{ ds }}.csv.gz"}, "promises csv, but format='ndjson'"),
    (Metrics, {"start": DAY["start"]}, "end is missing"),
    (Plan, {"target_conversations": 0}, "target_conversations=0"),
    (Plan, {"longest": 60}, "must be ten minutes or more"),
    (Plan, {"path": "s3://lake/x.ndjson"}, "is the same for all windows"),
    (Plan, {"max_concurrency": 65}, "max_concurrency=65"),
    (Reconcile, {"exports": "nothing"}, "exports='nothing' must be"),
    (Reconcile, {"exports": ["{{ one }}", 5]}, "exports=5 must be"),
    (Reconcile, {"exports": ["/lp/x.ndjson.zst"]}, "exports='/lp/x.ndjson.zst' is no manifest"),
    (Reconcile, {"on_difference": "ignore"}, "on_difference='ignore'"),
    (Reconcile, {"gap_path": "/x/{start}.ndjson"}, "gap_path says where"),
    (Reconcile, {"on_difference": "return", "gap_path": "x/{start}.ndjson"}, "gap_path=.*relative"),
    (Reconcile, {"path": "/x/{{ ds }}.json.gz"}, "a manifest is plain JSON"),
    (Reconcile, {"end": DAY["end"]}, "start is missing"),
    (Tables, {"tables": ["mesages"]}, "there is no table 'mesages'.*Did you mean 'messages'"),
    (Tables, {"tables": ["{{ one }}", "mesages"]}, "there is no table 'mesages'"),
    (Tables, {"path": "s3://lake/x.parquet"}, "must hold {table}"),
    (Tables, {"path": "s3://lake/{table}/{{ ds }}.csv"}, "promises another format"),
    (Tables, {"manifest_path": "x.json"}, "manifest_path='x.json' is relative"),
    (Tables, {"source_conn_id": 5}, "source_conn_id=5"),
    (Matching, {"min_count": 0}, "min_count=0"),
    (Ready, {"delay": -1}, "delay=-1"),
    (Ready, {"settling_time": "soon"}, "settling_time='soon'"),
    (Ready, {"time_field": "latest_update"}, "knows no end"),
    (Status, {"conversation_ids": ["a b"]}, "conversation_ids"),
    (Status, {"status": ["OPEN", "CLOSE"]}, "must be one of CLOSE and OPEN"),
    (Metric, {"at_least": None}, "Give at_least, at_most"),
    (Metric, {"at_least": 2, "at_most": 1}, "at_least=2 is more"),
    (Metric, {"at_most": "{{ most }}", "at_least": "few"}, "at_least='few' must be a number"),
    (Metric, {"metric": "unasignedConversations"}, "Did you mean 'unassignedConversations'"),
    (Metric, {"report": "queue_helth"}, "Did you mean 'queue_health'"),
    (Metric, {"agent_id": 5}, "no metrics by agent_id"),
    (Metric, {"skill_id": "all"}, "skill_id='all' must be one id"),
    (Metric, {"timeframe": timedelta(seconds=90)}, "timeframe="),
]
RIGHT: list[tuple[Any, dict[str, Any]]] = [
    (Conversations, {}),
    (Conversations, {"start": "{{ a }}"}),
    (Conversations, {"start": "{{ a }}", "end": "{% if b %}{{ b }}{% endif %}", "window": "{{ c }}"}),
    (Conversations, {"time_field": "{{ a }}", "max_age": "{{ b }}", "filters": "{{ c }}", "content": "{{ d }}"}),
    (Conversations, {"filters": {"questionTypeAndFormatToRetrieve": {"type": "csat", "format": "{{ a }}"}}}),
    (Conversations, {"filters": {"skillIds": ["{{ a }}"], "csat": {"from": 2, "to": "{{ b }}"}}}),
    (Conversations, {"path": "{{ a }}", "storage_conn_id": "{{ b }}"}),
    (Conversations, {"path": "s3://{{ bucket }}/{start:%Y}/x{{ '.csv' if a else '' }}"}),
    (Conversations, {"path": "s3://lake/{{ {'a': {'b': 1}}['a'] }}/x.ndjson.zst"}),
    (Conversations, {"path": "{# where #}s3://lake/x.ndjson"}),
    (Conversations, {"redact": {"pseudonymise": ["consumerId"], "key_conn_id": "{{ key }}"}}),
    (Conversations, {"redact": {"preset": "{{ preset }}", "key_conn_id": "key"}}),
    (Conversations, {"redact": "{{ rules }}"}),
    # A literal that is too old to be exported, or not yet: the file must not break as time goes by.
    (Conversations, {"start": "2001-01-01T00:00:00Z", "end": "2001-01-02T00:00:00Z"}),
    (Conversations, {"start": datetime(2101, 1, 1, tzinfo=UTC), "end": datetime(2101, 1, 2, tzinfo=UTC)}),
    (Lookup, {"conversation_ids": ["{{ a }}"]}),
    (Metrics, {"report": "{{ a }}", "skill_ids": "anything", "timeframe": "{{ b }}", "format": "{{ c }}"}),
    (Metrics, {"path": "/x/{{ ds }}.csv", "format": "{{ c }}"}),
    (Plan, {"path": "{{ path }}"}),
    (Reconcile, {"on_difference": "{{ a }}", "gap_path": "/x/{start:%Y}.ndjson", "path": "{{ b }}"}),
    (Tables, {"tables": "{{ a }}", "path": "{{ b }}"}),
    (Metric, {"report": "{{ a }}", "metric": "anything", "at_least": "{{ b }}"}),
    (Metric, {"metric": "{{ a }}", "skill_id": "{{ b }}", "timeframe": "{{ c }}"}),
    (Status, {"conversation_ids": "{{ a }}", "status": "{{ b }}"}),
]


@pytest.mark.parametrize(("operator", "arguments", "said"), WRONG, ids=str)
def test_what_is_wrong_in_a_dag_file_is_refused_by_task_and_argument(
    operator: Any, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(WrongArgumentError, match=f"(?s)^Task 'some': .*{said}") as caught:
        operator(task_id="some", **{**NEEDED.get(operator, {}), **arguments})
    # As Airflow's dag processor takes it, and as a mapped task fails without retries.
    assert isinstance(caught.value, AirflowFailException)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("operator", "arguments"), RIGHT, ids=str)
def test_what_only_a_run_can_know_is_left_to_it(operator: Any, arguments: dict[str, Any]) -> None:
    operator(task_id="some", **{**NEEDED.get(operator, {}), **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"filters": {"skilIds": [1]}},
        {"time_field": "ended"},
        {"start": DAY["end"], "end": DAY["start"]},
        {"path": "/x.bz2"},
        {"filter": {}},
    ],
    ids=str,
)
def test_a_mapped_task_is_checked_by_what_partial_is_given(arguments: dict[str, Any]) -> None:
    with DAG("some", schedule=None), pytest.raises(WrongArgumentError, match=r"^Task 'some': "):
        LivePersonConversationsOperator.partial(task_id="some", **arguments)


def test_what_comes_by_expand_is_not_missed_by_partial() -> None:
    """A start whose end comes by ``expand()`` is no start without an end."""
    with DAG("some", schedule=None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        partial = LivePersonConversationsOperator.partial(task_id="some", start=DAY["start"], filters={"skillIds": [1]})
        mapped = partial.expand(end=[DAY["end"], "{{ later }}"])
    assert type(mapped).__name__ == "MappedOperator"


def test_what_comes_by_expand_is_checked_when_it_comes() -> None:
    with DAG("some", schedule=None):
        mapped = LivePersonConversationsOperator.partial(task_id="some", start=DAY["start"]).expand(end=[DAY["end"]])
    assert mapped.unmap({"end": DAY["end"], "start": DAY["start"]} if _airflow2() else {"end": DAY["end"]})
    with pytest.raises(AirflowFailException, match="Task 'some': end='soon' is not a moment"):
        mapped.unmap({"end": "soon", "start": DAY["start"]} if _airflow2() else {"end": "soon"})


def _airflow2() -> bool:
    return "airflow.sdk" not in sys.modules


def test_another_tasks_output_is_left_to_the_run() -> None:
    class Upstream(BaseOperator):
        def execute(self, context: Any) -> Any:
            """Nothing to do."""

    with DAG("some", schedule=None):
        output = Upstream(task_id="upstream").output
        task = LivePersonConversationsOperator(
            task_id="some", start=output["start"], end=output["end"], filters={"skillIds": output}, path=output
        )
    assert task.upstream_task_ids == {"upstream"}
    with DAG("other", schedule=None), pytest.raises(WrongArgumentError, match="skilIds"):
        LivePersonConversationsOperator(task_id="some", filters={"skilIds": Upstream(task_id="upstream").output})


def test_default_args_are_checked_too() -> None:
    with (
        DAG("some", schedule=None, default_args={"time_field": "ended"}),
        pytest.raises(WrongArgumentError, match="Task 'some': time_field='ended'"),
    ):
        LivePersonConversationsOperator(task_id="some")


def test_a_file_of_a_template_is_left_to_the_run() -> None:
    class FromFiles(LivePersonConversationsOperator):
        template_ext = (".jinja",)

    FromFiles(task_id="some", time_field="field.jinja", path="path.jinja")
    with pytest.raises(WrongArgumentError, match=r"time_field='field\.txt'"):
        FromFiles(task_id="some", time_field="field.txt")


def test_a_secret_in_a_path_is_not_shown() -> None:
    with pytest.raises(WrongArgumentError, match=r"path='s3://\*\*\*@") as caught:
        LivePersonConversationsOperator(task_id="some", path="s3://key:very-secret@lake/x.ndjson")
    assert "very-secret" not in str(caught.value)


def test_parsing_says_nothing_of_what_is_not_documented(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        LivePersonConversationsOperator(task_id="some", content=["pageViews"], filters={"status": ["OVERDUE"]})
    assert caplog.messages == []


def test_rules_that_many_tasks_share_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_lp.export.redaction import rules

    looked: list[Any] = []
    monkeypatch.setattr(rules, "members_on", lambda paths: looked.append(paths) or [[] for _ in paths])
    for _ in range(3):
        with pytest.raises(WrongArgumentError):
            LivePersonConversationsOperator(task_id="some", redact={"drop": ["dialogs.nothing_like_it"]})
    assert len(looked) == 3
    monkeypatch.undo()
    for number in range(3):
        LivePersonConversationsOperator(task_id=f"some{number}", redact={"drop": ["dialogs"], "mask": ["card"]})
        monkeypatch.setattr(rules, "members_on", None)
