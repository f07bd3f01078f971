"""The patterns that texts are searched for, and the masks that take the place of what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_provider_lp.export.redaction.cards import SHORTEST, find_cards
from airflow_provider_lp.export.redaction.emails import find_emails, may_hold_email
from airflow_provider_lp.export.redaction.ibans import find_ibans, may_hold_iban
from airflow_provider_lp.export.redaction.looks import may_hold_digits
from airflow_provider_lp.export.redaction.phones import FEWEST, find_phones


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    Something to look for in texts.

    :param may_be_in: a quick look that finds out for most texts that it is not in them.
    :param find: where it is, from the first to the last.
    :param words: what is found, for people.
    """

    may_be_in: Callable[[str], bool]
    find: Callable[[str], Iterator[tuple[int, int]]]
    words: str


#: In the order in which they are looked for: digits of a number of one kind are none of the next.
PATTERNS = {
    "email": Pattern(
        may_hold_email,
        find_emails,
        "addresses of e-mail",
    ),
    "iban": Pattern(
        may_hold_iban,
        find_ibans,
        "international bank account numbers whose length is that of their country and whose checksum is right",
    ),
    "card": Pattern(
        lambda text: may_hold_digits(text, SHORTEST),
        find_cards,
        "numbers of payment cards: 13 to 19 digits whose last is right by Luhn's checksum",
    ),
    "phone": Pattern(
        lambda text: may_hold_digits(text, FEWEST),
        find_phones,
        "telephone numbers written with `+`, `00` or `0` before them, in North America's groups of 3, 3 and 4 digits, "
        "or after a word such as *phone*, *call* or *tel*",
    ),
}
