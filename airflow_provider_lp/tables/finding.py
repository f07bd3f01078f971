"""From records to the rows of every table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from airflow_provider_lp.tables import shapes
from airflow_provider_lp.tables.rows import Found, Path, Rows, listed
from airflow_provider_lp.tables.schema import TABLES, Table
from airflow_provider_lp.tables.schema.column import Column, Container, Kind
from airflow_provider_lp.tables.values import as_list, convert

#: Where rows come from, in the order of the tables.
SOURCES: list[tuple[Table, Container]] = [(table, each) for table in TABLES.values() for each in table.containers]
BRAND_ID = Column("account_id", Kind.ID, "brandId")
ID = Column("conversation_id", Kind.ID, "conversationId")


def find(records: Sequence[dict[str, Any]]) -> Found:
    """
    The rows that records have in each table, in the order of the records and of LivePerson's lists.

    :param records: conversations.
    """
    conversations = Rows(list(records), list(range(len(records))), [""] * len(records))
    found = Found({name: Rows() for name in TABLES} | {"conversations": conversations})
    for table, container in SOURCES:
        rows = found.tables[table.name]
        if not _add_documented(rows, records, table, container):
            for number, record in enumerate(records):
                found.duplicates += _add(rows, number, record, table, container, conversations)
    found.tables["survey_answers"] = shapes.survey_answers(found.tables["surveys"])
    found.tables["agent_survey_answers"] = shapes.agent_survey_answers(found.tables["agent_surveys"])
    conversations.made = _counts(found)
    found.account_ids = _ids(conversations, BRAND_ID)
    found.conversation_ids = _ids(conversations, ID)
    return found


def _ids(conversations: Rows, column: Column) -> list[str | None]:
    """An id of each record, from its ``info``."""
    infos = [record.get("info") for record in conversations.objects]
    raw = [info.get(column.member) if isinstance(info, dict) else None for info in infos]
    values, misfits = convert(raw, column)
    for number in misfits:
        conversations.leave(number, ("info", column.member), raw[number])
    return as_list(values)


def _add_documented(rows: Rows, records: Sequence[dict[str, Any]], table: Table, container: Container) -> bool:
    """Add the rows of all records at once, if each holds a list of objects as it is documented, or nothing."""
    first, *others = container.names
    if others and any(name in record for record in records for name in others):
        return False
    values = [record.get(first) for record in records]
    label = first
    if not set(map(type, values)) <= {type(None)}:
        if table.name in shapes.SHAPES:
            return False
        if container.inner:
            if any(
                value is not None and (type(value) is not dict or list(value) != [container.inner]) for value in values
            ):
                return False
            values = [value and value[container.inner] for value in values]
            label = f"{first}.{container.inner}"
        if not set(map(type, values)) <= {list, type(None)}:
            return False
        if not set(map(type, chain.from_iterable(value or () for value in values))) <= {dict}:
            return False
        rows.extend(label, [value or () for value in values], container.made)
    return True


def _add(
    rows: Rows, number: int, record: dict[str, Any], table: Table, container: Container, conversations: Rows
) -> int:
    names = [name for name in container.names if record.get(name) is not None]
    if not names:
        return 0
    name, *others = names
    for other in others:
        conversations.leave(number, (other,), record[other])
    value: Any = record[name]
    path: Path = (name,)
    if container.inner and isinstance(value, dict):
        for member in [member for member in value if member != container.inner]:
            conversations.leave(number, (name, member), value[member])
        value, path = value.get(container.inner), (name, container.inner)
    label = ".".join(path)
    items, odd = listed(value, path[-1])
    if odd is not None:
        conversations.leave(number, path, odd)
    if shape := shapes.SHAPES.get(table.name):
        return shape(rows, number, label, items, container.made)
    for position, item in items:
        rows.add(number, label, item, position=position, **container.made)
    return 0


def _counts(found: Found) -> dict[str, list[int]]:
    """How many messages and transfers each conversation has."""
    messages, transfers = found.tables["messages"], found.tables["transfers"]
    total, moved = Counter(messages.records), Counter(transfers.records)
    by_sender: Counter[tuple[int, str]] = Counter()
    for (number, sender), count in _counted(messages).items():
        by_sender[number, str(sender).lower()] += count
    numbers = found.tables["conversations"].records
    return {
        "messages": [total[number] for number in numbers],
        "agent_messages": [by_sender[number, "agent"] for number in numbers],
        "consumer_messages": [by_sender[number, "consumer"] for number in numbers],
        "transfers": [moved[number] for number in numbers],
    }


def _counted(messages: Rows) -> Counter[tuple[int, Any]]:
    """How many messages of a record have which sender."""
    senders = [message.get("sentBy") for message in messages.objects]
    try:
        return Counter(zip(messages.records, senders, strict=True))
    except TypeError:  # a list or an object
        return Counter(zip(messages.records, map(str, senders), strict=True))
