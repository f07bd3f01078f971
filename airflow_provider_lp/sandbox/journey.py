"""How a conversation moved: when it waited for an agent, and its stays with skills and agents.

A record tells the skills and agents in order but not all of the moments, so these are the sandbox's own, always alike
for one conversation. It enters its next skill with its next message, and goes to its next agent after every fourth.
Before each agent it waits for a while, less than it takes until the agent's first message. Without agents it waits
until it is closed.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from airflow_provider_lp.sandbox.conversation import Conversation
from airflow_provider_lp.sandbox.days import MINUTE_MS, SECOND_MS
from airflow_provider_lp.sandbox.transcript import MESSAGES_PER_AGENT

_LONGEST_WAIT_MS = 4 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Wait:
    """A time in the queue of a skill. ``number`` counts from 0 within the conversation. ``until_ms`` is when the agent
    took it, or without an agent when it went to another skill or was closed."""

    conversation: Conversation
    number: int
    skill_id: str
    since_ms: int
    until_ms: int | None
    agent_id: str | None
    earlier_agent_id: str | None

    @property
    def trait(self) -> int:
        """A number that is always alike for this wait."""
        return _trait(self.conversation, "wait", self.number)

    @property
    def length_ms(self) -> int:
        """How long it was, once it is over."""
        return (self.until_ms or self.since_ms) - self.since_ms

    def lasts_at(self, moment_ms: int) -> bool:
        """Whether the conversation waits at the moment."""
        return self.since_ms <= moment_ms and (self.until_ms is None or moment_ms < self.until_ms)


@dataclass(frozen=True, slots=True)
class Stay:
    """A segment: the time a conversation is with a skill or an agent. ``agent_id`` of a skill's is the agent it ends
    with. ``assigned_ms`` is since when the agent who speaks first had it."""

    conversation: Conversation
    number: int
    skill_id: str
    agent_id: str | None
    begin_ms: int
    end_ms: int | None
    assigned_ms: int
    is_last: bool

    @property
    def agent_messages(self) -> range:
        """The positions of the agents' messages."""
        positions = self._positions()
        return range(positions.start | 1, positions.stop if self.conversation.agent_ids else 0, 2)

    @property
    def is_answered(self) -> bool:
        """Whether the consumer replied to an agent."""
        spoken = self.agent_messages
        return bool(spoken) and spoken.start + 1 < self._positions().stop

    @property
    def length_ms(self) -> int:
        """How long it was, once it is over."""
        return (self.end_ms or self.begin_ms) - self.begin_ms

    @property
    def replies_ms(self) -> list[int]:
        """How long each message of an agent took since the consumer's before, or since the assignment if later."""
        message_ms = self.conversation.message_ms
        asked = (max(self.assigned_ms, message_ms(position - 1)) for position in self.agent_messages)
        return [message_ms(position) - since for position, since in zip(self.agent_messages, asked, strict=True)]

    def _positions(self) -> range:
        start_ms, interval_ms = self.conversation.start_ms, self.conversation.message_interval_ms
        first = -((start_ms - self.begin_ms) // interval_ms)
        if self.end_ms is None:
            return range(first, self.conversation.message_count)
        # What is said as a stay ends belongs to the next one, and to the last if there is none.
        stop = (self.end_ms - start_ms - (not self.is_last)) // interval_ms + 1
        return range(first, min(stop, self.conversation.message_count))


def waits(conversation: Conversation) -> list[Wait]:
    """Its times in queues, those to come included."""
    skills = _skill_begins(conversation)
    agents = conversation.agent_ids
    if not agents:
        ends = [*skills[1:], conversation.conversation_end_ms]
        return [
            Wait(conversation, number, _skill_at(conversation, since_ms), since_ms, until_ms, None, None)
            for number, (since_ms, until_ms) in enumerate(zip(skills, ends, strict=True))
        ]
    return [
        Wait(
            conversation,
            number,
            _skill_at(conversation, since_ms),
            since_ms,
            _assigned_ms(conversation, number),
            agents[number],
            agents[number - 1] if number else None,
        )
        for number, since_ms in enumerate(_agent_begins(conversation))
    ]


def skill_stays(conversation: Conversation) -> list[Stay]:
    """Its stays with skills, those to come included."""
    begins = _skill_begins(conversation)
    ends = [*begins[1:], conversation.conversation_end_ms]
    return [
        Stay(
            conversation,
            number,
            str(conversation.skill_ids[number]),
            _agent_at(conversation, end_ms),
            begin_ms,
            end_ms,
            max(begin_ms, _assigned_to_speaker(conversation, begin_ms)),
            is_last=number == len(begins) - 1,
        )
        for number, (begin_ms, end_ms) in enumerate(zip(begins, ends, strict=True))
    ]


def agent_stays(conversation: Conversation) -> list[Stay]:
    """Its stays with agents, from the assignment, those to come included."""
    begins = _agent_begins(conversation)
    ends = [*begins[1:], conversation.conversation_end_ms]
    return [
        Stay(
            conversation,
            number,
            _skill_at(conversation, begins[number]),
            agent,
            _assigned_ms(conversation, number),
            end_ms,
            _assigned_ms(conversation, number),
            is_last=number == len(begins) - 1,
        )
        for number, (agent, end_ms) in enumerate(zip(conversation.agent_ids, ends, strict=False))
    ]


def _skill_begins(conversation: Conversation) -> list[int]:
    return [_spoken_ms(conversation, number) for number in range(len(conversation.skill_ids))]


def _agent_begins(conversation: Conversation) -> list[int]:
    return [_spoken_ms(conversation, number * MESSAGES_PER_AGENT) for number in range(len(conversation.agent_ids))]


def _spoken_ms(conversation: Conversation, position: int) -> int:
    spoken_ms = conversation.message_ms(position)
    closed_ms = conversation.conversation_end_ms
    return spoken_ms if closed_ms is None else min(spoken_ms, closed_ms)


def _assigned_ms(conversation: Conversation, number: int) -> int:
    since_ms = _spoken_ms(conversation, number * MESSAGES_PER_AGENT)
    wait_ms = SECOND_MS + _trait(conversation, "pause", number) % _LONGEST_WAIT_MS
    assigned_ms = since_ms + min(wait_ms, conversation.message_interval_ms // 2)
    closed_ms = conversation.conversation_end_ms
    return assigned_ms if closed_ms is None else min(assigned_ms, closed_ms)


def _assigned_to_speaker(conversation: Conversation, moment_ms: int) -> int:
    if not conversation.agent_ids:
        return moment_ms
    position = (moment_ms - conversation.start_ms) // conversation.message_interval_ms
    return _assigned_ms(conversation, min(position // MESSAGES_PER_AGENT, len(conversation.agent_ids) - 1))


def _skill_at(conversation: Conversation, moment_ms: int) -> str:
    return str(conversation.skill_ids[bisect_right(_skill_begins(conversation), moment_ms) - 1])


def _agent_at(conversation: Conversation, end_ms: int | None) -> str | None:
    if not conversation.agent_ids or end_ms is None:
        return conversation.agent_ids[-1] if conversation.agent_ids else None
    return conversation.agent_ids[max(0, bisect_left(_agent_begins(conversation), end_ms) - 1)]


def _trait(conversation: Conversation, of: str, number: int) -> int:
    return zlib.crc32(f"{of} {number} {conversation.conversation_id}".encode())
