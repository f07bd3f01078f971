"""
Messaging conversations recomputed from the conversations themselves, which LivePerson keeps for 13 months.

LivePerson does not document how it forms these metrics. Taken here: a conversation is resolved when it is closed,
without regard to a survey that follows (``conversationEndTime``); it counts for the skill and the agent it had last;
its handling time is the time from its start to its close; its close reason says who closed it.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from airflow_provider_lp.client.client import LivePersonClient
from airflow_provider_lp.client.metrics import Measurement, Subject
from airflow_provider_lp.client.records import Number, milliseconds
from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.metrics.buckets import tiles
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.rows import Row, row_of
from airflow_provider_lp.export.metrics.tiling import add_up
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.windows import Window, to_ms

log = logging.getLogger(__name__)

#: A survey moves the end that LivePerson searches by, for as long as it may be answered.
LONGEST_SURVEY = timedelta(days=1)
#: The least that LivePerson can be asked for; what is needed stands in every record.
CONTENT = ["summary"]
CLOSERS = {
    "AGENT": "byCCP",
    "BRAND_AGENT": "byCCP",
    "MANAGER": "byCCP",
    "CONSUMER": "byConsumer",
    "SYSTEM": "bySystem",
    "TIMEOUT": "bySystem",
}
UNASSIGNED = "-1"
NOBODY = ("", "null", "undefined", "-1", "None")


class _Closed(msgspec.Struct, rename="camel"):
    start: Number = msgspec.field(default=None, name="startTimeL")
    end: Number = msgspec.field(default=None, name="endTimeL")
    conversation_end: Number = msgspec.field(default=None, name="conversationEndTimeL")
    close_reason: str | None = None
    latest_skill_id: int | str | None = None
    latest_agent_id: int | str | None = None
    latest_agent_group_id: int | str | None = None


class _Record(msgspec.Struct):
    info: _Closed


_decode = msgspec.json.Decoder(_Record).decode


def derived_rows(client: LivePersonClient, query: MetricsQuery) -> Iterator[Row]:
    """
    The rows of ``messaging_conversation``, from the conversations that were closed in the window.

    :param client: LivePerson.
    :param query: of whom, for when.
    :raises LivePersonError: by its kind.
    """
    window = query.tiled_until(client.now)
    periods = tiles(window, query.interval)
    sums: list[dict[Subject, Counter[str]]] = [{} for _ in periods]
    starts = [period.start_ms for period in periods]
    unknown: Counter[str | None] = Counter()
    for closed in _closed(client, query, window):
        moment_ms = milliseconds(closed.conversation_end) or milliseconds(closed.end)
        if moment_ms is not None and moment_ms in window:
            _count(sums[bisect_right(starts, moment_ms) - 1], query, closed, moment_ms)
            unknown[closed.close_reason] += (closed.close_reason or "") not in CLOSERS
    if +unknown:
        log.warning("Counted in the totals only, for their close reasons are not known: %s.", dict(+unknown))
    for period, counted in zip(periods, sums, strict=True):
        measurements = [Measurement(subject, dict(counter)) for subject, counter in counted.items()]
        for subject, metrics, _ in add_up(query.report, measurements):
            yield row_of(query.report, client.account_id, subject, period, metrics, derived=True)


def _closed(client: LivePersonClient, query: MetricsQuery, window: Window) -> Iterator[_Closed]:
    now = client.now
    end_ms = max(window.end_ms, min(to_ms(window.end + LONGEST_SURVEY), to_ms(now)))
    conversations = ConversationQuery.checked(
        Window(window.start_ms, end_ms), now=now, time_field="end", max_age=query.max_age, content=CONTENT
    )
    for batch in Download(client, conversations).batches():
        for line in batch.ndjson.splitlines():
            yield _decode(line).info


def _count(sums: dict[Subject, Counter[str]], query: MetricsQuery, closed: _Closed, moment_ms: int) -> None:
    started_ms = milliseconds(closed.start)
    handling_ms = moment_ms - started_ms if started_ms is not None else 0
    closer = CLOSERS.get(closed.close_reason or "")
    for subject in _subjects(query, closed):
        counter = sums.setdefault(subject, _zeros(query))
        for suffix in ("", f"_{closer}") if closer else ("",):
            counter[f"resolvedConversations{suffix}" if suffix else "totalResolvedConversations"] += 1
            counter[f"totalHandlingTime_resolvedConversations{suffix}"] += handling_ms


def _zeros(query: MetricsQuery) -> Counter[str]:
    return Counter({name: 0 for name in query.report.metrics if name not in query.report.ratios})


def _subjects(query: MetricsQuery, closed: _Closed) -> Iterator[Subject]:
    """Whom a conversation counts for: those of the sections that were asked for."""
    skill_id = UNASSIGNED if closed.latest_skill_id is None else str(closed.latest_skill_id)
    agent_id = _agent(closed)
    if query.group_ids not in (None, ["all"]) and str(closed.latest_agent_group_id) not in (query.group_ids or ()):
        return
    in_skills = _is_asked(query.skill_ids, skill_id)
    in_agents = agent_id is not None and _is_asked(query.agent_ids, agent_id)
    if in_skills:
        yield Subject("skill", skill_id)
        if agent_id is not None:
            yield Subject("skill_agent", skill_id, agent_id)
    if in_agents:
        yield Subject("agent", agent_id=agent_id)
    if _counts_for_the_account(query, in_skills=in_skills, in_agents=in_agents):
        yield Subject("account")


def _counts_for_the_account(query: MetricsQuery, *, in_skills: bool, in_agents: bool) -> bool:
    if query.skill_ids is None and query.agent_ids is None:
        return True
    by_agents = query.skill_ids is None or (query.agent_ids == ["all"] and query.skill_ids != ["all"])
    return in_agents if by_agents else in_skills


def _is_asked(ids: list[str] | None, some_id: str) -> bool:
    return ids is not None and (ids == ["all"] or some_id in ids)


def _agent(closed: _Closed) -> str | None:
    agent_id = str(closed.latest_agent_id)
    return None if agent_id in NOBODY else agent_id
