"""Sensors in trouble, in each of Airflow's modes: what passes is waited out, what cannot get better fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_lp.sandbox import Conversation, Fault
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import BY_ID, HOUR, crowd

from .modes import wait
from .virtual_time import LiveAccount
from .waiting import (
    AROUND_NOW,
    IDS,
    OAUTH2_TOKEN,
    THREE_POLLS_S,
    after_ms,
    at_once,
    between_polls,
    conversations,
    in_each_mode,
    late,
    revoke,
    status,
    window_ready,
)


@in_each_mode
@pytest.mark.parametrize("fault", ["throttle", "error_500", "error_503", "cut_connection", "cut_body", "not_json"])
def test_trouble_that_passes_is_logged_and_waited_out(
    serve: Any, mode: str, fault: str, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, times=2))
    assert wait(conversations(mode), clock)["count"] == 3
    assert [call.fault for call in calls(sandbox)] == [fault, fault, None, None]
    assert caplog.text.count("Looking again later") == 2
    assert clock.pauses[:2] == [60, 60]


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_an_expired_token_is_renewed(serve: Any, mode: str, after: int, clock: FakeClock) -> None:
    sandbox = serve(account=late(clock, 4))
    sandbox.add_fault(Fault("expired_token", after=after))
    wait(conversations(mode, **AROUND_NOW), clock)
    # The poll during which it expired is none less: it goes on with the new one.
    expected = [200] * 6
    expected.insert(after, 401)
    assert [call.status for call in calls(sandbox)] == expected
    assert clock.pauses == [60] * 4
    logins = {"poke": 1, "deferrable": 1, "reschedule": 5}
    assert len(calls(sandbox, OAUTH2_TOKEN)) == logins[mode] + 1


@in_each_mode
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(("retry_after", "pause_s"), [("90", 90), (None, 5)])
def test_after_a_429_nothing_is_asked_before_it_is_time(
    serve: Any, mode: str, after: int, retry_after: str | None, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(
        account=LiveAccount.by(clock, [Conversation("early", after_ms(-60)), Conversation("late", after_ms(1.5))])
    )
    sandbox.add_fault(Fault("throttle", after=after, retry_after=retry_after))
    wait(conversations(mode, **AROUND_NOW, poke_interval=1), clock)
    assert [call.status for call in calls(sandbox)][: after + 2] == [200] * after + [429, 200]
    # To the readings of the clock in between.
    assert clock.pauses[: after + 1] == pytest.approx([1] * after + [pause_s], abs=0.1)


@in_each_mode
@pytest.mark.parametrize("fault", ["throttle", "error_503"])
def test_a_429_that_outlasts_the_timeout_ends_it_without_another_request(
    serve: Any, mode: str, fault: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, retry_after="600"))
    with pytest.raises(AirflowSensorTimeout, match=r"timed out after 90 seconds\. The last poll failed: .* HTTP"):
        wait(conversations(mode, timeout=90), clock)
    assert len(calls(sandbox)) == 1
    # A rescheduled one would not remember, so it does not wait for the end.
    assert clock.pauses == pytest.approx([] if mode == "reschedule" else [90], abs=0.1)


@in_each_mode
@pytest.mark.parametrize(("retry_after", "pause_s"), [(None, 5), ("20", 20)])
@pytest.mark.parametrize("fault", ["error_503", "cut_connection"])
def test_after_other_trouble_it_rests_however_short_the_interval(
    serve: Any, mode: str, fault: str, retry_after: str | None, pause_s: float, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, times=2, retry_after=retry_after))
    wait(conversations(mode, poke_interval=1), clock)
    pause_s = pause_s if fault == "error_503" else 5
    assert clock.pauses == pytest.approx([pause_s] * 2, abs=0.1)


@in_each_mode
def test_a_short_timeout_leaves_a_last_poll_after_trouble(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(*crowd(3)).add_fault(Fault("error_500"))
    assert wait(conversations(mode, poke_interval=1, timeout=3), clock)["count"] == 3
    assert clock.pauses == pytest.approx([3], abs=0.1)


@in_each_mode
@pytest.mark.parametrize("fault", ["error_500", "throttle", "cut_body"])
def test_a_poll_of_many_requests_survives_that_some_fail(serve: Any, mode: str, fault: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1200))
    sandbox.add_fault(Fault(fault, times=None, after=2, every=4))
    assert wait(conversations(mode, min_count=1200), clock)["count"] == 1200
    assert wait(status(mode, conversation_ids=IDS), clock)["count"] == 1200


@pytest.mark.parametrize(("timeout_s", "tries"), [(HOUR / 1000, 4), (7, 2), (0, 1)])
def test_a_request_in_the_midst_of_a_poll_is_tried_again_as_long_as_there_is_time(
    serve: Any, timeout_s: float, tries: int, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=4, after=1))
    sensor = conversations(timeout=timeout_s)
    if tries == 4:
        assert wait(sensor, clock)["count"] == 3
    else:
        with pytest.raises(AirflowSensorTimeout):
            wait(sensor, clock)
    assert [call.status for call in calls(sandbox)][: tries + 1] == [200] + [500] * tries
    assert clock.pauses[: tries - 1] == [5, 10, 15][: tries - 1]


@in_each_mode
def test_conversations_that_stay_truncated_count_too(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(3, is_partial=True))
    assert wait(conversations(mode, min_count=3), clock) == {"count": 3, "conversation_ids": IDS[:3]}
    assert calls(sandbox, BY_ID) == []


@in_each_mode
def test_credentials_may_be_replaced_while_it_waits(
    serve: Any, mode: str, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve(account=late(clock, 3))

    def replace() -> None:
        revoke(sandbox)
        user = {"login": sandbox.credentials["login"], "password": sandbox.credentials["password"]}
        extra = {"account_id": sandbox.account.account_id}
        described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra, **user}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))

    between_polls(clock, replace, number=2)
    assert wait(conversations(mode, **AROUND_NOW), clock)["count"] == 2
    assert clock.pauses == [60] * 3


@in_each_mode
def test_credentials_that_are_revoked_and_not_replaced_fail(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    between_polls(clock, lambda: revoke(sandbox), number=2)
    with pytest.raises(AirflowFailException, match="Check the credentials"):
        wait(conversations(mode, min_count=2), clock)
    assert clock.pauses == [60] * 2
    refused = [call for call in calls(sandbox, OAUTH2_TOKEN) if call.status == 401]
    # Once for the old token, and once for the connection that was read anew.
    assert len(refused) == (1 if mode == "reschedule" else 2)


@in_each_mode
def test_trouble_that_lasts_ends_with_the_timeout(
    serve: Any, mode: str, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault("error_500", times=None))
    with pytest.raises(AirflowSensorTimeout):
        wait(conversations(mode, timeout=THREE_POLLS_S), clock)
    assert [call.status for call in calls(sandbox)] == [500] * 3
    assert caplog.text.count("Looking again later") == 3
    assert "HTTP 500" in caplog.text


@in_each_mode
@pytest.mark.parametrize("after", [0, 2])
def test_what_cannot_get_better_fails_at_once(serve: Any, mode: str, after: int, clock: FakeClock) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("forbidden", times=None, after=after))
    with pytest.raises(AirflowFailException, match="Airflow connection 'liveperson_default'"):
        wait(conversations(mode, min_count=2), clock)
    assert [call.status for call in calls(sandbox)] == [200] * after + [403]
    assert clock.pauses == ([60] * after or at_once(mode))


@in_each_mode
def test_wrong_credentials_fail_at_once_with_one_login(
    serve: Any, mode: str, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    sandbox = serve()
    extra = {"account_id": sandbox.account.account_id, "client_id": "x", "client_secret": "wrong"}
    described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
    with pytest.raises(AirflowFailException):
        wait(conversations(mode), clock)
    assert len(calls(sandbox, OAUTH2_TOKEN)) == 1


@pytest.mark.parametrize(
    ("sensor", "named"),
    [
        (lambda mode: conversations(mode, filters={"nonsense": 1}), "nonsense"),
        (lambda mode: conversations(mode, filters=[1]), "filters="),
        (lambda mode: conversations(mode, time_field="middle"), "time_field="),
        (lambda mode: conversations(mode, min_count=0), "min_count="),
        (lambda mode: conversations(mode, min_count="x"), "min_count="),
        (lambda mode: conversations(mode, max_age="soon"), "max_age="),
        (lambda mode: conversations(mode, max_age="P1M"), "max_age="),
        (lambda mode: conversations(mode, end=None), "end is missing"),
        (lambda mode: conversations(mode, start=datetime(2999, 1, 1, tzinfo=UTC), end="2999-01-02T00:00Z"), "future"),
        (lambda mode: conversations(mode, start=datetime(2020, 1, 1, tzinfo=UTC)), "begins before"),
        (lambda mode: conversations(mode, end="9999-12-31T23:59:59Z"), "more than 13 months from now"),
        (lambda mode: window_ready(mode, end="9999-12-31T23:59:59-14:00"), "end=.*lies outside the years"),
        (lambda mode: conversations(mode, start=None, end=None), "does not say which period"),
        (lambda mode: status(mode, conversation_ids=5), "conversation_ids="),
        *[
            (lambda mode, text=text: status(mode, conversation_ids=text), "conversation_ids=")
            for text in ("LazySelectSequence([3 items])", "dict_keys(['a', 'b'])", "{'a', 'b'}", "<generator object>")
        ],
        (lambda mode: status(mode, status="closed"), "status="),
        (lambda mode: window_ready(mode, delay="a while"), "delay="),
        (lambda mode: window_ready(mode, settling_time="-1"), "settling_time="),
        (lambda mode: window_ready(mode, settling_time=timedelta(seconds=-1)), "settling_time="),
        (lambda mode: window_ready(mode, time_field="latest_update"), "latest_update"),
    ],
)
@in_each_mode
def test_a_wrong_argument_fails_at_once_without_a_request(
    serve: Any, mode: str, sensor: Callable[[str], Any], named: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(3))
    with pytest.raises(AirflowFailException, match=named):
        wait(sensor(mode), clock)
    assert sandbox.requests == []


@in_each_mode
def test_a_connection_that_is_not_found_is_left_to_airflows_retries(mode: str, clock: FakeClock) -> None:
    with pytest.raises(Exception, match="'nowhere' is not an Airflow connection") as caught:
        wait(conversations(mode, liveperson_conn_id="nowhere"), clock)
    assert not isinstance(caught.value, AirflowFailException)
