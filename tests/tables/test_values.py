"""Which values a column holds, which are none, and which do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_lp.tables.schema.column import Column, Kind
from airflow_provider_lp.tables.values import as_list, convert

MISFIT = object()


def held(kind: Kind, value: Any, none: tuple[str, ...] = ()) -> Any:
    """What a column holds of a value: among others that need no look, and among others that do."""
    column = Column("x", kind, "x", none=none)
    results = []
    for others in ([], [None], [{}]):
        values, misfits = convert([value, *others], column)
        results.append(MISFIT if 0 in misfits else as_list(values)[0])
    assert results[0] == results[1] == results[2]
    return results[0]


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (Kind.TEXT, "null", "null"),
        (Kind.TEXT, "", ""),
        (Kind.TEXT, 5, "5"),
        (Kind.TEXT, 4.5, "4.5"),
        (Kind.TEXT, True, MISFIT),
        (Kind.TEXT, ["a"], MISFIT),
        (Kind.TEXT, -1, "-1"),
        (Kind.LOWER, "Agent", "agent"),
        (Kind.ID, 12345678901234567890123, "12345678901234567890123"),
        (Kind.ID, 5.0, "5"),
        (Kind.ID, -1, None),
        (Kind.ID, "-1", None),
        (Kind.ID, "undefined", "undefined"),
        (Kind.ID, {"a": 1}, MISFIT),
        (Kind.INT, 5.0, 5),
        (Kind.INT, "5", 5),
        (Kind.INT, " -5.0 ", -5),
        (Kind.INT, 5.5, MISFIT),
        (Kind.INT, "five", MISFIT),
        (Kind.INT, True, MISFIT),
        (Kind.INT, -1, -1),
        (Kind.INT, (1 << 63) - 1, (1 << 63) - 1),
        (Kind.INT, 1 << 63, MISFIT),
        (Kind.INT, -(1 << 63) - 1, MISFIT),
        (Kind.DOUBLE, 5, 5.0),
        (Kind.DOUBLE, "4.5", 4.5),
        (Kind.DOUBLE, (1 << 53) + 1, MISFIT),
        (Kind.DOUBLE, "1_0", MISFIT),
        (Kind.DOUBLE, "NaN", MISFIT),
        (Kind.DOUBLE, "1e999", MISFIT),
        (Kind.BOOL, "true", True),
        (Kind.BOOL, "False", False),
        (Kind.BOOL, 1, True),
        (Kind.BOOL, 0.0, False),
        (Kind.BOOL, 2, MISFIT),
        (Kind.BOOL, "yes", MISFIT),
        (Kind.TIME, 1769860800000, 1769860800000),
        (Kind.TIME, "1769860800000", 1769860800000),
        (Kind.TIME, "2026-01-31 12:00:00.000+0000", 1769860800000),
        (Kind.TIME, "2026-01-31T13:00:00.001+01:00", 1769860800001),
        (Kind.TIME, "2026-01-31T12:00:00", 1769860800000),
        (Kind.TIME, "2026-01-31T12:00:00.000001", MISFIT),
        (Kind.TIME, -1, None),
        (Kind.TIME, "undefined", None),
        (Kind.TIME, "", None),
        (Kind.TIME, "soon", MISFIT),
        (Kind.TIME, 1 << 60, MISFIT),
        (Kind.TIME, "9999-12-31T23:59:59-12:00", MISFIT),
        (Kind.TEXTS, ["a", "b"], ["a", "b"]),
        (Kind.TEXTS, [], []),
        (Kind.TEXTS, "a", ["a"]),
        (Kind.TEXTS, ["a", 5], MISFIT),
        (Kind.JSON, {"a": [1, None]}, '{"a":[1,null]}'),
        (Kind.JSON, "a", '"a"'),
        (Kind.JSON_TEXT, '{ "a": "\\u00e9" }', '{"a":"\\u00e9"}'),
        (Kind.JSON_TEXT, {"a": 1}, '{"a":1}'),
        (Kind.JSON_TEXT, "no json", MISFIT),
        (Kind.JSON_TEXT, '"\\ud83d"', MISFIT),
    ],
)
def test_a_value_is_held_or_does_not_fit(kind: Kind, value: Any, wanted: Any) -> None:
    result = held(kind, value)
    assert result == wanted
    assert type(result) is type(wanted)


@pytest.mark.parametrize("kind", Kind)
def test_null_is_null(kind: Kind) -> None:
    assert held(kind, None) is None


def test_a_word_is_none_only_where_it_is_said_to_be() -> None:
    assert held(Kind.TEXT, "0", none=("0", "undefined")) is None
    assert held(Kind.TEXT, 0, none=("0", "undefined")) is None
    assert held(Kind.TEXT, "undefined", none=("0", "undefined")) is None
    assert held(Kind.TEXT, "NA", none=("0", "undefined")) == "NA"
    assert held(Kind.ID, "null", none=("null",)) is None
