"""What the clients of a machine know together of LivePerson's limit, and what happens when one of them is killed."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.flow import Flow
from airflow_provider_lp.client.pace import LONGEST_RAMP_S, POLL_EVERY_S, SILENT_FOR_S, Pace, Ticket
from airflow_provider_lp.client.shared_pace import SharedPace
from airflow_provider_lp.sandbox import Sandbox
from tests.export.stored_batches import full_disk
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import OAUTH2, at, crowd

WINDOW = {"start": {"from": at(10), "to": at(11)}}
ACCOUNT = "123 https://api.liveperson.net"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"airflow-provider-lp-{os.getuid()}"


@contextmanager
def sharing(most: int, account: str = ACCOUNT, clock: Clock | None = None) -> Iterator[Flow]:
    flow = Flow(most, clock or FakeClock(), lambda: 0.0, SharedPace(account, most))
    try:
        yield flow
    finally:
        flow.close()


def lets_go(flow: Flow, clock: FakeClock) -> list[Ticket]:
    tickets = []
    while not isinstance(ticket := flow.try_start(), float) or ticket < 0.1:
        if isinstance(ticket, Ticket):
            tickets.append(ticket)
        elif clock.monotonic() > 1000:
            break
        else:
            clock.pass_time(ticket)
    return tickets


def test_a_refusal_holds_all_and_as_many_follow_as_were_let_through(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as one, sharing(3, clock=clock) as other, sharing(4, "456", clock) as stranger:
        mine, theirs = lets_go(one, clock), lets_go(other, clock)
        assert (len(mine), len(theirs)) == (4, 3)
        one.throttled(mine.pop())
        other.throttled(theirs.pop())
        assert one.held_s == other.held_s == 1
        assert not stranger.held_s
        for flow, tickets in ((one, mine), (other, theirs)):
            for ticket in tickets:
                flow.answered(ticket)
        clock.pass_time(1)
        assert one.throttled_s == other.throttled_s == 1
        # Five of seven were let through: whoever comes first.
        first = [one.try_start() for _ in range(3)]
        clock.pass_time(1)
        assert other.allowed == 3
        assert len(lets_go(other, clock)) + sum(isinstance(ticket, Ticket) for ticket in first) <= 5


def test_who_comes_later_has_lost_no_time_to_what_was_before(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as one:
        one.throttled(lets_go(one, clock)[0])
        clock.pass_time(0.4)
        with sharing(4, clock=clock) as other:
            assert other.held_s == pytest.approx(0.6)
            clock.pass_time(5)
            assert other.throttled_s == pytest.approx(0.6)
            assert one.throttled_s == 1


def test_without_a_throttling_nobody_waits_for_the_others(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as one, sharing(4, clock=clock) as other:
        for _ in range(20):
            started = [(flow, lets_go(flow, clock)) for flow in (one, other)]
            for flow, tickets in started:
                assert len(tickets) == 4
                assert flow.try_start() == math.inf
                for ticket in tickets:
                    flow.answered(ticket)
    assert clock.monotonic() <= LONGEST_RAMP_S + 1e-6


def test_the_last_one_leaves_nothing_behind_and_what_it_knew_is_forgotten(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as one:
        with sharing(4, clock=clock) as other:
            one.throttled(lets_go(one, clock)[0])
            assert other.allowed == 3
        assert sorted(path.suffix for path in folder.iterdir())[-1] == ".pace"
    assert not folder.exists()
    with sharing(4, clock=clock) as one:
        assert (one.allowed, one.held_s) == (4, 0)


def test_what_was_learned_is_forgotten_after_a_pause(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as flow:
        for ticket in lets_go(flow, clock):
            flow.throttled(ticket)
        clock.pass_time(60)
        assert flow.allowed == 1
        clock.pass_time(300)
        assert len(lets_go(flow, clock)) == flow.allowed == 4


# Others that are processes of their own.


def _take_and_wait(folder: str, most: int, taken: Connection) -> None:
    tempfile.tempdir = folder
    flow = Flow(most, Clock(), pace_store=SharedPace(ACCOUNT, most))
    tickets = [flow.start() for _ in range(most)]
    flow.throttled(tickets[0])
    taken.send(len(tickets))
    threading.Event().wait(60)


def test_the_slots_of_a_killed_process_are_free_again(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    with sharing(4, clock=Clock()) as flow:
        # Until it is known to be there, nobody may think that everybody has gone.
        assert not flow.held_s
        process = context.Process(target=_take_and_wait, args=(str(folder.parent), 3, theirs))
        process.start()
        try:
            assert mine.recv() == 3
            assert flow.allowed == 2
            assert flow.held_s
            assert flow.try_start() == 0.01
            assert process.pid
            os.kill(process.pid, signal.SIGKILL)
        finally:
            process.join()
        tickets = [flow.start(), flow.start()]
        assert len(tickets) == flow.allowed
    assert not folder.exists()


def _count(folder: str, times: int, done: Connection) -> None:
    tempfile.tempdir = folder
    pace_store = SharedPace(ACCOUNT, 1)
    for _ in range(times):
        with pace_store.opened() as pace:
            pace.throttlings += 1
    done.send(pace.throttlings)
    done.recv()
    pace_store.leave()


def test_no_change_of_several_processes_is_lost(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(3)]
    processes = [context.Process(target=_count, args=(str(folder.parent), 500, theirs)) for _, theirs in pipes]
    mine = SharedPace(ACCOUNT, 1)
    with mine.opened():
        for process in processes:
            process.start()
    assert max(pipe.recv() for pipe, _ in pipes) == 1500
    with mine.opened() as pace:
        assert pace.throttlings == 1500
        assert len(pace.most) == 4
    for pipe, _ in pipes:
        pipe.send(None)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    mine.leave()
    assert not folder.exists()


def _search(folder: str, url: str, account_id: str, pages: int, begins: Barrier) -> None:
    tempfile.tempdir = folder
    with (
        LivePersonClient(account_id, OAUTH2, host=url, max_concurrency=4) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        begins.wait()
        for found in threads.map(lambda _: client.interactions.search(WINDOW), range(pages)):
            assert found.count == 3


def test_tasks_side_by_side_find_a_limit_together_and_do_without_one_that_is_killed(
    sandbox_of: Callable[..., Sandbox], folder: Path
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.latency_s, sandbox.most_at_a_time = 0.05, 5
    context = multiprocessing.get_context("spawn")
    tasks, pages = 4, 60
    begins = context.Barrier(tasks)
    arguments = (str(folder.parent), sandbox.url, sandbox.account.account_id)
    processes = [
        context.Process(target=_search, args=(*arguments, pages if number else 10**6, begins))
        for number in range(tasks)
    ]
    for process in processes:
        process.start()
    while len(calls(sandbox)) < pages:
        time.sleep(0.01)
    processes[0].kill()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [-signal.SIGKILL, 0, 0, 0]
    statuses = Counter(each.status for each in calls(sandbox))
    assert statuses[200] >= pages * (tasks - 1)
    # Each on its own, they are refused four times as often.
    assert statuses[429] <= 0.05 * statuses.total()
    assert not folder.exists()


# Where it does not work.


def _another_persons_link(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)


def _open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _a_file(folder: Path) -> None:
    folder.write_text("")


def _a_folder_in_its_place(folder: Path) -> None:
    pace_store = SharedPace(ACCOUNT, 4)
    with pace_store.opened():
        (name,) = folder.glob("*.pace")
    pace_store.leave()
    name.mkdir(parents=True)
    folder.chmod(0o700)


@pytest.mark.parametrize("spoil", [_another_persons_link, _open_to_all, _a_file, _a_folder_in_its_place])
def test_who_cannot_share_goes_on_alone(
    folder: Path, clock: FakeClock, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    spoil(folder)
    before = sorted(folder.parent.rglob("*"))
    with caplog.at_level(logging.INFO), sharing(4, clock=clock) as one, sharing(4, clock=clock) as other:
        one.throttled(lets_go(one, clock)[0])
        assert other.held_s == 0
        assert len(lets_go(other, clock)) == 4
        assert one.allowed == 3
    told = [record for record in caplog.records if "does not share" in record.message]
    assert [record.levelname for record in told] == ["INFO", "INFO"]
    assert sorted(folder.parent.rglob("*")) == before


def test_on_a_full_disk_a_client_goes_on_alone_and_leaves_nothing_behind(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as flow, full_disk(0):
        one, *_ = lets_go(flow, clock)
        flow.throttled(one)
        assert flow.allowed == 3
        assert not folder.exists()


def test_who_waits_too_long_for_the_file_goes_on_alone_with_what_is_its_own(folder: Path, clock: FakeClock) -> None:
    holder = SharedPace(ACCOUNT, 4)
    with sharing(4, clock=clock) as flow:
        tickets = lets_go(flow, clock)
        with holder.opened() as pace:
            # As a process does that was stopped at the wrong moment.
            assert pace.in_flight[holder.client] == 0
            flow.answered(tickets.pop())
            assert len(lets_go(flow, clock)) == 1
        for _ in range(4):
            flow.failed()
        holder.leave()
    assert not folder.exists()


@given(st.binary(max_size=200), st.integers(0, 4))
def test_whatever_stands_in_the_file_a_client_knows_what_is_its_own(garbage: bytes, started: int) -> None:
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        with sharing(4, clock=clock) as flow:
            assert not flow.held_s
            tickets = []
            while len(tickets) < started:
                if isinstance(ticket := flow.try_start(), Ticket):
                    tickets.append(ticket)
                else:
                    clock.pass_time(ticket)
            (file,) = Path(folder).glob("*/*.pace")
            file.write_bytes(garbage)
            assert len(lets_go(flow, clock)) == 4 - started
            for _ in range(4):
                flow.failed()


@pytest.mark.parametrize("cleans", ["*.pace", "*-*", "*", "."])
def test_who_cleans_the_temporary_folder_changes_nothing(folder: Path, clock: FakeClock, cleans: str) -> None:
    with sharing(4, clock=clock) as one, sharing(4, clock=clock) as other:
        tickets = lets_go(one, clock)
        for ticket in tickets[:2]:
            one.throttled(ticket)
        assert one.allowed == other.allowed == 2
        for path in [*folder.glob("*" if cleans == "." else cleans)]:
            path.unlink()
        if cleans == ".":
            folder.rmdir()
        clock.pass_time(1)
        # One look of each, and they are together again.
        assert one.allowed == other.allowed == 2
        assert len(list(folder.iterdir())) == 3
        assert one.try_start() == math.inf
        assert other.try_start() == POLL_EVERY_S
        one.answered(tickets[2])
        clock.pass_time(0.1)
        assert isinstance(other.try_start(), Ticket)
    assert not folder.exists()


def test_what_a_frozen_task_has_in_flight_keeps_nobody_waiting_for_long(folder: Path, clock: FakeClock) -> None:
    with sharing(2, clock=clock) as frozen, sharing(2, clock=clock) as other:
        tickets = lets_go(frozen, clock)
        for ticket in lets_go(other, clock):
            other.throttled(ticket)
        clock.pass_time(2)
        assert other.try_start() == POLL_EVERY_S
        clock.pass_time(SILENT_FOR_S)
        assert lets_go(other, clock)
        # It goes on where it was.
        frozen.answered(tickets[0])
        assert not isinstance(frozen.try_start(), Ticket)


def test_a_pace_says_nothing_of_whose_it_is(folder: Path, clock: FakeClock) -> None:
    with sharing(4, clock=clock) as flow:
        lets_go(flow, clock)
        written = b"".join(path.name.encode() + path.read_bytes() for path in folder.iterdir())
    assert b"123" not in written.replace(str(os.getpid()).encode(), b"")
    assert Pace.__struct_fields__[0].encode() in written
