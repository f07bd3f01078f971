"""Texts without personal data: their patterns masked, then passed through a function, if there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.redaction.digits import begins_other_script
from airflow_provider_lp.export.redaction.patterns import PATTERNS, Pattern

#: What JSON that stands in a text begins with, white space included.
BEGINS_JSON = frozenset('{[" \t\r\n')

# Most texts hold nothing that is looked for. Looks at whole texts find that out many times faster than a search that
# goes from character to character, single bytes faster than several. A translation tells digits from the rest, and
# leaves out what people write between them, in UTF-8.
_END = b"\0"
_ESCAPE = b"\\u"
_OPENERS = frozenset({b"{", b"[", b" ", b"\\"})
_DIGITS = bytes.maketrans(bytes(range(1, 256)), bytes(49 if 48 <= each < 58 else 46 for each in range(1, 256)))
_BETWEEN = b" ().-/\xc2\xa0\xe2\x80\xaf\x89\x90\x91\x92\x93"
#: Short texts that hold nothing are remembered: many stand in all records, such as names of skills.
SHORT = 40
MOST_KNOWN = 10_000


def may_hold_anything(text: str) -> bool:
    """Whether it is worth to look for any pattern: a sign of e-mail, or seven digits with little between them."""
    data = text.encode()
    return _is_worth(data, data.translate(_DIGITS, _BETWEEN))


def those_that_may_hold_anything(texts: Sequence[msgspec.Raw]) -> list[int]:
    """Which of some texts, in JSON, it is worth to read, by their numbers."""
    data = _END.join(texts)
    digits = data.translate(_DIGITS, _BETWEEN)
    pieces = data.split(_END)
    # Escapes may be any character; and of JSON in a text, all is read.
    odd = (b"\\" in data and _ESCAPE in data) or any(map(_begins_oddly, {piece[:2] for piece in pieces}))
    if not odd and not _is_worth(data, digits):
        return []
    looks = zip(pieces, digits.split(_END), strict=True)
    return [
        number for number, look in enumerate(looks) if _is_worth(*look) or _ESCAPE in look[0] or _begins_oddly(look[0])
    ]


def _begins_oddly(text: bytes) -> bool:
    """Whether what should be a text, in JSON, is none, or holds JSON itself."""
    return text[:1] != b'"' or text[1:2] in _OPENERS


def _is_worth(data: bytes, digits: bytes) -> bool:
    if b"@" in data or (b"1" in digits and b"1111111" in digits):
        return True
    if (b"%" in data and b"%40" in data) or (b"&" in data and (b"&#" in data or b"&c" in data)):
        return True
    return not data.isascii() and begins_other_script(data)


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
        # Patterns that share a quick look share its answer.
        self._looks: dict[Callable[[str], bool], list[tuple[str, str, Pattern]]] = {}
        for name, pattern in PATTERNS.items():
            if name in masks:
                self._looks.setdefault(pattern.may_be_in, []).append((f"mask {name}", f"[{name}]", pattern))
        #: What holds no pattern.
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
        if not may_hold_anything(text):
            if len(text) <= SHORT and len(self.known) < MOST_KNOWN:
                self.known.add(text)
            return text
        for may_be_in, patterns in self._looks.items():
            if may_be_in(text):
                for name, mask, pattern in patterns:
                    text, number = pattern.mask(text, mask)
                    if number:
                        counts[name] = counts.get(name, 0) + number
        return text

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
