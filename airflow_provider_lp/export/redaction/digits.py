"""What numbers in texts have in common, whatever they are numbers of."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What people write between the digits of a number.
BETWEEN = r"[ \u00a0\u2009\u202f().\-\u2010-\u2013/]"
# Seven digits or more with little between them: where this is not found, there is neither a card nor a telephone. Of
# other scripts only where there are any: a search that begins with a few known characters is twice as fast.
_RUN = re.compile(rf"[0-9](?:{BETWEEN}{{0,3}}[0-9]){{6,}}")
_RUN_OF_ANY_SCRIPT = re.compile(rf"\d(?:{BETWEEN}{{0,3}}\d){{6,}}")

_HEX = re.compile(r"[0-9a-fA-F]+")
_LETTERS_BEFORE = re.compile(r"[^\W_]*$")
_LETTERS_AFTER = re.compile(r"[^\W_]*")
#: As many letters and digits next to a number as are looked at.
_NEAR = 40


def may_hold_number(text: str) -> bool:
    """Whether it is worth to look for numbers of cards and telephones."""
    return _run_in(text).search(text) is not None


def runs(text: str) -> Iterator[re.Match[str]]:
    """Seven digits or more with little between them, wherever they are no piece of an id or a checksum."""
    for run in _run_in(text).finditer(text):
        if not _is_in_a_code(text, run.start(), run.end()):
            yield run


def begins_other_script(data: bytes) -> bool:
    """Whether there may be digits of other scripts in UTF-8, or the full-width sign of e-mail: it begins like this."""
    return b"\xd9" in data or b"\xdb" in data or b"\xe0" in data or b"\xef" in data


def _run_in(text: str) -> re.Pattern[str]:
    return _RUN if text.isascii() or not begins_other_script(text.encode()) else _RUN_OF_ANY_SCRIPT


def _is_in_a_code(text: str, start: int, end: int) -> bool:
    """Whether digits are a piece of a word of digits and the letters a to f."""
    if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
        return False
    before = _LETTERS_BEFORE.search(text[max(0, start - _NEAR) : start])
    after = _LETTERS_AFTER.match(text, end, end + _NEAR)
    beside = [found[0] for found in (before, after) if found and found[0]]
    return all(_HEX.fullmatch(each) for each in beside)
