"""Values of LivePerson's as those of a column: a column's values at a time, since most need no look one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec

from airflow_provider_lp.tables.arrow import arrow, arrow_type
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

    :param values: as the column holds them: a ``pyarrow.Array``.
    :param misfits: the rows whose value it cannot hold.
    """

    values: Any
    misfits: Sequence[int] = ()


def convert(values: Sequence[Any], column: Column) -> Converted:
    """Values as a column holds them; null where there is none, or where it does not fit."""
    if (plain := _plain(values, column)) is not None:
        return Converted(plain)
    rule = RULES[column.kind]
    none = rule.none.union(column.none)
    converted: list[Any] = []
    misfits: list[int] = []
    for row, value in enumerate(values):
        if value is None or (type(value) in (str, int, float) and value in none):
            converted.append(None)
            continue
        try:
            held = rule.read(value)
        except Misfit:
            converted.append(None)
            misfits.append(row)
            continue
        # A word may have come as a number: 0 for the phone "0".
        converted.append(None if isinstance(held, str) and held in column.none else held)
    return Converted(arrow().array(converted, arrow_type(column.kind)), misfits)


def _plain(values: Sequence[Any], column: Column) -> Any:
    """
    Values that are all of the type that LivePerson documents, by ways of pyarrow's alone; ``None`` if some are not.

    A step of Python for each value would take most of the time that there is.
    """
    pa = arrow()
    wanted = PLAIN.get(column.kind)
    if wanted is None:
        return None
    try:
        # Texts and booleans are taken as nothing else; but told the type, an integer would be made of any number.
        array = pa.array(values, pa.string() if wanted == "string" else None)
    except (pa.ArrowException, OverflowError, ValueError):
        return None
    if array.null_count == len(array):
        return pa.nulls(len(array), arrow_type(column.kind))
    if str(array.type) != wanted:
        return None
    for word in _words(column):
        if word in values:
            array = pa.compute.if_else(pa.compute.equal(array, word), pa.scalar(None, array.type), array)
    if column.kind is Kind.LOWER:
        return pa.compute.utf8_lower(array)
    if column.kind is Kind.TIME:
        bounds = pa.compute.min_max(array).as_py()
        if bounds["min"] is not None and not (bounds["min"] >= FIRST_MS and bounds["max"] <= LAST_MS):
            return None
        return array.view(arrow_type(Kind.TIME))
    return array


@cache
def _words(column: Column) -> list[str | int]:
    """What is no value in a column, of the type that its values have."""
    kind = str if PLAIN[column.kind] == "string" else int
    return [word for word in RULES[column.kind].none.union(column.none) if isinstance(word, kind)]


def as_list(values: Any) -> list[Any]:
    """A column's values for Python; moments as milliseconds."""
    pa = arrow()
    plain: list[Any] = (values.view(pa.int64()) if pa.types.is_timestamp(values.type) else values).to_pylist()
    return plain


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
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Misfit from None
    if moment.microsecond % 1000:
        raise Misfit
    return to_ms(moment)


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


class _Rule(NamedTuple):
    """
    How a kind of column reads a value.

    :param read: one value.
    :param none: what is no value.
    """

    read: Callable[[Any], Any]
    none: frozenset[str | int] = frozenset()


RULES: dict[Kind, _Rule] = {
    Kind.TEXT: _Rule(_text),
    Kind.LOWER: _Rule(lambda value: _text(value).lower()),
    Kind.ID: _Rule(_text, NO_IDS),
    Kind.INT: _Rule(_int),
    Kind.DOUBLE: _Rule(_double),
    Kind.BOOL: _Rule(_bool),
    Kind.TIME: _Rule(_time, NO_TIMES),
    Kind.TEXTS: _Rule(_texts),
    Kind.JSON: _Rule(as_json),
    Kind.JSON_TEXT: _Rule(_json_text),
}
#: The type that pyarrow gives to values as LivePerson documents them.
PLAIN: dict[Kind, str] = {
    Kind.TEXT: "string",
    Kind.LOWER: "string",
    Kind.ID: "string",
    Kind.INT: "int64",
    Kind.DOUBLE: "double",
    Kind.BOOL: "bool",
    Kind.TIME: "int64",
}
