"""What tells the codes and times that LivePerson makes from what people write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from airflow_provider_lp.export.redaction.json_text import encode

#: What is in no id, word or number of LivePerson's own; of moments, it is in those that LivePerson writes as texts.
_IN_NO_CODE = "@%&(\\"
_IN_MOMENTS = " +"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+[0-9]{4}")

# Many values are looked at as one piece of JSON, and moments by their shape, in which all digits are alike.
_SHAPE = bytes(ord("1") if 48 <= each < 58 else each for each in range(256))
_MOMENT_SHAPE = b'"1111-11-11 11:11:11.111+1111"'
#: How long moments are as JSON.
MOMENT_BYTES = len(_MOMENT_SHAPE)


def is_made_up(value: str) -> bool:
    """Whether a text is a code or a moment as LivePerson makes them, and none that people have written."""
    if not value.isascii() or not value.isprintable() or any(sign in value for sign in _IN_NO_CODE):
        return False
    return not any(sign in value for sign in _IN_MOMENTS) or _MOMENT.fullmatch(value) is not None


def are_codes(values: bytes) -> bool:
    """Whether all of many values, as JSON, are codes and numbers."""
    return _hold_no_signs(values) and b" " not in values and b"+" not in values


def are_moments(values: Sequence[object]) -> bool:
    """Whether all values are moments as LivePerson writes them."""
    return encode(values).translate(_SHAPE) == _shape_of_moments(len(values))


@lru_cache(1000)
def _shape_of_moments(number: int) -> bytes:
    return encode([msgspec.Raw(_MOMENT_SHAPE)] * number)


def are_made_up(values: bytes) -> bool:
    """Whether all of many values, as JSON, are codes, moments and numbers."""
    if not _hold_no_signs(values):
        return False
    moments = values.translate(_SHAPE).count(_MOMENT_SHAPE)
    return values.count(b" ") == moments == values.count(b"+")


def _hold_no_signs(values: bytes) -> bool:
    return values.isascii() and not (
        b"@" in values or b"%" in values or b"&" in values or b"(" in values or b"\\" in values
    )


def holds_objects(values: bytes) -> bool:
    """Whether a list, as JSON, holds objects or lists, or something that may look like one."""
    return b"{" in values or values.rfind(b"[") > 0
