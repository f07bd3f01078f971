"""Counting as an export would, by few small requests."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.export import exact_count as module
from airflow_provider_lp.export.exact_count import count_by_reading, exact_count, updated_since
from airflow_provider_lp.sandbox import Account, Conversation, Fault, Sandbox
from airflow_provider_lp.windows import Window, from_ms
from tests.export.test_download import accounts, offsets
from tests.exported import calls, connect, query_of
from tests.fake_clock import FakeClock
from tests.samples import DAY, MARK, NOW, at, crowd

TIME_FIELDS = ("start", "end", "full_dialog_end")
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
MARCH_10 = Window(at(10), at(11))


@settings(max_examples=40, phases=WITHOUT_SHRINKING)
@given(accounts(), st.lists(offsets, min_size=1, max_size=4, unique=True), st.sampled_from(TIME_FIELDS), st.booleans())
def test_the_count_is_the_truth_of_any_window(
    conversations: list[Conversation], cuts: list[int], time_field: str, is_capped: bool
) -> None:
    bounds = sorted({at(10) - MARK, *(at(10) + cut for cut in cuts), at(10) + 30 * MARK})
    account = Account.of(conversations, now=NOW)
    with pytest.MonkeyPatch.context() as patch, Sandbox(account) as sandbox, connect(sandbox, FakeClock()) as client:
        if is_capped:
            patch.setattr(module, "CAPPED_COUNT", 3)
            patch.setattr(module, "PLANNED_COUNT", 2)
        for start_ms, end_ms in itertools.pairwise(bounds):
            query = query_of(Window(start_ms, end_ms), time_field=time_field, content=["summary"])
            truth = len(account.truth(time_field, start_ms, end_ms))
            assert exact_count(client, query) == exact_count(client, query, truth) == truth
            assert count_by_reading(client, query) == truth


@pytest.mark.parametrize("time_field", TIME_FIELDS)
def test_conversations_on_the_marks_where_searches_meet_count_once(sandbox_of: Any, time_field: str) -> None:
    query = query_of(MARCH_10, time_field=time_field, max_age=timedelta(days=100), content=["summary"])
    (meeting, *_) = [search.start.end_ms for part in query.slices() for search in part.searches]
    starts = [meeting - 1, meeting, meeting + 1] if time_field != "start" else [at(10), at(10, 12), at(11) - 1]
    inside = [Conversation(f"in{n}", start, end_ms=max(start, at(10, n))) for n, start in enumerate(starts)]
    edges = [Conversation(f"at{moment}", moment, end_ms=moment) for moment in (at(10) - 1, at(11), at(11) + 1)]
    sandbox = sandbox_of(*inside, *edges)
    assert exact_count(connect(sandbox, FakeClock()), query) == 3


@pytest.mark.parametrize(("time_field", "requests"), [("start", 1), ("end", 3)])
def test_a_window_on_marks_takes_a_request_of_one_row_a_search(sandbox_of: Any, time_field: str, requests: int) -> None:
    sandbox = sandbox_of(*crowd(300))
    query = query_of(MARCH_10, time_field=time_field, content=["summary"])
    assert exact_count(connect(sandbox, FakeClock()), query, 300) == 300
    # By the end there are two searches, and what they may both find is asked for.
    assert len(calls(sandbox)) == requests
    assert {call.query["limit"] for call in calls(sandbox)[:requests]} <= {"1", "100"}


@pytest.mark.parametrize(("likely", "at_most"), [(300, 1), (299, 30), (100, 30), (None, 30)])
def test_a_count_that_may_be_capped_is_believed_only_if_it_is_the_likely_one(
    sandbox_of: Any, monkeypatch: pytest.MonkeyPatch, likely: int | None, at_most: int
) -> None:
    monkeypatch.setattr(module, "CAPPED_COUNT", 100)
    monkeypatch.setattr(module, "PLANNED_COUNT", 50)
    sandbox = sandbox_of(*crowd(300, at(10) + 60_000, apart_ms=240_000))
    if likely != 300:
        sandbox.add_fault(Fault("count_capped", rows=100, times=None))
    query = query_of(MARCH_10, content=["summary"])
    assert exact_count(connect(sandbox, FakeClock()), query, likely) == 300
    assert len(calls(sandbox)) <= at_most


@pytest.mark.parametrize("fault", [Fault("count_off", rows=7, every=2, times=None), Fault("count_off", rows=-7)])
@pytest.mark.parametrize("time_field", ["start", "end"])
def test_a_count_without_its_rows_is_not_believed(sandbox_of: Any, fault: Fault, time_field: str) -> None:
    sandbox = sandbox_of(*crowd(300))
    query = query_of(MARCH_10, time_field=time_field, content=["summary"])
    client = connect(sandbox, FakeClock())
    requests = len(calls(sandbox))
    assert exact_count(client, query, by_rows=True) == 300
    assert len(calls(sandbox)) - requests <= 5
    sandbox.add_fault(fault)
    assert {exact_count(client, query, by_rows=True) for _ in range(3)} == {300}


def test_long_windows_are_counted_in_spans_that_liveperson_accepts(sandbox_of: Any) -> None:
    query = query_of(Window(at(10) - 200 * DAY, at(10)), content=["summary"])
    meetings = [part.span.end_ms for part in query.slices()[:-1]]
    assert len(meetings) == 2
    sandbox = sandbox_of(*(Conversation(f"c{each + off}", each + off) for each in meetings for off in (-1, 0, 1)))
    assert exact_count(connect(sandbox, FakeClock()), query) == 6
    assert all(call.status == 200 for call in calls(sandbox))


@pytest.mark.parametrize("time_field", TIME_FIELDS)
def test_what_was_updated_since_is_counted_within_the_window_only(sandbox_of: Any, time_field: str) -> None:
    late = at(12, 3)
    conversations = [
        Conversation("before", at(10) - 1, end_ms=at(10) - 1, latest_update_ms=late),
        Conversation("old", at(10, 1), end_ms=at(10, 2), latest_update_ms=at(12, 1)),
        Conversation("new", at(10, 1), end_ms=at(10, 2), latest_update_ms=late),
        Conversation("on the mark", at(11), end_ms=at(11), latest_update_ms=late),
    ]
    client = connect(sandbox_of(*conversations), FakeClock())
    query = query_of(MARCH_10, time_field=time_field, content=["summary"])
    assert updated_since(client, query, from_ms(at(12, 2))) == 1
    assert updated_since(client, query, from_ms(at(12, 1))) == 2
    assert updated_since(client, query, from_ms(at(12, 4))) == 0


def test_more_updates_than_a_page_has_are_no_less(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(250))
    client = connect(sandbox, FakeClock())
    assert updated_since(client, query_of(MARCH_10, content=["summary"]), from_ms(at(9))) == 250
    assert len(calls(sandbox)) == 1
