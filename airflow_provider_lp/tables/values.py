"""Values of LivePerson's as those of a column: a column's values at a time, since most need no look one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from airflow_provider_lp.tables.schema.column import Column, Kind
from airflow_provider_lp.windows import to_ms

MAX_INT64 = (1 << 63) - 1
#: The first and the last moment that Python, and most databases, can show.
FIRST_MS = to_ms(datetime.min.replace(tzinfo=UTC))
LAST_MS = to_ms(datetime.max.replace(tzinfo=UTC, microsecond=0)) + 999
#: From here on, a float need not be the integer that was sent.
EXACT = 1 << 53
INTEGER = re.compile(r"[+-]?[0-9]+(?:\.0+)?")
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BOOLEANS = {"true": True, "false": False}
#: What a moment is where there is none.
NO_TIMES: frozenset[str | int] = frozenset({-1, "-1", "undefined", ""})
NO_IDS: frozenset[str | int] = frozenset({-1, "-1"})


class Misfit(Exception):  # noqa: N818 - never leaves this module
    """A value that a column cannot hold."""


class Converted(NamedTuple):
    """
    A column's values.

    :param values: as the column holds them.
    :param misfits: the rows whose value it cannot hold.
    """

    values: list[Any]
    misfits: Sequence[int] = ()


def convert(values: list[Any], column: Column) -> Converted:
    """Values as a column holds them; ``None`` where there is none, or where it does not fit."""
    rule = RULES[column.kind]
    none = rule.none.union(column.none)
    types = set(map(type, values))
    if types <= rule.plain and (rule.in_range is None or rule.in_range(values)):
        # To look for one word in a list is much faster than to look each value up among the words.
        is_met = any(type(word) in types and word in values for word in none)
        return Converted([None if value in none else value for value in values] if is_met else values)
    converted: list[Any] = []
    misfits: list[int] = []
    for row, value in enumerate(values):
        if value is None or (type(value) in (str, int, float) and value in none):
            converted.append(None)
            continue
        try:
            converted.append(rule.read(value))
        except Misfit:
            converted.append(None)
            misfits.append(row)
    return Converted(converted, misfits)


def as_json(value: Any) -> str:
    """A value as minified JSON."""
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            raise Misfit
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < EXACT else as_json(value)
    raise Misfit


def _int(value: Any) -> int:
    match value:
        case bool():
            raise Misfit
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if INTEGER.fullmatch(value.strip()):
            number = int(value.strip().partition(".")[0])
        case _:
            raise Misfit
    if not -MAX_INT64 - 1 <= number <= MAX_INT64:
        raise Misfit
    return number


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Misfit
    if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
        raise Misfit
    try:
        number = float(value)
    except OverflowError:
        raise Misfit from None
    # Of an integer that a double rounds, digits would be lost.
    if not math.isfinite(number) or (isinstance(value, int) and int(number) != value):
        raise Misfit
    return number


def _bool(value: Any) -> bool:
    match value:
        case bool():
            return value
        case int() | float() if value in (0, 1):
            return bool(value)
        case str() if value.strip().lower() in BOOLEANS:
            return BOOLEANS[value.strip().lower()]
    raise Misfit


def _time(value: Any) -> int:
    try:
        moment_ms = _int(value)
    except Misfit:
        moment_ms = _time_of_text(value)
    if not FIRST_MS <= moment_ms <= LAST_MS:
        raise Misfit
    return moment_ms


def _time_of_text(value: Any) -> int:
    if not isinstance(value, str):
        raise Misfit
    try:
        moment = datetime.fromisoformat(value.strip())
        # Everything of LivePerson's is in UTC, also where no zone is named.
        return to_ms(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Misfit from None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and set(map(type, value)) <= {str}:
        return value
    raise Misfit


def _json_text(value: Any) -> str:
    if not isinstance(value, str):
        return as_json(value)
    try:
        # Not only formatted: that would let some through that no reader takes.
        msgspec.json.decode(value)
        return msgspec.json.format(value, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        raise Misfit from None


def _within(first: int, last: int) -> Callable[[list[Any]], bool]:
    def are_within(values: list[Any]) -> bool:
        numbers = [value for value in values if value is not None] if None in values else values
        return not numbers or (min(numbers) >= first and max(numbers) <= last)

    return are_within


class _Rule(NamedTuple):
    """
    How a kind of column reads values.

    :param plain: types whose values are already as the column holds them.
    :param read: one value.
    :param none: what is no value.
    :param in_range: whether values of the plain types all fit; unless given, they do.
    """

    plain: frozenset[type]
    read: Callable[[Any], Any]
    none: frozenset[str | int] = frozenset()
    in_range: Callable[[list[Any]], bool] | None = None


_NONE: Final = type(None)
RULES: dict[Kind, _Rule] = {
    Kind.TEXT: _Rule(frozenset({str, _NONE}), _text),
    Kind.LOWER: _Rule(frozenset({_NONE}), lambda value: _text(value).lower()),
    Kind.ID: _Rule(frozenset({str, _NONE}), _text, NO_IDS),
    Kind.INT: _Rule(frozenset({int, _NONE}), _int, in_range=_within(-MAX_INT64 - 1, MAX_INT64)),
    Kind.DOUBLE: _Rule(frozenset({float, _NONE}), _double),
    Kind.BOOL: _Rule(frozenset({bool, _NONE}), _bool),
    Kind.TIME: _Rule(frozenset({int, _NONE}), _time, NO_TIMES, _within(FIRST_MS, LAST_MS)),
    Kind.TEXTS: _Rule(frozenset({_NONE}), _texts),
    Kind.JSON: _Rule(frozenset({_NONE}), as_json),
    Kind.JSON_TEXT: _Rule(frozenset({_NONE}), _json_text),
}
