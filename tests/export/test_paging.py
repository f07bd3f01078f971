from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.export.paging import LookupRequest, PageRequest, Row, SearchReading, in_order


def rows(*names: Any, **changed: Any) -> list[Row]:
    """Rows of these ids (a number stands for one) that are kept, closed and whole, unless changed."""
    ids = [f"c{name:04}" if isinstance(name, int) else name for name in names]
    return [
        Row(
            conversation_id,
            moment_ms=0,
            is_kept=True,
            is_outside=False,
            is_open=False,
            is_partial=False,
            messages=0,
            position=0,
            length=0,
        )._replace(**changed)
        for conversation_id in ids
    ]


class Server:
    """Answers a reading's requests from a list, spoiling some answers."""

    def __init__(self, ids: list[str], page_rows: int = 100, partial: frozenset[str] = frozenset()) -> None:
        self.ids = ids
        self.page_rows = page_rows
        self.partial = partial
        self.asked: list[Any] = []

    def answer(self, reading: SearchReading, request: Any, spoil: Any = lambda page: page) -> None:
        self.asked.append(request)
        if isinstance(request, LookupRequest):
            reading.whole_arrived(request, rows(*request.conversation_ids))
            return
        page = spoil(self.ids[request.offset : request.offset + min(100, self.page_rows)])
        arrived = [row._replace(is_partial=row.conversation_id in self.partial) for row in rows(*page)]
        reading.page_arrived(request, len(self.ids), arrived)

    def read(self, reading: SearchReading, spoil: Any = lambda page: page, pick: Any = lambda open_: 0) -> None:
        """Read to the end, answering the open requests in the order that ``pick`` chooses."""
        in_flight: list[Any] = []
        for _ in range(2_000):
            while len(in_flight) < 4 and (request := reading.next_request()):
                in_flight.append(request)
            if not in_flight:
                return
            self.answer(reading, in_flight.pop(pick(in_flight)), spoil)
        raise AssertionError("the reading does not end")


def ids(number: int) -> list[str]:
    return [f"c{position:04}" for position in range(number)]


@pytest.mark.parametrize(
    ("number", "pages"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (250, 3), (1000, 10)]
)
def test_pages_follow_each_other_without_gap_or_overlap(number: int, pages: int) -> None:
    reading, server = SearchReading("x"), Server(ids(number))
    server.read(reading)
    assert reading.is_whole
    assert list(reading.rows) == ids(number)
    assert [request.offset for request in server.asked] == [page * 100 for page in range(pages)]


def test_only_the_first_page_is_asked_for_before_the_count_is_known() -> None:
    reading = SearchReading("x")
    assert reading.next_request() == PageRequest(0, None)
    assert reading.next_request() is None


@pytest.mark.parametrize("page_rows", [1, 7, 50, 99])
def test_a_server_may_have_smaller_pages_than_its_limit(page_rows: int) -> None:
    reading, server = SearchReading("x"), Server(ids(120), page_rows)
    server.read(reading)
    assert reading.is_whole
    assert list(reading.rows) == ids(120)
    # One page is asked for twice, to see that its rows are not missing but more than the server gives.
    assert len(server.asked) == -(-120 // page_rows) + 1


@given(
    st.integers(0, 420),
    st.integers(20, 100),
    st.floats(0, 0.6),
    st.randoms(use_true_random=False),
    st.booleans(),
)
@settings(max_examples=120)
def test_a_reading_ends_whole_or_fails_whatever_goes_wrong(
    number: int, page_rows: int, chance: float, rng: random.Random, may_grow: bool
) -> None:
    truth = ids(number)
    partial = frozenset(rng.sample(truth, number // 7))
    reading, server = SearchReading("are wanted", may_grow=may_grow), Server(truth, page_rows, partial)

    def spoil(page: list[str]) -> list[str]:
        if rng.random() < chance and page:
            return rng.choice([page[1:], page[:-1], page[: len(page) // 2], [], [page[0], *page[:-1]]])
        return page

    try:
        server.read(reading, spoil, pick=lambda in_flight: rng.randrange(len(in_flight)))
    except LivePersonIncompleteDataError as error:
        failure = str(error)
    else:
        failure = ""
    if failure:
        assert chance > 0
        assert f"counts {number} conversations that are wanted" in failure
        return
    assert reading.is_whole
    assert sorted(reading.rows) == truth
    assert not any(row.is_partial for row in reading.rows.values())


def test_a_page_that_lost_rows_once_is_asked_for_again() -> None:
    reading, server = SearchReading("x"), Server(ids(250))
    spoiled = iter([True])
    server.read(reading, lambda page: page[5:] if next(spoiled, False) else page)
    assert reading.is_whole
    assert [request.offset for request in server.asked] == [0, 0, 100, 200]
    assert server.asked[1].pause.total_seconds() > 0


def test_rows_that_stay_missing_fail_with_the_shortfall() -> None:
    reading, server = SearchReading("started on Monday"), Server(ids(250))
    with pytest.raises(
        LivePersonIncompleteDataError, match=r"counts 250 conversations that started on Monday.*distinct ones"
    ) as caught:
        server.read(reading, lambda page: page[:20] + page[30:])
    assert caught.value.retry_helps
    assert "Nothing was published" in str(caught.value)
    assert len(server.asked) < 100


def test_rows_that_shift_between_pages_are_read_again() -> None:
    reading = SearchReading("x")
    reading.page_arrived(reading.next_request(), 150, rows(*range(100)))  # type: ignore[arg-type]
    # One was inserted before the offset: the second page begins with a row that is known, and the count has moved.
    reading.page_arrived(reading.next_request(), 151, rows(*range(99, 150)))  # type: ignore[arg-type]
    assert not reading.is_whole
    Server(ids(151)).read(reading)
    assert reading.is_whole
    assert list(reading.rows) == ids(151)


@pytest.mark.parametrize("second_count", [149, 151])
def test_a_count_that_moves_while_paging_starts_over(second_count: int) -> None:
    reading = SearchReading("x")
    reading.page_arrived(reading.next_request(), 150, rows(*range(100)))  # type: ignore[arg-type]
    reading.page_arrived(reading.next_request(), second_count, rows(*range(100, 150)))  # type: ignore[arg-type]
    again = reading.next_request()
    assert isinstance(again, PageRequest)
    assert (again.offset, again.end) == (0, None)
    assert again.pause.total_seconds() > 0


def test_what_keeps_moving_fails_in_the_end() -> None:
    reading, server = SearchReading("x"), Server(ids(150))

    def spoil(page: list[str]) -> list[str]:
        server.ids = [*server.ids, f"new-{len(server.ids)}"]
        return page

    with pytest.raises(LivePersonIncompleteDataError):
        server.read(reading, spoil)
    assert len(server.asked) < 50


class GrowingServer:
    """Answers from a list into which a row comes, at a place of its own choice, before every answer."""

    def __init__(self, number: int, places: Any) -> None:
        self.ids = ids(number)
        self.old = list(self.ids)
        self.places = places
        self.news = 0

    def read(self, reading: SearchReading) -> None:
        while request := reading.next_request():
            assert isinstance(request, PageRequest)
            self.ids.insert(self.places.randrange(len(self.ids) + 1), f"new{self.news}")
            self.news += 1
            reading.page_arrived(request, len(self.ids), rows(*self.ids[request.offset : request.offset + 100]))


@given(st.integers(101, 450), st.randoms(use_true_random=False))
def test_what_comes_in_between_never_costs_what_was_there(number: int, rng: random.Random) -> None:
    reading, server = SearchReading("x", may_grow=True), GrowingServer(number, rng)
    server.read(reading)
    assert reading.is_whole
    assert set(server.old) <= set(reading.rows)


def test_what_goes_while_reading_page_after_page_is_noticed() -> None:
    reading = SearchReading("x", may_grow=True)
    listed = ids(300)
    reading.page_arrived(reading.next_request(), 300, rows(*listed[:100]))  # type: ignore[arg-type]
    reading.page_arrived(reading.next_request(), 301, rows(*listed[100:200]))  # type: ignore[arg-type]
    request = reading.next_request()
    reading.page_arrived(request, 300, rows(*listed[:100]))  # type: ignore[arg-type]
    del listed[5]
    request = reading.next_request()
    assert isinstance(request, PageRequest)
    assert request.offset == 99
    reading.page_arrived(request, 300, rows(*listed[99:199]))
    assert not reading.is_whole
    server = Server(listed)
    server.read(reading)
    assert reading.is_whole
    assert sorted(reading.rows) == listed


@pytest.mark.parametrize(("partials", "lookups"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_truncated_records_are_asked_for_in_hundreds(partials: int, lookups: int) -> None:
    reading, server = SearchReading("x"), Server(ids(250), partial=frozenset(ids(partials)))
    server.read(reading)
    assert reading.is_whole
    assert len([request for request in server.asked if isinstance(request, LookupRequest)]) == lookups


def test_truncated_records_of_neighbours_are_left_alone() -> None:
    reading = SearchReading("x")
    reading.page_arrived(reading.next_request(), 2, rows(1, 2, is_partial=True, is_kept=False))  # type: ignore[arg-type]
    assert reading.is_whole
    assert reading.next_request() is None


def test_a_record_that_stays_truncated_fails_with_its_id() -> None:
    reading = SearchReading("started today")
    reading.page_arrived(reading.next_request(), 2, rows(1, 2, is_partial=True))  # type: ignore[arg-type]
    reading.whole_arrived(reading.next_request(), rows(1) + rows(2, is_partial=True))  # type: ignore[arg-type]
    for arrived in ([], rows(2, is_partial=True)):
        request = reading.next_request()
        assert isinstance(request, LookupRequest)
        assert request.conversation_ids == ("c0002",)
        assert request.pause.total_seconds() > 0
        reading.whole_arrived(request, arrived)
    last = reading.next_request()
    assert isinstance(last, LookupRequest)
    with pytest.raises(LivePersonIncompleteDataError, match=r"truncated 1 conversations that started today.*c0002"):
        reading.whole_arrived(last, [])


def test_a_refetched_record_stays_where_the_search_put_it() -> None:
    reading = SearchReading("x")
    found = rows(1, is_partial=True, moment_ms=5, is_outside=True)
    reading.page_arrived(reading.next_request(), 1, found)  # type: ignore[arg-type]
    request = reading.next_request()
    assert isinstance(request, LookupRequest)
    reading.whole_arrived(request, rows(1, moment_ms=9, messages=7))
    (row,) = in_order([reading])
    assert (row.moment_ms, row.is_outside, row.messages, row.is_partial) == (5, True, 7, False)


def test_order_is_by_moment_then_id_and_each_is_there_once() -> None:
    one, two = SearchReading("x"), SearchReading("y")
    first = rows(3, 1, moment_ms=7) + rows(2, moment_ms=6) + rows(9, moment_ms=1, is_kept=False)
    one.page_arrived(one.next_request(), 4, first)  # type: ignore[arg-type]
    two.page_arrived(two.next_request(), 2, rows(1, 4, moment_ms=7))  # type: ignore[arg-type]
    assert [row.conversation_id for row in in_order([one, two])] == ["c0002", "c0001", "c0003", "c0004"]


def test_a_count_that_cannot_be_true_is_not_paged_through() -> None:
    reading = SearchReading("started then")
    request = reading.next_request()
    assert isinstance(request, PageRequest)
    reading.page_arrived(request, 10**15, rows(*range(100)))
    assert reading.is_too_large
    assert not reading.is_whole
    assert reading.next_request() is None


@pytest.mark.parametrize("number", [100, 101, 250, 1_000])
def test_what_is_known_from_a_larger_search_is_not_asked_for_again(number: int) -> None:
    ids = [f"c{each:04}" for each in range(number)]
    reading = SearchReading("started then", known=rows(*ids[:100]))
    server = Server(ids)
    server.read(reading)
    assert reading.is_whole
    assert list(reading.rows) == ids
    assert min(request.offset for request in server.asked) == 99


def test_what_seemed_known_but_is_not_the_beginning_is_read_again() -> None:
    ids = [f"c{each:04}" for each in range(250)]
    reading = SearchReading("started then", known=rows(*ids[100:200]))
    Server(ids).read(reading)
    assert reading.is_whole
    assert sorted(reading.rows) == ids
