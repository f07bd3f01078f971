"""The trigger of the deferred sensors, as the triggerer runs it: many of them in one loop."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Fault
from airflow_provider_lp.triggers import clients
from airflow_provider_lp.triggers.conditions.conversations import (
    ConversationsHaveStatus,
    ConversationsMatch,
    WindowedSearch,
)
from airflow_provider_lp.triggers.conditions.kinds import described
from airflow_provider_lp.triggers.waiting import LivePersonConditionTrigger
from tests.lab import HOUR, SEARCH, at, calls, crowd
from tests.sensors.waiting import fire, moved

from .elsewhere import sandbox_elsewhere

OAUTH2_TOKEN = "/app/token"
DAY = WindowedSearch(at(10), at(11))


def now_ms() -> int:
    return int(time.time() * 1000)


def coming(after_s: float) -> tuple[Conversation, ConversationsMatch]:
    """A conversation that starts a little later, and the condition that it has."""
    moment = now_ms() + int(after_s * 1000)
    return Conversation("late", moment), ConversationsMatch(WindowedSearch(moment - HOUR, moment + HOUR))


def trigger(condition: Any = None, *, interval_s: float = 0.1, timeout_s: float = 30, **pace: Any) -> Any:
    return LivePersonConditionTrigger(
        condition=described(condition or ConversationsMatch(DAY)),
        pace={"started_s": time.time(), "timeout_s": timeout_s, "poke_interval_s": interval_s, **pace},
        liveperson_conn_id="liveperson_default",
    )


async def event_of(waiting: Any) -> Any:
    return (await anext(waiting.run())).payload


def threads_of_ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("liveperson")]


async def lags_s(work: Coroutine[Any, Any, Any]) -> tuple[list[float], Any]:
    """How late the loop got to do something else, each time it was tried while ``work`` was done, shortest first."""
    task = asyncio.ensure_future(work)
    lags = []
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        lags.append(time.perf_counter() - before - 0.01)
    return sorted(lags), task.result()


def test_fifty_wait_with_one_login_few_threads_and_a_loop_that_is_free() -> None:
    late, condition = coming(4)

    async def all_of_them() -> tuple[list[Any], int]:
        waiting = [asyncio.ensure_future(event_of(trigger(condition, interval_s=0.3))) for _ in range(50)]
        await asyncio.sleep(1.5)
        threads = len(threads_of_ours())
        return await asyncio.gather(*waiting), threads

    with sandbox_elsewhere([late], latency_s=0.25) as sandbox:
        lags, (events, threads) = asyncio.run(lags_s(all_of_them()))
        paths = sandbox.paths()
    assert events == [{"outcome": "met", "value": {"count": 1, "conversation_ids": ["late"]}}] * 50
    assert sum(path.endswith(OAUTH2_TOKEN) for path in paths) == 1
    assert sum(path.endswith("baseURI.json") for path in paths) == 2
    assert sum(path.endswith(SEARCH) for path in paths) > 100
    # If looks blocked the loop, each would hold it for its 0.25 s at least, almost all the time. On an idle machine the
    # worst lag is 0.01 s; on one that other tests keep busy, the loop too has to wait for a processor now and then.
    assert lags[len(lags) * 95 // 100] < 0.1, lags[-10:]
    assert threads <= 2 * clients.CONCURRENT_LOOKS + 2
    assert clients._shared == {}


def test_it_carries_on_in_another_process_with_the_same_deadline(serve: Any) -> None:
    serve()
    before = time.monotonic()
    waiting = trigger(timeout_s=0.8, interval_s=0.2)

    async def killed_after_a_while() -> None:
        task = asyncio.ensure_future(event_of(waiting))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(killed_after_a_while())
    event = fire(moved(waiting))
    assert event["outcome"] == "timeout"
    assert 0.7 <= time.monotonic() - before < 2
    assert moved(waiting).serialize() == waiting.serialize()


def test_one_resumed_after_its_deadline_looks_once_more(serve: Any) -> None:
    sandbox = serve(*crowd(1))
    too_late = {"started_s": time.time() - 60, "timeout_s": 59, "interval_s": 60}
    assert fire(trigger(**too_late))["outcome"] == "met"
    looks = len(calls(sandbox))
    assert fire(trigger(ConversationsMatch(DAY, min_count=2), **too_late))["outcome"] == "timeout"
    assert len(calls(sandbox)) == looks + 1


def test_no_last_look_is_worth_a_request_that_liveperson_does_not_want(serve: Any) -> None:
    sandbox = serve(*crowd(1))
    waiting = trigger(timeout_s=0.5)
    waiting.held_until_s = time.time() + 60
    assert fire(moved(waiting))["outcome"] == "timeout"
    assert sandbox.requests == []


def test_one_that_is_cancelled_closes_what_it_opened(serve: Any) -> None:
    sandbox = serve()
    sandbox.add_fault(Fault("stall", seconds=30))

    async def cancelled_while_it_looks() -> None:
        task = asyncio.ensure_future(event_of(trigger(interval_s=0.01)))
        while "stall" not in [seen.fault for seen in sandbox.requests]:
            await asyncio.sleep(0.05)
        assert clients._shared.keys() == {"liveperson_default"}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    others = set(threading.enumerate())
    before = time.monotonic()
    asyncio.run(cancelled_while_it_looks())
    assert clients._shared == {}
    while ours := [thread for thread in threads_of_ours() if thread not in others]:
        assert time.monotonic() - before < 15, ours
        time.sleep(0.05)


def test_cancelling_one_leaves_the_others_their_client(serve: Any) -> None:
    late, condition = coming(1)
    sandbox = serve(account=Account.of([late]))

    async def two() -> Any:
        one, other = (asyncio.ensure_future(event_of(trigger(condition))) for _ in range(2))
        await asyncio.sleep(0.4)
        one.cancel()
        return await other

    assert asyncio.run(two())["outcome"] == "met"
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1


def test_tokens_that_lapse_are_renewed_once_for_all(serve: Any) -> None:
    late, condition = coming(1.5)
    sandbox = serve(account=Account.of([late]))

    async def twenty() -> list[Any]:
        waiting = [asyncio.ensure_future(event_of(trigger(condition, interval_s=0.2))) for _ in range(20)]
        await asyncio.sleep(0.7)
        sandbox.expire_tokens()
        return await asyncio.gather(*waiting)

    assert {event["outcome"] for event in asyncio.run(twenty())} == {"met"}
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 2


def test_a_throttling_holds_all_that_share_the_client(serve: Any) -> None:
    late, condition = coming(0.2)
    sandbox = serve(account=Account.of([late]))
    sandbox.add_fault(Fault("throttle", retry_after="2"))

    async def ten() -> list[Any]:
        return await asyncio.gather(*(event_of(trigger(condition, interval_s=0.3)) for _ in range(10)))

    before = time.monotonic()
    assert {event["outcome"] for event in asyncio.run(ten())} == {"met"}
    asked = [call.at for call in calls(sandbox)]
    # Looks that were under way with the throttled one, of two requests each, went on; no other began.
    early = [moment for moment in asked if moment < before + 1.5]
    assert len(early) <= 2 * clients.CONCURRENT_LOOKS
    assert min(moment for moment in asked if moment not in early) - early[0] >= 4.9


def test_what_waiting_cannot_mend_ends_it_and_a_mended_connection_is_read_anew(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve(*crowd(1))
    good = json.dumps(json.loads(__import__("os").environ["AIRFLOW_CONN_LIVEPERSON_DEFAULT"]))
    wrong = {**json.loads(good)["extra"], "client_secret": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps({**json.loads(good), "extra": wrong}))

    async def one_after_the_other() -> tuple[Any, Any]:
        async with clients.shared_client("liveperson_default"):
            refused = await event_of(trigger())
            monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", good)
            return refused, await event_of(trigger())

    refused, mended = asyncio.run(one_after_the_other())
    assert refused["outcome"] == "failed"
    assert "Airflow connection 'liveperson_default'" in refused["words"]
    assert mended["outcome"] == "met"
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 2
    assert clients._shared == {}


def test_a_connection_that_is_missing_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = trigger()
    waiting.liveperson_conn_id = "nowhere"
    event = fire(waiting)
    assert (event["outcome"], "nowhere" in event["words"]) == ("failed", True)
    assert clients._shared == {}


def test_a_look_that_hangs_does_not_outlast_the_sensor(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_lp.triggers.waiting.LAST_LOOK_S", 0.2)
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("stall", seconds=20, times=None))
    before = time.monotonic()
    assert fire(trigger(timeout_s=0.5))["outcome"] == "timeout"
    assert time.monotonic() - before < 3


def test_its_log_gives_reasons(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    serve(*crowd(1))
    fire(trigger(ConversationsHaveStatus(["c00000", "unknown"]), timeout_s=0.3))
    assert "1 of 2 conversations looked at (of 2) do not have status CLOSE, such as unknown." in caplog.text


def test_a_fixed_period_stays_the_same_in_the_trigger(serve: Any) -> None:
    sandbox = serve()
    now = datetime.now(UTC) - timedelta(minutes=1)
    start_ms = int(now.timestamp() * 1000)
    fire(trigger(ConversationsMatch(WindowedSearch(start_ms, start_ms + HOUR)), timeout_s=0.5))
    bounds = {(call.body["start"]["from"], call.body["start"]["to"]) for call in calls(sandbox)}
    assert bounds == {(start_ms, start_ms + HOUR - 1)}
    assert len(calls(sandbox)) >= 3
