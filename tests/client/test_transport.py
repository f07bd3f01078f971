from __future__ import annotations

import gzip
import logging
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client import LivePersonClient, transport
from airflow_provider_lp.client.calls import Call
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonPermissionError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.pace import HOLD_JITTER, LONGEST_GAP_S
from airflow_provider_lp.sandbox import Fault, Sandbox
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import APPLICATION, DAY, OAUTH1, OAUTH2, USER, at, crowd
from tests.scripted import EMPTY, Say, scripted

WINDOW = {"start": {"from": at(10), "to": at(11)}}
CUTS = ("cut_connection", "cut_body", "cut_chunked", "not_json")
SandboxOf = Callable[..., Sandbox]


def search(client: LivePersonClient, **options: Any) -> list[str]:
    page = client.interactions.search(WINDOW, **options)
    return [head.info.conversation_id for head in page.heads]


# What each kind of answer leads to.


@pytest.mark.parametrize("kind", ["error_500", "error_503", *CUTS])
def test_server_trouble_and_broken_answers_are_retried_after_5_10_and_15_seconds(
    sandbox_of: SandboxOf, clock: FakeClock, kind: str
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault(kind, times=3))
    with connect(sandbox, clock) as client:
        assert search(client) == ["c00000", "c00001", "c00002"]
        # Two look-ups, a login, and the search four times.
        assert (client.requests, client.retries) == (7, 3)
    assert clock.pauses == [5, 10, 15]
    assert len(calls(sandbox)) == 4


@pytest.mark.parametrize("kind", ["error_500", "error_503", *CUTS])
def test_trouble_that_lasts_is_an_error_that_airflow_may_retry(
    sandbox_of: SandboxOf, clock: FakeClock, kind: str
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault(kind, times=None))
    expected = LivePersonServerError if kind.startswith("error") else LivePersonTransportError
    with connect(sandbox, clock) as client, pytest.raises(expected, match="conversations/search") as caught:
        search(client)
    assert caught.value.retry_helps
    assert clock.pauses == [5, 10, 15]
    assert len(calls(sandbox)) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, LivePersonBadRequestError),
        (401, LivePersonAuthenticationError),
        (403, LivePersonPermissionError),
        (405, LivePersonBadRequestError),
        (451, LivePersonPermissionError),
    ],
)
def test_what_retrying_cannot_mend_is_not_retried(clock: FakeClock, status: int, kind: type[LivePersonError]) -> None:
    with scripted(lambda _: Say(status, {"message": "no"})) as server:
        with LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client, pytest.raises(kind) as caught:
            search(client)
        assert len(server.calls) == 1
    assert caught.value.status == status
    assert not caught.value.retry_helps
    assert not clock.pauses


@pytest.mark.parametrize("status", [408, 421, 425, 499, 500, 502, 599])
def test_trouble_of_a_proxy_on_the_way_is_retried_like_a_5xx(clock: FakeClock, status: int) -> None:
    answers = [Say(status), Say(status), Say(status), Say()]
    with (
        scripted(lambda _: answers.pop(0)) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
    ):
        assert search(client) == []
    assert clock.pauses == [5, 10, 15]


def test_a_404_that_comes_once_is_survived(clock: FakeClock) -> None:
    answers = [Say(404), Say()]
    with (
        scripted(lambda _: answers.pop(0)) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
    ):
        assert search(client) == []
    assert clock.pauses == [5]


@pytest.mark.parametrize("how", ["as usual", "without retries", "polling"])
def test_a_404_that_stays_is_final(clock: FakeClock, how: str) -> None:
    with scripted(lambda _: Say(404)) as server:
        client = LivePersonClient("1", OAUTH1, host=server.url, clock=clock, retry=how == "as usual")
        with client, pytest.raises(LivePersonBadRequestError) as caught:
            search(client.polling(timedelta(minutes=1)) if how == "polling" else client)
        assert len(server.calls) == 2
    assert not caught.value.retry_helps


@pytest.mark.parametrize("status", [401, 404])
def test_a_tentative_call_is_refused_once(clock: FakeClock, status: int) -> None:
    def respond(seen: Any) -> Say:
        return Say(body={"access_token": "a-token"}) if "/app/token" in seen.path else Say(status)

    with scripted(respond) as server, LivePersonClient("1", OAUTH2, host=server.url, clock=clock) as client:
        call = Call("x", "GET", f"{server.url}/x", tentative=True)
        with pytest.raises(LivePersonError):
            client._transport.call(call, lambda answer: answer, client._authorization)
        assert [seen.path for seen in server.calls if "token" not in seen.path] == ["/x"]
    assert not clock.pauses


@pytest.mark.parametrize("status", [201, 202, 206])
def test_a_success_of_another_kind_is_no_answer(clock: FakeClock, status: int) -> None:
    with (
        scripted(lambda _: Say(status)) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
        pytest.raises(LivePersonTransportError),
    ):
        search(client)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"_metadata":{}}', b'"x"', b'{"_metadata":{"count":"many"}}', b"\xff"]
)
def test_json_that_is_not_a_page_is_retried(clock: FakeClock, body: bytes) -> None:
    answers = [Say(body=body), Say(body=EMPTY)]
    with (
        scripted(lambda _: answers.pop(0)) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
    ):
        assert search(client) == []
    assert clock.pauses == [5]


@pytest.mark.parametrize("gzip", [False, True])
def test_answers_may_be_compressed_and_cut(sandbox_of: SandboxOf, clock: FakeClock, gzip: bool) -> None:
    sandbox = sandbox_of(*crowd(30))
    sandbox.gzip = gzip
    sandbox.add_fault(Fault("cut_body"))
    sandbox.add_fault(Fault("cut_chunked"))
    with connect(sandbox, clock) as client:
        assert len(search(client)) == 30
    assert clock.pauses == [5, 10]


def test_a_server_that_nobody_listens_at_is_an_error_in_words(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = Sandbox()
    sandbox.start()
    url = sandbox.url
    sandbox.stop()
    with (
        LivePersonClient("12345678", OAUTH1, host=url, clock=clock) as client,
        pytest.raises(LivePersonTransportError, match=r"127\.0\.0\.1.*domain lookup.*Connection refused"),
    ):
        search(client)
    assert clock.pauses == [5, 10, 15]


@pytest.mark.parametrize("kind", ["stall", "slow_body"])
def test_silence_is_not_waited_for_longer_than_the_read_timeout(
    sandbox_of: SandboxOf, clock: FakeClock, kind: str
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault(kind, seconds=20.0))
    begun = time.monotonic()
    with connect(sandbox, clock, read_timeout=timedelta(seconds=0.3)) as client:
        assert len(search(client)) == 3
    assert time.monotonic() - begun < 10
    assert clock.pauses == [5]


def test_a_slow_but_steady_body_is_read(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("slow_body", seconds=1.0))
    with connect(sandbox, clock, read_timeout=timedelta(seconds=0.6)) as client:
        assert len(search(client)) == 3
    assert not clock.pauses


@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout"])
def test_a_timeout_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=name):
        LivePersonClient("1", OAUTH1, **{name: timedelta(0)})  # type: ignore[arg-type]


# Throttling.


@pytest.mark.parametrize(
    ("retry_after", "least_s"),
    [
        (None, 1),
        ("0", 1),
        ("7", 7),
        ("2.5", 2.5),
        ("nonsense", 1),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 1),
    ],
)
def test_a_throttling_is_waited_out(
    sandbox_of: SandboxOf, clock: FakeClock, retry_after: str | None, least_s: float
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=2, retry_after=retry_after))
    with connect(sandbox, clock) as client:
        assert len(search(client)) == 3
        assert client.retries == 2
    assert len(clock.pauses) == 2
    assert all(least_s <= pause_s <= max(2, (1 + HOLD_JITTER) * least_s) for pause_s in clock.pauses)


def test_the_client_tells_for_how_long_it_was_held(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        search(client)
        assert (client.throttled_s, client.allowed_in_flight) == (0, 4)
        for retry_after in ("7", "30"):
            sandbox.add_fault(Fault("throttle", retry_after=retry_after))
            search(client)
        assert 37 <= client.throttled_s <= clock.monotonic()


def test_retry_after_may_be_a_date(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", retry_after=formatdate(clock.now() + 20.5, usegmt=True)))
    with connect(sandbox, clock) as client:
        search(client)
    assert 19 <= clock.pauses[0] <= 21 * (1 + HOLD_JITTER)


def test_a_retry_after_of_hours_fails_at_once(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None, retry_after="7200"))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonRateLimitError, match="max_concurrency") as caught:
        search(client)
    assert caught.value.retry_helps
    assert caught.value.retry_after_s == 7200
    assert len(calls(sandbox)) == 1


def test_endless_throttling_ends_in_an_error(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonRateLimitError):
        search(client)
    assert 5 < len(calls(sandbox)) <= 110
    assert 60 < clock.monotonic() < 900


def test_finding_the_limit_uses_up_no_attempts(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    # As if other clients took all room again and again, just before this one asks.
    sandbox.add_fault(Fault("throttle", times=20))
    with connect(sandbox, clock) as client:
        assert len(search(client)) == 3


def test_the_503_of_a_throttled_account_keeps_to_the_pauses_of_5xx(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("error_503", times=1, retry_after="3"))
    with connect(sandbox, clock) as client:
        search(client)
    assert clock.pauses[0] >= 3


class Paced(FakeClock):
    """A fake clock that lets a wait take a fifth of its time, so that threads really meet."""

    def monotonic(self) -> float:
        return time.monotonic() * 5

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 5)


@pytest.mark.parametrize("in_flight", [4, 8])
def test_after_a_429_eight_threads_send_no_burst(sandbox_of: SandboxOf, in_flight: int) -> None:
    sandbox = sandbox_of(*crowd(3))
    clock = Paced()
    sandbox.latency_s = 0.4
    with connect(sandbox, clock, max_concurrency=in_flight) as client:
        search(client)
        sandbox.add_fault(Fault("throttle", times=in_flight))
        threads = [threading.Thread(target=search, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = calls(sandbox)[1:]
    assert Counter(each.status for each in seen) == {429: in_flight, 200: 8}
    # So many were in flight together, and none was let through; one at a time follows, those that waited for a slot as
    # well.
    apart = [(after.at - before.at) * 5 for before, after in pairwise(seen[in_flight - 1 :])]
    assert apart[0] > 0.7
    assert min(apart) > 0.4 * 5 * 0.9


@pytest.mark.parametrize("limit", [2, 5])
def test_beside_a_limit_a_task_is_nearly_as_quick_as_one_that_knows_it(sandbox_of: SandboxOf, limit: int) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.latency_s = 0.05

    def took_s(pages: int, in_flight: int) -> float:
        with connect(sandbox, Paced(), max_concurrency=in_flight) as client, ThreadPoolExecutor(10) as threads:
            search(client)
            begun = time.monotonic()
            list(threads.map(lambda _: search(client), range(pages)))
            return time.monotonic() - begun

    pages = 60 * limit
    shortest_s = took_s(pages, limit)
    sandbox.most_at_a_time = limit
    assert took_s(pages, 8) < 2.5 * shortest_s
    refused = sum(each.status == 429 for each in calls(sandbox))
    assert 0 < refused < 0.2 * pages


def test_whatever_a_client_asks_for_waits_when_liveperson_throttles_something_else(
    sandbox_of: SandboxOf, clock: FakeClock
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", path="/operations/", retry_after="30"))
    with connect(sandbox, clock, max_concurrency=8) as client:
        search(client)
        with pytest.raises(LivePersonRateLimitError):
            # A poll does not retry its first request; whoever polls waits for as long as LivePerson wants.
            client.polling(timedelta(seconds=20)).operations.send(MetricsRequest.checked("queue_health", timeframe=60))
        search(client)
        assert 1 <= clock.monotonic() < 2
        sandbox.add_fault(Fault("throttle", path="/operations/", retry_after="30"))
        client.operations.send(MetricsRequest.checked("queue_health", timeframe=60))
        assert client.throttled_s > 30


def test_who_polls_does_not_sit_a_long_hold_out(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        search(client)
        client._transport.flow.hold(10)
        search(client.polling(timedelta(seconds=5)))
        assert 10 <= clock.monotonic() < 15
        # As another task of this machine does that was told so.
        client._transport.flow.hold(600)
        asked = len(sandbox.requests)
        with pytest.raises(
            LivePersonRateLimitError, match=r"wants no requests of this account for another \d+ s"
        ) as told:
            search(client.polling(timedelta(seconds=5)))
        assert (told.value.retry_after_s or 0) >= 600
        assert len(sandbox.requests) == asked
        search(client)
        assert clock.monotonic() >= 610


def test_after_a_429_requests_one_after_the_other_are_not_spaced(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle"))
    with connect(sandbox, clock) as client:
        moments, is_lowered = [], []
        for _ in range(40):
            search(client)
            moments.append(clock.monotonic())
            is_lowered.append(client.allowed_in_flight < client.max_concurrency)
            clock.pass_time(0.15)
    assert is_lowered[0]
    assert moments[0] >= 1
    apart = [after - before for before, after in pairwise(moments)]
    assert max(apart) < 0.3


def test_what_a_closed_client_gives_up_is_no_trouble_of_livepersons(
    sandbox_of: SandboxOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("stall", seconds=30))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            search(client)
        except LivePersonTransportError as error:
            errors.append(error)

    client = connect(sandbox)
    thread = threading.Thread(target=ask)
    thread.start()
    while not calls(sandbox):
        time.sleep(0.01)
    client.close()
    thread.join()
    assert [str(error) for error in errors] == ["The LivePerson client was closed: nothing more is asked for."]
    assert caplog.records == []


# Tokens.


def test_a_refused_bearer_is_renewed_once_by_one_thread_for_all(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock, OAUTH2) as client:
        search(client)
        sandbox.expire_tokens()
        sandbox.latency_s = 0.05
        found: list[list[str]] = []
        threads = [threading.Thread(target=lambda: found.append(search(client))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [len(each) for each in found] == [3] * 8
    assert len(calls(sandbox, "/app/token")) == 2
    assert max(clock.pauses) <= LONGEST_GAP_S


@pytest.mark.parametrize("credentials", [OAUTH2, USER, APPLICATION])
def test_a_401_that_a_new_token_does_not_mend_is_final(
    sandbox_of: SandboxOf, clock: FakeClock, credentials: Any
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("expired_token", times=None))
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonAuthenticationError) as caught:
        search(client)
    assert caught.value.status == 401
    # With a renewed token, and once more: that may not be known everywhere yet. Others may log in as the same user.
    assert len(calls(sandbox)) == (3 if credentials is OAUTH2 else 5)
    assert ("logs in elsewhere" in str(caught.value)) is (credentials is not OAUTH2)
    assert "permission for Messaging Interactions" in str(caught.value)
    assert ("scope" in str(caught.value)) is (credentials is OAUTH2)
    assert "Check the credentials" not in str(caught.value)


def test_a_401_of_a_signed_request_is_final(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3), year=2025)
    sandbox.add_fault(Fault("expired_token"))
    with connect(sandbox, clock, OAUTH1) as client, pytest.raises(LivePersonAuthenticationError):
        search(client)
    assert len(calls(sandbox)) == 1


def test_each_attempt_is_signed_with_a_fresh_nonce(clock: FakeClock) -> None:
    answers = [Say(503), Say(429), Say(500), Say()]
    with scripted(lambda _: answers.pop(0)) as server:
        with LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client:
            search(client)
        headers = [seen.headers["Authorization"] for seen in server.calls]
    nonces = {part for header in headers for part in header.split(", ") if "oauth_nonce" in part}
    signatures = {part for header in headers for part in header.split(", ") if "oauth_signature=" in part}
    assert len(nonces) == len(signatures) == 4


# Where credentials may go.


@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2])
def test_a_redirect_is_never_followed(sandbox_of: SandboxOf, clock: FakeClock, credentials: Any) -> None:
    sandbox, other = sandbox_of(*crowd(3)), sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("redirect", times=None, host=other.url))
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonTransportError) as caught:
        search(client)
    assert "redirect (HTTP 307)" in str(caught.value)
    assert caught.value.status == 307
    assert not other.requests
    assert len(calls(sandbox)) == 1


@pytest.mark.parametrize("path", ["/app/token", "/login", "/baseURI.json"])
def test_no_login_or_lookup_is_redirected_either(sandbox_of: SandboxOf, clock: FakeClock, path: str) -> None:
    sandbox, other = sandbox_of(), sandbox_of()
    sandbox.add_fault(Fault("redirect", times=None, host=other.url, path=path))
    credentials = USER if path == "/login" else OAUTH2
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonTransportError, match="redirect"):
        search(client)
    assert not other.requests


@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2, USER])
def test_netrc_is_never_used(
    sandbox_of: SandboxOf, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, credentials: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login netrc-user password netrc-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    sandbox = sandbox_of(*crowd(3), year=2025)
    with connect(sandbox, clock, credentials) as client:
        assert len(search(client)) == 3
    assert {seen.authorization for seen in sandbox.requests} == {
        None,
        "OAuth" if credentials is OAUTH1 else "Bearer",
    }


# Sizes.


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


MB = 2**20


def test_an_answer_that_is_too_large_is_not_read_on(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 8 * MB)
    bomb = Say(body=gzip.compress(b" " * (64 * MB)), headers={"Content-Encoding": "gzip"})
    too_large = pytest.raises(LivePersonTransportError, match="conversations/search is larger than 8 MB")
    with scripted(lambda _: bomb) as server, LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client:
        with memory_below(32 * MB), too_large:
            search(client)
        assert len(server.calls) == 1


def test_an_answer_that_announces_too_much_is_not_read_at_all(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 8 * MB)
    large = Say(body=b" " * (64 * MB))
    too_large = pytest.raises(LivePersonTransportError, match="is larger than 8 MB")
    with scripted(lambda _: large) as server, LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client:
        with memory_below(4 * MB), too_large:
            search(client)
        assert len(server.calls) == 1


def test_of_an_error_only_the_beginning_is_read(clock: FakeClock) -> None:
    body = gzip.compress(b'{"message": "no' + b" " * (64 * MB) + b'"}')
    refused = pytest.raises(LivePersonBadRequestError)
    with (
        scripted(lambda _: Say(400, body, {"Content-Encoding": "gzip"})) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
        memory_below(8 * MB),
        refused,
    ):
        search(client)


# Closing.


@pytest.mark.parametrize("ending", ["close", "abort"])
def test_ending_a_client_ends_its_waits(sandbox_of: SandboxOf, ending: str) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("throttle", times=None, retry_after="600"))
    client = connect(sandbox)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            search(client)
        except LivePersonError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not calls(sandbox):
        time.sleep(0.01)
    time.sleep(0.05)
    getattr(client, ending)()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert isinstance(failures[0], LivePersonTransportError)
    assert "was closed" in str(failures[0])
    client.close()


def test_connections_are_kept_open(clock: FakeClock) -> None:
    with (
        scripted(lambda seen: Say()) as server,
        LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client,
    ):
        for _ in range(20):
            search(client)
        assert len(server.requests) == 21
        assert len({seen.client_port for seen in server.requests}) == 1


def test_the_smallest_search_there_is_checks_a_client(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        assert client.check() == sandbox.url
    (seen,) = calls(sandbox)
    assert seen.query["limit"] == "1"
    assert seen.body["start"]["to"] - seen.body["start"]["from"] < DAY
