"""The invented people, skills and groups of the sandbox's account."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

UNASSIGNED = -1
BOT = 2
_CONSUMERS = 4_999


@dataclass(frozen=True)
class Skill:
    """A skill of the account. Some ids lie beyond 32 bits, as LivePerson's do."""

    id: int
    name: str


@dataclass(frozen=True)
class Agent:
    """An agent of the account. ``user_type`` is LivePerson's: 0 system, 1 human, 2 bot."""

    id: str
    login: str
    nickname: str
    full_name: str
    group_id: int
    user_type: int = 1

    @property
    def is_bot(self) -> bool:
        """Whether it is no human."""
        return self.user_type == BOT


SKILLS = (
    Skill(12, "Sandbox Sales"),
    Skill(3_141_592_653, "Sandbox Billing"),
    Skill(27_182_818_284, "Sandbox Téchnical"),
    Skill(9_007_199_254_740_993, "Sandbox Wide Number"),
    Skill(1_618_033_988, "Sandbox Returns"),
)
GROUPS = {UNASSIGNED: "Unassigned", 17: "Sandbox Team North", 8_589_934_592: "Sandbox Team South"}
AGENTS = (
    Agent("4294967301", "ada.sampleton", "Ada", "Ada Sampleton", 17),
    Agent("4294967302", "bo.mockford", "Bo", "Bo Mockford", 17),
    Agent("4294967303", "cy.testerly", "Cy", "Cy Testerly", 8_589_934_592),
    Agent("981236", "dée.exämple", "Dée", "Dée Exämple", 8_589_934_592),
    Agent("7f3c2d10-0000-4000-8000-00000000a6e7", "eli.placeholder", "Eli", "Eli Placeholder", 17),
    Agent("88005553535", "sandbox-bot", "Sandbot", "Sandbox Bot", UNASSIGNED, user_type=BOT),
)
OBSERVERS = (
    Agent("4294967401", "rea.readerson", "Rea", "Rea Readerson", 17),
    Agent("4294967402", "max.managerly", "Max", "Max Managerly", UNASSIGNED),
)

_AGENTS_BY_ID = {agent.id: agent for agent in AGENTS + OBSERVERS}
_SKILL_NAMES = {skill.id: skill.name for skill in SKILLS}


def agent_of(agent_id: str) -> Agent:
    """The agent with this id; an id that the cast does not know gets an invented one."""
    known = _AGENTS_BY_ID.get(agent_id)
    return known or Agent(agent_id, f"agent.{agent_id}", f"Agent {agent_id}", f"Agent {agent_id} Inventado", 17)


def skill_name(skill_id: int) -> str:
    """The name of a skill, ``Unassigned`` for -1."""
    if skill_id == UNASSIGNED:
        return "Unassigned"
    return _SKILL_NAMES.get(skill_id, f"Sandbox Skill {skill_id}")


def group_name(group_id: int) -> str:
    """The name of an agent group."""
    return GROUPS.get(group_id, f"Sandbox Group {group_id}")


def _consumer(number: int) -> str:
    return str(uuid.UUID(int=0x5A4DB0C5_0000_4000_8000_000000000000 + number * 0x9E3779B1, version=4))


_CONSUMER_IDS = tuple(_consumer(number) for number in range(_CONSUMERS))


def consumer_id(number: int) -> str:
    """The id of one of the account's returning consumers."""
    return _CONSUMER_IDS[number % _CONSUMERS]
