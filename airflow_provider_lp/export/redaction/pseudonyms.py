"""Pseudonyms: the same for the same id wherever and whenever it is met, and others under another key."""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import Any

import msgspec

#: Ids whose pseudonyms are remembered.
KNOWN = 10_000
#: What LivePerson writes where it has no id.
NO_IDS = frozenset({"", "undefined", "null", "NA", "-1", "0"})


class Pseudonyms:
    """
    Makes pseudonyms: HMAC-SHA256 of an id's text, in hexadecimal.

    :param key: the key.
    """

    def __init__(self, key: str) -> None:
        secret = key.encode()
        self.of = lru_cache(KNOWN)(lambda identity: hmac.digest(secret, identity.encode(), "sha256").hex())


def as_id(value: Any) -> str | None:
    """The text of an id, whatever it is written as; ``None`` for what is none."""
    match value:
        case str():
            text = value
        case bool() | None:
            return None
        case int():
            text = str(value)
        case msgspec.Raw():
            text = bytes(value).decode()
        case _:
            return None
    return None if text in NO_IDS else text
