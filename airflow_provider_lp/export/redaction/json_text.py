"""JSON as records have it: decoded, and written again without changing what is not touched."""

from __future__ import annotations

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
