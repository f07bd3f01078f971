"""A walk through one record, which takes out of it what the rules name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_lp.export.redaction.cards import SHORTEST
from airflow_provider_lp.export.redaction.codes import are_made_up, holds_objects, is_made_up
from airflow_provider_lp.export.redaction.consumers import Participant, consumer_ids
from airflow_provider_lp.export.redaction.json_text import as_whole_number, decode, encode, repeats_names, split_parts
from airflow_provider_lp.export.redaction.members import Kind
from airflow_provider_lp.export.redaction.paths import Node
from airflow_provider_lp.export.redaction.pseudonyms import as_id
from airflow_provider_lp.export.redaction.rows import Rows
from airflow_provider_lp.export.redaction.texts import BEGINS_JSON

if TYPE_CHECKING:
    from airflow_provider_lp.export.redaction.redactor import Redactor
    from airflow_provider_lp.export.redaction.rules import Rule

#: Ids that are shorter are not looked for in texts.
SHORTEST_SOUGHT = 8

#: What no number of a card begins with that is written as a number; moments in microseconds do.
_IN_NO_CARD = "-01"
#: JSON in texts that is longer is not remembered.
LONGEST_KNOWN = 2000

#: Stands for a value that is dropped.
_GONE: Final = object()


class Walk:
    """
    One walk.

    :param plan: what to take out.
    :param is_thorough: whether all of the record is decoded, and all texts are looked at; default no more than it takes
        to find members and patterns.
    """

    def __init__(self, plan: Redactor, *, is_thorough: bool = False) -> None:
        #: What was taken out so far, by the names of the rules.
        self.counts: dict[str, int] = {}
        #: The ids of the record's consumers, if there is a rule for them.
        self.consumer_ids: set[str] = set()
        self._plan = plan
        self._is_thorough = is_thorough
        #: Ids to be replaced wherever they are in texts: what by, and for which rule.
        self._sought: dict[str, tuple[str, Rule]] = {}
        self._codes: list[Any] = []
        self._is_in_text = False

    def record(self, raw: msgspec.Raw | bytes, conversation_id: str) -> bytes | None:
        """A record without what the rules name; ``None`` if only a thorough walk finds all of it."""
        plan = self._plan
        record: dict[str, Any] = split_parts(raw)
        rows: dict[str, Rows] = {}
        participants: list[Participant] = []
        for name, part in record.items():
            reader = None if self._is_thorough else plan.readers.get(name)
            read = reader.read(part) if reader else None
            if read:
                rows[name] = read
                participants += read.participants
            else:
                record[name] = decode(part)
        if plan.key_rule:
            self._seek([conversation_id], plan.key_rule)
        if plan.consumer_rule:
            self.consumer_ids = consumer_ids(record, participants)
            self._seek(sorted(sorted(self.consumer_ids), key=len, reverse=True), plan.consumer_rule)
        for name, part in rows.items():
            record[name] = msgspec.Raw(part.redacted(self))
        self.object(record, plan.root)
        if (self._is_thorough and self._sought) or not self._codes_are_made_up():
            self._look_into_codes(record, plan.root)
        line = encode(record)
        # An id that is still there stands where no rule and no pattern looks.
        return line if self._is_thorough or not any(encode(each)[1:-1] in line for each in self._sought) else None

    def pseudonym_of_consumer(self, identity: str) -> str | None:
        """What stands for a consumer's id; ``None`` for nothing."""
        rule = self._plan.consumer_rule
        return None if rule is None or rule.is_drop else self._plan.pseudonym(identity)

    def count_consumer(self, number: int) -> None:
        """Count a consumer's id as taken out, so many times."""
        if number and self._plan.consumer_rule:
            self._count(self._plan.consumer_rule, number)

    def _seek(self, ids: Iterable[str], rule: Rule) -> None:
        """Look for ids in texts. Short ones could be words."""
        for identity in ids:
            if len(identity) >= SHORTEST_SOUGHT:
                self._sought[identity] = (f"[{rule.path}]" if rule.is_drop else self._plan.pseudonym(identity), rule)

    def _count(self, rule: Rule, number: int = 1) -> None:
        self.counts[rule.name] = self.counts.get(rule.name, 0) + number

    # Objects and lists.

    def object(self, members: dict[str, Any], place: Node) -> None:
        """Take out of an object what the rules name; ``place`` is where it is."""
        codes, texts, named_texts, named_by_rules, others = place.shapes[tuple(members)]
        if codes:
            self._codes += codes(members)
        if texts and not self._are_clean(texts(members)):
            for name, below in named_texts:
                members[name] = self._by_rule(members[name], below)
        for name, number in named_by_rules:
            rule = self._plan.rules[number]
            if rule.is_drop:
                del members[name]
                self._count(rule)
            else:
                members[name] = self._replaced(members[name], rule)
        if not others:
            return
        renamed: dict[str, str] = {}
        for name, below in others:
            value = members[name]
            kind = type(value)
            if below.is_odd:
                new = self._by_rule(value, below)
                if new is _GONE:
                    del members[name]
                    continue
                members[name] = new
                if below.member is None and (clean := self._name(name, below)) != name:
                    renamed[name] = clean
            elif kind is str:
                members[name] = self._string(value, below)
            elif kind is dict:
                self.object(value, below)
            elif kind is list:
                self._list(value, below)
        if renamed:
            _rename(members, renamed)

    def _are_clean(self, values: tuple[Any, ...]) -> bool:
        """Whether texts are known to hold nothing."""
        if self._is_thorough:
            return False
        try:
            return self._plan.texts.known.issuperset(values)
        except TypeError:  # an object that stands for a text
            return False

    def _name(self, name: str, place: Node) -> str:
        """The name of a member that LivePerson does not document, without personal data."""
        return self._without_ids(name) if place.name is None else self._masked(name)

    def _list(self, items: list[Any], place: Node) -> None:
        below = place.element()
        if below.is_odd:
            items[:] = [new for value in items if (new := self._by_rule(value, below)) is not _GONE]
            return
        for number, value in enumerate(items):
            if type(value) is dict:
                self.object(value, below)
            else:
                items[number] = self._by_rule(value, below)

    def _by_rule(self, value: Any, place: Node) -> Any:
        """What becomes of a value."""
        if place.rule is not None:
            return self._replaced(value, self._plan.rules[place.rule])
        kind = type(value)
        rule = self._plan.consumer_rule
        if rule and place.kind is Kind.WHO and (value if kind is str else as_id(value)) in self.consumer_ids:
            return self._replaced(value, rule)
        if place.says_phone and (number := value if kind is str else as_id(value)) is not None:
            masked = self._plan.texts.named_phone(number, self.counts)
            if masked != number:
                return masked
        if kind is str:
            return self._string(value, place)
        if kind is dict:
            self.object(value, place)
        elif kind is list:
            self._list(value, place)
        elif kind is int or kind is msgspec.Raw:
            return self._number(value) if self._is_in_text or place.kind is Kind.TEXT else value
        return value

    def _codes_are_made_up(self) -> bool:
        """Whether all codes and times that have been met look as LivePerson makes them."""
        codes = encode(self._codes)
        return are_made_up(codes) and not holds_objects(codes)

    def _look_into_codes(self, value: Any, place: Node) -> Any:
        """Clean codes and times that do not look like codes and times, or hold the conversation's id."""
        kind = type(value)
        if kind is str:
            return value if place.is_odd else self._code(value, place)
        if place.kind in (Kind.CODE, Kind.TIME) and not place.is_list and not place.is_odd:
            # Nobody knows what is in an object that stands for a code.
            return self._by_rule(value, place)
        if kind is dict:
            for name, member in value.items():
                value[name] = self._look_into_codes(member, place[name])
        elif kind is list:
            value[:] = [self._look_into_codes(item, place.element()) for item in value]
        return value

    def row(self, row: dict[str, Any], place: Node) -> dict[str, Any]:
        """A row without what the rules name, which the walk does not come by again."""
        self.object(row, place)
        self._look_into_codes(row, place)
        return row

    def value(self, value: Any, place: Node) -> Any:
        """A value without what the rules name below its place."""
        return self._by_rule(value, place)

    def _replaced(self, value: Any, rule: Rule) -> Any:
        if rule.is_drop:
            self._count(rule)
            return _GONE
        if isinstance(value, dict):
            members = {name: self._replaced(member, rule) for name, member in value.items()}
            _rename(members, {name: self._masked(name) for name in members})
            return members
        if isinstance(value, list):
            return [self._replaced(item, rule) for item in value]
        identity = as_id(value)
        if identity is None:
            return value
        self._count(rule)
        return self._plan.pseudonym(identity)

    # Texts.

    def _string(self, text: str, place: Node) -> str:
        return self.text(text, place) if place.kind is Kind.TEXT else self._code(text, place)

    def text(self, text: str, place: Node) -> str:
        """A text without what is masked in it; ``place`` is where it is."""
        if not text:
            return text
        if text[0] in BEGINS_JSON and (written := self._json(text, place)) is not None:
            return written
        return self._plan.texts.clean(self._without_ids(text), self.counts)

    def _code(self, value: str, place: Node) -> str:
        """What LivePerson makes itself, unless it does not look like it; and names of agents."""
        value = self._without_ids(value)
        if place.kind in (Kind.AGENT, Kind.TEXT) or is_made_up(value):
            return value
        return self._masked(value)

    def _masked(self, text: str) -> str:
        return self._plan.texts.masked(self._without_ids(text), self.counts)

    def _without_ids(self, text: str) -> str:
        for identity, (replacement, rule) in self._sought.items():
            if identity in text:
                self._count(rule, text.count(identity))
                text = text.replace(identity, replacement)
        return text

    def _json(self, text: str, place: Node) -> str | None:
        """A text that is JSON, cleaned in its own texts; ``None`` if it is none."""
        known = (id(place), text)
        if known in self._plan.clean_json and not self._names_somebody(text):
            return text
        counts, was_in_text = dict(self.counts), self._is_in_text
        self._is_in_text = True
        try:
            value = self._by_rule(decode(text), place)
            written = encode(value).decode()
            if self.counts != counts or (written != msgspec.json.format(text, indent=-1) and repeats_names(text)):
                # Members whose name is repeated are lost: no reader shows them, but the text would.
                return written
            # Places that LivePerson documents are there for good. What is spelled in escapes may be somebody's id.
            is_short = len(text) <= LONGEST_KNOWN and "\\u00" not in text
            if place.member and is_short and not self._plan.texts.has_function:
                self._plan.keep_clean_json(known)
            return text
        except (msgspec.DecodeError, RecursionError):
            self.counts = counts
            return None
        finally:
            self._is_in_text = was_in_text

    def _names_somebody(self, text: str) -> bool:
        return any(identity in text for ids in (self.consumer_ids, self._sought) for identity in ids)

    def _number(self, value: int | msgspec.Raw) -> Any:
        """A number that stands for a text, or in one: it may be that of a card, or a consumer's."""
        digits = as_whole_number(value)
        if digits in self._sought:
            return self._without_ids(digits)
        if digits is None or len(digits) < SHORTEST or digits[0] in _IN_NO_CARD:
            return value
        clean = self._plan.texts.masked(digits, self.counts)
        return value if clean == digits else clean


def _rename(members: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Give members other names, each its own."""
    others: dict[str, Any] = {}
    for name, value in members.items():
        new = unique = renamed.get(name, name)
        number = 2
        while unique != name and (unique in others or unique in members):
            unique, number = f"{new} {number}", number + 1
        others[unique] = value
    members.clear()
    members.update(others)
