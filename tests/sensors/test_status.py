"""The sensor for the status of conversations, in each of Airflow's modes."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_lp.compat import AirflowSensorTimeout
from airflow_provider_lp.sandbox import Conversation, Fault
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import BY_ID, HOUR, NOW, at, crowd, ms

from .modes import wait
from .virtual_time import LiveAccount
from .waiting import IDS, THREE_POLLS_S, after_ms, in_each_mode, status


@in_each_mode
def test_all_must_have_the_status(serve: Any, mode: str, clock: FakeClock) -> None:
    closing = Conversation("closing", ms(NOW) - HOUR, end_ms=after_ms(90))
    sandbox = serve(account=LiveAccount.by(clock, [*crowd(2), closing]))
    ids = [*IDS[:2], "closing"]
    assert wait(status(mode, conversation_ids=ids), clock) == {"count": 3, "conversation_ids": ids}
    assert [call.body["conversationIds"] for call in calls(sandbox, BY_ID)] == [ids] * 3
    assert clock.pauses == [60, 60]


@in_each_mode
def test_what_liveperson_does_not_know_has_no_status(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(2))
    with pytest.raises(AirflowSensorTimeout, match="such as unknown"):
        wait(status(mode, conversation_ids=[*IDS[:2], "unknown"], timeout=THREE_POLLS_S), clock)
    # Each time, whether it is really unknown is asked twice.
    asked = [call.body.get("conversationIds") or [call.body["conversationId"]] for call in calls(sandbox, BY_ID)]
    assert asked == [[*IDS[:2], "unknown"], ["unknown"]] * 3


@in_each_mode
@pytest.mark.parametrize("fault", ["no_content", "records_missing"])
def test_ids_that_do_not_come_are_asked_for_again(serve: Any, mode: str, fault: str, clock: FakeClock) -> None:
    sandbox = serve(*crowd(3))
    sandbox.add_fault(Fault(fault, path=BY_ID))
    assert wait(status(mode, timeout=0), clock)["count"] == 3
    assert len(calls(sandbox, BY_ID)) == 2
    assert clock.pauses[0] == 1


@in_each_mode
def test_ids_that_are_counted_and_do_not_come_are_asked_for_a_few_times(
    serve: Any, mode: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(1))
    sandbox.add_fault(Fault("count_off", rows=1, times=None, path=BY_ID))
    with pytest.raises(AirflowSensorTimeout, match="such as unknown"):
        wait(status(mode, conversation_ids=[IDS[0], "unknown"], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 4
    assert clock.pauses[:3] == [1, 2, 5]


@in_each_mode
def test_ids_are_not_asked_for_again_while_another_one_is_waited_for(serve: Any, mode: str, clock: FakeClock) -> None:
    sandbox = serve(Conversation("open", at(10)))
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=["open", "unknown"], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 1


@in_each_mode
def test_many_ids_go_in_calls_of_a_hundred_up_to_the_first_that_is_not_enough(
    serve: Any, mode: str, clock: FakeClock
) -> None:
    sandbox = serve(*crowd(250))
    assert wait(status(mode, conversation_ids=IDS[:250]), clock) == {"count": 250, "conversation_ids": IDS[:250]}
    assert [len(call.body["conversationIds"]) for call in calls(sandbox, BY_ID)] == [100, 100, 50]
    with pytest.raises(AirflowSensorTimeout):
        wait(status(mode, conversation_ids=["unknown", *IDS[:250]], timeout=0), clock)
    assert len(calls(sandbox, BY_ID)) == 3 + 2


@in_each_mode
def test_open_is_a_status_too_and_ids_may_be_a_text(serve: Any, mode: str, clock: FakeClock) -> None:
    serve(Conversation("a", at(10)), Conversation("b", at(10)))
    assert wait(status(mode, conversation_ids="['a', 'b']", status="OPEN"), clock)["count"] == 2
