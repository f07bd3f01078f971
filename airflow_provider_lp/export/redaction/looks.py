"""
Quick looks at texts, which tell for most of them that they hold nothing that is looked for.

They are many times faster than a search that goes from character to character: a translation leaves out what people
write between digits, and tells digits from all else but a few signs, in UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_END = b"\0"
_DIGIT, _SIGN, _ESCAPES = b"1", b"@", b"\\"
_DIGITS = 7 * _DIGIT
#: Of e-mail, and of what may be spelled in another way; and what begins digits and full-width signs in some scripts.
_SIGNS = b"@%&\xd9\xdb\xdf\xe0\xef"
#: ASCII apart, it is what spaces, dashes and characters of no width are made of.
_BETWEEN = bytes(b" ().-/+_\t\r\n" + bytes(range(0x80, 0xC3)) + b"\xcd\xe2\xe3")
_LOOK = bytes(
    ord(_DIGIT) if 48 <= each < 58
    else each if each == ord(_END)
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


def may_hold_anything(text: str) -> bool:
    """Whether it is worth to look for any pattern: a sign of e-mail, or seven digits with little between them."""
    data = text.encode()
    look = _look(data)
    return _SIGN in look or _DIGITS in look or _hides_any(data)


def may_hold_digits(text: str, number: int) -> bool:
    """Whether there are so many digits with little between them in a text that hides nothing."""
    return number * _DIGIT in _look(text.encode())


def those_that_may_hold_anything(texts: Sequence[msgspec.Raw]) -> list[int]:
    """Which of some texts, in JSON, it is worth to read, by their numbers: of JSON in a text, all is read."""
    data = _END.join([b"", *texts])
    look = _look(data)
    hides, is_odd = _hides_any(data), _ODD.search(data)
    if not (hides or is_odd or _SIGN in look or _DIGITS in look):
        return []
    looks = enumerate(look.split(_END)[1:])
    found = {number for number, look in looks if _SIGN in look or _DIGITS in look}
    if hides or is_odd:
        pieces = enumerate(data.split(_END)[1:])
        found.update(number for number, piece in pieces if _hides_any(piece) or _ODD.match(_END + piece))
    return sorted(found)


def _look(data: bytes) -> bytes:
    """What is left of texts when they are looked at."""
    return (data.replace(_LINE_BREAK, b"") if _ESCAPES in data else data).translate(_LOOK, _BETWEEN)


def _hides_any(data: bytes) -> bool:
    """Whether there may be characters that are spelled as escapes, or digits of other scripts."""
    if _ESCAPES in data and _ESCAPE.search(data):
        return True
    return not data.isascii() and any(begin in data and digits.search(data) for begin, digits in _SCRIPTS)
