"""What tells the codes and times that LivePerson makes from what people write."""

from __future__ import annotations

from airflow_provider_lp.export.redaction.members import Kind

#: What is in no id, word or number of LivePerson's own.
_IN_NO_CODE = "@+% "
#: What is in no moment.
_IN_NO_TIME = "@%"
_SIGNS = {Kind.CODE: _IN_NO_CODE, Kind.WHO: _IN_NO_CODE, Kind.TIME: _IN_NO_TIME}


def is_made_up(value: str, kind: Kind) -> bool:
    """Whether a text is one that LivePerson makes of this kind, and none that people have written."""
    return value.isascii() and not any(sign in value for sign in _SIGNS[kind])


def are_codes(values: bytes) -> bool:
    """Whether all of many values are codes, as JSON."""
    return are_times(values) and b" " not in values and b"+" not in values


def are_times(values: bytes) -> bool:
    """Whether all of many values are times, as JSON."""
    return b"@" not in values and b"%" not in values and values.isascii()


def holds_objects(values: bytes) -> bool:
    """Whether a list, as JSON, holds objects or lists, or something that may look like one."""
    return b"{" in values or b"[" in values[1:]
