"""Texts without personal data: their patterns masked, then passed through a function, if there is one."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.patterns import PATTERNS
from airflow_provider_lp.export.redaction.spelling import Reading

#: What JSON that stands in a text begins with, white space included.
BEGINS_JSON = frozenset('{[" \t\r\n')

# Most texts hold nothing that is looked for. Looks at whole texts find that out many times faster than a search that
# goes from character to character. A translation leaves out what people write between digits, and tells digits from all
# else but a few signs, in UTF-8.
_END = b"\0"
_DIGIT, _SIGN, _ESCAPES = b"1", b"@", b"\\"
_DIGITS = 7 * _DIGIT
#: Of e-mail, and of what may be spelled in another way; and what begins digits and full-width signs in some scripts.
_SIGNS = b"@%&\xd9\xdb\xdf\xe0\xef"
#: ASCII apart, it is what spaces, dashes and characters of no width are made of.
_BETWEEN = bytes(b" ().-/+_\t\r\n" + bytes(range(0x80, 0xC3)) + b"\xcd\xe2\xe3")
_LOOK = bytes(
    ord(_DIGIT) if 48 <= each < 58
    else each if each in _END + _ESCAPES
    else ord(_SIGN) if each in _SIGNS
    else ord(".")
    for each in range(256)
)  # fmt: skip
# Expressions that begin with one plain byte are searched for many times faster than others.
#: In JSON, escapes may be any character; elsewhere they may be meant to be. Only line breaks are frequent.
_ESCAPE = re.compile(rb"\\[\\u/xtrbf]")
_LINE_BREAK = b"\\n"
#: What begins digits in some more scripts begins much else, too: there, what follows tells.
_SCRIPTS = [
    (begin, re.compile(begin + following))
    for begin, following in (
        (b"\xe1", rb"[\x81-\xb1]"),
        (b"\xea", rb"[\x98-\xaf]"),
        (b"\xf0", rb"[\x90\x91\x96\x9d\x9e]"),
    )
]
#: Where texts in JSON, each after an end, are JSON in a text, or no texts at all.
_ODD = re.compile(_END + rb'(?:[^"]|"[{\[ \\])')
_MASKED = "\0"
#: Short texts that hold nothing are remembered: many stand in all records, such as names of skills.
SHORT = 40
MOST_KNOWN = 10_000


def may_hold_anything(text: str) -> bool:
    """Whether it is worth to look for any pattern: a sign of e-mail, or seven digits with little between them."""
    data = text.encode()
    return _is_worth(data, _look(data))


def those_that_may_hold_anything(texts: Sequence[msgspec.Raw]) -> list[int]:
    """Which of some texts, in JSON, it is worth to read, by their numbers: of JSON in a text, all is read."""
    data = _END.join([b"", *texts])
    look = _look(data)
    if not (_ODD.search(data) or _is_worth(data, look)):
        return []
    pieces = zip(data.split(_END)[1:], look.split(_END)[1:], strict=True)
    return [
        number for number, (piece, look) in enumerate(pieces) if _ODD.match(_END + piece) or _is_worth(piece, look)
    ]


def _look(data: bytes) -> bytes:
    """What is left of texts when they are looked at."""
    return (data.replace(_LINE_BREAK, b"") if _ESCAPES in data else data).translate(_LOOK, _BETWEEN)


def _is_worth(data: bytes, look: bytes) -> bool:
    if _SIGN in look or _DIGITS in look or (_ESCAPES in look and _ESCAPE.search(data)):
        return True
    return not data.isascii() and any(begin in data and digits.search(data) for begin, digits in _SCRIPTS)


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
            if len(text) <= SHORT and len(self.known) < MOST_KNOWN:
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
