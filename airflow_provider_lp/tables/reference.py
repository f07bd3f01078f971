"""The reference page of the tables, from their schema: ``python -m airflow_provider_lp.tables.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from airflow_provider_lp.tables.schema import ACCOUNT_ID, CONVERSATION_ID, EXTRA, SCHEMA_VERSION, TABLES, Column, Table
from airflow_provider_lp.tables.schema.column import Kind

HEAD = f"""\
# The tables

<!-- Made by: python -m airflow_provider_lp.tables.reference > docs/tables.md -->

What `LivePersonTablesOperator` makes of exported conversations; how to load them stands in [loading.md](loading.md).
This is version {SCHEMA_VERSION} of the schema. It does not depend on the data: a night without conversations has the
same columns. Within a version, columns are only appended, before `{EXTRA}`.

## All tables

* Each table begins with `{ACCOUNT_ID}` (`info.brandId`) and `{CONVERSATION_ID}` (`info.conversationId`), by which they
  can be joined. The columns named as *key* below tell the rows of one conversation apart.
* Each table ends with `{EXTRA}`: members that the schema does not know and values that do not fit their column, as a
  JSON object under LivePerson's own names; null if there are none. The task's summary counts them by member, as
  `unknown_fields`. Members of an object *around* the row's own stand under that object's name.
* Rows stand in the order of the source, then of LivePerson's lists. `position` is the place in LivePerson's list,
  from 0.
* The files are Parquet, compressed by Zstandard, in groups of at most 100,000 rows. Their metadata name the table
  (`liveperson.table`), the version of the schema (`liveperson.schema_version`) and the sha256 of what they were made
  of (`liveperson.source_sha256`, by commas; from pyarrow 17 on).

| what LivePerson sends | what the column holds |
| --- | --- |
| times | UTC, from the epoch milliseconds (`...L`), or the text where those are absent; -1, `undefined`, "" are null |
| ids | text, also where LivePerson sends a number; -1 is null |
| a word for no value, such as `undefined` | null where *none* below says so; else the text: a customer may write it |
| booleans | `true`, `false`, also as text, or 1 and 0 |
| numbers | also from text; 5.0 is 5 |
| text | a number is taken as its digits |
| json | JSON text, minified |
| an older spelling (*also* below) | the same as the newer one |
| no list, null or `{{}}` where a list is documented | no rows; a single object is one row |

Left out on purpose: the text of times whose milliseconds are there, and `preview`, the base64 picture of a file.

*Personal data* says whose: of the consumer, of an agent, or free text, which may hold anything; *indirectly* is what
does not name the consumer, but may single one out. What `{EXTRA}` holds may be personal as well. Exports with
`redact="personal"` leave nothing in the columns that are of the consumer, or pseudonyms where a key is given.
"""


def as_markdown() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for table in TABLES.values() for line in _section(table))]) + "\n"


def _section(table: Table) -> Iterator[str]:
    yield f"## `{table.name}`"
    yield ""
    key = ", ".join(f"`{name}`" for name in table.key)
    yield f"One row for {table.grain}." + (f" Key: {key}." if key else "")
    if source := _source(table):
        yield f"From {source}."
    yield ""
    yield "| column | type | LivePerson's member | meaning | personal data |"
    yield "| --- | --- | --- | --- | --- |"
    for column in table.columns:
        yield f"| `{column.name}` | {_type(column)} | {_member(column)} | {_meaning(column)} | {column.personal} |"
    yield ""


def _source(table: Table) -> str:
    if table.within:
        return ", ".join(f"`{path.removesuffix('.*')}`" for path in table.within)
    parts = []
    for container in table.containers:
        part = f"`{container.names[0]}" + (f".{container.inner}`" if container.inner else "`")
        others = ", ".join(f"`{name}`" for name in container.names[1:])
        parts.append(part + (f" (also {others})" if others else ""))
    return ", ".join(parts)


def _type(column: Column) -> str:
    return "json" if column.kind is Kind.JSON_TEXT else column.kind.partition(" (")[0]


def _member(column: Column) -> str:
    if not column.member:
        return "made here"
    also = ", ".join(f"`{member}`" for member in column.also)
    return f"`{column.shown or column.member}`" + (f" (also {also})" if also else "")


def _meaning(column: Column) -> str:
    none = ", ".join(f"`{word}`" for word in column.none)
    return column.meaning + (f"{'; ' if column.meaning else ''}none: {none}" if none else "")


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
