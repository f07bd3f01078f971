"""Records with a personal value of its own in every member, known and unknown."""

from __future__ import annotations

import json
import re
from typing import Any

from airflow_provider_lp.export.redaction.members import Kind, Member, documented
from tests.samples import at

CONSUMER = "c0ffee00-1111-4222-8333-444455556666"
AGENT = "4000000001"
AGENT_NAME = "agent.one@example.test"
#: What an export needs to tell records apart and whole.
ESSENTIAL = {"sentBy": "Consumer", "participantType": "Consumer", "status": "CLOSE", "isPartial": False}
#: What the preset takes out whatever it is.
DROPPED = {
    *("firstName", "lastName", "consumerName", "email", "phone", "token", "avatarURL", "ipAddress", "name", "surname"),
    *("gender", "company", "customerAge", "userName", "accountName", "socialId", "imei", "userProfile", "preview"),
    *("address", "visitorId", "customerId"),
}


#: What all values look like; of cards, also without their spaces.
_SHAPES = re.compile(
    r"seed\d{5}@mail\.example|Seed\d{5} Meier-Müller|4000 ?\d{4} ?\d{4} ?\d{4}|DE\d{20}|\+49 170 \d{7}"
)


class Seeds:
    """Hands out personal values, each another, and remembers them."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def seen_in(self, *texts: str) -> set[str]:
        """The values that stand in texts, and the consumer's id."""
        known = {*self.values, *(value.replace(" ", "") for value in self.values)}
        seen = {each for text in texts for each in _SHAPES.findall(text)} & known
        return seen | {CONSUMER for text in texts if CONSUMER in text}

    def _keep(self, value: str) -> str:
        self.values.append(value)
        return value

    def email(self) -> str:
        return self._keep(f"seed{len(self.values):05}@mail.example")

    def name(self) -> str:
        return self._keep(f"Seed{len(self.values):05} Meier-Müller")

    def card(self) -> str:
        digits = f"4000{len(self.values):011}"
        total = sum(int(each) for each in digits[-2::-2]) + sum(
            2 * int(each) - 9 * (int(each) > 4) for each in digits[::-2]
        )
        whole = f"{digits}{-total % 10}"
        return self._keep(" ".join(whole[place : place + 4] for place in range(0, 16, 4)))

    def iban(self) -> str:
        account = f"{len(self.values):018}"
        return self._keep(f"DE{98 - int(account + '131400') % 97:02}{account}")

    def phone(self) -> str:
        return self._keep(f"+49 170 {len(self.values):07}")

    def text(self) -> str:
        """A text with one value of each pattern."""
        return f"Mail {self.email()}, pay {self.card()} or {self.iban()}, or call {self.phone()}. Order 4711."

    def unknown(self) -> dict[str, Any]:
        """Members that LivePerson does not document."""
        inner = {"a": [self.email(), {"b": self.text()}], "n": 4711, self.email(): 1, "ids": ["8589934601", CONSUMER]}
        return {
            "newMember": self.text(),
            "newObject": inner,
            "newJson": json.dumps({"deep": json.dumps(["x", self.email()]), "card": int(self.card().replace(" ", ""))}),
            "newEscapes": json.dumps(self.phone()).replace("+", "\\u002b"),
        }


def record(seeds: Seeds, conversation_id: str, start_ms: int = at(10)) -> dict[str, Any]:
    """A record with every documented member, and unknown ones in each of its objects."""
    made: dict[str, Any] = _made(documented(), seeds)
    made["info"] |= {"conversationId": conversation_id, "startTimeL": start_ms, "latestAgentId": AGENT}
    made["messageRecords"].append(
        {"sentBy": "Agent", "participantId": AGENT, "messageData": {"msg": {"text": seeds.text()}}}
    )
    made["messageRecords"].append(
        {"sentBy": "Consumer", "participantId": CONSUMER, "messageData": {"msg": {"text": f"I am {CONSUMER}"}}}
    )
    made["messageStatuses"] = [
        {"participantId": CONSUMER, "participantType": "Consumer"},
        {"participantType": "Agent", "participantId": AGENT},
        {"participantId": CONSUMER},
    ]
    return made


def _made(member: Member, seeds: Seeds) -> Any:
    name = member.path.removesuffix(".*").rpartition(".")[2]
    if member.kind is not None:
        value = _value(name, member, seeds)
        return [value, value] if member.path.endswith(".*") else value
    members = {each.path.removesuffix(".*").rpartition(".")[2]: _made(each, seeds) for each in member.members.values()}
    made = {**members, **seeds.unknown()}
    return [made] if member.path.endswith(".*") else made


def _value(name: str, member: Member, seeds: Seeds) -> Any:
    if name in ESSENTIAL:
        return ESSENTIAL[name]
    if name in DROPPED and (name != "name" or ".personalInfo." in member.path):
        return seeds.name()
    if member.kind is Kind.WHO:
        return CONSUMER
    if member.kind is Kind.AGENT:
        return AGENT_NAME
    if name.endswith("L"):
        return at(10)
    if name in ("content", "rawMetadata"):
        return json.dumps({"type": "vertical", "elements": [{"text": seeds.text()}, {"tooltip": seeds.email()}]})
    return seeds.text() if member.kind is Kind.TEXT else seeds.email()
