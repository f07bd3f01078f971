from __future__ import annotations

import math
import statistics
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.flow import Flow
from airflow_provider_lp.client.limit import ANSWERS_PER_THROTTLING
from airflow_provider_lp.client.pace import (
    HOLD_JITTER,
    LEAST_HOLD_S,
    LONGEST_GAP_S,
    LONGEST_HOLD_BOUNDS_S,
    LONGEST_RAMP_S,
    STARVING_HOLD_S,
    Ticket,
)
from tests.client.flow_simulation import SCATTER_S, THINKING_S, Server, Simulation, Task
from tests.fake_clock import FakeClock

LATENCY_S = 0.15
#: Until those that started together have been throttled once and have come back.
START_UP_S = 2.0
#: What sums of fractions of a second may be off by.
A_HAIR_S = 1e-6


def lets_go(flow: Flow, clock: FakeClock) -> list[Ticket]:
    """Start as many requests as may leave now, or one a moment after the other."""
    tickets = []
    while not isinstance(ticket := flow.try_start(), float) or ticket <= LONGEST_GAP_S + A_HAIR_S:
        if isinstance(ticket, Ticket):
            tickets.append(ticket)
        else:
            clock.pass_time(ticket)
    return tickets


def refuse(flow: Flow, *tickets: Ticket) -> None:
    for ticket in tickets:
        flow.throttled(ticket)


def answer(flow: Flow, *tickets: Ticket) -> None:
    for ticket in tickets:
        flow.answered(ticket)


# One step after the other.


def test_without_throttling_as_many_as_ever_leave_at_once(clock: FakeClock) -> None:
    flow = Flow(8, clock)
    begun_s = clock.monotonic()
    for _ in range(100):
        tickets = lets_go(flow, clock)
        assert len(tickets) == 8
        assert flow.try_start() == math.inf
        answer(flow, *tickets)
    assert (flow.allowed, flow.throttled_s) == (8, 0)
    assert clock.monotonic() - begun_s <= LONGEST_RAMP_S + A_HAIR_S


@given(st.integers(2, 40))
def test_how_many_may_be_in_flight_is_tried_one_after_the_other_until_they_are_let_through(most: int) -> None:
    clock = FakeClock()
    flow = Flow(most, clock)

    def gaps() -> list[float]:
        tickets: list[Ticket] = []
        waits: list[float] = []
        while (ticket := flow.try_start()) != math.inf:
            if isinstance(ticket, Ticket):
                tickets.append(ticket)
            else:
                waits.append(ticket)
                clock.pass_time(ticket)
        answer(flow, *tickets)
        return waits

    first = gaps()
    assert len(first) == most - 1
    assert max(first) <= LONGEST_GAP_S + A_HAIR_S
    assert sum(first) <= LONGEST_RAMP_S + A_HAIR_S
    assert gaps() == []
    # What was let through before a throttling may be too many now.
    tickets = lets_go(flow, clock)
    refuse(flow, tickets[0])
    answer(flow, *tickets[1:])
    clock.pass_time(flow.held_s)
    assert len(gaps()) == most - 2


@given(most=st.integers(1, 20), data=st.data())
def test_requests_refused_together_are_one_throttling_and_as_many_follow_as_were_let_through(
    most: int, data: st.DataObject
) -> None:
    clock = FakeClock()
    flow = Flow(most, clock)
    tickets = data.draw(st.permutations(lets_go(flow, clock)))
    refused = data.draw(st.integers(1, most))
    firsts = [flow.throttled(ticket) for ticket in tickets[:refused]]
    assert firsts == [True] + [False] * (refused - 1)
    answer(flow, *tickets[refused:])
    held_s = flow.try_start()
    assert isinstance(held_s, float)
    assert 1 - A_HAIR_S <= held_s <= 1 + HOLD_JITTER + A_HAIR_S
    clock.pass_time(held_s)
    assert len(lets_go(flow, clock)) == flow.allowed == max(1, most - refused)
    assert flow.throttled_s == pytest.approx(held_s)


@given(st.floats(0, 900), st.floats(0, 1))
def test_a_hold_that_liveperson_asks_for_is_kept_by_all_and_never_shortened(asked_s: float, chance: float) -> None:
    clock = FakeClock()
    flow = Flow(4, clock, lambda: chance)
    first, *others = lets_go(flow, clock)
    refuse(flow, first)
    held_s = flow.hold(asked_s)
    assert max(asked_s, 1) - A_HAIR_S <= held_s <= max(asked_s, 1) * (1 + HOLD_JITTER) + A_HAIR_S
    refuse(flow, *others)
    assert flow.hold(asked_s / 2) == flow.try_start() == held_s
    assert flow.throttled_s == pytest.approx(0, abs=1e-6)
    clock.pass_time(held_s)
    assert lets_go(flow, clock)
    assert flow.throttled_s == pytest.approx(held_s)


def test_of_those_that_were_in_flight_before_a_throttling_none_counts_as_another(clock: FakeClock) -> None:
    flow = Flow(4, clock)
    first, *slow = lets_go(flow, clock)
    refuse(flow, first)
    clock.pass_time(60)
    assert flow.allowed == 3
    refuse(flow, slow[0])
    assert flow.held_s == 0
    assert flow.allowed == 2
    # The two that are still in flight take both places.
    assert flow.try_start() == math.inf
    answer(flow, *slow[1:])
    clock.pass_time(1)
    assert len(lets_go(flow, clock)) == 2


def pauses_of(flow: Flow, clock: FakeClock, throttlings: int, *, answers_between: int) -> list[float]:
    """For how long all is held each time, when one request at a time is too many."""
    pauses = []
    for _ in range(throttlings):
        for _ in range(answers_between):
            answer(flow, flow.start())
        refuse(flow, flow.start())
        pauses.append(round(flow.held_s, 6))
        clock.pass_time(flow.held_s)
    return pauses


def test_only_when_one_at_a_time_is_too_many_the_pauses_grow(clock: FakeClock) -> None:
    flow = Flow(1, clock, lambda: 0.0)
    pauses = pauses_of(flow, clock, 100, answers_between=3)
    assert pauses[0] == pytest.approx(LEAST_HOLD_S)
    assert 2 * LEAST_HOLD_S < max(pauses[:6]) <= LONGEST_HOLD_BOUNDS_S[0]
    assert pauses[-1] == pytest.approx(LONGEST_HOLD_BOUNDS_S[1])
    assert pauses == sorted(pauses)
    assert flow.throttled_s == pytest.approx(sum(pauses))
    pauses = pauses_of(flow, clock, 20, answers_between=ANSWERS_PER_THROTTLING)
    assert pauses[-1] == pytest.approx(LEAST_HOLD_S)
    assert pauses == sorted(pauses, reverse=True)


def test_who_gets_no_answer_at_all_tries_again_sooner(clock: FakeClock) -> None:
    flow = Flow(1, clock, lambda: 0.0)
    pauses_of(flow, clock, 100, answers_between=3)
    pauses = pauses_of(flow, clock, 20, answers_between=0)
    assert pauses[0] == pytest.approx(LONGEST_HOLD_BOUNDS_S[1])
    assert pauses[-1] == pytest.approx(STARVING_HOLD_S)


def test_a_client_without_any_answer_for_five_minutes_has_no_hope(clock: FakeClock) -> None:
    flow = Flow(1, clock)
    clock.pass_time(3600)

    def refused_for(seconds: float) -> None:
        ends_s = clock.monotonic() + seconds
        while clock.monotonic() < ends_s:
            refuse(flow, *lets_go(flow, clock))
            pause_s = flow.try_start()
            assert isinstance(pause_s, float)
            clock.pass_time(pause_s)

    refused_for(250)
    assert not flow.is_hopeless
    answer(flow, *lets_go(flow, clock))
    refused_for(250)
    assert not flow.is_hopeless
    refused_for(100)
    assert flow.is_hopeless


def test_a_request_that_fails_otherwise_leaves_its_place_and_changes_nothing(clock: FakeClock) -> None:
    flow = Flow(2, clock)
    for _ in range(10):
        assert len(lets_go(flow, clock)) == 2
        flow.failed()
        flow.failed()
    assert flow.allowed == 2
    assert not flow.held_s


# Threads.


def test_threads_get_all_places_and_never_more() -> None:
    flow = Flow(3, Clock())
    lock = threading.Lock()
    in_flight, most, left = 0, 0, 300

    def run() -> None:
        nonlocal in_flight, most, left
        while True:
            ticket = flow.start()
            with lock:
                in_flight, left = in_flight + 1, left - 1
                most, is_last = max(most, in_flight), left <= 0
            time.sleep(0.0005)
            with lock:
                in_flight -= 1
            flow.answered(ticket)
            if is_last:
                return

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 3


def test_whoever_waits_for_a_place_goes_when_one_is_free(clock: FakeClock) -> None:
    flow = Flow(1, clock)
    for leave in (flow.answered, flow.throttled, lambda _ticket: flow.failed()):
        ticket = flow.start()
        tickets: list[Ticket] = []
        waiting = threading.Thread(target=lambda tickets=tickets: tickets.append(flow.start()))
        waiting.start()
        leave(ticket)
        waiting.join(timeout=60)
        answer(flow, *tickets)
        assert len(tickets) == 1


@pytest.mark.parametrize("waits_for", ["a place", "the end of a hold"])
def test_closing_ends_a_wait_and_all_later_ones(waits_for: str) -> None:
    clock = Clock()
    flow = Flow(1, clock)
    ticket = flow.start()
    if waits_for != "a place":
        flow.throttled(ticket)
        flow.hold(600)
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            flow.start()
        except LivePersonTransportError as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.05)
    clock.close()
    flow.close()
    waiting.join(timeout=60)
    assert ["was closed" in str(failure) for failure in failures] == [True]
    with pytest.raises(LivePersonTransportError, match="was closed"):
        flow.start()


# Simulated: how long it takes, compared with a client that knows the limit.


def steadily(limit: int) -> Any:
    return lambda _now_s: limit


def outcome(
    seed: int, *, tasks: int, most: int, limit: int, pages: int, apart_s: float = 1.0, **server: Any
) -> tuple[float, float]:
    """
    How long tasks take, start-up aside, as a ratio to the shortest time in which a server can answer so many pages, and
    which share of the answers was 429 then.
    """
    time_ = Simulation(seed)
    serving = Server(time_, steadily(limit), **server)
    running = [
        Task(serving, pages // tasks, most, starts_s=0.0 if tasks == 1 else time_.random.random() * apart_s)
        for _ in range(tasks)
    ]
    time_.run()
    ends = [task.ended_s for task in running]
    assert all(ends)
    took_s = max(end for end in ends if end)
    answered = len(serving.answered_at)
    assert answered == pages // tasks * tasks
    refused = sum(moment > START_UP_S for moment in serving.refused_at)
    shortest_s = answered * (serving.latency_s + serving.way_s) / min(limit, tasks * most)
    return (took_s - START_UP_S) / shortest_s, refused / (answered + refused)


@pytest.mark.parametrize(
    ("server", "most_refused"),
    [
        ({}, 0.05),
        ({"latency_varies": True}, 0.05),
        ({"frees_late_s": 0.008}, 0.055),
        ({"latency_s": 0.13, "way_s": 0.02, "latency_varies": True}, 0.06),
    ],
    ids=["steady", "varying", "freeing late", "far away"],
)
@pytest.mark.parametrize(
    ("tasks", "most", "limit", "wanted"),
    [(1, 8, 5, 1.3), (1, 8, 2, 1.3), (1, 8, 1, 1.3), (4, 4, 5, 1.4), (8, 4, 5, 1.5)],
)
@pytest.mark.parametrize("pages", [300, 1000])
def test_tasks_find_the_limit_and_share_it(
    pages: int, tasks: int, most: int, limit: int, wanted: float, server: dict[str, Any], most_refused: float
) -> None:
    results = [
        outcome(seed, tasks=tasks, most=most, limit=limit, pages=pages, **server)
        for seed in range(6000 // pages if tasks > 1 else 1)
    ]
    ratios, refused = zip(*results, strict=True)
    assert statistics.mean(ratios) <= wanted
    assert max(ratios) <= wanted * 1.3
    assert statistics.mean(refused) <= most_refused


@settings(derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    limit=st.integers(1, 20),
    most=st.integers(1, 20),
    latency_s=st.sampled_from([0.1, 0.15, 0.4, 1.0]),
    latency_varies=st.booleans(),
    way_s=st.sampled_from([0.0, 0.02]),
    retry_after_s=st.sampled_from([None, 0.0, 1.0]),
)
def test_one_task_finds_any_limit(seed: int, limit: int, most: int, **server: Any) -> None:
    ratio, refused = outcome(seed, tasks=1, most=most, limit=limit, pages=150 * min(limit, most), **server)
    assert ratio <= 1.4
    assert refused <= 0.05


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_without_a_limit_nothing_waits(seed: int, most: int) -> None:
    time_ = Simulation(seed)
    server = Server(time_, steadily(most), latency_s=LATENCY_S)
    task = Task(server, 50 * most, most)
    time_.run()
    assert not server.refused_at
    # Nothing but what each request takes on its way.
    assert task.ended_s is not None
    assert task.ended_s <= 50 * (LATENCY_S + SCATTER_S + THINKING_S) + LONGEST_RAMP_S


@pytest.mark.parametrize("seed", range(2))
def test_room_that_other_clients_take_and_leave_is_given_up_and_found_again(seed: int) -> None:
    time_ = Simulation(seed)
    # For a minute at a time, other clients leave two of eight places.
    server = Server(time_, lambda now_s: 2 if 60 <= now_s % 120 < 120 else 8, latency_varies=True)
    Task(server, 10**6, 12)
    time_.run(360)

    def per_second(from_s: float, to_s: float) -> float:
        return sum(from_s <= moment < to_s for moment in server.answered_at) / (to_s - from_s)

    for begun_s in range(120, 360, 120):
        assert per_second(begun_s + 35, begun_s + 60) >= 0.75 * 8 / LATENCY_S
        assert per_second(begun_s + 70, begun_s + 120) >= 0.75 * 2 / LATENCY_S
    assert len(server.refused_at) <= 0.01 * len(server.answered_at)


def test_nobody_who_shares_a_limit_is_left_out() -> None:
    time_ = Simulation(0)
    server = Server(time_, steadily(5), latency_varies=True)
    tasks = [Task(server, 10**6, 4, starts_s=number) for number in range(8)]
    for until_s in range(100, 1001, 100):
        time_.run(until_s)
        assert not any(task.flow.is_hopeless for task in tasks)
    shares = [task.answered / len(server.answered_at) for task in tasks]
    assert min(shares) >= 0.3 / len(tasks)
    assert len(server.refused_at) <= 0.05 * len(server.answered_at)


def test_as_a_hold_begins_no_time_has_been_lost_yet(clock: FakeClock) -> None:
    for _ in range(200):
        clock.pass_time(12.3)
        flow = Flow(1, clock)
        flow.hold(123.1)
        assert flow.throttled_s >= 0
