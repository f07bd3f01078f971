from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError, LivePersonTransportError
from airflow_provider_lp.export.completeness import PAUSES, ask_until_complete
from tests.exported import connect
from tests.fake_clock import FakeClock


def test_it_asks_until_nothing_is_wrong(sandbox_of: Any, clock: FakeClock) -> None:
    with connect(sandbox_of(), clock) as client:
        assert ask_until_complete(client, lambda number: (number, "" if number == 2 else "It is short")) == 2
    assert clock.pauses == [pause.total_seconds() for pause in PAUSES[1:3]]


def test_at_the_end_it_says_what_was_wrong_the_last_time(sandbox_of: Any, clock: FakeClock) -> None:
    with (
        connect(sandbox_of(), clock) as client,
        pytest.raises(LivePersonIncompleteDataError, match=r"^Answer 3 is short, however often asked\. Nothing was"),
    ):
        ask_until_complete(client, lambda number: (None, f"Answer {number} is short"))
    assert clock.pauses == [pause.total_seconds() for pause in PAUSES[1:]]


def test_a_closed_client_ends_it(sandbox_of: Any) -> None:
    asked = []
    with connect(sandbox_of()) as client:

        def ask(number: int) -> tuple[None, str]:
            asked.append(number)
            client.abort()
            return None, "It is short"

        with pytest.raises(LivePersonTransportError, match="closed"):
            ask_until_complete(client, ask)
    assert asked == [0]
