from __future__ import annotations

import itertools
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import (
    LivePersonIncompleteDataError,
    LivePersonPermissionError,
    LivePersonServerError,
)
from airflow_provider_lp.export import download
from airflow_provider_lp.export.conversations import collect_conversations
from airflow_provider_lp.sandbox import Account, Conversation, Fault, Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import calls, connect, export, ids_in, ids_of, lines, query_of
from tests.fake_clock import FakeClock
from tests.samples import BY_ID, DAY, HOUR, MARK, NOW, OAUTH2, at, crowd, ms

DAY_WINDOW = Window(at(10), at(11))
#: Over sockets, shrinking takes minutes.
WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)
TIME_FIELDS = ("start", "end", "full_dialog_end")


def collect(client: Any, window: Window, **query: Any) -> list[str]:
    records = collect_conversations(client, query_of(window, **query), max_bytes=1 << 30)
    return ids_of(records)


def refused(sandbox: Sandbox) -> list[Any]:
    return [seen for seen in sandbox.requests if seen.status == 400]


# Exactly the conversations of the window, each once.

#: Moments where exporters lose or double a conversation: marks, their neighbours, and a few others.
offsets = st.one_of(
    st.builds(lambda mark, off: mark * MARK + off, st.integers(0, 12), st.sampled_from([-1, 0, 1])),
    st.integers(0, 12 * MARK),
)


@st.composite
def accounts(draw: Any) -> list[Conversation]:
    conversations = []
    for number, start in enumerate(draw(st.lists(offsets, min_size=1, max_size=12))):
        ends = sorted(start + MARK + abs(draw(offsets)) for _ in range(3))
        is_open = draw(st.sampled_from([False, False, False, True]))
        conversations.append(
            Conversation(
                f"{draw(st.integers(0, 9))}-{number}",
                at(10) + start,
                end_ms=None if is_open else at(10) + ends[1],
                conversation_end_ms=None if is_open else at(10) + ends[0],
                full_dialog_end_ms=None if is_open else at(10) + ends[2],
                is_partial=draw(st.booleans()),
                message_count=2,
            )
        )
    return conversations


@settings(max_examples=40, phases=WITHOUT_SHRINKING)
@given(accounts(), st.lists(offsets, min_size=1, max_size=4, unique=True), st.sampled_from(TIME_FIELDS), st.booleans())
def test_every_conversation_is_in_exactly_one_of_adjacent_windows(
    conversations: list[Conversation], cuts: list[int], time_field: str, cuts_deep: bool
) -> None:
    bounds = sorted({at(10) - MARK, *(at(10) + cut for cut in cuts), at(10) + 30 * MARK})
    account = Account.of(conversations, now=NOW)
    with pytest.MonkeyPatch.context() as patch, Sandbox(account) as sandbox, connect(sandbox, FakeClock()) as client:
        if cuts_deep:
            patch.setattr(download, "DEEPEST_SEARCH", 3)
            patch.setattr(download, "PLANNED_SEARCH", 2)
        exported = []
        for start_ms, end_ms in itertools.pairwise(bounds):
            found = collect(client, Window(start_ms, end_ms), time_field=time_field)
            assert found == account.truth(time_field, start_ms, end_ms)
            exported += found
        assert sorted(exported) == sorted(
            each.conversation_id for each in conversations if getattr(each, f"{time_field}_ms") is not None
        )
        assert not refused(sandbox)


@settings(max_examples=25, phases=WITHOUT_SHRINKING)
@given(accounts(), offsets, st.booleans())
def test_by_update_there_is_at_least_the_truth_and_each_once(
    conversations: list[Conversation], start: int, cuts_deep: bool
) -> None:
    account = Account.of(conversations, now=NOW)
    window = Window(at(10) + start, at(10) + start + MARK)
    with pytest.MonkeyPatch.context() as patch, Sandbox(account) as sandbox, connect(sandbox, FakeClock()) as client:
        if cuts_deep:
            patch.setattr(download, "DEEPEST_SEARCH", 3)
            patch.setattr(download, "PLANNED_SEARCH", 2)
        found = collect(client, window, time_field="latest_update", max_age=timedelta(days=2))
        assert len(found) == len(set(found))
        assert set(account.truth("latest_update", window.start_ms)) <= set(found)
        order = [each.conversation_id for each in account.conversations() if each.conversation_id in found]
        assert found == order
        assert not refused(sandbox)


@pytest.mark.parametrize("time_field", TIME_FIELDS)
def test_the_days_of_a_generated_account_tile(sandbox_of: Any, tmp_path: Path, time_field: str) -> None:
    sandbox = sandbox_of(account=Account(now=NOW, days=4, per_day=120))
    path = tmp_path / "day.ndjson.gz"
    exported = []
    with connect(sandbox, FakeClock()) as client:
        for day in (16, 17, 18, 19):
            summary = export(client, Window(at(day), at(day + 1)), path, time_field=time_field)
            assert ids_in(path) == sandbox.account.truth(time_field, at(day), at(day + 1))
            assert summary["outside_bounds"] == 0
            exported += ids_in(path)
    assert sorted(exported) == sorted(sandbox.account.truth(time_field, at(16), at(20)))
    assert len(set(exported)) == len(exported) > 400
    assert not refused(sandbox)


def test_many_of_the_same_millisecond_are_all_there(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(350, first_ms=at(10), apart_ms=0))
    with connect(sandbox, FakeClock()) as client:
        assert collect(client, Window(at(10), at(10) + 1)) == [f"c{number:05}" for number in range(350)]
        assert collect(client, Window(at(10) - DAY, at(10))) == []
        assert collect(client, Window(at(10) + 1, at(10) + DAY)) == []


def test_a_conversation_that_started_before_max_age_is_not_looked_for(sandbox_of: Any) -> None:
    old = Conversation("old", at(10) - 200 * DAY, end_ms=at(10, 5))
    sandbox = sandbox_of(old, Conversation("young", at(10) - 30 * DAY, end_ms=at(10, 5)))
    with connect(sandbox, FakeClock()) as client:
        assert collect(client, DAY_WINDOW, time_field="end") == ["young"]
        assert collect(client, DAY_WINDOW, time_field="end", max_age=timedelta(days=396)) == ["old", "young"]
    assert not refused(sandbox)


@pytest.mark.parametrize("time_field", [*TIME_FIELDS, "latest_update"])
def test_a_year_is_cut_into_ranges_that_liveperson_accepts(sandbox_of: Any, time_field: str) -> None:
    now_ms = ms(NOW)
    conversations = [
        Conversation(f"d{day:03}", now_ms - day * DAY - 7, end_ms=now_ms - day * DAY + 5 * HOUR, message_count=2)
        for day in range(2, 390, 3)
    ]
    sandbox = sandbox_of(*conversations)
    window = Window(now_ms - 380 * DAY, now_ms)
    with connect(sandbox, FakeClock()) as client:
        found = collect(client, window, time_field=time_field, max_age=timedelta(days=16))
    if time_field == "latest_update":
        assert set(sandbox.account.truth(time_field, window.start_ms)) <= set(found)
    else:
        assert found == sandbox.account.truth(time_field, window.start_ms, window.end_ms)
    assert len(found) > 120
    assert not refused(sandbox)
    assert len(calls(sandbox)) >= 5


@pytest.mark.parametrize("max_concurrency", [1, 2, 16])
def test_the_result_does_not_depend_on_concurrency(sandbox_of: Any, max_concurrency: int) -> None:
    sandbox = sandbox_of(*crowd(730))
    sandbox.latency_s = 0.01
    with connect(sandbox, FakeClock(), max_concurrency=max_concurrency) as client:
        assert collect(client, DAY_WINDOW) == [f"c{number:05}" for number in range(730)]
    assert len(calls(sandbox)) == 8


def test_requests_in_flight_stay_within_the_limit(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(890))
    sandbox.latency_s = 0.1
    with connect(sandbox, FakeClock(), max_concurrency=3) as client:
        collect(client, DAY_WINDOW)
    arrivals = [seen.at for seen in calls(sandbox)]
    for moment in arrivals:
        assert len([other for other in arrivals if moment <= other < moment + 0.08]) <= 3


# Deep searches are cut.


@pytest.mark.parametrize("time_field", [*TIME_FIELDS, "latest_update"])
def test_no_search_is_paged_deeper_than_the_limit(
    sandbox_of: Any, monkeypatch: pytest.MonkeyPatch, time_field: str
) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 300)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 250)
    sandbox = sandbox_of(*crowd(1_500, apart_ms=45_000))
    with connect(sandbox, FakeClock()) as client:
        found = collect(client, DAY_WINDOW, time_field=time_field, max_age=timedelta(days=1))
    assert found == [f"c{number:05}" for number in range(1_500)]
    assert max(int(seen.query["offset"]) for seen in calls(sandbox)) < 300
    assert len(calls(sandbox)) < 15 * 3
    assert not refused(sandbox)


def test_the_page_that_showed_a_search_to_be_too_deep_is_not_asked_for_again(
    sandbox_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 300)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 250)
    sandbox = sandbox_of(*crowd(1_500, apart_ms=57_600))
    with connect(sandbox, FakeClock()) as client:
        assert len(collect(client, DAY_WINDOW)) == 1_500
    asked = [(seen.body["start"]["from"], int(seen.query["offset"])) for seen in calls(sandbox)]
    assert len(asked) == len(set(asked))
    assert (at(10), 0) in asked


def test_an_uneven_night_is_cut_where_it_is_crowded(sandbox_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 200)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 180)
    quiet = crowd(20, apart_ms=HOUR)
    rush = [
        Conversation(f"r{number:04}", at(10, 13) + number * 2_000, end_ms=at(10, 15), message_count=2)
        for number in range(1_500)
    ]
    sandbox = sandbox_of(*quiet, *rush)
    with connect(sandbox, FakeClock()) as client:
        assert collect(client, DAY_WINDOW) == sandbox.account.truth("start", at(10), at(11))
    deep = [seen for seen in calls(sandbox) if int(seen.query["offset"]) >= 200]
    # Ten minutes cannot be cut: 300 conversations of one such stretch are paged through.
    assert all(seen.body["start"]["to"] - seen.body["start"]["from"] < 2 * MARK for seen in deep)


def test_what_cannot_be_cut_is_read_deep(sandbox_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 200)
    sandbox = sandbox_of(*crowd(450, apart_ms=1_000))
    with connect(sandbox, FakeClock()) as client:
        assert len(collect(client, Window(at(10), at(10) + MARK))) == 450
    assert len(calls(sandbox)) == 5


# Never trimmed on a guess.


def surveyed(name: str, close_ms: int, survey_ms: int) -> Conversation:
    return Conversation(
        name, close_ms - HOUR, end_ms=survey_ms, conversation_end_ms=close_ms, full_dialog_end_ms=survey_ms, csat=5
    )


def test_what_another_end_field_returns_is_kept_counted_and_warned_of(
    sandbox_of: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inside = surveyed("inside", at(10, 12), at(10, 12, 5))
    late = surveyed("late", at(10, 23, 55), at(11, 3))
    before = surveyed("before", at(9, 23, 55), at(10, 1))
    neighbour = surveyed("neighbour", at(11), at(11))
    sandbox = sandbox_of(inside, late, before, neighbour, end_filter_field="conversation_end")
    with connect(sandbox, FakeClock()) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson", time_field="end")
    assert ids_in(tmp_path / "x.ndjson") == ["inside", "late"]
    assert (summary["conversations"], summary["outside_bounds"]) == (2, 1)
    (warning,) = [record for record in caplog.records if "another field" in record.getMessage()]
    assert warning.levelname == "WARNING"
    assert "1 conversations have their end outside" in warning.getMessage()


def test_where_all_is_as_assumed_nothing_is_warned_of(
    sandbox_of: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = sandbox_of(surveyed("a", at(10, 23, 55), at(11, 3)), surveyed("b", at(10, 22), at(10, 23)))
    with connect(sandbox, FakeClock()) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson", time_field="end")
    assert (ids_in(tmp_path / "x.ndjson"), summary["outside_bounds"]) == (["b"], 0)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("field", ["conversation_end", "full_dialog_end"])
@settings(max_examples=25, phases=WITHOUT_SHRINKING)
@given(conversations=accounts(), cuts=st.lists(offsets, max_size=3))
def test_whatever_field_is_filtered_on_nothing_is_lost_between_windows_and_none_doubled_within(
    field: str, conversations: list[Conversation], cuts: list[int]
) -> None:
    bounds = sorted({at(10) - DAY, *(at(10) + cut for cut in cuts), at(11)})
    account = Account.of(conversations, now=NOW)
    exported: set[str] = set()
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(account, end_filter_field=field) as sandbox,
        connect(sandbox, FakeClock()) as client,
    ):
        patch.setattr(download, "DEEPEST_SEARCH", 3)
        patch.setattr(download, "PLANNED_SEARCH", 2)
        for start_ms, end_ms in itertools.pairwise(bounds):
            found = collect(client, Window(start_ms, end_ms), time_field="end", max_age=timedelta(days=3))
            assert sorted(found) == sorted(set(found))
            exported |= set(found)
    far_from_bounds = {
        each.conversation_id
        for each in conversations
        if each.end_ms is not None
        and all(abs(each.end_ms - bound) > MARK for bound in bounds)
        and all(abs((getattr(each, f"{field}_ms") or 0) - bound) > MARK for bound in bounds)
    }
    assert far_from_bounds <= exported


def test_what_lies_outside_is_not_doubled_where_slices_meet(sandbox_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its close lies on the mark that two slices share, its survey in the second slice."""
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 3)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 3)
    meeting = at(10, 12)
    others = [surveyed(f"o{hour:02}", at(10, hour, 5), at(10, hour, 6)) for hour in (2, 8, 14, 20)]
    sandbox = sandbox_of(*others, surveyed("shared", meeting, at(10, 16)), end_filter_field="conversation_end")
    with connect(sandbox, FakeClock()) as client:
        found = collect(client, DAY_WINDOW, time_field="end")
    assert sorted(found) == ["o02", "o08", "o14", "o20", "shared"]


def test_what_another_field_puts_on_the_mark_where_slices_meet_is_not_doubled(
    sandbox_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in the first slice, and its dialog ends on the mark that two slices share."""
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 3)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 3)
    others = [surveyed(f"o{hour:02}", at(10, hour, 5), at(10, hour, 6)) for hour in (2, 8, 14, 20)]
    shared = Conversation("shared", at(10, 8), end_ms=at(10, 9), full_dialog_end_ms=at(10, 12))
    sandbox = sandbox_of(*others, shared, end_filter_field="full_dialog_end")
    with connect(sandbox, FakeClock()) as client:
        found = collect(client, DAY_WINDOW, time_field="end")
    assert sorted(found) == ["o02", "o08", "o14", "o20", "shared"]


def test_what_lies_on_the_mark_where_slices_meet_is_not_lost(sandbox_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed in the first slice, and its survey ends on the mark with which the second begins."""
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 3)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 3)
    others = [surveyed(f"o{hour:02}", at(10, hour, 5), at(10, hour, 6)) for hour in (2, 8, 14, 20)]
    sandbox = sandbox_of(*others, surveyed("x", at(10, 11, 55), at(10, 12)), end_filter_field="conversation_end")
    with connect(sandbox, FakeClock()) as client:
        found = collect(client, DAY_WINDOW, time_field="end")
    assert sorted(found) == ["o02", "o08", "o14", "o20", "x"]


def test_a_record_without_its_moment_is_kept(sandbox_of: Any, tmp_path: Path) -> None:
    conversation = Conversation("c", at(10, 1), conversation_end_ms=at(10, 2), status="CLOSE")
    sandbox = sandbox_of(conversation, end_filter_field="conversation_end")
    with connect(sandbox, FakeClock()) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson", time_field="end")
    assert (ids_in(tmp_path / "x.ndjson"), summary["outside_bounds"]) == (["c"], 1)


# Complete or failed.


@pytest.mark.parametrize("kind", ["partial_result", "records_missing", "records_repeated"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_page_that_is_not_whole_is_asked_for_again(sandbox_of: Any, clock: FakeClock, kind: str, after: int) -> None:
    sandbox = sandbox_of(*crowd(450))
    sandbox.add_fault(Fault(kind, times=2, after=after))
    with connect(sandbox, clock, max_concurrency=2) as client:
        assert collect(client, DAY_WINDOW) == [f"c{number:05}" for number in range(450)]
    assert 6 <= len(calls(sandbox)) <= 14
    assert clock.pauses


@pytest.mark.parametrize("kind", ["partial_result", "records_missing", "records_repeated"])
def test_what_never_gets_whole_fails_and_names_window_and_shortfall(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, kind: str
) -> None:
    sandbox = sandbox_of(*crowd(450))
    sandbox.add_fault(Fault(kind, times=None))
    path = tmp_path / "x.ndjson"
    path.write_text("earlier\n")
    with connect(sandbox, clock) as client, pytest.raises(LivePersonIncompleteDataError) as caught:
        export(client, DAY_WINDOW, path)
    message = str(caught.value)
    assert caught.value.retry_helps
    assert "2026-03-10T00:00:00+00:00 to 2026-03-11T00:00:00+00:00" in message
    if kind != "partial_result":
        assert "counts 450 conversations" in message
    assert path.read_text() == "earlier\n"
    assert len(calls(sandbox)) < 200
    assert clock.monotonic() < 300


@pytest.mark.parametrize("page_rows", [1, 33, 99])
def test_smaller_pages_than_asked_for_lose_nothing(sandbox_of: Any, clock: FakeClock, page_rows: int) -> None:
    sandbox = sandbox_of(*crowd(130))
    sandbox.page_rows = page_rows
    with connect(sandbox, clock) as client:
        assert collect(client, DAY_WINDOW) == [f"c{number:05}" for number in range(130)]
    assert len(calls(sandbox)) <= -(-130 // page_rows) + 2


@pytest.mark.parametrize("empty_as_204", [False, True])
def test_an_empty_window_is_an_empty_object(sandbox_of: Any, tmp_path: Path, empty_as_204: bool) -> None:
    sandbox = sandbox_of()
    sandbox.empty_as_204 = empty_as_204
    for name in ("x.ndjson", "x.ndjson.gz"):
        with connect(sandbox, FakeClock()) as client:
            summary = export(client, DAY_WINDOW, tmp_path / name)
        assert lines(tmp_path / name) == []
        assert (summary["conversations"], summary["messages"], summary["open_conversations"]) == (0, 0, 0)
    # Each time, that there is nothing is believed when it was said twice.
    assert len(calls(sandbox)) == 4


@pytest.mark.parametrize(("number", "partials", "lookups"), [(250, 1, 1), (250, 100, 1), (250, 101, 2), (250, 250, 3)])
def test_truncated_records_are_fetched_whole_in_hundreds(
    sandbox_of: Any, tmp_path: Path, number: int, partials: int, lookups: int
) -> None:
    truncated = crowd(partials, is_partial=True)
    sandbox = sandbox_of(*truncated, *crowd(number)[partials:])
    path = tmp_path / "x.ndjson"
    with connect(sandbox, FakeClock()) as client:
        summary = export(client, DAY_WINDOW, path)
    assert len(calls(sandbox, BY_ID)) <= lookups
    assert len(calls(sandbox)) == 3
    records = [json.loads(line) for line in lines(path)]
    assert ids_of(records) == [f"c{position:05}" for position in range(number)]
    assert not any(record["info"]["isPartial"] for record in records)
    assert summary["messages"] == sum(len(record["messageRecords"]) for record in records) == 2 * number


def test_whole_records_are_asked_for_with_the_same_content(sandbox_of: Any) -> None:
    sandbox = sandbox_of(*crowd(3, is_partial=True))
    with connect(sandbox, FakeClock()) as client:
        collect(client, DAY_WINDOW, content=["messageRecords", "campaign"])
    (seen,) = calls(sandbox, BY_ID)
    assert seen.body["contentToRetrieve"] == ["messageRecords", "campaign"]


def test_truncated_neighbours_cost_no_request(sandbox_of: Any) -> None:
    sandbox = sandbox_of(Conversation("neighbour", at(11), end_ms=at(11, 1), is_partial=True))
    with connect(sandbox, FakeClock()) as client:
        assert collect(client, DAY_WINDOW) == []
    assert not calls(sandbox, BY_ID)


@pytest.mark.parametrize("kind", ["records_missing", "partial_result", "error_500", "throttle", "cut_body"])
def test_a_lookup_of_truncated_records_may_fail_for_a_while(sandbox_of: Any, clock: FakeClock, kind: str) -> None:
    sandbox = sandbox_of(*crowd(30, is_partial=True))
    sandbox.add_fault(Fault(kind, times=2, path=BY_ID))
    with connect(sandbox, clock) as client:
        assert len(collect(client, DAY_WINDOW)) == 30
    assert 3 <= len(calls(sandbox, BY_ID)) <= 4


def test_records_that_stay_truncated_fail_the_export(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(30, is_partial=True))
    sandbox.add_fault(Fault("partial_result", times=None, path=BY_ID))
    with connect(sandbox, clock) as client, pytest.raises(LivePersonIncompleteDataError):
        collect(client, DAY_WINDOW)
    assert len(calls(sandbox, BY_ID)) < 10


class Growing(Account):
    """An account in which another conversation starts after each search, for a while, at the front."""

    def __init__(self, late: int) -> None:
        super().__init__(now=NOW)
        self.base = crowd(350, first_ms=at(10, 1))
        self.late = late
        self.seen = 0

    def started_between(self, from_ms: int, to_ms: int) -> list[Conversation]:
        new = min(self.seen, self.late)
        self.seen += 1
        early = [Conversation(f"a{number:03}", at(10) + number, end_ms=at(10, 2)) for number in range(new)]
        return sorted([*early, *self.base], key=lambda each: (each.start_ms, each.conversation_id))

    def now_ms(self) -> int:
        # The sandbox remembers what a search found as long as this does not change.
        return ms(NOW) + self.seen

    def find(self, conversation_id: str) -> Conversation | None:
        return None


@pytest.mark.parametrize("late", [1, 2])
def test_what_starts_while_paging_leads_to_another_reading(sandbox_of: Any, clock: FakeClock, late: int) -> None:
    sandbox = sandbox_of(account=Growing(late))
    with connect(sandbox, clock, max_concurrency=1) as client:
        found = collect(client, DAY_WINDOW)
    assert len(found) == len(set(found)) == 350 + late
    assert len(calls(sandbox)) > 4


def test_a_window_that_never_rests_fails(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of(account=Growing(10_000))
    with connect(sandbox, clock, max_concurrency=1) as client, pytest.raises(LivePersonIncompleteDataError):
        collect(client, DAY_WINDOW)
    assert len(calls(sandbox)) < 60


# It survives.


def test_a_storm_of_faults_changes_nothing(sandbox_of: Any, clock: FakeClock, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(900))
    # No request is hit by more than the three server troubles that are waited out.
    troubles = ("throttle", "error_500", "records_missing", "expired_token", "cut_body", "records_repeated", "not_json")
    for position, kind in enumerate((*troubles, "partial_result", "throttle")):
        sandbox.add_fault(Fault(kind, times=1, after=position % 4))
    with connect(sandbox, clock, OAUTH2) as client:
        summary = export(client, DAY_WINDOW, tmp_path / "x.ndjson.gz")
    assert ids_in(tmp_path / "x.ndjson.gz") == [f"c{number:05}" for number in range(900)]
    assert summary["retries"] >= 6
    assert summary["requests"] >= 18


def test_the_summary_counts_requests_and_retries(sandbox_of: Any, clock: FakeClock, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(250))
    sandbox.add_fault(Fault("error_500", times=1))
    with connect(sandbox, clock, max_concurrency=1) as client:
        first = export(client, DAY_WINDOW, tmp_path / "x.ndjson")
        again = export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert (first["requests"], first["retries"]) == (7, 1)
    assert (again["requests"], again["retries"]) == (3, 0)


@pytest.mark.parametrize(
    ("kind", "error"), [("error_500", LivePersonServerError), ("forbidden", LivePersonPermissionError)]
)
def test_an_error_on_a_late_page_is_raised_and_ends_everything(
    sandbox_of: Any, clock: FakeClock, kind: str, error: type[Exception]
) -> None:
    sandbox = sandbox_of(*crowd(900))
    sandbox.add_fault(Fault(kind, times=None, after=5))
    with connect(sandbox, clock) as client, pytest.raises(error):
        collect(client, DAY_WINDOW)


def test_filters_narrow_and_stay_exact(sandbox_of: Any) -> None:
    still_open = [Conversation(f"o{number}", at(10, number), message_count=2) for number in range(5)]
    sandbox = sandbox_of(*crowd(30), *still_open)
    with connect(sandbox, FakeClock()) as client:
        assert collect(client, DAY_WINDOW, filters={"status": ["OPEN"]}) == ["o0", "o1", "o2", "o3", "o4"]
        assert len(collect(client, DAY_WINDOW, filters={"status": ["CLOSE"]})) == 30


def test_a_night_of_many_parts_needs_few_open_files(sandbox_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DEEPEST_SEARCH", 3)
    monkeypatch.setattr(download, "PLANNED_SEARCH", 2)
    monkeypatch.setattr(download, "READ_AHEAD", 20)
    sandbox = sandbox_of(*crowd(140, apart_ms=MARK))
    before, most = len(os.listdir("/proc/self/fd")), 0
    with connect(sandbox, FakeClock()) as client:
        for _ in download.Download(client, query_of(DAY_WINDOW)).batches():
            most = max(most, len(os.listdir("/proc/self/fd")))
    assert before < most < before + 40
