"""JSON as records have it: decoded, and written again without changing what is not touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec


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
