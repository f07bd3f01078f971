"""What a long task says about itself, and when: over a socket, by a clock that only waits pass."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.export import download
from airflow_provider_lp.export.conversations import collect_conversations
from airflow_provider_lp.export.lookup import Lookup
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.export.metrics.export import collect_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.plan import plan_windows
from airflow_provider_lp.export.progress import Progress, Standing
from airflow_provider_lp.export.tiling import Rules
from airflow_provider_lp.sandbox import Account, Fault, Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import connect, export, query_of
from tests.fake_clock import FakeClock
from tests.samples import DAY, NOW, OAUTH2, at, crowd, ms

LOGGER = "airflow_provider_lp.export.progress"
DAY_WINDOW = Window(at(10), at(11))
#: By the real clock, so that a test that hangs ends.
LONGEST_TURN_S = 30


class SteppingClock(FakeClock):
    """
    A clock that threads pass by sleeping, and that stands still while the main thread is at work.

    So whoever waits by it wakes at exactly the moment it asked for, however long the others sleep.
    """

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Condition()
        self._wakes_s = -1.0

    def wait_for(self, futures: Collection[Future[Any]], seconds: float) -> set[Future[Any]]:
        for future in futures:
            future.add_done_callback(self._someone_is_done)
        with self._turn:
            self._wakes_s = self.monotonic() + seconds
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._may_wake(futures), LONGEST_TURN_S)
            self._wakes_s = -1.0
        return {future for future in futures if future.done()}

    def _may_wake(self, futures: Collection[Future[Any]]) -> bool:
        return self.monotonic() >= self._wakes_s or any(future.done() for future in futures)

    def _someone_is_done(self, _future: Future[Any]) -> None:
        with self._turn:
            self._turn.notify_all()

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            super().sleep(seconds)
            return
        ends_s = self.monotonic() + seconds
        while self.monotonic() < ends_s:
            with self._turn:
                self._turn.wait_for(lambda: self.monotonic() < self._wakes_s or self.is_closed, LONGEST_TURN_S)
                self.check()
                if self.monotonic() < ends_s:
                    self.pass_time(min(ends_s, self._wakes_s) - self.monotonic())
                self._turn.notify_all()

    def close(self) -> None:
        super().close()
        with self._turn:
            self._turn.notify_all()


class SlowSandbox(Sandbox):
    """A sandbox each of whose answers takes ``answer_s`` seconds by the clock of its client."""

    clock: SteppingClock
    answer_s = 3.0

    def _serve(self, request: Any, arrived: float) -> Any:
        if not request.path.endswith(("/baseURI.json", "/app/token")):
            self.clock.sleep(self.answer_s)
        return super()._serve(request, arrived)


class Said:
    """The lines of progress, and when each was said."""

    def __init__(self, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
        self.lines: list[str] = []
        self.moments: list[float] = []
        self._clock = clock
        caplog.set_level(logging.INFO)
        self._handler = logging.Handler()
        self._handler.emit = self._take  # type: ignore[method-assign]
        logging.getLogger(LOGGER).addHandler(self._handler)

    def _take(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.moments.append(round(self._clock.monotonic(), 6))

    def close(self) -> None:
        logging.getLogger(LOGGER).removeHandler(self._handler)


@pytest.fixture
def stepping() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def said(stepping: SteppingClock, caplog: pytest.LogCaptureFixture) -> Iterator[Said]:
    lines = Said(stepping, caplog)
    yield lines
    lines.close()


@pytest.fixture
def slow(stepping: SteppingClock) -> Iterator[Callable[[Account], SlowSandbox]]:
    running: list[SlowSandbox] = []

    def start(account: Account) -> SlowSandbox:
        sandbox = SlowSandbox(account)
        sandbox.clock = stepping
        sandbox.start()
        running.append(sandbox)
        return sandbox

    yield start
    stepping.close()
    for sandbox in running:
        sandbox.stop()


def figures(line: str) -> dict[str, float]:
    """The numbers of a line, by what they count."""
    found = re.fullmatch(
        r"After (?P<after>[^:,]+)(?:, all is read)?: "
        r"(?:(?P<conversations>[\d,]+)(?: of (?:about )?(?P<total>[\d,]+))? conversations, )?"
        r"(?P<parts_done>[\d,]+) of (?P<parts>[\d,]+) parts, (?P<mb>[\d,.]+) MB, "
        r"(?P<rate>[\d,.]+) (?:conversations/s|parts/min), (?P<requests>[\d,]+) requests, (?P<retries>[\d,]+) retries, "
        r"throttled for (?P<throttled>\d+) s(?:, (?P<at_a_time>\d+) at a time)?\."
        r"(?: About (?P<left>[^,]+) left, until (?P<until>[\d:]+) UTC\.| Nothing has come for (?P<silence>[^.]+)\.)?",
        line,
    )
    assert found, line
    given = {name: text for name, text in found.groupdict().items() if text is not None and name != "until"}
    return {name: number(text) for name, text in given.items()}


def number(text: str) -> float:
    """A number, or the seconds of a length of time."""
    units = {"h": 3600, "min": 60, "s": 1}
    if parts := re.findall(r"(\d+) (h|min|s)\b", text):
        return sum(int(count) * units[unit] for count, unit in parts)
    return float(text.replace(",", ""))


def due(until_s: float) -> list[float]:
    """The moments at which a task of so many seconds should say something."""
    moments = [10.0 * number for number in range(1, 7)] + [60.0 * number for number in range(2, 1_000)]
    return [moment for moment in moments if moment < until_s]


# When it speaks.


@given(st.lists(st.floats(0.01, 200), max_size=60))
def test_it_speaks_as_soon_as_a_line_is_due_and_never_before(pauses: list[float]) -> None:
    clock = FakeClock()
    moments = []

    def standing() -> Standing:
        moments.append(clock.monotonic())
        return Standing(1, 0)

    with LivePersonClient("1", OAUTH2, clock=clock) as client:
        progress = Progress(client)
        last_s, interval_s = 0.0, 10.0
        for pause in pauses:
            clock.pass_time(pause)
            progress.say(standing)
            now_s = clock.monotonic()
            if now_s - last_s >= interval_s:
                assert moments.pop() == now_s
                last_s, interval_s = now_s, 10.0 if now_s < 60 else 60.0
            assert not moments


def test_an_export_tells_each_minute_how_far_it_is_while_it_is_throttled_and_answers_are_slow(
    slow: Any, stepping: SteppingClock, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 300)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 250)
    sandbox = slow(Account.of(crowd(1_500, apart_ms=45_000), now=NOW))
    sandbox.add_fault(Fault("throttle", times=4, after=3, every=4, retry_after="47"))
    sandbox.add_fault(Fault("error_500", times=2, after=9))
    with connect(sandbox, stepping, max_concurrency=2) as client:
        begun_s = stepping.monotonic()
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson")
        throttled_s = client.throttled_s
    *lines, last = said.lines
    *moments, ended_s = [moment - begun_s for moment in said.moments]
    assert moments == due(ended_s)
    assert ended_s > 120
    told = [figures(line) for line in lines]
    for name in ("requests", "retries", "mb", "throttled", "parts_done", "conversations"):
        assert all(earlier[name] <= later[name] for earlier, later in pairwise(told)), name
    assert {line["total"] for line in told if "total" in line} == {1_500}
    assert [line["after"] for line in told] == moments
    in_all = figures(last)
    assert "all is read" in last
    assert in_all["conversations"] == summary["conversations"] == 1_500
    assert in_all["requests"] == summary["requests"]
    assert in_all["retries"] == summary["retries"] >= 5
    assert in_all["throttled"] == round(throttled_s) >= 47
    assert in_all["parts_done"] == in_all["parts"] >= 6
    assert in_all["mb"] == pytest.approx(summary["bytes"] / 1e6, rel=0.2)
    assert in_all["rate"] == pytest.approx(1_500 / ended_s, rel=0.05)


def test_while_nothing_comes_it_says_so(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account.of(crowd(250), now=NOW))
    sandbox.add_fault(Fault("throttle", after=1, retry_after="610"))
    with connect(sandbox, stepping, max_concurrency=1) as client:
        collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 30)
    assert said.moments[:-1] == due(said.moments[-1])
    in_the_middle = figures(said.lines[11])
    assert in_the_middle["after"] == 420
    assert in_the_middle["silence"] == 60
    assert (in_the_middle["conversations"], in_the_middle["total"]) == (100, 250)
    assert not [line for line in said.lines[1:12] if "left, until" in line]
    # As far as the pause has gone.
    assert in_the_middle["throttled"] == pytest.approx(414, abs=3)


def test_at_a_steady_pace_the_end_is_foretold(
    slow: Any, stepping: SteppingClock, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 600)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 500)
    sandbox = slow(Account.of(crowd(2_500, apart_ms=30_000), now=NOW))
    sandbox.answer_s = 5
    with connect(sandbox, stepping, max_concurrency=1) as client:
        collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 30)
    *lines, _ = [figures(line) for line in said.lines]
    *moments, ended_s = said.moments
    assert ended_s > 125
    for moment, line in zip(moments, lines, strict=True):
        if moment >= 40:
            assert moment + line["left"] == pytest.approx(ended_s, rel=0.25)


@pytest.mark.parametrize("time_field", ["start", "end", "full_dialog_end"])
def test_of_ranges_that_are_not_counted_yet_as_much_is_expected_as_of_the_others(
    slow: Any, stepping: SteppingClock, said: Said, time_field: str
) -> None:
    now_ms = ms(NOW)
    sandbox = slow(Account.of(crowd(720, first_ms=now_ms - 180 * DAY, apart_ms=DAY // 4), now=NOW))
    sandbox.answer_s = 9
    sandbox.add_fault(Fault("throttle", after=2, retry_after="25"))
    with connect(sandbox, stepping, max_concurrency=1) as client:
        query = query_of(Window(now_ms - 180 * DAY, now_ms), time_field=time_field, max_age=timedelta(days=2))
        found = collect_conversations(client, query, max_bytes=1 << 30)
    assert len(found) == 720
    # Half a year takes three ranges, of which at first only some are counted.
    expected = [figures(line)["total"] for line in said.lines if " of about " in line]
    assert expected == pytest.approx([720] * len(expected), rel=0.1)
    # By an end, each range takes several searches, and all may be counted before the next line.
    assert expected or time_field != "start"
    assert [figures(line)["total"] for line in said.lines[-2:]] == [720, 720]


def test_a_short_export_says_nothing(slow: Any, stepping: SteppingClock, said: Said, tmp_path: Path) -> None:
    sandbox = slow(Account.of(crowd(250), now=NOW))
    sandbox.answer_s = 3.2
    with connect(sandbox, stepping, max_concurrency=1) as client:
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert stepping.monotonic() > 9
    assert said.lines == []


# Lookups and metrics.


def test_a_lookup_by_ids_tells_how_far_it_is(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account.of(crowd(2_050), now=NOW))
    sandbox.answer_s = 15
    sandbox.add_fault(Fault("throttle", after=3, retry_after="100"))
    query = LookupQuery.checked(conversation_ids=[f"c{number:05}" for number in range(2_050)], consumer_id=None)
    with connect(sandbox, stepping, max_concurrency=2) as client, Lookup(client, query) as lookup:
        found = lookup.collect(1 << 30)
    *lines, last = [figures(line) for line in said.lines]
    assert said.moments[:-1] == due(said.moments[-1])
    assert [line["parts"] for line in lines] == [21] * len(lines)
    assert lines[5]["conversations"] == 100 * lines[5]["parts_done"] > 0
    assert (last["parts_done"], last["conversations"]) == (21, found["conversations"]) == (21, 2_050)
    assert (last["requests"], last["retries"]) == (found["requests"], found["retries"])
    assert found["retries"] == 1


def test_a_lookup_by_consumer_tells_how_far_it_is(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account.of(crowd(700, consumer_id="someone"), now=NOW))
    sandbox.answer_s = 12
    query = LookupQuery.checked(conversation_ids=None, consumer_id="someone")
    with connect(sandbox, stepping) as client, Lookup(client, query) as lookup:
        found = lookup.collect(1 << 30)
    *lines, last = [figures(line) for line in said.lines]
    assert said.moments[:-1] == due(said.moments[-1])
    assert (lines[2]["conversations"], lines[2]["total"]) == (200, 700)
    assert last["conversations"] == found["conversations"] == 700


def test_metrics_of_many_requests_tell_how_far_they_are(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account(now=NOW, days=1, per_day=50))
    sandbox.answer_s = 20
    window = Window(ms(NOW) - 2 * DAY // 24, ms(NOW) - DAY // 24)
    skills = [str(10_000 + number) for number in range(1_000)]
    query = MetricsQuery.checked("skill_segments", now=NOW, window=window, skill_ids=skills, interval=15)
    with connect(sandbox, stepping, max_concurrency=2) as client:
        collect_metrics(client, query)
        requests = client.requests
    *lines, last = [figures(line) for line in said.lines]
    assert said.moments[:-1] == due(said.moments[-1])
    assert lines[-1]["parts_done"] > 0
    assert last["parts_done"] == last["parts"] == lines[0]["parts"] > 5
    assert last["requests"] == requests
    assert "left" in lines[-1]


def test_recomputed_metrics_tell_how_far_they_are(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account.of(crowd(700), now=NOW))
    sandbox.answer_s = 6
    query = MetricsQuery.checked(now=NOW, window=DAY_WINDOW, source_of_truth="conversations", max_age=timedelta(days=1))
    with connect(sandbox, stepping, max_concurrency=1) as client:
        collect_metrics(client, query)
        requests = client.requests
    *_, last = [figures(line) for line in said.lines]
    assert said.moments[:-1] == due(said.moments[-1])
    assert (last["conversations"], last["requests"]) == (700, requests)


# What else it says.


def test_a_plan_tells_how_far_it_is_over_all_its_rounds(slow: Any, stepping: SteppingClock, said: Said) -> None:
    sandbox = slow(Account.of(crowd(400, at(1), apart_ms=DAY // 50), now=NOW))
    sandbox.answer_s = 3
    rules = Rules.checked(target_conversations=20, longest=timedelta(days=1), most_windows=100)
    with connect(sandbox, stepping, max_concurrency=1) as client:
        plan_windows(client, query_of(Window(at(1), at(9))), rules)
        requests = client.requests
    assert said.moments == due(said.moments[-1] + 10)
    told = [figures(line) for line in said.lines]
    assert len(told) > 6
    for name in ("parts", "parts_done", "requests"):
        assert all(earlier[name] <= later[name] for earlier, later in pairwise(told)), name
    assert 8 < told[-1]["parts_done"] <= requests
    assert told[-1]["parts"] > told[0]["parts"] == 8


def test_a_search_that_is_read_again_says_so(
    sandbox_of: Any, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("count_off", times=None, rows=2))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonIncompleteDataError):
        collect_conversations(client, query_of(DAY_WINDOW), max_bytes=1 << 30)
    again = [record.getMessage() for record in caplog.records if "again" in record.getMessage()]
    assert again == [
        f"LivePerson counts 5 conversations that started within {DAY_WINDOW}, and has given 3 in {passes} passes: "
        "reading them again."
        for passes in (1, 2, 3)
    ]


def test_ids_that_are_asked_for_again_are_said(
    sandbox_of: Any, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox = sandbox_of(*crowd(3))
    query = LookupQuery.checked(conversation_ids=["c00001", "nobody"], consumer_id=None, allow_missing=True)
    with connect(sandbox, clock) as client, Lookup(client, query) as lookup:
        assert lookup.collect(1 << 20)["missing"] == ["nobody"]
    said = [record.getMessage() for record in caplog.records if record.name.endswith("completeness")]
    assert said == ["LivePerson does not give 1 conversations whole, such as nobody: asking again (try 2 of 4)."]
