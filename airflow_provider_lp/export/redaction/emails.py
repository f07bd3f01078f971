"""Addresses of e-mail in texts."""

from __future__ import annotations

import re

#: What may stand before the sign. Percent signs are there in URLs; they and ampersands may begin a sign themselves.
_LOCAL = r"[\w.!#$'*+/=?^`{|}~-]|%(?!40)|&(?!\#0*64;|\#[xX]0*40;|commat;)"
#: Possessive, and only from where it can begin: each letter of a long word could be the first of an address.
_LOCAL_AT_END = re.compile(rf"(?<![\w.!#$'*+/=?^`{{|}}~%&-])(?:{_LOCAL})++$")
#: The sign, as it is, full width, or as URLs and HTML have it; and what follows it.
_FROM_SIGN = re.compile(
    r"[@%&\uff20](?:(?<=[@\uff20])|(?<=%)40|(?<=&)(?:\#0*64|\#[xX]0*40|commat);)(?:[\w-]+\.)+[^\W\d_][\w-]*"
)
_LONGEST_LOCAL = 1000
#: The rest of a URL that has an address in it, or something that looks like one.
_URL = re.compile(r"(?://|[\w-]+(?:\.[\w-]+)+/)(?:.*[/?&=])?", re.DOTALL)
#: What may stand around an address, although it may be part of one.
_AROUND = "'`*_~|{"


def may_hold_email(text: str) -> bool:
    """Whether it is worth to look for an address."""
    return "@" in text or "%40" in text or "&#" in text or "&c" in text or "\uff20" in text


def mask_emails(text: str, mask: str) -> tuple[str, int]:
    """The text with a mask for each address, and how many there were."""
    pieces: list[str] = []
    copied = 0
    for match in _FROM_SIGN.finditer(text):
        # No white space is in it, and splitting there is fast.
        words = f".{text[max(copied, match.start() - _LONGEST_LOCAL) : match.start()]}.".rsplit(maxsplit=1)
        local = _LOCAL_AT_END.search(words[-1][:-1].removeprefix("." if len(words) == 1 else ""))
        if local and (length := len(_of_address(local[0]))):
            pieces += (text[copied : match.start() - length], mask)
            copied = match.end()
    return "".join([*pieces, text[copied:]]) if pieces else text, len(pieces) // 2


def _of_address(before: str) -> str:
    """How much of what stands before a sign is part of the address."""
    if url := _URL.match(before):
        return before[url.end() :]
    return before.lstrip(_AROUND) or before
