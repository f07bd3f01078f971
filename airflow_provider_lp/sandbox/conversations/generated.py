"""The conversations that start on one UTC day: they depend on the seed and the day, on nothing else."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from airflow_provider_lp.sandbox.conversations import cast
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.moments import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

#: No generated conversation that is ever over lasts longer.
LONGEST_MS = 6 * DAY_MS
MARK_MS = 10 * MINUTE_MS

_HOUR_WEIGHTS = (3, 2, 1, 1, 1, 2, 4, 7, 11, 14, 15, 14, 12, 13, 14, 14, 13, 12, 11, 10, 9, 8, 6, 4)
_SOURCES = ("APP", "SHARK", "SMS", "FACEBOOK", "AGENT")
_DEVICES = ("DESKTOP", "MOBILE", "TABLET", "NA")


@dataclass(frozen=True, slots=True)
class _Plan:
    """When a conversation starts, when it is closed, and when its survey, if any, is answered."""

    start_ms: int
    close_ms: int | None
    survey_ms: int | None = None


def day_conversations(seed: int, day: int, count: int) -> list[Conversation]:
    """The ``count`` conversations that start on ``day`` (days since 1970-01-01), ordered by (start, id)."""
    rng = random.Random(f"{seed}:{day}")
    drawn = [_conversation(rng, day, plan) for plan in islice(_plans(rng, day * DAY_MS), count)]
    return sorted(drawn, key=lambda conversation: (conversation.start_ms, conversation.conversation_id))


def day_of(conversation_id: str) -> int | None:
    """The day that a generated id was made for: its second group. ``None`` if the id is none of ours."""
    groups = conversation_id.split("-")
    if len(groups) != 5:
        return None
    try:
        return int(groups[1], 16)
    except ValueError:
        return None


def _plans(rng: random.Random, day_ms: int) -> Iterator[_Plan]:
    """First those on the edges where exporters lose or double a conversation, then ordinary ones."""
    shared_ms = _ordinary_start(rng, day_ms)
    midnight_ms = day_ms + DAY_MS
    yield _Plan(day_ms, day_ms + 7 * MINUTE_MS)
    yield _Plan(midnight_ms - 1, midnight_ms + 9 * MINUTE_MS)
    yield _Plan(shared_ms, shared_ms + MARK_MS)
    yield _Plan(shared_ms, None)
    yield _Plan(_mark(rng, day_ms), midnight_ms)
    yield _Plan(shared_ms, shared_ms + rng.randrange(DAY_MS, 5 * DAY_MS))
    yield _Plan(_mark(rng, day_ms), midnight_ms - 5 * MINUTE_MS, midnight_ms + 5 * MINUTE_MS)
    yield _Plan(_mark(rng, day_ms), midnight_ms - MARK_MS, midnight_ms)
    yield _Plan(shared_ms, midnight_ms + DAY_MS - 1)
    for _ in range(3):
        mark_ms = _mark(rng, day_ms)
        yield _Plan(mark_ms, mark_ms + rng.randrange(1, 6) * MARK_MS)
    while True:
        yield _ordinary(rng, _ordinary_start(rng, day_ms))


def _mark(rng: random.Random, day_ms: int) -> int:
    return day_ms + rng.randrange(1, 143) * MARK_MS


def _ordinary_start(rng: random.Random, day_ms: int) -> int:
    hour = rng.choices(range(24), _HOUR_WEIGHTS)[0]
    return day_ms + hour * HOUR_MS + int(rng.random() * HOUR_MS)


def _ordinary(rng: random.Random, start_ms: int) -> _Plan:
    close_ms = _ordinary_close(rng, start_ms)
    if close_ms is None or rng.random() > 0.35:
        return _Plan(start_ms, close_ms)
    return _Plan(start_ms, close_ms, close_ms + rng.randrange(20 * SECOND_MS, HOUR_MS))


def _ordinary_close(rng: random.Random, start_ms: int) -> int | None:
    draw = rng.random()
    if draw < 0.02:
        return None
    if draw < 0.06:
        return start_ms + rng.randrange(4 * HOUR_MS, 5 * DAY_MS)
    return start_ms + MINUTE_MS + int(rng.expovariate(1 / (18 * MINUTE_MS)))


def _conversation(rng: random.Random, day: int, plan: _Plan) -> Conversation:
    bits = rng.getrandbits(128)
    conversation_id = str(uuid.UUID(int=bits & ~(0xFFFF << 80) | day << 80, version=4))
    survey = plan.survey_ms is not None
    # An answered survey moves endTime; its dialog may close a little later still.
    end_ms = plan.survey_ms or plan.close_ms
    full_end_ms = end_ms + rng.choice((0, 0, 5 * SECOND_MS, 15 * MINUTE_MS)) if survey and end_ms else end_ms
    waiting = plan.close_ms is None and rng.random() < 0.3
    message_count = 1 + int(rng.expovariate(0.12))
    last_ms = plan.close_ms or plan.start_ms + int(rng.expovariate(1 / (40 * MINUTE_MS)))
    interval_ms = max(1, (last_ms - plan.start_ms) // max(1, message_count - 1))
    agents = () if waiting else _some_agents(rng)
    return Conversation(
        conversation_id,
        plan.start_ms,
        end_ms=end_ms,
        conversation_end_ms=plan.close_ms,
        full_dialog_end_ms=full_end_ms,
        latest_update_ms=full_end_ms or plan.start_ms + interval_ms * (message_count - 1),
        is_partial=rng.random() < 0.02,
        skill_ids=_some_skills(rng, waiting=waiting),
        agent_ids=tuple(agent.id for agent in agents),
        reader_ids=(cast.OBSERVERS[0].id,) if rng.random() < 0.05 else (),
        manager_ids=(cast.OBSERVERS[1].id,) if rng.random() < 0.05 else (),
        agent_group_id=agents[-1].group_id if agents else cast.UNASSIGNED,
        consumer_id=cast.consumer_id(rng.getrandbits(32)),
        csat=rng.randint(1, 5) if survey else None,
        nps=rng.randint(0, 10) if survey else None,
        fcr=rng.choice(("yes", "no")) if survey else None,
        mcs=rng.randrange(101),
        alerted_mcs=rng.choice((-1, 0, 0, 1)),
        source=rng.choice(_SOURCES),
        device=rng.choice(_DEVICES),
        queue_state="IN_QUEUE" if waiting else "ACTIVE",
        message_count=message_count,
        message_interval_ms=interval_ms,
    )


def _some_agents(rng: random.Random) -> tuple[cast.Agent, ...]:
    first = rng.choice(cast.AGENTS)
    if rng.random() < 0.8:
        return (first,)
    second = rng.choice(cast.AGENTS)
    return (first,) if second is first else (first, second)


def _some_skills(rng: random.Random, *, waiting: bool) -> tuple[int, ...]:
    if waiting and rng.random() < 0.3:
        return (cast.UNASSIGNED,)
    first = rng.choice(cast.SKILLS).id
    if rng.random() < 0.8:
        return (first,)
    second = rng.choice(cast.SKILLS).id
    return (first,) if second == first else (first, second)
