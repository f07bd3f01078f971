"""Texts as they read: without what URLs, HTML, JSON and other scripts make of plain letters, digits and signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html import unescape
from typing import NamedTuple

#: Stands for whatever takes no room: joiners, marks of direction, soft hyphens.
_INVISIBLE = "\u200b"
#: How letters, digits and signs are marked that are others only in how they look.
_OF_ASCII = ("<wide>", "<narrow>", "<small>", "<font>")
_HIDDEN = re.compile(
    # Encoded twice, or more often, a percent sign is %25, and an ampersand is &amp;.
    r"%(?:25)*[0-7][0-9A-Fa-f]"
    r"|&(?:amp;)*(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"
    r"|\\{1,8}(?:(?:u00|x)[0-7][0-9A-Fa-f]|/)"
    rf"|{_INVISIBLE}+"
)


_HIDING = f"%&\\{_INVISIBLE}"
#: All but ASCII, letters of Europe, China, Japan and Korea, and pictures.
_ODD = re.compile("[^\0-\x7f\xc0-\u024f\u3041-\u30fa\u4e00-\u9fff\uac00-\ud7a3\U0001f300-\U0001faff]")


class _Plainly(dict[int, str]):
    """What characters other than ASCII are the same as, one for one."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if unicodedata.decomposition(character).startswith(_OF_ASCII):
            compatible = unicodedata.normalize("NFKC", character)
            plain = compatible if len(compatible) == 1 else character
        elif category == "Nd":
            plain = str(unicodedata.digit(character))
        elif category in ("Cf", "Me"):
            plain = _INVISIBLE
        else:
            plain = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-"}.get(category, character)
        self[code] = plain
        return plain


_SIGNS = {"\u2212": "-", "\u00b7": ".", "\u2022": ".", "\u30fb": ".", "\u2044": "/", "\u2215": "/"}
_VARIATIONS = dict.fromkeys("\ufe0e\ufe0f\u034f", _INVISIBLE)
_PLAINLY = _Plainly({ord(each): plain for each, plain in (_SIGNS | _VARIATIONS).items()})
_PLAINLY.update((each, chr(each)) for each in range(128))


class Reading(NamedTuple):
    """
    A text as it reads.

    :param plain: all that can be spelled in ASCII is.
    :param places: where each of its characters begins in the text, and where the text ends; ``None`` if both are the
        same.
    """

    plain: str
    places: Sequence[int] | None

    @classmethod
    def of(cls, text: str) -> Reading:
        """How a text reads."""
        plain = text if text.isascii() or not _ODD.search(text) else text.translate(_PLAINLY)
        if not any(sign in plain for sign in _HIDING) or not _HIDDEN.search(plain):
            return cls(plain, None)
        read: list[str] = []
        places: list[int] = []
        copied = 0
        for hidden in _HIDDEN.finditer(plain):
            read.append(plain[copied : hidden.start()])
            places += range(copied, hidden.start())
            copied = hidden.end()
            if (shown := _shown(hidden[0])) is None:
                read.append(hidden[0])
                places += range(*hidden.span())
            elif shown:
                read.append(shown)
                places.append(hidden.start())
        read.append(plain[copied:])
        return cls("".join(read), [*places, *range(copied, len(plain) + 1)])

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of it stands in the text."""
        return (start, end) if self.places is None else (self.places[start], self.places[end])


def _shown(hidden: str) -> str | None:
    """The character that is meant, or nothing; ``None`` if it is none that could be spelled plainly."""
    if hidden[0] == _INVISIBLE:
        return ""
    if hidden[-1] == "/":
        return "/"
    if hidden[0] in "%\\":
        return chr(int(hidden[-2:], 16))
    meant = unescape(f"&{hidden.removesuffix(';').rpartition('amp;')[2].removeprefix('&')};")
    plain = meant.translate(_PLAINLY)
    return plain.replace(_INVISIBLE, "") if len(meant) == 1 and plain.isascii() | (plain == _INVISIBLE) else None
