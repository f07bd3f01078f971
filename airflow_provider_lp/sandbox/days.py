"""The conversations that start on one UTC day: they depend on the seed and the day, on nothing else."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from airflow_provider_lp.sandbox import cast
from airflow_provider_lp.sandbox.conversation import Conversation

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
MARK_MS = 10 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_HOUR_WEIGHTS = (3, 2, 1, 1, 1, 2, 4, 7, 11, 14, 15, 14, 12, 13, 14, 14, 13, 12, 11, 10, 9, 8, 6, 4)
_SOURCES = ("APP", "SHARK", "SMS", "FACEBOOK", "AGENT")
_DEVICES = ("DESKTOP", "MOBILE", "TABLET", "NA")


def day_conversations(seed: int, day: int, count: int) -> list[Conversation]:
    """The ``count`` conversations that start on ``day`` (days since 1970-01-01), ordered by (start, id)."""
    rng = random.Random(f"{seed}:{day}")
    plans = _awkward(rng, day * DAY_MS)
    drawn = []
    for _ in range(count):
        start_ms, end_ms = next(plans)
        drawn.append(_conversation(rng, day, start_ms, end_ms))
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


def _awkward(rng: random.Random, day_ms: int) -> Iterator[tuple[int, int | None]]:
    """Starts and ends: first those on the edges where exporters lose or double a conversation, then ordinary ones."""
    shared_ms = _ordinary_start(rng, day_ms)
    yield day_ms, day_ms + 7 * MINUTE_MS
    yield day_ms + DAY_MS - 1, day_ms + DAY_MS + 9 * MINUTE_MS
    yield shared_ms, shared_ms + MARK_MS
    yield shared_ms, None
    yield day_ms + rng.randrange(1, 144) * MARK_MS, day_ms + DAY_MS
    yield shared_ms, shared_ms + rng.randrange(DAY_MS, 5 * DAY_MS)
    for _ in range(3):
        mark_ms = day_ms + rng.randrange(1, 143) * MARK_MS
        yield mark_ms, mark_ms + rng.randrange(1, 6) * MARK_MS
    yield shared_ms, shared_ms + rng.randrange(MINUTE_MS, HOUR_MS)
    yield shared_ms, day_ms + 2 * DAY_MS - 1
    while True:
        start_ms = _ordinary_start(rng, day_ms)
        yield start_ms, _ordinary_end(rng, start_ms)


def _ordinary_start(rng: random.Random, day_ms: int) -> int:
    hour = rng.choices(range(24), _HOUR_WEIGHTS)[0]
    return day_ms + hour * HOUR_MS + int(rng.random() * HOUR_MS)


def _ordinary_end(rng: random.Random, start_ms: int) -> int | None:
    draw = rng.random()
    if draw < 0.02:
        return None
    if draw < 0.06:
        return start_ms + rng.randrange(4 * HOUR_MS, 5 * DAY_MS)
    return start_ms + MINUTE_MS + int(rng.expovariate(1 / (18 * MINUTE_MS)))


def _conversation(rng: random.Random, day: int, start_ms: int, close_ms: int | None) -> Conversation:
    bits = rng.getrandbits(128)
    conversation_id = str(uuid.UUID(int=bits & ~(0xFFFF << 80) | day << 80, version=4))
    survey = close_ms is not None and rng.random() < 0.35
    end_ms, full_end_ms = _survey_ends(rng, close_ms) if close_ms is not None and survey else (close_ms, close_ms)
    waiting = close_ms is None and rng.random() < 0.3
    message_count = 2 + int(rng.expovariate(0.12))
    last_ms = close_ms or start_ms + int(rng.expovariate(1 / (40 * MINUTE_MS)))
    interval_ms = max(1, (last_ms - start_ms) // (message_count - 1))
    agents = () if waiting else _some_agents(rng)
    return Conversation(
        conversation_id,
        start_ms,
        end_ms=end_ms,
        conversation_end_ms=close_ms,
        full_dialog_end_ms=full_end_ms,
        latest_update_ms=full_end_ms or start_ms + interval_ms * (message_count - 1),
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


def _survey_ends(rng: random.Random, close_ms: int) -> tuple[int, int]:
    """A survey moves ``endTime`` when it is answered; its dialog may close a little later still."""
    end_ms = close_ms + rng.randrange(20 * SECOND_MS, HOUR_MS)
    return end_ms, end_ms + rng.choice((0, 0, 5 * SECOND_MS, 15 * MINUTE_MS))


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
