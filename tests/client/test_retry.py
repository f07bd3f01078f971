from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_lp.client import errors
from airflow_provider_lp.client.calls import Call
from airflow_provider_lp.client.retry import (
    SERVER_PAUSES_S,
    THROTTLE_PAUSES_S,
    Backoff,
    RetryPolicy,
    error_class,
    retry_after_seconds,
)
from tests.samples import NOW

NOW_S = NOW.timestamp()


def pauses_after(error_of: object, *, login: bool = False) -> list[float]:
    """How long a call waits, failure after failure, until it is given up."""
    backoff, pauses = Backoff(login=login), []
    while (pause_s := backoff.pause_after(error_of())) is not None:  # type: ignore[operator]
        pauses.append(pause_s)
        assert len(pauses) <= len(THROTTLE_PAUSES_S)
    return pauses


@pytest.mark.parametrize(
    ("status", "kind", "retried"),
    [
        (301, errors.LivePersonTransportError, True),
        (400, errors.LivePersonBadRequestError, False),
        (401, errors.LivePersonAuthenticationError, False),
        (403, errors.LivePersonPermissionError, False),
        (404, errors.LivePersonBadRequestError, False),
        (405, errors.LivePersonBadRequestError, False),
        (407, errors.LivePersonConfigurationError, False),
        (408, errors.LivePersonServerError, True),
        (421, errors.LivePersonServerError, True),
        (425, errors.LivePersonServerError, True),
        (429, errors.LivePersonRateLimitError, True),
        (451, errors.LivePersonPermissionError, False),
        (499, errors.LivePersonServerError, True),
        (500, errors.LivePersonServerError, True),
        (502, errors.LivePersonServerError, True),
        (503, errors.LivePersonServerError, True),
        (504, errors.LivePersonServerError, True),
        (206, errors.LivePersonTransportError, True),
    ],
)
def test_the_table_of_statuses(status: int, kind: type[errors.LivePersonError], retried: bool) -> None:
    assert error_class(status) is kind
    assert kind.retry_helps is retried
    assert bool(pauses_after(lambda: kind("x"))) is retried


def test_server_trouble_is_retried_after_5_10_and_15_seconds() -> None:
    assert pauses_after(lambda: errors.LivePersonServerError("x")) == [5, 10, 15]
    assert pauses_after(lambda: errors.LivePersonTransportError("x")) == [5, 10, 15]


def test_server_and_transport_trouble_share_their_pauses() -> None:
    backoff = Backoff()
    kinds = [errors.LivePersonServerError, errors.LivePersonTransportError] * 2
    assert [backoff.pause_after(kind("x")) for kind in kinds] == [5, 10, 15, None]


def test_a_call_may_be_throttled_often_but_not_for_ever() -> None:
    pauses = pauses_after(lambda: errors.LivePersonRateLimitError("x"))
    assert set(pauses) == {1}
    assert len(pauses) == len(THROTTLE_PAUSES_S)


def test_a_login_is_throttled_for_at_least_5_seconds() -> None:
    assert min(pauses_after(lambda: errors.LivePersonRateLimitError("x"), login=True)) == 5
    assert min(pauses_after(lambda: errors.LivePersonRateLimitError("x", retry_after_s=2), login=True)) == 5
    assert min(pauses_after(lambda: errors.LivePersonRateLimitError("x", retry_after_s=7), login=True)) == 7


@pytest.mark.parametrize(("asked", "paused"), [(0, 1), (0.2, 1), (7, 7), (900, 900)])
def test_retry_after_is_honoured_but_never_below_a_second(asked: float, paused: float) -> None:
    assert set(pauses_after(lambda: errors.LivePersonRateLimitError("x", retry_after_s=asked))) == {paused}


def test_a_retry_after_longer_than_is_sensible_fails_at_once() -> None:
    error = errors.LivePersonRateLimitError("x", retry_after_s=901)
    assert Backoff().pause_after(error) is None


@pytest.mark.parametrize(("asked", "paused"), [(3, [5, 10, 15]), (12, [12, 12, 15]), (900, [900] * 3), (901, [])])
def test_a_503_may_ask_for_longer_pauses_too(asked: float, paused: list[float]) -> None:
    assert pauses_after(lambda: errors.LivePersonServerError("x", retry_after_s=asked)) == paused


def test_a_policy_bounds_when_a_retry_may_begin() -> None:
    assert RetryPolicy().allows(1e9)
    assert RetryPolicy(until_s=5.0).allows(5.0)
    assert not RetryPolicy(until_s=5.0).allows(5.1)
    assert not RetryPolicy(until_s=-math.inf).allows(0.0)


def test_a_policy_may_wait_for_the_first_answer() -> None:
    policy = RetryPolicy(is_answered=False)
    assert not policy.allows(0.0)
    policy.is_answered = True
    assert policy.allows(0.0)


def test_what_an_inner_loop_gave_up_is_not_started_over() -> None:
    error = errors.LivePersonServerError("x")
    error.exhausted = True
    assert Backoff().pause_after(error) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("-3", 0),
        ("0", 0),
        ("2", 2),
        (" 2.5 ", 2.5),
        (formatdate(NOW_S + 30, usegmt=True), 30 - NOW_S % 1),
        (formatdate(NOW_S + 30), 30 - NOW_S % 1),
        (formatdate(NOW_S - 30, usegmt=True), 0),
        ("Fri, 99 Foo 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW_S) == pytest.approx(seconds)


@given(st.text(max_size=40))
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +999999999999")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
def test_no_retry_after_is_an_error(header: str) -> None:
    seconds = retry_after_seconds(header, NOW_S)
    assert seconds is None or seconds >= 0


def test_what_can_be_asked_for_in_smaller_parts_is_retried_once() -> None:
    backoff = Backoff.of(Call("search", "POST", "https://x.example", divisible=True))
    assert backoff.pause_after(errors.LivePersonServerError("too large")) == SERVER_PAUSES_S[0]
    assert backoff.pause_after(errors.LivePersonTransportError("too large")) is None
    assert backoff.pause_after(errors.LivePersonRateLimitError("slower")) is not None
