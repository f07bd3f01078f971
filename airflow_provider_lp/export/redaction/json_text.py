"""JSON as records have it: decoded, and written again without changing what is not touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

#: More digits have no numbers that mean something to people.
MOST_DIGITS = 40


def _exactly(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


#: Fractions stay as they are written.
decode: Callable[[Any], Any] = msgspec.json.Decoder(float_hook=_exactly).decode
encode = msgspec.json.Encoder().encode
#: The parts of a record, undecoded.
split_parts: Callable[[Any], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def repeats_names(text: str) -> bool:
    """Whether an object in JSON has several members of one name, of which readers show the last."""
    repeated = False

    def see(members: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len(dict(members)) < len(members)

    json.loads(text, object_pairs_hook=see)
    return repeated


def as_whole_number(value: int | msgspec.Raw) -> str | None:
    """The digits of a number, however it is written; ``None`` if it has a fraction, or too many digits to write."""
    if isinstance(value, int):
        return str(value)
    number = Decimal(bytes(value).decode())
    is_whole = abs(number.adjusted()) <= MOST_DIGITS and number == number.to_integral_value()
    return str(int(number)) if is_whole else None
