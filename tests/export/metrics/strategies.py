"""Hypothesis' conversations that are closed at the moments where metrics lose or double them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from airflow_provider_lp.sandbox import Conversation
from tests.export.metrics.helpers import BUCKET, MINUTE, floor5
from tests.samples import HOUR, NOW, ms

#: The moment by which all windows of the strategies are over, and the earliest that LivePerson still holds then.
END = floor5(ms(NOW))
START = END - 24 * HOUR
SKILLS = (12, 3_141_592_653, 9_007_199_254_740_993, -1)
AGENTS = ("4294967301", "981236", "7f3c2d10-0000-4000-8000-00000000a6e7")
GROUPS = (17, 8_589_934_592, -1)

#: On a five-minute mark, a millisecond before or after one, and anywhere.
moments = st.builds(
    lambda mark, off: START + mark * BUCKET + off,
    st.integers(0, 287),
    st.one_of(st.sampled_from((0, -1, 1)), st.integers(0, BUCKET - 1)),
)
#: Some moments on marks; some not.
bounds = st.builds(
    lambda mark, off: START + mark * BUCKET + off,
    st.integers(0, 287),
    st.sampled_from((0, 0, 1, BUCKET - 1, 90_000)),
)


@st.composite
def conversation(draw: Any, number: int) -> Conversation:
    closed_ms = draw(moments)
    lasted_ms = draw(st.sampled_from((0, 1, 7 * MINUTE, 3 * 24 * HOUR)))
    surveyed_ms = closed_ms + draw(st.sampled_from((0, 1, 6 * MINUTE, 5 * HOUR)))
    agent_id = draw(st.sampled_from((*AGENTS, None)))
    return Conversation(
        f"c{number}",
        closed_ms - lasted_ms,
        end_ms=surveyed_ms,
        conversation_end_ms=closed_ms,
        full_dialog_end_ms=surveyed_ms + draw(st.sampled_from((0, 60_000))),
        skill_ids=(draw(st.sampled_from(SKILLS)),),
        agent_ids=(agent_id,) if agent_id else (),
        agent_group_id=draw(st.sampled_from(GROUPS)) if agent_id else -1,
        queue_state="ACTIVE" if agent_id else "IN_QUEUE",
        close_reason=draw(st.sampled_from(("AGENT", "CONSUMER", "SYSTEM"))),
        message_count=2,
    )


@st.composite
def crowds(draw: Any, largest: int = 12) -> list[Conversation]:
    return [draw(conversation(number)) for number in range(draw(st.integers(0, largest)))]


@st.composite
def windows(draw: Any) -> tuple[int, int, int | None]:
    """A start and an end that hold at least one whole bucket, and an interval that divides the buckets between them."""
    start_ms, end_ms = sorted((draw(bounds), draw(bounds)))
    if floor5(start_ms) == floor5(end_ms):
        end_ms = min(start_ms + BUCKET, END)
    buckets = (floor5(end_ms) - floor5(start_ms)) // BUCKET
    divisors = [5 * count for count in range(1, buckets + 1) if buckets % count == 0 and buckets // count <= 24]
    return start_ms, end_ms, draw(st.sampled_from([None, *divisors]))


ids_of_skills = st.sampled_from((None, "all", [str(SKILLS[0])], [str(each) for each in SKILLS[1:]], ["5"]))
ids_of_agents = st.sampled_from((None, "all", [AGENTS[0]], [*AGENTS[1:], "5"]))
