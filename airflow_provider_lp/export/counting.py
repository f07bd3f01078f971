"""Counting what a search finds, by the smallest requests there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.query import ConversationQuery, Search, Slice, can_split

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient
    from airflow_provider_lp.client.records import Page

#: Where search engines stop counting: so large a count may stand still while conversations come in.
CAPPED_COUNT = 10_000
#: What is counted instead: parts of about so many conversations, and of a count that says nothing, so many parts.
PLANNED_COUNT = 5_000
LEAST_PARTS = 4
#: The least that LivePerson can be asked to send of a conversation: its id and status come with everything.
LEAST_CONTENT = ["summary"]


def smallest_page(client: LivePersonClient, body: bytes, *, sort: str = "start:asc") -> Page:
    """
    The smallest answer that says how many conversations a search finds: a page of one row.

    :param body: the search, as a query encodes it.
    :param sort: which conversation the row is of; default the one that started first.
    """
    return client.interactions.search_page(body, offset=0, limit=1, sort=sort)


def count_at_most(client: LivePersonClient, query: ConversationQuery, *, proves_empty: bool = False) -> int:
    """
    As many conversations as the query finds, or a few more: LivePerson rounds the bounds of a search outwards.

    Costs a request of one row for each search, of which most queries are one. What LivePerson counts to be 10,000 or
    more is counted in parts.

    :param proves_empty: whether a search that finds nothing is asked once more, a moment later; default no.
    """
    return sum(_count(client, query, part, proves_empty) for part in query.slices())


def _count(client: LivePersonClient, query: ConversationQuery, part: Slice, proves_empty: bool) -> int:
    counts = [_count_search(client, query, search, proves_empty) for search in part.searches]
    largest = max(counts)
    if largest < CAPPED_COUNT or not can_split(part.span):
        return sum(counts)
    parts = query.parts(part, max(LEAST_PARTS, -(-largest // PLANNED_COUNT)))
    if len(parts) == 1:
        return sum(counts)
    # The parts together cannot have less than the whole was counted to have.
    return max(sum(counts), sum(_count(client, query, each, proves_empty) for each in parts))


def _count_search(client: LivePersonClient, query: ConversationQuery, search: Search, proves_empty: bool) -> int:
    body = query.body(search)
    count = smallest_page(client, body).count
    if count == 0 and proves_empty:
        client.wait(PAUSES[1])
        count = smallest_page(client, body).count
    return count
