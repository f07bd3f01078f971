"""Numbers of telephones in texts: by how they are written, since they have no checksum."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_provider_lp.export.redaction.digits import runs

FEWEST, MOST = 7, 15
MOST_NATIONAL = 13
#: How many digits a number may have that is written with the two zeros that some dial for the plus sign.
MOST_DIALLED = 17

_LEAD = re.compile(r"(?:\(?\+ ?)?\(?$")
_GROUP = re.compile(r"(?:\(?\+ ?)?\(?\d+")
_NOT_DIGITS = re.compile(r"\D")
_DATE = re.compile(r"\(?(?:\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})|\d{4}([./-])\d{1,2}\2\d{1,2})(?![./-]?\d)")
_FRACTION = re.compile(r"\(?0\.\d+$")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-]{1,2})?\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]{1,2}\d{4}")
#: As in C-0123456789.
_NAMED = re.compile(r"[A-Za-z][-_#]$")
#: Words before a number that say what it is. Then it need not look like one.
_SAYS_SO = re.compile(
    r"(?:\b(?:tel|phone|fon|call|mob|cell|handy|fax|sms|whats ?app|t[eé]l[eé]f|m[oó]vil|portable|rufnummer|number is|"
    r"nummer ist)|電話|☎|📞|📱)[^\d+]{0,24}$",
    re.IGNORECASE,
)
#: Words in the name of a member that say it of its value.
_NAMES = re.compile(
    r"tel|phones?|mobile?|mob|cell|fax|handy|whatsapp|msisdn|movil|celular|rufnummer"
    r"|(?:telephon|telefon|phonenum|mobilen|mobilephon|cellphon|handynum)[a-z]*"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ALONE = re.compile(r"\s*[(+]{0,2}\d(?:[ ().\-/]{0,3}\d){6,16}\s*")
_LONGEST_LEAD = 4
#: As much of what stands before a number as is read.
_BEFORE = 40


def says_phone(name: str) -> bool:
    """Whether a member's name says that its value is a telephone number."""
    return any(_NAMES.fullmatch(word.lower()) for word in _WORD.findall(name))


def is_number(text: str) -> bool:
    """Whether a text is nothing but a number that may be that of a telephone."""
    return _ALONE.fullmatch(text) is not None


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers are."""
    for run in runs(text):
        lead = _LEAD.search(text[max(0, run.start() - _LONGEST_LEAD) : run.start()])
        yield from _phones(text, run.start() - len(lead[0] if lead else ""), run.end())


def _phones(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in a run of digits there are numbers: dates may stand before them, and several numbers in a row."""
    while date := _DATE.match(text, start, end):
        following = _GROUP.search(text, date.end(), end)
        if not following:
            return
        start = following.start()
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        begin = groups[first][0]
        near = groups[first : first + MOST_DIALLED]
        last = next((place for place in reversed(range(len(near))) if _is_phone(text, begin, near[place][1])), None)
        if last is not None:
            yield begin, near[last][1]
            first += last + 1
        elif first + 1 < len(groups) and _NORTH_AMERICAN.fullmatch(text, groups[first + 1][0], end):
            first += 1
        else:
            return


def _is_phone(text: str, start: int, end: int) -> bool:
    """
    Whether digits are a telephone number.

    1. In the international form, with a plus sign or two zeros before the country.
    2. In a national form, with a zero before the area; or as in North America, in groups of 3, 3 and 4.
    3. Anything else only after words that say so: most numbers in texts are of orders, amounts and dates.
    """
    written = text[start:end]
    digits = _NOT_DIGITS.sub("", written)
    if not FEWEST <= len(digits) <= MOST_DIALLED:
        return False
    before = text[max(0, start - _BEFORE) : start]
    if "+" in written:
        return len(digits) <= MOST
    if digits[0] == "0" and not _NAMED.search(before):
        if digits[1] == "0":
            return digits[2] != "0" and len(digits) > FEWEST + 1
        return len(digits) <= MOST_NATIONAL and not _FRACTION.match(written)
    if _NORTH_AMERICAN.fullmatch(written):
        return True
    return len(digits) <= MOST and _SAYS_SO.search(before) is not None
