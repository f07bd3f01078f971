"""What each kind of answer leads to, how large one may be, and how it ends."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
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
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.sandbox import Fault, Sandbox
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import DAY, OAUTH1, OAUTH2, crowd
from tests.scripted import EMPTY, Say, scripted

from .searches import CUTS, SandboxOf, search


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
