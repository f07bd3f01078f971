"""What a schema consists of: kinds of values, columns, the members that hold rows, and tables of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds; the value is the type as people read it."""

    #: A text; a number is taken as its digits.
    TEXT = "string"
    #: A text in lower case.
    LOWER = "string (lower case)"
    #: An id: text, also where LivePerson sends a number; -1 is none.
    ID = "string (id)"
    INT = "int64"
    DOUBLE = "double"
    BOOL = "bool"
    #: A moment, from epoch milliseconds or a text.
    TIME = "timestamp[ms, UTC]"
    TEXTS = "list<string>"
    #: Anything, as JSON text.
    JSON = "json"
    #: A text that is JSON already.
    JSON_TEXT = "json (sent as text)"


class Personal(StrEnum):
    """Whether a column holds personal data, and whose."""

    NO = ""
    CONSUMER = "consumer"
    #: What does not name the consumer, but may single one out.
    INDIRECT = "indirectly"
    AGENT = "agent"
    #: What somebody typed: it may hold anything.
    FREE_TEXT = "free text"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """
    A column.

    :param name: its name.
    :param kind: what it holds.
    :param member: LivePerson's member, as a path from the row's object; "" for what is made here.
    :param meaning: for people.
    :param personal: whether it holds personal data.
    :param none: what LivePerson writes there when it has no value.
    :param also: other paths of the same member, in older answers.
    :param shown: where LivePerson has it, if the row's object is put together from several; ``*`` is any member.
    """

    name: str
    kind: Kind
    member: str
    meaning: str = ""
    personal: Personal = Personal.NO
    none: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    shown: str = ""

    @property
    def words(self) -> str:
        """What it means, and whether it is personal data."""
        return "; ".join(filter(None, (self.meaning, self.personal and f"personal data: {self.personal}")))

    @property
    def twin(self) -> str:
        """The same moment as text, which LivePerson sends beside the milliseconds; "" if there is none."""
        return self.member[:-1] if self.kind is Kind.TIME and self.member.endswith("L") else ""


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """
    A member of a record that holds rows.

    :param names: its name, and other spellings of it.
    :param inner: the member of it that holds them, where it is an object.
    :param made: values that all rows from it have.
    :param is_single: whether it holds one row, and no list.
    """

    names: tuple[str, ...]
    inner: str = ""
    made: dict[str, str | bool] = field(default_factory=dict)
    is_single: bool = False

    @property
    def root(self) -> str:
        """Where its rows are in a record, such as ``messageRecords.*``: ``*`` is any element of a list."""
        return ".".join(filter(None, (self.names[0], self.inner, "" if self.is_single else "*")))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """
    A table.

    :param name: its name.
    :param grain: what a row is.
    :param key: the columns that name a row, after account and conversation.
    :param columns: its own columns, in order.
    :param containers: where its rows come from; none where they come from a member of another table's rows.
    :param within: for those: where they are in a record.
    :param elsewhere: members of a row that other tables or other columns are made of.
    :param left_out: members that are left out on purpose.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    containers: tuple[Container, ...] = ()
    within: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def paths(self, column: Column) -> tuple[str, ...]:
        """Where a column's values are in a record, such as ``consumerParticipants.*.email``; none for what is made."""
        member = column.shown or column.member
        roots = self.within or tuple(container.root for container in self.containers) or ("",)
        return tuple(".".join(filter(None, (root, member))) for root in roots) if member else ()
