"""International bank account numbers in texts: by country, length and checksum."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: How long the numbers of each country are.
_LENGTHS_BY_COUNTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
    "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
    "PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
    "UA29 VA22 VG24 XK20 YE30 "
)
_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS_BY_COUNTRY.split()}
_SEPARATOR = r"[ .\-+_/\t\r\n]"
# It begins with the check digits, since a search that begins with a few known characters is fast; the country stands
# before them.
_FROM_CHECK_DIGITS = re.compile(rf"[0-9][0-9](?<=[A-Za-z]{{2}}[0-9][0-9])(?:{_SEPARATOR}?[A-Za-z0-9]){{11}}")
_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9]|IBAN)$", re.IGNORECASE)


def may_hold_iban(text: str) -> bool:
    """Whether it is worth to look for one."""
    return _FROM_CHECK_DIGITS.search(text) is not None


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers are."""
    passed = 0
    for match in _FROM_CHECK_DIGITS.finditer(text):
        start = match.start() - 2
        end = _end_of_iban(text, start) if _BEFORE.search(text[max(0, start - 4) : start]) else None
        if end and start >= passed:
            yield start, end
            passed = end


def _end_of_iban(text: str, start: int) -> int | None:
    """Where a number ends that begins here; other words may follow it. ``None`` if none begins here."""
    length = _LENGTHS.get(text[start : start + 2].upper(), 0)
    number = ""
    end = start
    while len(number) < length and end < len(text):
        number += text[end].upper() if text[end].isalnum() else ""
        end += 1
    is_followed = end < len(text) and text[end].isalnum()
    if not length or len(number) < length or is_followed or not number.isascii():
        return None
    rest = "".join(str(int(character, 36)) for character in number[4:] + number[:4])
    return end if int(rest) % 97 == 1 else None
