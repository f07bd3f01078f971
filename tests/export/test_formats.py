from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.formats import ROWS_PER_CHUNK, check_suffix, encoded

COLUMNS = ("name", "count", "share", "is_derived")
rows_of_a_table = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
            "count": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            "share": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            "is_derived": st.booleans(),
        }
    ),
    max_size=20,
)


def table(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    rows = list(reader)
    return list(reader.fieldnames or ()), rows


def written(rows: list[dict[str, Any]], format: str = "csv", columns: Any = COLUMNS) -> bytes:
    return b"".join(encoded(rows, columns, format))


# CSV.


@given(rows_of_a_table)
def test_a_csv_gives_the_rows_back(rows: list[dict[str, Any]]) -> None:
    header, found = table(written(rows))
    assert header == list(COLUMNS)
    assert [
        {
            "name": row["name"] or None,
            "count": int(row["count"]) if row["count"] else None,
            "share": float(row["share"]) if row["share"] else None,
            "is_derived": json.loads(row["is_derived"]),
        }
        for row in found
    ] == rows


def test_a_csv_has_its_header_without_rows_too() -> None:
    assert written([]).split() == [b"name,count,share,is_derived"]


def test_what_has_no_data_is_empty_and_booleans_are_jsons() -> None:
    content = written([{"name": None, "count": 0, "share": 0.0, "is_derived": False}])
    assert content.split() == [b"name,count,share,is_derived", b",0,0.0,false"]


def test_columns_that_are_not_expected_follow_in_order() -> None:
    content = written([{"name": "a", "zeta": 1}, {"name": "b", "alpha": 2}])
    assert content.split() == [b"name,count,share,is_derived,alpha,zeta", b"a,,,,,1", b"b,,,,2,"]


def test_text_may_hold_what_separates() -> None:
    names = ['a,"b"', "two\nlines", "three\r\nlines", "ünïcode", " space "]
    _, found = table(written([{"name": name} for name in names]))
    assert [row["name"] for row in found] == names


# Newline-delimited JSON.


@given(rows_of_a_table)
def test_a_line_of_json_is_a_row(rows: list[dict[str, Any]]) -> None:
    content = written(rows, "ndjson")
    assert not content or content.endswith(b"\n")
    assert [json.loads(line) for line in content.split(b"\n")[:-1]] == rows


def test_without_rows_there_are_no_lines() -> None:
    assert written([], "ndjson") == b""


# Any number of rows.


@pytest.mark.parametrize("number", [1, ROWS_PER_CHUNK - 1, ROWS_PER_CHUNK, ROWS_PER_CHUNK + 1, 3 * ROWS_PER_CHUNK])
def test_chunks_are_one_table(number: int) -> None:
    rows = [{"name": f"n{each}", "count": each, "share": each / 7, "is_derived": True} for each in range(number)]
    header, found = table(written(rows))
    assert header == list(COLUMNS)
    assert [int(row["count"]) for row in found] == list(range(number))
    assert [json.loads(line) for line in written(rows, "ndjson").splitlines()] == rows
    assert len(list(encoded(rows, COLUMNS, "ndjson"))) == -(-number // ROWS_PER_CHUNK)


# A format and a path that contradict each other.


@pytest.mark.parametrize(
    ("format", "path"),
    [
        ("ndjson", ""),
        ("csv", ""),
        ("ndjson", "/x"),
        ("csv", "/x"),
        ("ndjson", "s3://b/x.ndjson"),
        ("ndjson", "s3://b/x.jsonl.gz"),
        ("csv", "/x.csv"),
        ("csv", "/x.csv.gz"),
        ("csv", "/x.csv.zst"),
        ("csv", "/x.gz"),
        ("csv", "/folder.ndjson/x.csv"),
        ("ndjson", "/folder.csv/x"),
        ("ndjson", "/x.csv.ndjson"),
        ("ndjson", "/acsv"),
    ],
)
def test_a_format_that_the_path_does_not_contradict(format: str, path: str) -> None:
    check_suffix(format, path)


@pytest.mark.parametrize(
    ("format", "path", "remedy"),
    [
        ("ndjson", "/x.csv", "format='csv'"),
        ("ndjson", "s3://b/x.csv.gz", "format='csv'"),
        ("csv", "/x.ndjson", "format='ndjson'"),
        ("csv", "/x.jsonl.zst", "format='ndjson'"),
        ("csv", "/x.2026.ndjson.gz", "format='ndjson'"),
    ],
)
def test_a_format_that_the_path_contradicts_is_refused(format: str, path: str, remedy: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=remedy):
        check_suffix(format, path)
