"""The event trigger: each conversation once, however often it is found, and none lost."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.sandbox import Account, Conversation, Fault
from airflow_provider_lp.triggers import clients, watch
from airflow_provider_lp.triggers.conversations import LivePersonNewConversationsTrigger
from tests.lab import HOUR, calls
from tests.sensors.waiting import moved

from .triggerers import Store, triggerer

LOW_CSAT = {"status": ["CLOSE"], "csat": {"from": 1, "to": 2}}
OAUTH2_TOKEN = "/app/token"


def now_ms() -> int:
    return int(time.time() * 1000)


def ending(conversation_id: str, in_s: float, csat: int | None = 1, **traits: Any) -> Conversation:
    """A conversation that ends, with its score, so many seconds from now."""
    end_ms = now_ms() + int(in_s * 1000)
    return Conversation(conversation_id, now_ms() - HOUR, end_ms=end_ms, csat=csat, **traits)


def trigger(**arguments: Any) -> LivePersonNewConversationsTrigger:
    given = {"filters": LOW_CSAT, "poke_interval": 0.1, "lookback": timedelta(hours=2), "max_age": timedelta(days=1)}
    return LivePersonNewConversationsTrigger(**{**given, **arguments})


async def ids_within(seconds: float, events: AsyncIterator[Any]) -> list[str]:
    """The conversations of the events that come within some seconds."""
    ids: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in events:
                assert event.payload["count"] == len(event.payload["conversation_ids"])
                ids += event.payload["conversation_ids"]
    except TimeoutError:
        pass
    return ids


def test_each_new_one_fires_once_and_what_was_there_before_does_not(serve: Any) -> None:
    conversations = [
        ending("old", -600),
        ending("soon", 0.5),
        ending("later", 1.0, csat=2),
        ending("good", 0.5, csat=5),
        ending("unscored", 0.5, csat=None),
    ]
    sandbox = serve(account=Account.of(conversations))
    assert asyncio.run(ids_within(2, trigger().run())) == ["soon", "later"]
    assert len(calls(sandbox)) > 8
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1
    assert clients._shared == {}


@pytest.mark.parametrize("end_filter_field", ["end", "conversation_end", "full_dialog_end"])
def test_one_that_is_scored_long_after_it_closed_is_found(serve: Any, end_filter_field: str) -> None:
    # Closed an hour ago, its survey is answered now, whichever of its ends LivePerson goes by.
    late = ending("late", 0.6, conversation_end_ms=now_ms() - HOUR // 2)
    serve(account=Account.of([late]), end_filter_field=end_filter_field)
    assert asyncio.run(ids_within(1.5, trigger().run())) == ["late"]


def test_trouble_that_passes_loses_none(serve: Any) -> None:
    sandbox = serve(account=Account.of([ending("a", 0.4), ending("b", 0.9)]))
    for kind in ("error_500", "cut_connection", "not_json", "expired_token"):
        sandbox.add_fault(Fault(kind, after=2))
    assert asyncio.run(ids_within(2, trigger().run())) == ["a", "b"]


def test_wrong_credentials_are_not_tried_over_and_over_and_may_be_mended(
    serve: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import os

    monkeypatch.setattr(watch, "REST_AFTER_FAILURE_S", 0.5)
    sandbox = serve(account=Account.of([ending("a", 1.5)]))
    good = os.environ["AIRFLOW_CONN_LIVEPERSON_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", good.replace(sandbox.credentials["client_secret"], "wrong"))

    async def mended_meanwhile() -> list[str]:
        asyncio.get_running_loop().call_later(0.8, lambda: monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", good))
        return await ids_within(2.5, trigger().run())

    assert asyncio.run(mended_meanwhile()) == ["a"]
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 3
    assert "Until this is mended" in caplog.text


def test_many_come_in_several_events(serve: Any) -> None:
    serve(account=Account.of([ending(f"c{number:04}", 0.5) for number in range(1100)]))

    async def sizes() -> list[int]:
        counts = []
        async with asyncio.timeout(10):
            async for event in trigger(poke_interval=0.3).run():
                counts.append(event.payload["count"])
                if sum(counts) == 1100:
                    break
        return counts

    assert asyncio.run(sizes()) == [1000, 100]


def test_it_is_moved_as_json_without_secrets() -> None:
    made = trigger(lookback=7200)
    path, fields = made.serialize()
    assert json.loads(json.dumps(fields)) == fields
    assert "secret" not in json.dumps(fields)
    again = moved(made)
    assert again.serialize() == (path, fields)
    assert again.lookback == timedelta(hours=2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"filters": {"nonsense": 1}}, "nonsense"),
        ({"filters": {"end": {}}}, "end"),
        ({"time_field": "latest_update"}, "time_field="),
        ({"lookback": 0}, "lookback="),
        ({"poke_interval": timedelta(seconds=-1)}, "poke_interval="),
    ],
)
def test_a_wrong_argument_is_refused_when_the_dag_is_parsed(arguments: Any, named: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=named):
        trigger(**arguments)


def test_another_interval_is_the_same_watch_and_another_search_is_not() -> None:
    key = trigger().watch().key
    assert trigger(poke_interval=1).watch().key == key
    assert trigger(filters=dict(reversed(LOW_CSAT.items()))).watch().key == key
    assert trigger(filters={"status": ["CLOSE"]}).watch().key != key
    assert trigger(lookback=1).watch().key != key


# With Airflow 3.3's shared streams.


def ids_fired(store: Store, seconds: float, **options: Any) -> list[str]:
    """The conversations that a triggerer fires within some seconds."""
    payloads = asyncio.run(triggerer(trigger(), store, seconds, **options))
    return [each for payload in payloads for each in payload["conversation_ids"]]


@pytest.mark.usefixtures("shared_streams")
def test_another_triggerer_carries_on_where_one_left_off(serve: Any) -> None:
    store = Store()
    conversations = [ending("old", -60), ending("a", 0.4), ending("meanwhile", 1.4), ending("b", 2.4)]
    serve(account=Account.of(conversations))
    assert ids_fired(store, 1.0) == ["a"]
    time.sleep(0.6)
    assert ids_fired(store, 1.5) == ["meanwhile", "b"]
    assert ids_fired(store, 0.5) == []
    assert clients._shared == {}
    # Saved when there was something new, and once at the very beginning: not at each look.
    assert store.saves == 4
    (bookmark,) = store.values.values()
    assert set(json.loads(bookmark)["known"]) == {"old", "a", "meanwhile", "b"}


@pytest.mark.usefixtures("shared_streams")
def test_what_airflow_has_not_stored_comes_again(serve: Any) -> None:
    store = Store()
    serve(account=Account.of([ending("a", 0.3)]))
    assert ids_fired(store, 0.9, confirms=False) == ["a"]
    assert ids_fired(store, 0.9) == ["a"]
    assert ids_fired(store, 0.6) == []


@pytest.mark.usefixtures("shared_streams")
def test_a_store_that_is_away_for_a_moment_does_no_harm(serve: Any) -> None:
    store = Store()
    serve(account=Account.of([ending("a", 0.4)]))

    failing = threading.Timer(0.35, lambda: setattr(store, "failures", 1))
    failing.start()
    assert ids_fired(store, 1.8) == ["a"]
    assert store.failures == 0
    assert ids_fired(store, 0.5) == []


@pytest.mark.usefixtures("shared_streams")
def test_before_airflow_gives_it_a_store_it_has_no_stream() -> None:
    assert trigger().shared_stream_key() is None
