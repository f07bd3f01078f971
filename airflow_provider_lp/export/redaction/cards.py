"""Numbers of payment cards in texts: by their checksum, and by how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from airflow_provider_lp.export.redaction.digits import runs

SHORTEST, LONGEST = 13, 19
#: Groups of so many digits at most, all alike, are a way to write a number, too.
LONGEST_EVEN = 5
#: Thirteen digits that begin like this are a moment in milliseconds, of the years 2001 to 2033, and no card.
_MOMENT = re.compile(r"1\d{12}")
_GROUP = re.compile(r"\d+")
#: How many digits stand together on cards.
_LAYOUTS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 4, 4, 4, 3), (8, 8), (6, 13), (6, 10), (4, 4, 4, 1)}
# Between groups, there may be more than between the digits of other numbers: URLs have a plus sign for a space.
_RUN = re.compile(rf"[0-9](?:[ ().\-/+_\t\r\n]{{0,3}}[0-9]){{{SHORTEST - 1},}}")
#: What the numbers of the schemes that are used everywhere begin with.
_SCHEME = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6")


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of cards are."""
    for run in runs(text, _RUN):
        yield from _cards(run)


def has_luhn_checksum(digits: str) -> bool:
    """Whether the last digit is the one that ISO/IEC 7812 makes of the others."""
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(each - 9 * (each > 9) for each in doubled)) % 10 == 0


def _cards(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Where in a run of digits there are numbers of cards: others may stand before and after them."""
    groups = [(run.start() + found.start(), run.start() + found.end()) for found in _GROUP.finditer(run[0])]
    first = 0
    while first < len(groups):
        near = groups[first : first + LONGEST]
        length = _length_of_card(run.string, near, is_whole=len(near) == len(groups))
        if length:
            yield groups[first][0], groups[first + length - 1][1]
        first += length or 1


def _length_of_card(text: str, groups: Sequence[tuple[int, int]], *, is_whole: bool) -> int:
    """
    How many groups of digits, from the first on, are the number of a card; 0 if none are.

    :param is_whole: whether nothing stands before or after these groups.
    """
    digits = ""
    sizes: list[int] = []
    found = 0
    for number, (start, end) in enumerate(groups, 1):
        digits += text[start:end]
        sizes.append(end - start)
        if len(digits) > LONGEST:
            break
        if len(digits) < SHORTEST or digits[0] == "0" or _MOMENT.fullmatch(digits):
            continue
        is_alone = number == 1 or (is_whole and number == len(groups))
        is_even = len({*sizes[:-1]}) == 1 and sizes[-1] <= sizes[0] <= LONGEST_EVEN
        is_grouped = (is_even or tuple(sizes) in _LAYOUTS) and _SCHEME.match(digits)
        if (is_alone or is_grouped) and has_luhn_checksum(digits):
            found = number
    return found
