"""Records that a database refuses as LivePerson sends them, and what must arrive there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.export.archive import record

CASE = Path(__file__).parent.parent / "cases" / "conv_nul_character.json"
REPLACED = "\N{REPLACEMENT CHARACTER}"
#: As sent, and as it must arrive: a NUL, a NUL in a name, half an emoji, numbers that JSON does not have.
VALUES = {
    "nul": (b'"a\\u0000b"', f"a{REPLACED}b"),
    "nul_in_a_name": (b'{"a\\u0000":["\\\\u0000"]}', {f"a{REPLACED}": ["\\u0000"]}),
    "half_an_emoji": (b'"\\ud83d"', REPLACED),
    "infinity": (b"[Infinity,-Infinity,NaN]", [None, None, None]),
}


def records(start: datetime) -> list[dict[str, Any] | bytes]:
    """What LivePerson sends, a second apart."""
    met = json.loads(CASE.read_bytes())["conversationHistoryRecords"]
    sent: list[dict[str, Any] | bytes] = []
    for each in met:
        each["info"]["startTimeL"] = _ms(start)
        sent.append(each)
    for number, (name, (value, _)) in enumerate(VALUES.items(), 1):
        plain = json.dumps(record(name, _ms(start + timedelta(seconds=number)), x=0)).encode()
        sent.append(plain.replace(b'"x": 0', b'"x":' + value))
    return sent


def flaws(returned: Any) -> list[str]:
    """What is wrong with what has arrived; nothing, if all did."""
    arrived = {each["info"]["conversationId"]: each for each in returned or []}
    expected = {name: value for name, (_, value) in VALUES.items()}
    found = [
        f"{name} arrived as {arrived.get(name, {}).get('x')!r} instead of {value!r}"
        for name, value in expected.items()
        if name not in arrived or arrived[name]["x"] != value
    ]
    met = [text for name, each in arrived.items() if name not in expected for text in _texts(each)]
    if not any(REPLACED in text for text in met):
        found.append(f"the text with a NUL of {CASE.name} did not arrive")
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
