"""One record after the other without its personal data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.paths import PathTree
from airflow_provider_lp.export.redaction.preset import CONSUMER_ID
from airflow_provider_lp.export.redaction.pseudonyms import Pseudonyms
from airflow_provider_lp.export.redaction.rows import readers
from airflow_provider_lp.export.redaction.rules import Rules, hides_key
from airflow_provider_lp.export.redaction.texts import Texts
from airflow_provider_lp.export.redaction.walk import Walk

#: So many texts that are JSON are remembered.
MOST_KNOWN = 2000
#: What was taken out of a record that was not redacted.
NOTHING: Mapping[str, int] = MappingProxyType({})


class Redacted(NamedTuple):
    """
    A record that was redacted.

    :param line: as minified JSON.
    :param counts: how much was taken out, by the name of the rule.
    """

    line: bytes
    counts: Mapping[str, int]


class Redactor:
    """
    Takes personal data out of records. Threads may share it.

    :param rules: what to take out.
    :param key: of pseudonyms; needed where rules pseudonymise.
    :param text: what all texts are passed through, after what the rules mask in them; one at a time.
    """

    def __init__(self, rules: Rules, *, key: str = "", text: Callable[[str], str] | None = None) -> None:
        #: Held for a page of records: threads that redact side by side take no less time, and more of the CPU.
        self.turn = threading.Lock()
        #: What its rules are called in summaries.
        self.names = rules.names
        self.rules = rules.members
        self.consumer_rule = next((rule for rule in rules.members if rule.path == CONSUMER_ID), None)
        self.key_rule = next((rule for rule in rules.members if not rule.is_drop and hides_key(rule)), None)
        self.texts = Texts(rules.mask, text, f"text {rules.text}")
        self.pseudonym = Pseudonyms(key).of
        #: JSON in texts that holds nothing, and where: menus, for instance, are the same in many conversations.
        self.clean_json: set[tuple[int, str]] = set()
        self.root = PathTree([rule.parts for rule in rules.members], lambda name: self.texts.masked(name, {})).root
        #: What is read without decoding all of it.
        self.readers = readers(self.root)
        # The conversation's id is in all rows, and a function sees all texts.
        self.is_thorough = self.key_rule is not None or self.texts.has_function

    def keep_clean_json(self, known: tuple[int, str]) -> None:
        """Remember JSON in a text, and its place, that holds nothing."""
        if len(self.clean_json) < MOST_KNOWN:
            self.clean_json.add(known)

    def redact(self, raw: msgspec.Raw | bytes, conversation_id: str) -> Redacted:
        """
        A record without what the rules name.

        :param raw: the record as valid JSON.
        :param conversation_id: its conversation.
        :raises LivePersonConfigurationError: if that is not possible; of the record it shows nothing but this id.
        """
        try:
            return self._redacted(raw, conversation_id, is_thorough=self.is_thorough)
        except RecursionError:
            # Its traceback goes through the record.
            pass
        raise LivePersonConfigurationError(
            f"redact: the record of conversation {conversation_id} is nested too deeply. Nothing was published."
        )

    def _redacted(self, raw: msgspec.Raw | bytes, conversation_id: str, *, is_thorough: bool) -> Redacted:
        walk = Walk(self, is_thorough=is_thorough)
        line = walk.record(raw, conversation_id)
        if line is None:
            return self._redacted(raw, conversation_id, is_thorough=True)
        return Redacted(line, walk.counts or NOTHING)
