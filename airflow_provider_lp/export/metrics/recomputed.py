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
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.measurements import Subject
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.records import Number, milliseconds
from airflow_provider_lp.client.report_parameters import ALL
from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.rows import Row, row_of
from airflow_provider_lp.export.metrics.timing import Buckets
from airflow_provider_lp.export.metrics.totals import account_section, zeros
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.windows import Window, to_ms

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

log = logging.getLogger(__name__)

#: A survey moves the end that LivePerson searches by, for as long as it may be answered.
LONGEST_SURVEY = timedelta(days=7)
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
    close_reason: Any = None
    latest_skill_id: Any = None
    latest_agent_id: Any = None
    latest_agent_group_id: Any = None


class _Record(msgspec.Struct):
    info: _Closed


_decode = msgspec.json.Decoder(_Record).decode


def recomputed_rows(client: LivePersonClient, query: MetricsQuery) -> Iterator[Row]:
    """
    The rows of ``messaging_conversation``, from the conversations that were closed in the window.

    :param client: LivePerson.
    :param query: of whom, for when.
    :raises LivePersonError: by its kind.
    """
    timing = query.timing.so_far(to_ms(client.now))
    if not isinstance(timing, Buckets):
        raise TypeError(f"{query.report.name} is not counted in buckets")
    window, periods = timing.covers, timing.tiles()
    sums: list[dict[Subject, Counter[str]]] = [{} for _ in periods]
    starts = [period.start_ms for period in periods]
    unknown: Counter[str] = Counter()
    for closed in _closed(client, query, window):
        moment_ms = milliseconds(closed.conversation_end) or milliseconds(closed.end)
        if moment_ms is not None and moment_ms in window:
            _count(sums[bisect_right(starts, moment_ms) - 1], query, closed, moment_ms)
            unknown[str(closed.close_reason)] += _closer(closed) is None
    if +unknown:
        log.warning("Counted in the totals only, for their close reasons are not known: %s.", dict(+unknown))
    for period, counted in zip(periods, sums, strict=True):
        counted.setdefault(Subject("account"), Counter(zeros(query.report)))
        for subject, counter in counted.items():
            yield row_of(query.report, client.account_id, subject, period, counter, derived=True)


def _closed(client: LivePersonClient, query: MetricsQuery, window: Window) -> Iterator[_Closed]:
    now = client.now
    end_ms = max(window.end_ms, min(to_ms(window.end + LONGEST_SURVEY), to_ms(now)))
    conversations = ConversationQuery.checked(
        Window(window.start_ms, end_ms),
        now=now,
        time_field="end",
        max_age=query.max_age,
        content=CONTENT,
        started_before=window.end,
    )
    for batch in Download(client, conversations).batches():
        for line in batch.ndjson.splitlines():
            yield _decode(line).info


def _count(sums: dict[Subject, Counter[str]], query: MetricsQuery, closed: _Closed, moment_ms: int) -> None:
    started_ms = milliseconds(closed.start)
    handling_ms = moment_ms - started_ms if started_ms is not None else 0
    closer = _closer(closed)
    for subject in _subjects(query.request, closed):
        counter = sums.setdefault(subject, Counter(zeros(query.report)))
        for suffix in ("", f"_{closer}") if closer else ("",):
            counter[f"resolvedConversations{suffix}" if suffix else "totalResolvedConversations"] += 1
            counter[f"totalHandlingTime_resolvedConversations{suffix}"] += handling_ms


def _subjects(asked: MetricsRequest, closed: _Closed) -> Iterator[Subject]:
    """Whom a conversation counts for: those of the sections that were asked for."""
    skill_id = _id(closed.latest_skill_id) or UNASSIGNED
    agent_id = _id(closed.latest_agent_id)
    # Whose agents count: a conversation without an agent is of no group. All groups are no filter.
    groups = asked.group_ids
    if groups not in (None, [ALL]) and (agent_id is None or not _is_asked(groups, _group(closed))):
        return
    in_skills = _is_asked(asked.skill_ids, skill_id)
    in_agents = agent_id is not None and _is_asked(asked.agent_ids, agent_id)
    if in_skills:
        yield Subject("skill", skill_id)
        if agent_id is not None:
            yield Subject("skill_agent", skill_id, agent_id)
    if in_agents:
        yield Subject("agent", agent_id=agent_id)
    if {None: True, "skills": in_skills, "agents": in_agents}[account_section(asked.skill_ids, asked.agent_ids)]:
        yield Subject("account")


def _is_asked(ids: list[str] | None, some_id: str) -> bool:
    return ids is not None and (ids == [ALL] or some_id in ids)


def _closer(closed: _Closed) -> str | None:
    return CLOSERS.get(str(closed.close_reason).upper())


def _group(closed: _Closed) -> str:
    return _id(closed.latest_agent_group_id) or UNASSIGNED


def _id(value: Any) -> str | None:
    """An id, which comes as a text or as a number; ``None`` for LivePerson's many words for none."""
    text = str(int(value)) if isinstance(value, float) else str(value)
    return None if text in NOBODY else text
