"""The trigger of the deferred sensors, as the triggerer runs it: many of them in one loop."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from airflow_provider_lp.conditions.conversations import (
    ConversationsHaveStatus,
    ConversationsMatch,
    WindowedSearch,
)
from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.triggers import shared_client
from airflow_provider_lp.triggers.condition import LivePersonConditionTrigger
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import BY_ID, HOUR, NOW, at, crowd, ms
from tests.sensors.modes import event_of, moved
from tests.sensors.virtual_time import LiveAccount, run

OAUTH2_TOKEN = "/app/token"
CONNECTION = "AIRFLOW_CONN_LIVEPERSON_DEFAULT"
DAY = WindowedSearch(at(10), at(11))
#: How long a request hangs that is meant to.
STALL_S = 60
THEIR_EVENT = {"outcome": "met", "value": {"count": 2, "conversation_ids": ["early", "late"]}}


def coming(after_s: float) -> tuple[list[Conversation], ConversationsMatch]:
    """Two conversations, one of which starts so long after a test's clock began, and the condition that both have."""
    moment_ms = ms(NOW + timedelta(seconds=after_s))
    conversations = [Conversation("early", ms(NOW) - 60_000), Conversation("late", moment_ms)]
    return conversations, ConversationsMatch(WindowedSearch(moment_ms - HOUR, moment_ms + HOUR), min_count=2)


def trigger(
    condition: Any = None,
    *,
    interval_s: float = 60,
    timeout_s: float = 3600,
    started_s: float = NOW.timestamp(),
) -> LivePersonConditionTrigger:
    """One that polls every minute for an hour."""
    return LivePersonConditionTrigger(
        condition=msgspec.to_builtins(condition or ConversationsMatch(DAY)),
        schedule={"started_s": started_s, "timeout_s": timeout_s, "poke_interval_s": interval_s},
        liveperson_conn_id="liveperson_default",
    )


def in_real_time(**options: Any) -> LivePersonConditionTrigger:
    """One that waits from now on by the real clock, for a conversation that stays open."""
    return trigger(ConversationsHaveStatus(["open"]), started_s=time.time(), **options)


def together(number: int, condition: Any) -> list[asyncio.Future[Any]]:
    """The events of so many triggers that wait in this loop."""
    return [asyncio.ensure_future(event_of(trigger(condition))) for _ in range(number)]


def threads_of_ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("liveperson")]


def await_end_of_threads(others: set[threading.Thread]) -> None:
    """Wait until all threads of the clients that were opened have ended, except ``others``."""
    before = time.monotonic()
    while ours := set(threads_of_ours()) - others:
        assert time.monotonic() - before < STALL_S / 2, ours
        time.sleep(0.05)


def logins(sandbox: Any) -> list[int]:
    """What the logins were answered with."""
    return [call.status for call in calls(sandbox, OAUTH2_TOKEN)]


# Many in one loop.


def test_fifty_wait_with_one_login_few_threads_and_a_request_a_poll(serve: Any, clock: FakeClock) -> None:
    awaited, condition = coming(150)
    sandbox = serve(account=LiveAccount.by(clock, awaited))
    others = set(threading.enumerate())

    async def all_of_them() -> tuple[list[Any], int]:
        waiting = together(50, condition)
        await asyncio.sleep(130)
        threads = len(set(threads_of_ours()) - others)
        return await asyncio.gather(*waiting), threads

    events, threads = run(clock, all_of_them())
    assert events == [THEIR_EVENT] * 50
    assert clock.monotonic() == pytest.approx(180, abs=2)
    assert logins(sandbox) == [200]
    assert len(calls(sandbox, "baseURI.json")) == 2
    # Three polls in vain, and one that finds it, and then which it is.
    assert len(calls(sandbox)) == 50 * (3 + 2)
    assert threads <= shared_client.CONCURRENT_POLLS + 1
    assert shared_client._shared == {}


async def lags_s(work: Coroutine[Any, Any, Any]) -> list[float]:
    """How late the loop got to do something else, each time it was tried while ``work`` was done, shortest first."""
    task = asyncio.ensure_future(work)
    lags = []
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        lags.append(time.perf_counter() - before - 0.01)
    task.result()
    return sorted(lags)


def test_the_loop_is_free_while_fifty_look(serve: Any) -> None:
    sandbox = serve(Conversation("open", at(10)))
    sandbox.latency_s = 0.15

    async def all_of_them() -> None:
        await asyncio.gather(*(event_of(in_real_time(interval_s=0.1, timeout_s=0.2)) for _ in range(50)))

    lags = asyncio.run(lags_s(all_of_them()))
    assert len(calls(sandbox, BY_ID)) >= 50
    # If polls blocked the loop, each would hold it for 0.15 s at least, all the time. On an idle machine the loop lags
    # by a thousandth of that; on one that is kept busy, it has to wait for a processor now and then.
    assert lags[len(lags) * 3 // 4] < 0.1, lags[-10:]


def test_cancelling_one_leaves_the_others_their_client(serve: Any, clock: FakeClock) -> None:
    awaited, condition = coming(150)
    sandbox = serve(account=LiveAccount.by(clock, awaited))

    async def two() -> Any:
        one, other = together(2, condition)
        await asyncio.sleep(90)
        one.cancel()
        return await other

    assert run(clock, two()) == THEIR_EVENT
    assert len(calls(sandbox)) == 2 * 2 + 1 + 2
    assert logins(sandbox) == [200]
    assert shared_client._shared == {}


def test_tokens_that_lapse_are_renewed_once_for_all(serve: Any, clock: FakeClock) -> None:
    awaited, condition = coming(150)
    sandbox = serve(account=LiveAccount.by(clock, awaited))

    async def twenty() -> list[Any]:
        waiting = together(20, condition)
        await asyncio.sleep(90)
        sandbox.expire_tokens()
        return await asyncio.gather(*waiting)

    assert run(clock, twenty()) == [THEIR_EVENT] * 20
    assert logins(sandbox) == [200, 200]


def test_a_throttling_holds_all_that_share_the_client(serve: Any, clock: FakeClock) -> None:
    awaited, condition = coming(90)
    sandbox = serve(account=LiveAccount.by(clock, awaited))
    # All that are under way when the first one learns of it: also on a busy machine none begins later than that.
    sandbox.latency_s = 0.2
    sandbox.add_fault(Fault("throttle", retry_after="200", times=shared_client.CONCURRENT_POLLS))

    async def ten() -> tuple[int, list[Any]]:
        waiting = together(10, condition)
        await asyncio.sleep(199)
        return len(calls(sandbox)), await asyncio.gather(*waiting)

    asked, events = run(clock, ten())
    assert events == [THEIR_EVENT] * 10
    assert asked == shared_client.CONCURRENT_POLLS
    # They go slower then, but none waits for its next minute, not even those that were throttled.
    assert 200 <= clock.monotonic() < 220


def test_those_that_were_not_throttled_themselves_lose_no_interval(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sandbox.latency_s = 0.2
    sandbox.add_fault(Fault("throttle", times=shared_client.CONCURRENT_POLLS))

    async def moment_of_event() -> float:
        await event_of(trigger())
        return clock.monotonic()

    async def ten() -> list[float]:
        return sorted(await asyncio.gather(*(moment_of_event() for _ in range(10))))

    moments = run(clock, ten())
    assert moments[0] >= 5
    assert moments[10 - shared_client.CONCURRENT_POLLS - 1] < 30
    assert moments[10 - shared_client.CONCURRENT_POLLS] >= 60


@pytest.mark.parametrize("path", [OAUTH2_TOKEN, "/msgHist/baseURI.json", "/sentinel/baseURI.json"])
@pytest.mark.parametrize("kind", ["error_503", "cut_connection", "throttle"])
def test_trouble_on_the_way_in_is_met_by_one_and_not_by_all(serve: Any, path: str, kind: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault(kind, path=path))

    async def twenty() -> list[Any]:
        return await asyncio.gather(*together(20, None))

    assert {event["outcome"] for event in run(clock, twenty())} == {"met"}
    assert [call.fault for call in calls(sandbox, path)] == [kind, None]


# Trouble.


@pytest.mark.parametrize(
    ("fault", "interval_s", "pause_s"),
    [
        (Fault("error_500"), 1, 5),
        (Fault("cut_connection"), 1, 5),
        (Fault("error_503", retry_after="90"), 1, 90),
        (Fault("throttle"), 1, 5),
        (Fault("throttle", retry_after="90"), 60, 90),
        (Fault("error_500"), 60, 60),
    ],
)
def test_after_trouble_it_rests_as_long_as_liveperson_wants(
    serve: Any, fault: Fault, interval_s: float, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(fault)
    assert run(clock, event_of(trigger(interval_s=interval_s)))["outcome"] == "met"
    assert [call.fault for call in calls(sandbox)] == [fault.kind, None, None]
    assert clock.pauses[:1] == pytest.approx([pause_s], abs=0.1)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("error_500"), "met"),
        (Fault("cut_connection"), "met"),
        (Fault("error_503", retry_after="90"), "timeout"),
        (Fault("throttle"), "timeout"),
    ],
)
def test_as_the_time_is_over_it_polls_once_more_unless_liveperson_wants_no_request(
    serve: Any, fault: Fault, outcome: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(fault)
    assert run(clock, event_of(trigger(interval_s=60, timeout_s=3)))["outcome"] == outcome
    assert [call.fault for call in calls(sandbox)] == [fault.kind, *([None, None] if outcome == "met" else [])]
    assert clock.pauses == pytest.approx([3], abs=0.1)


def test_a_request_that_fails_in_the_midst_of_a_poll_is_tried_again(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("error_500", after=1))
    assert run(clock, event_of(trigger()))["outcome"] == "met"
    assert [call.status for call in calls(sandbox)] == [200, 500, 200]
    assert clock.pauses == [5]


def wrong(connection: str) -> str:
    """The connection with a secret that LivePerson does not know."""
    return connection.replace(CREDENTIALS["client_secret"], "wrong")


def test_what_waiting_cannot_mend_ends_it_and_a_mended_connection_is_read_anew(
    serve: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    good = os.environ[CONNECTION]
    monkeypatch.setenv(CONNECTION, wrong(good))

    async def one_after_the_other() -> tuple[Any, Any]:
        async with shared_client.shared_client("liveperson_default"):
            refused = await event_of(trigger())
            monkeypatch.setenv(CONNECTION, good)
            return refused, await event_of(trigger())

    refused, mended = run(clock, one_after_the_other())
    assert refused["outcome"] == "failed"
    assert "Airflow connection 'liveperson_default'" in refused["message"]
    assert mended["outcome"] == "met"
    assert logins(sandbox) == [400, 200]
    assert clock.pauses == pytest.approx([3], abs=0.1)
    assert shared_client._shared == {}


def test_wrong_credentials_end_all_that_wait_with_one_login(
    serve: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    monkeypatch.setenv(CONNECTION, wrong(os.environ[CONNECTION]))

    async def twenty() -> list[Any]:
        return await asyncio.gather(*together(20, None))

    assert {event["outcome"] for event in run(clock, twenty())} == {"failed"}
    assert logins(sandbox) == [400]
    assert shared_client._shared == {}


@pytest.fixture
def replace_credentials(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let LivePerson accept no other credentials than new ones, and put these into the connection or not."""

    def replace(sandbox: Any, *, is_mended: bool) -> None:
        connection = os.environ[CONNECTION].replace(CREDENTIALS["client_secret"], "new")
        monkeypatch.setitem(CREDENTIALS, "client_secret", "new")
        sandbox.expire_tokens()
        if is_mended:
            monkeypatch.setenv(CONNECTION, connection)

    return replace


@pytest.mark.parametrize("is_mended", [True, False])
def test_credentials_that_are_replaced_while_twenty_wait_are_read_anew_once(
    serve: Any, replace_credentials: Any, is_mended: bool, clock: FakeClock
) -> None:
    awaited, condition = coming(210)
    sandbox = serve(account=LiveAccount.by(clock, awaited))
    others = set(threading.enumerate())

    async def twenty() -> list[Any]:
        waiting = together(20, condition)
        await asyncio.sleep(90)
        replace_credentials(sandbox, is_mended=is_mended)
        return await asyncio.gather(*waiting)

    events = run(clock, twenty())
    # The old ones are refused once, and then what the connection says is tried, once for all.
    if is_mended:
        assert events == [THEIR_EVENT] * 20
        assert logins(sandbox) == [200, 400, 200]
    else:
        assert {event["outcome"] for event in events} == {"failed"}
        assert logins(sandbox) == [200, 400, 400]
        assert clock.monotonic() == pytest.approx(120, abs=1)
    assert shared_client._shared == {}
    await_end_of_threads(others)


def test_credentials_may_be_replaced_more_than_once(
    serve: Any, replace_credentials: Any, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    awaited, condition = coming(210)
    sandbox = serve(account=LiveAccount.by(clock, awaited))
    old = os.environ[CONNECTION]

    def replace_back() -> None:
        monkeypatch.setitem(CREDENTIALS, "client_secret", sandbox.credentials["client_secret"])
        monkeypatch.setenv(CONNECTION, old)
        sandbox.expire_tokens()

    async def one() -> Any:
        asyncio.get_running_loop().call_later(90, lambda: replace_credentials(sandbox, is_mended=True))
        asyncio.get_running_loop().call_later(150, replace_back)
        return await event_of(trigger(condition))

    assert run(clock, one()) == THEIR_EVENT
    assert logins(sandbox) == [200, 400, 200, 400, 200]


def test_a_connection_that_is_missing_ends_it(clock: FakeClock) -> None:
    waiting = trigger()
    waiting.liveperson_conn_id = "nowhere"
    event = run(clock, event_of(waiting))
    assert (event["outcome"], "nowhere" in event["message"], event["retry"]) == ("failed", True, True)
    assert shared_client._shared == {}


# Its time.


def test_it_carries_on_in_another_process_with_the_same_deadline(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    waiting = trigger(ConversationsMatch(DAY, min_count=2), timeout_s=620)

    async def killed_after_a_while() -> None:
        task = asyncio.ensure_future(event_of(waiting))
        await asyncio.sleep(330)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(clock, killed_after_a_while())
    polls = len(calls(sandbox))
    assert run(clock, event_of(moved(waiting)))["outcome"] == "timeout"
    assert clock.monotonic() == pytest.approx(620, abs=1)
    # At once, every minute, and as the time is over.
    assert (polls, len(calls(sandbox)) - polls) == (6, 6)
    assert moved(waiting).serialize() == waiting.serialize()


def test_one_resumed_after_its_deadline_polls_once_more(serve: Any, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    clock.sleep(3700)
    assert run(clock, event_of(trigger()))["outcome"] == "met"
    polls = len(calls(sandbox))
    assert run(clock, event_of(trigger(ConversationsMatch(DAY, min_count=2))))["outcome"] == "timeout"
    assert len(calls(sandbox)) == polls + 1
    assert clock.pauses == [3700]


@pytest.mark.parametrize(("ago_s", "pauses"), [(0, [3]), (2, [1]), (3.1, []), (-3600, [3])])
def test_it_does_not_fire_before_airflow_has_heard_of_the_deferral(
    serve: Any, ago_s: float, pauses: list[float], clock: FakeClock
) -> None:
    # A worker's clock may also be ahead of the triggerer's.
    sandbox = serve(*crowd(1))
    assert run(clock, event_of(trigger(started_s=NOW.timestamp() - ago_s)))["outcome"] == "met"
    assert clock.pauses == pytest.approx(pauses, abs=0.1)
    assert len(calls(sandbox)) == 2


def test_one_that_this_version_does_not_know_ends_no_triggerer() -> None:
    _, fields = trigger().serialize()
    # Airflow catches no other kind of error there.
    with pytest.raises(TypeError, match="TheyAreHappy"):
        LivePersonConditionTrigger(**{**fields, "condition": {"type": "TheyAreHappy"}})


def test_its_log_gives_reasons(serve: Any, caplog: pytest.LogCaptureFixture, clock: FakeClock) -> None:
    caplog.set_level("INFO")
    serve(*crowd(1))
    run(clock, event_of(trigger(ConversationsHaveStatus(["c00000", "unknown"]), timeout_s=90)))
    assert "1 of 2 conversations asked for (of 2) do not have status CLOSE, such as unknown." in caplog.text


def test_a_fixed_period_stays_the_same_in_the_trigger(serve: Any, clock: FakeClock) -> None:
    start_ms = ms(NOW - timedelta(minutes=1))
    sandbox = serve(*crowd(1, start_ms))
    condition = ConversationsMatch(WindowedSearch(start_ms, start_ms + HOUR), min_count=2)
    run(clock, event_of(trigger(condition, timeout_s=150)))
    bounds = [(call.body["start"]["from"], call.body["start"]["to"]) for call in calls(sandbox)]
    assert bounds == [(start_ms, start_ms + HOUR - 1)] * 4


# What hangs. A request that is under way is nothing that a test's clock could speed up; these take as long as they may
# on a busy machine, and never as long as the stall.


def test_a_poll_that_hangs_does_not_outlast_the_sensor(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_lp.triggers.condition.LAST_POLL_S", 0.2)
    sandbox = serve()
    sandbox.add_fault(Fault("stall", seconds=STALL_S, times=None, path=BY_ID))
    before = time.monotonic()
    event = asyncio.run(event_of(in_real_time(interval_s=0.1, timeout_s=0.2)))
    assert event == {"outcome": "timeout", "message": "The last poll took too long."}
    assert time.monotonic() - before < STALL_S / 2


def test_those_that_are_cancelled_close_what_they_opened_though_every_thread_hangs(serve: Any) -> None:
    sandbox = serve()
    sandbox.add_fault(Fault("stall", seconds=STALL_S, times=None, path=BY_ID))

    async def cancelled_while_they_look() -> None:
        number = shared_client.CONCURRENT_POLLS
        looking = [asyncio.ensure_future(event_of(in_real_time(interval_s=0.01))) for _ in range(number)]
        while [seen.fault for seen in sandbox.requests].count("stall") < number:
            await asyncio.sleep(0.05)
        assert shared_client._shared.keys() == {"liveperson_default"}
        for each in looking:
            each.cancel()
        assert {type(end) for end in await asyncio.gather(*looking, return_exceptions=True)} == {asyncio.CancelledError}

    others = set(threading.enumerate())
    before = time.monotonic()
    asyncio.run(cancelled_while_they_look())
    assert time.monotonic() - before < STALL_S / 2
    assert shared_client._shared == {}
    await_end_of_threads(others)
