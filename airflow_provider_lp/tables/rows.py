"""Rows found in records: which objects make a row of which table, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

#: A way to a member, from a row's object.
Path = tuple[str, ...]


@dataclass(slots=True)
class Rows:
    """
    The rows of one table in some records.

    :param objects: the object that each row is made of.
    :param records: the number of the record that each is from.
    :param labels: where in a record each is from, for people.
    :param made: columns that are made here: a value for each row.
    :param left: what belongs to a row and no column takes: row, path and value, and the name it is counted by.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    made: dict[str, list[Any]] = field(default_factory=dict)
    left: list[tuple[int, Path, Any, str]] = field(default_factory=list)

    def add(self, record: int, label: str, item: dict[str, Any], **made: Any) -> int:
        """Add a row; gives its number."""
        self.objects.append(item)
        self.records.append(record)
        self.labels.append(label)
        for name, value in made.items():
            self.made.setdefault(name, []).append(value)
        return len(self.objects) - 1

    def extend(self, label: str, lists: list[Sequence[dict[str, Any]]], made: dict[str, Any]) -> None:
        """
        Add the rows of many records.

        :param lists: the objects of each record, of the first one on.
        """
        lengths = list(map(len, lists))
        total = sum(lengths)
        self.objects += chain.from_iterable(lists)
        self.records += chain.from_iterable(map(repeat, range(len(lists)), lengths))
        self.labels += [label] * total
        self.made.setdefault("position", []).extend(chain.from_iterable(map(range, lengths)))
        for name, value in made.items():
            self.made.setdefault(name, []).extend([value] * total)

    def leave(self, row: int, path: Path, value: Any, *, member: str | None = None) -> None:
        """
        Keep what no column takes.

        :param member: the name it is counted by, default the one that its path says; "" if it is not to be counted.
        """
        self.left.append((row, path, value, self.member(row, path) if member is None else member))

    def member(self, row: int, path: Path) -> str:
        """A member by its whole name, such as ``messageRecords.integrationSource``."""
        return ".".join([*filter(None, [self.labels[row]]), *path])


@dataclass(slots=True)
class Found:
    """
    All rows of some records.

    :param tables: the rows of each table.
    :param account_ids: the account of each record.
    :param conversation_ids: the conversation of each record.
    :param duplicates: how many exact repetitions of an event were left out.
    """

    tables: dict[str, Rows]
    account_ids: list[str | None] = field(default_factory=list)
    conversation_ids: list[str | None] = field(default_factory=list)
    duplicates: int = 0


def listed(value: Any, name: str) -> tuple[list[tuple[int, dict[str, Any]]], Any]:
    """
    The objects in a member that holds a list: their places and themselves.

    None at all where there is no list, and a single object where it stands for itself. A list that is wrapped in an
    object under its own name is unwrapped.

    :param name: the member's name.
    :return: the objects; and what else was there, or ``None``.
    """
    if isinstance(value, dict) and list(value) == [name]:
        value = value[name]
    if value is None or value == {} or value == []:
        return [], None
    if isinstance(value, dict):
        return [(0, value)], None
    if not isinstance(value, list):
        return [], value
    objects = [(position, item) for position, item in enumerate(value) if isinstance(item, dict)]
    others = [item for item in value if not isinstance(item, dict) and item is not None]
    return objects, others or None
