"""Long lists of ids, cut into what one request takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.reports import CURRENT_QUEUE_HEALTH, MESSAGING_CONVERSATION

#: What ids may take of a URL: servers and proxies refuse long ones, some from 2,000 characters on.
URL_CHARACTERS = 1_500
IDS_PER_POST = 500


class Portion(NamedTuple):
    """The ids of one request, and whether they go in its body."""

    skill_ids: list[str] | None = None
    agent_ids: list[str] | None = None
    group_ids: list[str] | None = None
    by_post: bool = False


def portions_of(query: MetricsQuery) -> list[Portion]:
    """
    The requests that a query's ids take; mostly one.

    By POST, which only ``messaging_conversation`` has and which does not take groups, more fit into each.

    :raises LivePersonConfigurationError: for ids that take several requests whose answers do not make up one.
    """
    whole = Portion(query.skill_ids, query.agent_ids, query.group_ids)
    if sum(_characters(ids) for ids in whole[:3] if ids) <= URL_CHARACTERS:
        return [whole]
    by_post = query.report.name == MESSAGING_CONVERSATION and query.group_ids is None
    if by_post and max(len(ids) for ids in whole[:3] if ids) <= IDS_PER_POST:
        return [whole._replace(by_post=True)]
    characters = URL_CHARACTERS // sum(ids is not None for ids in whole[:3])
    skills, agents, groups = (_cut(ids, None if by_post else characters) for ids in whole[:3])
    if query.report.name == CURRENT_QUEUE_HEALTH and len(groups) > 1:
        raise LivePersonConfigurationError(
            f"group_ids has {len(query.group_ids or ())} ids, more than one request takes. In {CURRENT_QUEUE_HEALTH} "
            "they say whose conversations count as overdue, and such counts of several requests do not make up one: "
            "give fewer ids, or 'all'."
        )
    if query.options.get("breakdown") is False:
        raise LivePersonConfigurationError(
            "breakdown=False gives totals only, and those of so many skill_ids take several requests, whose totals do "
            "not add up: give fewer ids, or 'all'."
        )
    if not query.report.additive or (query.skill_ids is None and query.agent_ids is None):
        return [Portion(*ids) for ids in product(skills, agents, groups)]
    # Skills and agents are two views of the same events: each is asked for by itself, so that no part of one repeats.
    by_skill = [Portion(ids, None, group, by_post) for ids, group in product(skills, groups) if ids]
    return by_skill + [Portion(None, ids, group, by_post) for ids, group in product(agents, groups) if ids]


def _cut(ids: Sequence[str] | None, characters: int | None) -> list[list[str] | None]:
    """Ids in parts of so many characters, or, for a body, so many ids."""
    if ids is None:
        return [None]
    parts: list[list[str] | None] = []
    part: list[str] = []
    for some in ids:
        is_full = len(part) >= IDS_PER_POST if characters is None else _characters([*part, some]) > characters
        if part and is_full:
            parts.append(part)
            part = []
        part.append(some)
    return [*parts, part]


def _characters(ids: Sequence[str]) -> int:
    # A comma is three characters in a URL.
    return sum(len(some) + 3 for some in ids)
