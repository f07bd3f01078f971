"""Addresses of e-mail in texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Possessive, and only from where it can begin: each letter of a long word could be the first of an address.
_LOCAL = r"\w.!#$%&'*+/=?^`{|}~-"
_LOCAL_AT_END = re.compile(rf"(?<![{_LOCAL}])[{_LOCAL}]++$")
_FROM_SIGN = re.compile(r"@(?:[\w-]+\.)+[^\W\d_][\w-]*")
_LONGEST_LOCAL = 1000
#: The rest of a URL that has an address in it, or something that looks like one.
_URL = re.compile(r"(?://|[\w-]+(?:\.[\w-]+)+/)(?:.*[/?&=])?", re.DOTALL)
#: What may stand around an address, although it may be part of one.
_AROUND = "'`*_~|{"


def may_hold_email(text: str) -> bool:
    """Whether it is worth to look for an address."""
    return "@" in text


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses are."""
    passed = 0
    for match in _FROM_SIGN.finditer(text):
        # No white space is in it, and splitting there is fast.
        words = f".{text[max(passed, match.start() - _LONGEST_LOCAL) : match.start()]}.".rsplit(maxsplit=1)
        local = _LOCAL_AT_END.search(words[-1][:-1].removeprefix("." if len(words) == 1 else ""))
        if local and (length := len(_of_address(local[0]))):
            yield match.start() - length, match.end()
            passed = match.end()


def _of_address(before: str) -> str:
    """How much of what stands before a sign is part of the address."""
    if url := _URL.match(before):
        return before[url.end() :]
    return before.lstrip(_AROUND) or before
