"""From records to the rows of every table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from airflow_provider_lp.tables import shapes
from airflow_provider_lp.tables.rows import Found, Path, Rows, listed
from airflow_provider_lp.tables.schema import TABLES, Table
from airflow_provider_lp.tables.schema.column import Column, Container, Kind
from airflow_provider_lp.tables.values import convert

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
        first, *others = container.names
        for number, record in enumerate(records):
            if record.get(first) is not None or (others and any(name in record for name in others)):
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
    return values


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
    shape = shapes.SHAPES.get(table.name)
    if shape is None and type(value) is list and set(map(type, value)) == {dict} and not _is_odd(table, value):
        rows.extend(number, label, value, container.made)
        return 0
    items, odd = listed(value, path[-1])
    if odd is not None:
        conversations.leave(number, path, odd)
    if shape is not None:
        return shape(rows, number, label, items, container.made)
    for position, item in shapes.named_data(items) if table.name == "messages" else items:
        rows.add(number, label, item, position=position, **container.made)
    return 0


def _is_odd(table: Table, messages: list[dict[str, Any]]) -> bool:
    """Whether messages hold data under names that are not documented."""
    if table.name != "messages":
        return False
    data = [message.get("messageData") for message in messages]
    return not shapes.DATA_MEMBERS.issuperset(set().union(*(each for each in data if isinstance(each, dict))))


def _counts(found: Found) -> dict[str, list[int]]:
    """How many messages and transfers each conversation has."""
    messages, transfers = found.tables["messages"], found.tables["transfers"]
    total, moved = Counter(messages.records), Counter(transfers.records)
    senders = [str(message.get("sentBy")).lower() for message in messages.objects]
    by_sender = Counter(zip(messages.records, senders, strict=True))
    numbers = found.tables["conversations"].records
    return {
        "messages": [total[number] for number in numbers],
        "agent_messages": [by_sender[number, "agent"] for number in numbers],
        "consumer_messages": [by_sender[number, "consumer"] for number in numbers],
        "transfers": [moved[number] for number in numbers],
    }
