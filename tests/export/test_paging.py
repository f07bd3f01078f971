from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import (
    LivePersonBadRequestError,
    LivePersonError,
    LivePersonIncompleteDataError,
    LivePersonPermissionError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.export.pages import LookupRequest, PageRequest, Row
from airflow_provider_lp.export.paging import SearchReading
from airflow_provider_lp.export.slices import in_order


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
        self.forgets = False

    def answer(self, reading: SearchReading, request: Any, spoil: Any = lambda page: page) -> None:
        self.asked.append(request)
        if isinstance(request, LookupRequest):
            reading.whole_arrived(request, [] if self.forgets else rows(*request.conversation_ids))
            return
        page = spoil(self.ids[request.offset : request.offset + min(request.limit, self.page_rows)])
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


@pytest.mark.parametrize(("number", "pages"), [(1, 1), (99, 1), (100, 2), (101, 2), (200, 3), (250, 3), (1000, 11)])
def test_pages_follow_each_other_without_gap_or_overlap(number: int, pages: int) -> None:
    """Where the last page is full, a request past the end sees that nothing follows."""
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
    # One page is asked for twice, to see that its rows are not missing but more than the server gives; and if the last
    # page is full, one request looks past the end.
    assert len(server.asked) == -(-120 // page_rows) + 1 + (120 % page_rows == 0)


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
        LivePersonIncompleteDataError, match=r"counts 250 conversations that started on Monday.*the same \d+ came"
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


@pytest.mark.parametrize(("second_count", "second_page"), [(149, range(101, 150)), (151, range(99, 150))])
def test_a_count_that_moves_while_paging_starts_over(second_count: int, second_page: range) -> None:
    reading = SearchReading("x")
    reading.page_arrived(reading.next_request(), 150, rows(*range(100)))  # type: ignore[arg-type]
    reading.page_arrived(reading.next_request(), second_count, rows(*second_page))  # type: ignore[arg-type]
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
    reading.page_arrived(reading.next_request(), 301, rows(*listed[199:299]))  # type: ignore[arg-type]
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
        reading.whole_arrived(last, rows(2, is_partial=True))


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


# What a single answer says of nothing, of how many there are, and of their order, is not believed at once.


@pytest.mark.parametrize("may_grow", [False, True])
def test_that_there_is_nothing_takes_two_answers(may_grow: bool) -> None:
    reading = SearchReading("x", may_grow=may_grow)
    reading.page_arrived(reading.next_request(), 0, [])  # type: ignore[arg-type]
    assert not reading.is_whole
    second = reading.next_request()
    assert isinstance(second, PageRequest)
    assert (second.offset, second.end) == (0, None)
    assert second.pause.total_seconds() > 0
    reading.page_arrived(second, 0, [])
    assert reading.is_whole


@pytest.mark.parametrize("may_grow", [False, True])
@pytest.mark.parametrize("number", [1, 100, 250])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_lone_empty_answer_costs_nothing(number: int, position: int, may_grow: bool) -> None:
    reading, server = SearchReading("x", may_grow=may_grow), Server(ids(number))
    answered = 0
    while request := reading.next_request():
        if answered == position:
            reading.page_arrived(request, 0, [])  # type: ignore[arg-type]
        else:
            server.answer(reading, request)
        answered += 1
    assert reading.is_whole
    assert list(reading.rows) == ids(number)


def test_nothing_is_not_believed_after_something() -> None:
    reading = SearchReading("x")
    with pytest.raises(LivePersonIncompleteDataError):
        finish(reading, lambda request: (150, ids(100)) if reading._passes == 0 and not request.offset else (0, []))


@given(st.integers(1, 350), st.floats(0, 0.5), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=100)
def test_answers_that_are_empty_now_and_then_never_make_a_wrong_success(
    number: int, chance: float, rng: random.Random, may_grow: bool
) -> None:
    reading, server = SearchReading("x", may_grow=may_grow), Server(ids(number))
    was_empty = False
    try:
        while request := reading.next_request():
            assert isinstance(request, PageRequest)
            # Two in a row are what nothing looks like.
            was_empty = not was_empty and rng.random() < chance
            if was_empty:
                reading.page_arrived(request, 0, [])
            else:
                server.answer(reading, request)
    except LivePersonIncompleteDataError:
        return
    assert reading.is_whole
    assert list(reading.rows) == ids(number)


@pytest.mark.parametrize(("total", "tie"), [(333, 333), (700, 25), (1_500, 333)])
def test_rows_of_one_millisecond_may_come_in_any_order(total: int, tie: int) -> None:
    for seed in range(30):
        rng = random.Random(seed)
        reading, server = SearchReading("x"), Server(ids(total))
        first = (total - tie) // 2

        def shuffle(server: Server = server, rng: random.Random = rng, first: int = first) -> None:
            some = server.ids[first : first + tie]
            rng.shuffle(some)
            server.ids[first : first + tie] = some

        def pick(in_flight: list[Any], rng: random.Random = rng, shuffle: Any = shuffle) -> int:
            shuffle()
            return rng.randrange(len(in_flight))

        server.read(reading, pick=pick)
        assert reading.is_whole
        assert sorted(reading.rows) == ids(total)


@pytest.mark.parametrize("number", [50, 250])
@pytest.mark.parametrize("seed", range(20))
def test_a_count_that_flickers_does_not_fail(number: int, seed: int) -> None:
    rng = random.Random(seed)
    reading, listed = SearchReading("x"), ids(number)
    finish(
        reading,
        lambda request: (number + rng.randrange(2), listed[request.offset : request.offset + request.limit]),
    )
    assert reading.is_whole
    assert list(reading.rows) == listed


@pytest.mark.parametrize("number", [101, 150, 250])
def test_a_first_count_that_is_too_small_by_whole_pages_is_noticed(number: int) -> None:
    reading, listed = SearchReading("x"), ids(number)
    answers = 0
    while request := reading.next_request():
        assert isinstance(request, PageRequest)
        answers += 1
        page = listed[request.offset : request.offset + request.limit]
        reading.page_arrived(request, 100 if answers == 1 else number, rows(*page))
    assert reading.is_whole
    assert list(reading.rows) == listed


def test_a_count_that_stays_too_small_fails() -> None:
    reading, listed = SearchReading("x"), ids(150)
    with pytest.raises(LivePersonIncompleteDataError, match="counts 100"):
        finish(reading, lambda request: (100, listed[request.offset : request.offset + request.limit]))


def finish(reading: SearchReading, answer: Any) -> None:
    """Read to the end, giving to each page request the count and ids, or the error, that ``answer`` makes of it."""
    while request := reading.next_request():
        assert isinstance(request, PageRequest)
        said = answer(request)
        if isinstance(said, LivePersonError):
            reading.request_failed(request, said)
        else:
            reading.page_arrived(request, said[0], rows(*said[1]))


def read_with_hidden_rows(reading: SearchReading, *, hidden: int = 1) -> None:
    listed = ids(812)
    finish(reading, lambda request: (812 + hidden, listed[request.offset : request.offset + request.limit]))


def test_what_is_counted_and_never_shown_is_said_so() -> None:
    with pytest.raises(
        LivePersonIncompleteDataError,
        match=r"counts 813 conversations that x .*4 times over did not give them all: the same 812 came each time.*"
        r"max_shortfall=1 publishes the 812",
    ):
        read_with_hidden_rows(SearchReading("x"))


def test_what_is_counted_and_never_shown_may_be_allowed_to_lack() -> None:
    reading = SearchReading("x", max_shortfall=2)
    read_with_hidden_rows(reading)
    assert (reading.is_whole, reading.shortfall, len(reading.rows)) == (True, 1, 812)
    with pytest.raises(LivePersonIncompleteDataError):
        read_with_hidden_rows(SearchReading("x", max_shortfall=2), hidden=3)


def test_a_truncated_record_that_is_gone_by_id_means_reading_the_search_again() -> None:
    reading = SearchReading("x")
    reading.page_arrived(reading.next_request(), 2, rows(1) + rows(2, is_partial=True))  # type: ignore[arg-type]
    while isinstance(request := reading.next_request(), LookupRequest):
        reading.whole_arrived(request, [])
    assert isinstance(request, PageRequest)
    reading.page_arrived(request, 1, rows(1))
    while isinstance(request := reading.next_request(), PageRequest):
        reading.page_arrived(request, 1, rows(1))
    assert reading.is_whole
    assert list(reading.rows) == ["c0001"]


def test_a_truncated_record_that_is_always_gone_by_id_fails() -> None:
    reading = SearchReading("x")
    server = Server(ids(3), partial=frozenset(["c0002"]))
    server.forgets = True
    with pytest.raises(LivePersonIncompleteDataError, match="c0002"):
        server.read(reading)
    assert not reading.is_whole


@pytest.mark.parametrize("seed", range(20))
def test_a_count_that_flickers_above_nothing_does_not_fail(seed: int) -> None:
    rng = random.Random(seed)
    reading = SearchReading("x")
    finish(reading, lambda _: (1 if rng.random() < 0.2 else 0, []))
    assert reading.is_whole
    assert not reading.rows


# Pages that are too large to be had.


@pytest.mark.parametrize("may_grow", [False, True])
@pytest.mark.parametrize("most", [1, 3, 30, 99])
def test_a_page_that_fails_is_asked_for_in_halves(most: int, may_grow: bool) -> None:
    reading, server = SearchReading("x", may_grow=may_grow), Server(ids(250))
    failed = 0
    while request := reading.next_request():
        assert isinstance(request, PageRequest)
        if request.limit > most:
            failed += 1
            reading.request_failed(request, LivePersonServerError("too large"))
        else:
            server.answer(reading, request)
    assert reading.is_whole
    assert list(reading.rows) == ids(250)
    assert 0 < failed < 80


def test_one_large_record_costs_few_requests() -> None:
    reading, server = SearchReading("x"), Server(ids(2_000))
    while request := reading.next_request():
        assert isinstance(request, PageRequest)
        if request.offset <= 444 < request.offset + request.limit and request.limit > 1:
            reading.request_failed(request, LivePersonTransportError("timed out"))
        else:
            server.answer(reading, request)
    assert reading.is_whole
    assert list(reading.rows) == ids(2_000)
    assert len(server.asked) < 70


def test_what_fails_alone_fails() -> None:
    reading = SearchReading("x")
    with pytest.raises(LivePersonServerError, match="down"):
        finish(reading, lambda _: LivePersonServerError("down"))


def test_what_is_no_matter_of_size_is_not_asked_for_in_halves() -> None:
    reading = SearchReading("x")
    request = reading.next_request()
    assert request
    with pytest.raises(LivePersonPermissionError):
        reading.request_failed(request, LivePersonPermissionError("no"))


def test_that_nothing_may_be_asked_for_past_the_end_shows_that_nothing_is_there() -> None:
    reading, server = SearchReading("x"), Server(ids(200))
    while request := reading.next_request():
        assert isinstance(request, PageRequest)
        if request.offset >= 200:
            reading.request_failed(request, LivePersonBadRequestError("offset"))
        else:
            server.answer(reading, request)
    assert reading.is_whole
