from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.export.download import MOST_PARTS, Download
from airflow_provider_lp.export.query import LONGEST_SPAN, ConversationQuery
from airflow_provider_lp.export.slices import SliceReading
from airflow_provider_lp.retention import RETENTION
from airflow_provider_lp.windows import MARK_MS, Window
from tests.exported import query_of
from tests.samples import DAY, NOW, OAUTH2, at, ms

WINDOW = Window(at(10), at(11))


def bodies(query: Any) -> list[dict[str, Any]]:
    return [msgspec.json.decode(query.body(search)) for part in query.slices() for search in part.searches]


def test_a_search_by_start_asks_for_the_window_alone() -> None:
    assert bodies(query_of(WINDOW)) == [{"start": {"from": at(10), "to": at(11) - 1}}]


@pytest.mark.parametrize(("time_field", "name"), [("end", "end"), ("full_dialog_end", "fullDialogEndTime")])
def test_a_search_by_an_end_sweeps_the_starts_before_it(time_field: str, name: str) -> None:
    found = bodies(query_of(WINDOW, time_field=time_field))
    assert {(body[name]["from"], body[name]["to"]) for body in found} == {(at(10), at(11) - 1)}
    starts = sorted((body["start"]["from"], body["start"]["to"]) for body in found)
    assert starts[0][0] == at(10) - 90 * DAY
    assert starts[-1][1] == at(11) - 1
    assert all(one[1] + 1 == following[0] for one, following in itertools.pairwise(starts))
    assert len(starts) == 2


def test_a_search_by_update_has_no_upper_bound_but_now() -> None:
    found = bodies(query_of(WINDOW, time_field="latest_update", max_age=timedelta(days=1)))
    assert {tuple(body["latestUpdateTime"].items()) for body in found} == {(("from", at(10)),)}
    assert min(body["start"]["from"] for body in found) == at(9)
    assert max(body["start"]["to"] for body in found) >= ms(NOW)


def test_filters_and_content_are_in_every_search() -> None:
    query = query_of(WINDOW, time_field="end", filters={"status": ["CLOSE"]}, content=["campaign"])
    for body in bodies(query):
        assert body["status"] == ["CLOSE"]
        assert body["contentToRetrieve"] == ["campaign"]


@given(
    st.integers(at(1) - 300 * DAY, at(19)),
    st.integers(1, 390 * DAY),
    st.integers(0, RETENTION.days),
    st.sampled_from(["start", "end", "full_dialog_end", "latest_update"]),
)
def test_no_range_is_longer_than_three_months_and_slices_tile(
    start_ms: int, length_ms: int, max_age: int, time_field: str
) -> None:
    window = Window(start_ms, start_ms + length_ms)
    query = query_of(window, time_field=time_field, max_age=timedelta(days=max_age))
    for body in bodies(query):
        for span in (value for value in body.values() if "to" in value):
            assert span["from"] <= span["to"]
            assert span["to"] - span["from"] <= 88 * DAY
    spans = [part.span for part in query.slices()]
    assert all(one.end_ms == following.start_ms for one, following in itertools.pairwise(spans))
    if time_field != "latest_update":
        assert (spans[0].start_ms, spans[-1].end_ms) == (window.start_ms, window.end_ms)
    for part in query.slices():
        first, last = part.searches[0].start, part.searches[-1].start
        # A conversation may end in the millisecond in which it starts.
        assert last.end_ms == part.span.end_ms
        if time_field in ("end", "full_dialog_end"):
            assert first.start_ms <= window.start_ms - max_age * DAY


def test_a_window_of_a_quarter_needs_no_second_slice() -> None:
    whole = Window(at(10) - LONGEST_SPAN // timedelta(milliseconds=1), at(10))
    assert len(query_of(whole).slices()) == 1
    assert len(query_of(Window(whole.start_ms, whole.end_ms + 2 * MARK_MS)).slices()) == 2


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("time_field", "start_time"),
        ("time_field", "conversation_end"),
        ("time_field", None),
        ("time_field", ["start"]),
        ("max_age", timedelta(days=398)),
        ("max_age", timedelta(days=-1)),
        ("max_age", 90),
        ("max_age", None),
        ("filters", {"skills": [1]}),
        ("filters", "status"),
        ("content", ["everything"]),
        ("content", "campaign"),
    ],
)
def test_an_argument_that_cannot_be_right_is_named(argument: str, value: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match=argument):
        query_of(WINDOW, **{argument: value})


def test_a_window_that_liveperson_has_forgotten_is_refused_where_it_must_be_exact() -> None:
    forgotten = Window.between(NOW - timedelta(days=400), NOW - timedelta(days=399))
    with pytest.raises(LivePersonWindowError, match="13 months"):
        ConversationQuery.checked(forgotten, now=NOW)
    ConversationQuery.checked(forgotten, now=NOW, time_field="latest_update")
    remembered = Window.between(NOW - timedelta(days=396), NOW - timedelta(days=395))
    assert ConversationQuery.checked(remembered, now=NOW).window == remembered


def test_an_absurd_count_is_not_cut_into_as_many_parts() -> None:
    client = LivePersonClient("1", OAUTH2)
    query = ConversationQuery.checked(Window.between(NOW - timedelta(days=84), NOW), now=NOW)
    download = Download(client, query)
    (part,) = query.slices()
    whole = SliceReading(part, query)
    question = whole.next_question()
    assert question
    question.reading.count = 10**15
    download._slices = [whole]
    download._cut(whole)
    assert 1 < len(download._slices) <= MOST_PARTS
    client.close()
