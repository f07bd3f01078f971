"""Texts without personal data: their patterns masked, then passed through a function, if there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.looks import may_hold_anything
from airflow_provider_lp.export.redaction.patterns import PATTERNS
from airflow_provider_lp.export.redaction.phones import is_number
from airflow_provider_lp.export.redaction.spelling import Reading

#: What JSON that stands in a text begins with, white space included.
BEGINS_JSON = frozenset('{[" \t\r\n')

_MASKED = "\0"
#: Short texts that hold nothing are remembered: many stand in all records, such as names of skills.
SHORT = 40
MOST_KNOWN = 10_000


class Texts:
    """
    Takes personal data out of texts: an address of e-mail becomes ``[email]``.

    :param masks: names of the patterns to mask.
    :param function: what texts are passed through after that, one at a time; default nothing.
    :param function_name: what the function is called in summaries and errors.
    """

    def __init__(
        self, masks: Sequence[str], function: Callable[[str], str] | None = None, function_name: str = ""
    ) -> None:
        self._patterns = [(f"mask {name}", f"[{name}]", PATTERNS[name]) for name in PATTERNS if name in masks]
        self._has_phones = "phone" in masks
        #: Short texts that hold no pattern.
        self.known: set[str | None] = {None}
        self.has_function = function is not None
        self._function = function
        self._function_name = function_name
        self._turn = threading.Lock()

    def clean(self, text: str, counts: dict[str, int]) -> str:
        """
        A text without personal data.

        :param counts: where to add how much was taken out, by the name of the rule.
        :raises LivePersonConfigurationError: if the function fails.
        """
        text = self.masked(text, counts)
        return text if self._function is None else self._passed_through(self._function, text, counts)

    def masked(self, text: str, counts: dict[str, int]) -> str:
        """A text with its masks; ``counts`` as in :meth:`clean`."""
        if len(text) <= SHORT and text in self.known:
            return text
        if not may_hold_anything(text):
            # What is no more than a code in one place is JSON in another, and read.
            if len(text) <= SHORT and text[:1] not in BEGINS_JSON and len(self.known) < MOST_KNOWN:
                self.known.add(text)
            return text
        reading = Reading.of(text)
        plain = reading.plain
        masks: list[tuple[int, int, str]] = []
        for name, mask, pattern in self._patterns:
            if not pattern.may_be_in(plain):
                continue
            for start, end in [*pattern.find(plain)]:
                counts[name] = counts.get(name, 0) + 1
                masks.append((*reading.place(start, end), mask))
                # What is one thing is nothing else.
                plain = f"{plain[:start]}{_MASKED * (end - start)}{plain[end:]}"
        return _with_masks(text, sorted(masks)) if masks else text

    def named_phone(self, value: str, counts: dict[str, int]) -> str:
        """The text in a member whose name says that it is a telephone number; ``counts`` as in :meth:`clean`."""
        if not (self._has_phones and is_number(Reading.of(value).plain)):
            return value
        counts["mask phone"] = counts.get("mask phone", 0) + 1
        return "[phone]"

    def _passed_through(self, function: Callable[[str], str], text: str, counts: dict[str, int]) -> str:
        failure = "must give a text"
        try:
            with self._turn:
                passed = function(text)
            if isinstance(passed, str):
                if passed != text:
                    counts[self._function_name] = counts.get(self._function_name, 0) + 1
                return passed
            failure = f"gave {type(passed).__name__} instead of a text"
        except Exception as error:  # noqa: BLE001 - told of by its kind only
            # What it says may hold the text.
            failure = f"raised {type(error).__name__}"
        raise LivePersonConfigurationError(
            f"redact: the function of {self._function_name!r} {failure}. What it was given is not shown. Nothing was "
            "published."
        )


def _with_masks(text: str, masks: Sequence[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    copied = 0
    for start, end, mask in masks:
        pieces += (text[copied:start], mask)
        copied = end
    return "".join([*pieces, text[copied:]])
