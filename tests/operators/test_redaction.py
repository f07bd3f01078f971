"""``redact`` as DAGs give it: connections, functions, templates, and what the task returns and logs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pendulum
import pytest

from airflow_provider_lp.client.errors import LivePersonConnectionNotFoundError
from airflow_provider_lp.compat import AirflowFailException, Asset
from airflow_provider_lp.operators.conversations import (
    LivePersonConversationLookupOperator,
    LivePersonConversationsOperator,
)
from tests.export.archive import archive_of
from tests.export.redaction.seeds import CONSUMER, Seeds, record
from tests.exported import ids_in, ids_of
from tests.samples import at, crowd
from tests.scripted import Say, Seen, scripted

INTERVAL = {
    "data_interval_start": pendulum.datetime(2026, 3, 10),
    "data_interval_end": pendulum.datetime(2026, 3, 11),
    "outlet_events": {},
}
KEY = "a key that nobody may see"
KEYED = {"preset": "personal", "key_conn_id": "pseudonyms"}
HERE = "tests.operators.test_redaction"


def without_names(text: str) -> str:
    return text.replace("sandbox", "[name]")


def fails(text: str) -> str:
    raise ValueError(f"cannot read {text}")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PSEUDONYMS", json.dumps({"conn_type": "generic", "password": KEY}))


def execute(redact: Any, **arguments: Any) -> Any:
    return LivePersonConversationsOperator(task_id="export", redact=redact, **arguments).execute(INTERVAL)


@pytest.mark.parametrize("redact", ["personal", KEYED], ids=["dropped", "pseudonymised"])
def test_nothing_personal_reaches_object_xcom_event_or_log(
    redact: Any, key: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Event:
        extra: Any = None

    caplog.set_level(logging.DEBUG)
    seeds = Seeds()
    content = [record(seeds, f"c{number}", at(10, number)) for number in range(2)]
    asset, event = Asset(uri="s3://bucket/day"), Event()
    with archive_of(content) as (_, server):
        extra = {"account_id": "12345678", "client_id": "id", "client_secret": "client secret"}
        described = {"conn_type": "liveperson", "host": server.url, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
        task = LivePersonConversationsOperator(
            task_id="export", redact=redact, path=str(tmp_path / "x.ndjson"), outlets=[asset]
        )
        summary = task.execute({**INTERVAL, "outlet_events": {asset: event}})
        records = execute(redact, max_xcom_bytes=1 << 24)
        looked_up = LivePersonConversationLookupOperator(
            task_id="look-up", conversation_ids=["c0", "c1"], redact=redact, max_xcom_bytes=1 << 24
        ).execute({"outlet_events": {}})
    everything = [
        (tmp_path / "x.ndjson").read_text(),
        caplog.text,
        *map(repr, (summary, records, looked_up, event.extra)),
    ]
    assert seeds.seen_in(*everything) == set()
    assert not any(KEY in text for text in everything)
    assert ids_in(tmp_path / "x.ndjson") == ids_of(records) == ids_of(looked_up["records"]) == ["c0", "c1"]
    assert event.extra["redacted"] == summary["redacted"] == looked_up["redacted"]
    assert summary["redacted"]["drop **.firstName"] == 2
    assert '"drop **.firstName": 2' in caplog.text
    json.dumps(summary)


def test_a_template_may_give_it(serve: Any, key: None) -> None:
    serve(*crowd(3))
    task = LivePersonConversationsOperator(
        task_id="export", redact={"drop": "{{ members }}", "pseudonymise": ["{{ id }}"], "key_conn_id": "{{ conn }}"}
    )
    task.render_template_fields({"members": ["messageRecords", "campaign"], "id": "consumerId", "conn": "pseudonyms"})
    records = task.execute(INTERVAL)
    assert not any({"messageRecords", "campaign"} & set(each) for each in records)
    assert len(records[0]["consumerParticipants"][0]["participantId"]) == 64
    whole = LivePersonConversationsOperator(task_id="whole", redact="{{ rules }}")
    whole.render_template_fields({"rules": {"drop": ["messageRecords"]}})
    assert "messageRecords" not in whole.execute(INTERVAL)[0]
    assert "redact" in LivePersonConversationLookupOperator.template_fields


@pytest.mark.parametrize("given", ["", "None", None], ids=repr)
def test_a_template_that_gives_nothing_is_no_wish_to_keep_everything(serve: Any, given: Any) -> None:
    sandbox = serve(*crowd(3))
    for task in (
        LivePersonConversationsOperator(task_id="export", redact="{{ redact }}"),
        LivePersonConversationLookupOperator(task_id="look-up", conversation_ids=["c00001"], redact="{{ redact }}"),
    ):
        task.redact = given
        with pytest.raises(AirflowFailException, match="template whose value this run does not have"):
            task.execute(INTERVAL)
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("redact", "said"),
    [
        ({"drop": ["consumerParticipants.*.mail"]}, r"Did you mean 'consumerParticipants.\*.email'\?"),
        ({"pseudonymise": ["consumerId"]}, "needs key_conn_id"),
        ({**KEYED, "key_conn_id": "empty"}, "'empty' is an Airflow connection without a password, which is the key"),
        ({"text": "nowhere.function"}, r"redact\['text'\]='nowhere.function' cannot be imported on this worker"),
        ({"text": "function"}, r"redact\['text'\]='function' cannot be imported"),
        ({"text": f"{HERE}.KEY"}, "is no function, but str"),
    ],
)
def test_what_cannot_be_done_fails_without_retries_and_without_a_request(
    serve: Any, monkeypatch: pytest.MonkeyPatch, redact: Any, said: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EMPTY", json.dumps({"conn_type": "generic"}))
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=said):
        execute(redact)
    assert not sandbox.requests


def test_a_key_that_is_not_there_yet_may_be_there_later(serve: Any) -> None:
    serve(*crowd(3))
    with pytest.raises(LivePersonConnectionNotFoundError, match="'pseudonyms' is not an Airflow connection"):
        execute(KEYED)


def test_a_function_is_found_by_its_path(serve: Any) -> None:
    serve(*crowd(30))
    records = execute({"text": f"{HERE}.without_names"})
    assert any("[name]" in json.dumps(each["messageRecords"]) for each in records)


def test_a_function_that_fails_fails_the_task_without_its_text(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=f"function of 'text {HERE}.fails' raised ValueError") as caught:
        execute({"text": f"{HERE}.fails"}, path=str(tmp_path / "x.ndjson"))
    assert "cannot read" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_masked_in_logs(serve: Any, key: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: list[str] = []
    monkeypatch.setattr("airflow_provider_lp.operators.redaction.mask_secret", hidden.append)
    serve(*crowd(1))
    execute(KEYED)
    assert hidden == [KEY]


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Airflow is told to mask among rendered templates."""
    told: list[str] = []
    monkeypatch.setattr("airflow_provider_lp.operators.conversations.mask_secret", told.append)
    return told


def test_whose_conversations_are_looked_up_is_shown_nowhere(
    serve: Any, key: None, hidden: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    serve(*crowd(3, consumer_id=CONSUMER))
    task = LivePersonConversationLookupOperator(
        task_id="look-up", consumer_id="{{ who }}", redact=KEYED, path=str(tmp_path / "x.ndjson")
    )
    task.render_template_fields({"who": CONSUMER})
    assert hidden == [CONSUMER]
    summary = task.execute({"outlet_events": {}})
    assert summary["conversations"] == 3
    assert CONSUMER not in f"{summary} {caplog.text} {(tmp_path / 'x.ndjson').read_text()}"


def test_an_error_of_livepersons_shows_no_consumer(
    monkeypatch: pytest.MonkeyPatch, hidden: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def refuse(seen: Seen) -> Say:
        if "/token" in seen.path:
            return Say(body={"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
        return Say(400, {"message": f"There is no consumer {CONSUMER.upper()}."})

    with scripted(refuse) as server:
        extra = {"account_id": "12345678", "client_id": "id", "client_secret": "client secret"}
        described = {"conn_type": "liveperson", "host": server.url, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
        task = LivePersonConversationLookupOperator(task_id="look-up", consumer_id=CONSUMER, redact="personal")
        with pytest.raises(AirflowFailException, match="400") as caught:
            task.execute({"outlet_events": {}})
    assert CONSUMER not in f"{caught.value!r} {caplog.text}".lower()
