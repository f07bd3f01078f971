"""What tests of metrics work with: an account on a clock that tests move, and the rows that it should give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.export.metrics.export import collect_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from airflow_provider_lp.windows import Window, from_ms
from tests.exported import connect
from tests.fake_clock import FakeClock
from tests.samples import HOUR, NOW, OAUTH1, OAUTH2, ms
from tests.scripted import Say, Scripted, Seen, scripted

MINUTE = 60_000
BUCKET = 5 * MINUTE
#: How far LivePerson's clock may differ from ours without a figure being lost.
CLOCK_DIFFERENCE = 2_000
CLOSERS = ("byCCP", "byConsumer", "bySystem")
SUMMED = (
    *(f"resolvedConversations_{closer}" for closer in CLOSERS),
    "totalResolvedConversations",
    *(f"totalHandlingTime_resolvedConversations_{closer}" for closer in CLOSERS),
    "totalHandlingTime_resolvedConversations",
)
AVERAGES = {
    f"avgTime_resolvedConversations{suffix}": (
        f"totalHandlingTime_resolvedConversations{suffix}",
        f"resolvedConversations{suffix}" if suffix else "totalResolvedConversations",
    )
    for suffix in (*(f"_{closer}" for closer in CLOSERS), "")
}
KEY = ("level", "skill_id", "agent_id", "group_id", "interval_start", "interval_end")

Row = dict[str, Any]
Subject = tuple[str | None, str | None]


class ClockedAccount(Account):
    """An account that goes by a test's clock: ``ahead_s`` before it, and it lets ``slowness_s`` pass at each answer."""

    clock: FakeClock
    ahead_s = 0.0
    slowness_s = 0.0

    def clock_ms(self) -> int:
        return round((self.clock.now() + self.ahead_s) * 1000)

    def closed_between(self, start_ms: int, end_ms: int) -> list[Conversation]:
        closed = super().closed_between(start_ms, end_ms)
        self.clock.pass_time(self.slowness_s)
        return closed


def clock_at(moment_ms: int) -> FakeClock:
    return FakeClock(moment_ms / 1000)


@contextmanager
def account_on(clock: FakeClock, conversations: Iterable[Conversation], year: int = 2026) -> Iterator[Sandbox]:
    account = ClockedAccount.of(conversations, now=NOW)
    assert isinstance(account, ClockedAccount)
    account.clock = clock
    with Sandbox(account=account, year=year) as sandbox:
        yield sandbox


def measured(client: LivePersonClient, report: str = "messaging_conversation", **query: Any) -> list[Row]:
    return collect_metrics(client, MetricsQuery.checked(report, now=client.now, **query))


def rows_at(
    moment_ms: int, conversations: Iterable[Conversation], *, credentials: Any = OAUTH2, **query: Any
) -> list[Row]:
    """The rows that a run at a moment gives. Signed requests find the LivePerson that still took them."""
    clock = clock_at(moment_ms)
    year = 2025 if credentials is OAUTH1 else 2026
    with account_on(clock, conversations, year) as sandbox, connect(sandbox, clock, credentials) as client:
        return measured(client, **query)


@contextmanager
def answering(respond: Any, moment_ms: int = ms(NOW), clock: FakeClock | None = None) -> Iterator[tuple[Scripted, Any]]:
    """A server that answers exactly this, or what this function says; and a client for it."""

    def say(seen: Seen) -> Say:
        body = respond(seen) if callable(respond) else respond
        return body if isinstance(body, Say) else Say(body=body)

    with scripted(say) as server:
        client = LivePersonClient("12345678", OAUTH1, host=server.url, clock=clock or clock_at(moment_ms))
        with client:
            yield server, client


def iso(moment_ms: int) -> str:
    return (
        datetime.fromtimestamp(moment_ms // 1000, UTC).isoformat()
        if moment_ms % 1000 == 0
        else (from_ms(moment_ms).isoformat())
    )


def floor5(moment_ms: int) -> int:
    return moment_ms - moment_ms % BUCKET


def pieces(start_ms: int, end_ms: int, minutes: int | None) -> list[tuple[int, int]]:
    """A period cut into intervals."""
    step = end_ms - start_ms if minutes is None else minutes * MINUTE
    return [(begin, min(begin + step, end_ms)) for begin in range(start_ms, end_ms, step)]


def truth_of(conversations: Iterable[Conversation], start_ms: int, end_ms: int) -> dict[Subject, Mapping[str, float]]:
    """What the sandbox's account knows of a period that is over."""
    return dict(
        Account.of(conversations, now=datetime.fromtimestamp(end_ms / 1000, UTC)).resolved_truth(start_ms, end_ms)
    )


def added(parts: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Sums of counts and times, and the averages that follow from them."""
    sums: Counter[str] = Counter(dict.fromkeys(SUMMED, 0))
    for part in parts:
        sums.update({name: part[name] for name in SUMMED})
    averages = {name: sums[time] / sums[count] if sums[count] else 0.0 for name, (time, count) in AVERAGES.items()}
    return {**sums, **averages}


def expected(
    conversations: Collection[Conversation],
    periods: Iterable[tuple[int, int]],
    skill_ids: Any = None,
    agent_ids: Any = None,
) -> dict[tuple[Any, ...], dict[str, float]]:
    """The metrics that rows should have, by what identifies a row."""

    def asked(ids: Any, some_id: str | None) -> bool:
        return ids is not None and some_id is not None and (ids == "all" or some_id in ids)

    rows: dict[tuple[Any, ...], dict[str, float]] = {}
    for start_ms, end_ms in periods:
        truth = truth_of(conversations, start_ms, end_ms)
        bounds = (None, iso(start_ms), iso(end_ms))
        skills = {key: each for key, each in truth.items() if key[1] is None and asked(skill_ids, key[0])}
        agents = {key: each for key, each in truth.items() if key[0] is None and asked(agent_ids, key[1])}
        total = [truth[None, None]]
        if skill_ids is not None or agent_ids is not None:
            by_agents = skill_ids is None or (agent_ids == "all" and skill_ids != "all")
            total = list((agents if by_agents else skills).values())
        rows["account", None, None, *bounds] = added(total)
        for (skill, _), metrics in skills.items():
            rows["skill", skill, None, *bounds] = dict(metrics)
        for (_, agent), metrics in agents.items():
            rows["agent", None, agent, *bounds] = dict(metrics)
        for (skill, agent), metrics in truth.items():
            if agent is not None and asked(skill_ids, skill):
                rows["skill_agent", skill, agent, *bounds] = dict(metrics)
    return rows


def by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The metrics of rows by what identifies them; no two rows may have the same."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in KEY)
        assert key not in found, key
        found[key] = {name: value for name, value in row.items() if name in SUMMED or name in AVERAGES}
    return found


def hour(day_ms: int, number: int) -> Window:
    return Window(day_ms + number * HOUR, day_ms + (number + 1) * HOUR)
