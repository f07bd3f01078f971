"""What numbers in texts have in common, whatever they are numbers of."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What people write between the digits of a number.
BETWEEN = r"[ ().\-/]"
#: Seven digits or more with little between them.
_RUN = re.compile(rf"[0-9](?:{BETWEEN}{{0,3}}[0-9]){{6,}}")

_HEX = re.compile(r"[0-9a-fA-F]+")
_LETTERS_BEFORE = re.compile(r"[^\W_]*$")
_LETTERS_AFTER = re.compile(r"[^\W_]*")
#: As many letters and digits next to a number as are looked at.
_NEAR = 40


def runs(text: str, run: re.Pattern[str] = _RUN) -> Iterator[re.Match[str]]:
    """
    Digits with little between them, wherever they are no piece of an id or a checksum.

    :param run: what they look like; default seven or more.
    """
    for found in run.finditer(text):
        if not _is_in_a_code(text, found.start(), found.end()):
            yield found


def _is_in_a_code(text: str, start: int, end: int) -> bool:
    """Whether digits are a piece of a word of digits and the letters a to f."""
    if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
        return False
    before = _LETTERS_BEFORE.search(text[max(0, start - _NEAR) : start])
    after = _LETTERS_AFTER.match(text, end, end + _NEAR)
    beside = [found[0] for found in (before, after) if found and found[0]]
    return all(_HEX.fullmatch(each) for each in beside)
