"""Rows that are not decoded, and texts that get a quick look, become what a thorough walk makes of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_lp.export.redaction.redactor import Redactor
from airflow_provider_lp.export.redaction.rules import Rules

from .seeds import AGENT, CONSUMER

SEEDS_PER_RULES = 100
TEXTS = (
    *("hi", "", " ", "é", "🙏", "a@x.org", "a%40x.org", "+49 170 1234567", "4111 1111 1111 1111", "4111111111111111"),
    *(
        "01701234567",
        "AT&T",
        "50%",
        "C:\\x",
        "[1, 2]",
        '{"a":"b@x.org"}',
        '{"firstName":"Anna"}',
        '{"a":1,"a":"b@x.org"}',
    ),
    *(CONSUMER, f"I am {CONSUMER}", "undefined", "2026-01-01 00:00:03.123+0000", "ms::dialog:1::msg:0", '"quoted"'),
    *("\u0664\u0661\u0661\u0661" * 4, "4111\u200b1111\u200b1111\u200b1111", "DE89 3704 0044 0532 0130 00"),
)
PLAIN: dict[str, Callable[[random.Random], Any]] = {
    "messageId": lambda _: "ms::dialog:1::msg:0",
    "seq": lambda chance: chance.randrange(10),
    "dialogId": lambda _: "e5c58e49-e4a5-40a8-8a18-d6580d1d5630",
    "time": lambda _: "2026-01-01 00:00:03.123+0000",
    "timeL": lambda _: 1767225603123,
    "participantId": lambda chance: chance.choice([CONSUMER, AGENT, "short", "undefined", "é-consumer"]),
    "sentBy": lambda chance: chance.choice(["Consumer", "Agent", "consumer", None]),
    "participantType": lambda chance: chance.choice(["Consumer", "Agent"]),
    "audience": lambda _: "ALL",
    "messageData": lambda chance: _data(chance),
}
NAMES = (*PLAIN, "ParticipantId", "new", "firstName", "email", "contextData", "device", "a@x.org", CONSUMER)
DATA = {
    "msg": ["text"],
    "richContent": ["content"],
    "quickReplies": ["content"],
    "file": ["relativePath", "caption", "fileType", "preview"],
    "secureForm": ["formId", "formName"],
    "other": ["text", "firstName"],
}
RULES = (
    "personal",
    {"preset": "personal", "key_conn_id": "key"},
    {"mask": ["email", "card"], "drop": ["messageRecords.*.messageData.file.caption", "messageStatuses.*.seq"]},
    {"pseudonymise": ["messageRecords.*.dialogId", "consumerId"], "key_conn_id": "key"},
)


class Members(list[tuple[str, Any]]):
    """The members of an object, of which some may have the same name."""


def _data(chance: random.Random) -> Members:
    kinds = ["msg"] if chance.random() < 0.7 else chance.choices([*DATA], k=chance.randrange(3))
    return Members(
        (kind, Members((name, _text(chance)) for name in DATA[kind] if chance.random() < 0.9)) for kind in kinds
    )


def _text(chance: random.Random) -> Any:
    if chance.random() < 0.03:
        return _odd(chance)
    return " ".join(chance.choices(TEXTS, k=chance.choice([1, 1, 2, 3])))


def _odd(chance: random.Random) -> Any:
    return chance.choice(
        [
            *(None, True, 5, 4111111111111111, 1.5, [], {}, "", [None, ["a@x.org", 4111111111111111]]),
            chance.choice(TEXTS),
            Members([(chance.choice(TEXTS), chance.choice(TEXTS)), ("text", chance.choice(TEXTS))]),
        ]
    )


def _row(chance: random.Random) -> Any:
    if chance.random() < 0.02:
        return _odd(chance)
    row = Members((name, make(chance)) for name, make in PLAIN.items() if chance.random() < 0.7)
    for _ in range(chance.choice([0, 0, 0, 0, 1, 2])):
        row.insert(chance.randrange(len(row) + 1), (chance.choice(NAMES), _odd(chance)))
    return row


def _part(chance: random.Random) -> Any:
    return _row(chance) if chance.random() < 0.05 else [_row(chance) for _ in range(chance.randrange(5))]


def _written(value: Any, chance: random.Random) -> str:
    """JSON, with a repeated name now and then, and some letters spelled as escapes."""
    match value:
        case Members():
            return "{" + ",".join(f"{_written(name, chance)}:{_written(each, chance)}" for name, each in value) + "}"
        case list():
            return "[" + ",".join(_written(each, chance) for each in value) + "]"
        case str() if value and chance.random() < 0.03:
            place = chance.randrange(len(value))
            if value[place].isascii():
                before, after = (json.dumps(part)[1:-1] for part in (value[:place], value[place + 1 :]))
                return f'"{before}\\u{ord(value[place]):04x}{after}"'
    return json.dumps(value, ensure_ascii=chance.random() < 0.3)


def _record(chance: random.Random) -> bytes:
    parts = [
        (part, _part(chance))
        for part in ("messageRecords", "messageStatuses", "messageScores", "consumerParticipants", "agentParticipants")
        if chance.random() < 0.8
    ]
    chance.shuffle(parts)
    return _written(Members([("info", Members([("conversationId", "c")])), *parts]), chance).encode()


@pytest.mark.parametrize("redact", RULES, ids=["dropped", "pseudonymised", "rules within", "ids within"])
def test_what_is_not_decoded_becomes_what_is_decoded_would(redact: Any) -> None:
    rules = Rules.checked(redact)
    quick, thorough = Redactor(rules, key="secret"), Redactor(rules, key="secret")
    assert quick.readers
    thorough.is_thorough = True
    for seed in range(SEEDS_PER_RULES):
        raw = _record(random.Random(seed))
        one, other = quick.redact(raw, "c"), thorough.redact(raw, "c")
        assert (_with_all_members(one.line), one.counts) == (_with_all_members(other.line), other.counts), seed


def _with_all_members(line: bytes) -> Any:
    """What a line holds; of members that have the same name, all."""
    return json.loads(line, object_pairs_hook=Members)
