"""The event trigger: each conversation once, however often it is found, and none lost."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.triggers import shared_client
from airflow_provider_lp.triggers.asset_state import AssetState
from airflow_provider_lp.triggers.conversations import LivePersonNewConversationsTrigger
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, ms
from tests.sensors.modes import moved
from tests.sensors.virtual_time import LiveAccount, run

from .triggerer import Store, Supervisor, stores_of, triggerer

LOW_CSAT = {"status": ["CLOSE"], "csat": {"from": 1, "to": 2}}
OAUTH2_TOKEN = "/app/token"
MINUTE = 60


def ending(conversation_id: str, in_s: float, csat: int | None = 1, **traits: Any) -> Conversation:
    """A conversation that ends, with its score, so many seconds after a test's clock began."""
    end_ms = ms(NOW + timedelta(seconds=in_s))
    return Conversation(conversation_id, ms(NOW) - HOUR, end_ms=end_ms, csat=csat, **traits)


def trigger(**arguments: Any) -> LivePersonNewConversationsTrigger:
    """One that polls every minute."""
    given = {"filters": LOW_CSAT, "lookback": timedelta(hours=2), "max_age": timedelta(days=1)}
    return LivePersonNewConversationsTrigger(**{**given, **arguments})


async def _ids_within(seconds: float, events: AsyncIterator[Any]) -> list[str]:
    ids: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in events:
                assert event.payload["count"] == len(event.payload["conversation_ids"])
                ids += event.payload["conversation_ids"]
    except TimeoutError:
        pass
    return ids


def ids_within(clock: FakeClock, seconds: float, watcher: LivePersonNewConversationsTrigger | None = None) -> list[str]:
    """The conversations of the events that come within some seconds by ``clock``."""
    return run(clock, _ids_within(seconds, (watcher or trigger()).run()))


def statuses(sandbox: Any) -> list[int | None]:
    """What the searches were answered with."""
    return [call.status for call in calls(sandbox)]


def test_each_new_one_fires_once_and_what_was_there_before_does_not(serve: Any, clock: FakeClock) -> None:
    conversations = [
        ending("old", -600),
        ending("soon", 90),
        ending("later", 210, csat=2),
        ending("good", 90, csat=5),
        ending("unscored", 90, csat=None),
    ]
    sandbox = serve(account=LiveAccount.by(clock, conversations))
    assert ids_within(clock, 570) == ["soon", "later"]
    assert statuses(sandbox) == [200] * 10
    assert clock.pauses[:-1] == [MINUTE] * 9
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1
    assert shared_client._shared == {}


@pytest.mark.parametrize("kind", ["no_content", "count_zero"])
def test_a_first_answer_that_there_is_nothing_makes_nothing_new(serve: Any, kind: str, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending("old", -600), ending("soon", 90)]))
    sandbox.add_fault(Fault(kind))
    assert ids_within(clock, 270) == ["soon"]


@pytest.mark.parametrize("end_filter_field", ["end", "conversation_end", "full_dialog_end"])
def test_one_that_is_scored_long_after_it_closed_is_found(serve: Any, end_filter_field: str, clock: FakeClock) -> None:
    # Closed half an hour ago, its survey is answered now, whichever of its ends LivePerson goes by.
    late = ending("late", 90, conversation_end_ms=ms(NOW) - HOUR // 2)
    serve(account=LiveAccount.by(clock, [late]), end_filter_field=end_filter_field)
    assert ids_within(clock, 270) == ["late"]


def test_trouble_that_passes_loses_none(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending("a", 150), ending("b", 330)]))
    for kind in ("error_500", "cut_connection", "not_json", "expired_token"):
        sandbox.add_fault(Fault(kind, after=2))
    assert ids_within(clock, 450) == ["a", "b"]
    # The first poll finds nothing, twice. With a token that has lapsed, a poll goes on at once; other trouble ends it,
    # and the next one is as far away.
    assert statuses(sandbox) == [200, 200, 500, None, 200, 401, 200, 200, 200, 200]
    assert [pause for pause in clock.pauses[:-1] if pause != 1] == pytest.approx([MINUTE] * 7, abs=1.1)


@pytest.mark.parametrize(
    ("fault", "interval_s", "pause_s"),
    [
        (Fault("error_500"), 1, 5),
        (Fault("cut_connection"), 1, 5),
        (Fault("error_503", retry_after="90"), 1, 90),
        (Fault("throttle"), 1, 5),
        (Fault("throttle", retry_after="90"), MINUTE, 90),
        (Fault("error_500"), MINUTE, MINUTE),
    ],
)
def test_after_trouble_it_rests_as_long_as_liveperson_wants(
    serve: Any, fault: Fault, interval_s: float, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending("a", 1.5)]))
    sandbox.add_fault(fault)
    watcher = trigger(poke_interval=interval_s)
    # What the first poll to succeed finds is old.
    assert ids_within(clock, pause_s + 2.5 * interval_s, watcher) == []
    assert [call.fault for call in calls(sandbox)] == [fault.kind, None, None, None]
    assert clock.pauses[:-1] == pytest.approx([pause_s, interval_s, interval_s], abs=0.1)


def test_a_page_that_fails_in_the_midst_of_a_poll_is_asked_for_again(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending(f"c{number:03}", 30) for number in range(150)]))
    # The first poll finds nothing, twice; the fourth request is for the second page of the second poll.
    sandbox.add_fault(Fault("error_500", after=3))
    assert len(ids_within(clock, 90)) == 150
    assert statuses(sandbox) == [200, 200, 200, 500, 200]
    assert (clock.pauses[0], clock.pauses[2]) == (1, 5)


def test_wrong_credentials_are_not_tried_over_and_over_and_may_be_mended(
    serve: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending("before", 300), ending("a", 700)]))
    good = os.environ["AIRFLOW_CONN_LIVEPERSON_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", good.replace(sandbox.credentials["client_secret"], "wrong"))

    async def mended_meanwhile() -> list[str]:
        asyncio.get_running_loop().call_later(400, monkeypatch.setenv, "AIRFLOW_CONN_LIVEPERSON_DEFAULT", good)
        return await _ids_within(900, trigger().run())

    assert run(clock, mended_meanwhile()) == ["a"]
    # At once, and after five minutes, in vain; after ten it is mended, and polls go on every minute.
    assert [call.status for call in calls(sandbox, OAUTH2_TOKEN)] == [400, 400, 200]
    assert len(calls(sandbox)) == 5
    assert "Until this is mended" in caplog.text


def test_what_cannot_get_better_is_rested_from_and_nothing_is_forgotten(serve: Any, clock: FakeClock) -> None:
    conversations = [ending("old", -60), ending("a", 30), ending("meanwhile", 200), ending("b", 450)]
    sandbox = serve(account=LiveAccount.by(clock, conversations))
    sandbox.add_fault(Fault("forbidden", after=2))
    assert ids_within(clock, 570) == ["a", "meanwhile", "b"]
    assert statuses(sandbox) == [200, 200, 403, 200, 200, 200]
    assert clock.pauses[:-1] == [MINUTE, MINUTE, 300, MINUTE, MINUTE]


def test_each_token_is_masked_by_a_thread_that_airflow_can_be_asked_from(
    serve: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve(account=LiveAccount.by(clock, [ending("a", 90)]))
    sandbox.add_fault(Fault("expired_token", after=1))
    maskers: dict[str, str] = {}
    monkeypatch.setattr(
        "airflow_provider_lp.hooks.liveperson.mask_secret",
        lambda secret: maskers.setdefault(secret, threading.current_thread().name),
    )
    # The pages, and what logs in for them, are asked for by threads of the download.
    assert ids_within(clock, 130) == ["a"]
    secrets = {sandbox.credentials["client_id"], sandbox.credentials["client_secret"]}
    assert len(maskers.keys() - secrets) == len(calls(sandbox, OAUTH2_TOKEN)) == 2
    assert {name.rpartition("_")[0] for name in maskers.values()} == {"liveperson-polls"}


def test_many_come_in_several_events(serve: Any, clock: FakeClock) -> None:
    serve(account=LiveAccount.by(clock, [ending(f"c{number:04}", 30) for number in range(1100)]))

    async def sizes() -> list[int]:
        counts: list[int] = []
        async with aclosing(trigger().run()) as events:
            async for event in events:
                counts.append(event.payload["count"])
                if sum(counts) >= 1100:
                    break
        return counts

    assert run(clock, sizes()) == [1000, 100]


def test_it_is_moved_as_json_without_secrets() -> None:
    made = trigger(lookback="PT2H")
    path, fields = made.serialize()
    assert json.loads(json.dumps(fields)) == fields
    assert "secret" not in json.dumps(fields)
    again = moved(made)
    assert again.serialize() == (path, fields)
    assert again.filters == LOW_CSAT
    assert again.state_key == made.state_key
    # Airflow before 3.3 does not give mappings back as they were.
    assert not [value for value in fields.values() if isinstance(value, dict)]
    assert again.lookback == timedelta(hours=2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"filters": {"nonsense": 1}}, "nonsense"),
        ({"filters": {"end": {}}}, "end"),
        ({"filters": "{"}, "filters="),
        ({"filters": '{"nonsense": 1}'}, "nonsense"),
        ({"time_field": "latest_update"}, "time_field="),
        ({"lookback": 0}, "lookback="),
        ({"lookback": timedelta.max}, "lookback="),
        ({"lookback": timedelta(microseconds=1)}, "lookback="),
        ({"max_age": timedelta(days=500)}, "max_age="),
        ({"poke_interval": timedelta(seconds=-1)}, "poke_interval="),
        *[({"poke_interval": value}, "poke_interval=") for value in ("soon", "-60", None, True, float("nan"), 1e20)],
        *[({"liveperson_conn_id": value}, "liveperson_conn_id=") for value in (None, 5, ["a"], "")],
    ],
)
def test_a_wrong_argument_is_refused_when_the_dag_is_parsed(arguments: Any, named: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=named) as raised:
        trigger(**arguments)
    # Of any other kind, that of a stored trigger would end the triggerer.
    assert isinstance(raised.value, TypeError)


def test_another_interval_is_the_same_watch_and_another_search_is_not() -> None:
    key = trigger().state_key
    assert trigger(poke_interval=1).state_key == key
    assert trigger(filters=dict(reversed(LOW_CSAT.items()))).state_key == key
    assert trigger(filters={"status": ["CLOSE"]}).state_key != key
    assert trigger(lookback=1).state_key != key


# With Airflow 3.3's shared streams.


def ids_fired(clock: FakeClock, store: Any, seconds: float, **options: Any) -> list[str]:
    """The conversations that a triggerer fires within some seconds by ``clock``."""
    payloads = triggerer(clock, trigger(), store, seconds, **options)
    return [each for payload in payloads for each in payload["conversation_ids"]]


@pytest.mark.usefixtures("shared_streams")
def test_another_triggerer_carries_on_where_one_left_off(serve: Any, clock: FakeClock) -> None:
    store = Store()
    conversations = [ending("old", -60), ending("a", 90), ending("meanwhile", 330), ending("b", 510)]
    sandbox = serve(account=LiveAccount.by(clock, conversations))
    assert ids_fired(clock, store, 200) == ["a"]
    clock.sleep(200)
    polls = len(calls(sandbox))
    assert ids_fired(clock, store, 200) == ["meanwhile", "b"]
    assert ids_fired(clock, store, 90) == []
    assert (polls, len(calls(sandbox)) - polls) == (4, 4 + 2)
    assert shared_client._shared == {}
    # Saved when there was something new, and once at the very beginning: not at each poll.
    assert store.saves == 4
    (cursor,) = store.values.values()
    assert set(json.loads(cursor)["known"]) == {"old", "a", "meanwhile", "b"}


@pytest.mark.usefixtures("shared_streams")
def test_what_is_remembered_does_not_get_old_while_nothing_is_new(serve: Any, clock: FakeClock) -> None:
    store = Store()
    sandbox = serve(account=LiveAccount.by(clock, []))
    assert ids_fired(clock, store, 45 * MINUTE + 30) == []
    # Each poll asks twice: that there is nothing is not believed at once.
    assert len(calls(sandbox)) == 2 * 45
    # At the beginning, and every ten minutes.
    assert store.saves == 5
    (cursor,) = store.values.values()
    assert json.loads(cursor)["polled_ms"] == pytest.approx(ms(NOW) + 40 * (MINUTE + 1) * 1000, abs=1000)


@pytest.mark.usefixtures("shared_streams")
def test_what_airflow_has_not_stored_comes_again(serve: Any, clock: FakeClock) -> None:
    store = Store()
    serve(account=LiveAccount.by(clock, [ending("a", 90)]))
    assert ids_fired(clock, store, 200, confirms=False) == ["a"]
    assert ids_fired(clock, store, 200) == ["a"]
    assert ids_fired(clock, store, 200) == []


@pytest.mark.usefixtures("shared_streams")
@pytest.mark.parametrize("failures", [1, 4])
def test_a_store_that_is_away_for_a_moment_does_no_harm(serve: Any, failures: int, clock: FakeClock) -> None:
    store = Store()
    serve(account=LiveAccount.by(clock, [ending("a", 90), ending("b", 150)]))
    assert ids_fired(clock, store, 30) == []
    store.failures = failures
    assert ids_fired(clock, store, 200) == ["a", "b"]
    assert store.failures == 0
    assert store.saves == 3
    assert ids_fired(clock, store, 90) == []


@pytest.mark.usefixtures("shared_streams")
def test_assets_with_an_equal_watcher_share_what_is_remembered(
    serve: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    supervisor = Supervisor()
    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS", supervisor, raising=False)
    conversations = [ending("old", -60), ending("a", 90), ending("meanwhile", 330), ending("b", 510)]
    serve(account=LiveAccount.by(clock, conversations))
    assert ids_fired(clock, stores_of("two"), 200) == ["a"]
    clock.sleep(200)
    # An asset is added: it remembers nothing yet.
    assert ids_fired(clock, stores_of("one", "two"), 200) == ["meanwhile", "b"]
    assert supervisor.values["one"] == supervisor.values["two"]
    (cursor,) = supervisor.values["one"].values()
    assert set(cursor["known"]) == {"old", "a", "meanwhile", "b"}
    # The one that was there first goes.
    assert ids_fired(clock, stores_of("one"), 90) == []


@pytest.mark.usefixtures("shared_streams")
def test_the_asset_whose_state_was_saved_last_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor()
    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS", supervisor, raising=False)
    newest = {"is_met": True, "polled_ms": 3}
    supervisor.values = {
        "two": {"key": {"is_met": False, "polled_ms": 2}},
        "three": {"key": newest},
        "four": {"key": {"is_met": False}},
    }

    async def seen_and_changed() -> Any:
        states = AssetState(stores_of("one", "two", "three", "four"))
        seen = [await states.get("key"), await states.get("another")]
        await states.set("key", {"is_met": False})
        return seen

    assert asyncio.run(seen_and_changed()) == [newest, None]
    assert [states["key"] for states in supervisor.values.values()] == [{"is_met": False}] * 4


@pytest.mark.usefixtures("shared_streams")
def test_an_asset_whose_dag_was_paused_makes_nothing_fire_again(
    serve: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr("airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS", Supervisor(), raising=False)
    serve(account=LiveAccount.by(clock, [ending("a", 90), ending("meanwhile", 330), ending("b", 510)]))
    assert ids_fired(clock, stores_of("one", "two"), 200) == ["a"]
    # Airflow takes a watcher off the assets of paused DAGs.
    assert ids_fired(clock, stores_of("two"), 200) == ["meanwhile"]
    assert ids_fired(clock, stores_of("one", "two"), 200) == ["b"]


@pytest.mark.usefixtures("shared_streams")
def test_before_airflow_gives_it_a_store_it_has_no_stream() -> None:
    assert trigger().shared_stream_key() is None
