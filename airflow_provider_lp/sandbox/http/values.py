"""Values in request bodies: each function returns the value it expects or refuses the request."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from airflow_provider_lp.sandbox.http.exchange import Refused

_CODE = re.compile(r"[A-Z][A-Z_]*")


def members(name: str, value: Any, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> None:
    """Refuse anything but an object with these members."""
    if not isinstance(value, dict):
        raise Refused(400, f"{name} must be an object")
    for member in required:
        if member not in value:
            raise Refused(400, f"{name}.{member} is missing")
    for member in value:
        if member not in required + optional:
            raise Refused(400, f"unknown member {name}.{member}")


def text(name: str, value: Any) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"{name} must be a text")
    return value


def boolean(name: str, value: Any) -> bool:
    """``true`` or ``false``, not a word for it."""
    if not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false")
    return value


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """One of the allowed words."""
    if value not in allowed:
        raise Refused(400, f"{name} must be one of {', '.join(allowed)}")
    return str(value)


def array(name: str, value: Any) -> list[Any]:
    """A list that is not empty."""
    if not isinstance(value, list) or not value:
        raise Refused(400, f"{name} must be a list with at least one member")
    return value


def choices(name: str, value: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """A list of allowed words."""
    return tuple(choice(name, each, allowed) for each in array(name, value))


def texts(name: str, value: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(name, each) for each in array(name, value))


def booleans(name: str, value: Any) -> tuple[bool, ...]:
    """A list of true and false."""
    return tuple(boolean(name, each) for each in array(name, value))


def numbers(name: str, value: Any) -> tuple[int, ...]:
    """A list of whole numbers."""
    return tuple(_number(name, each) for each in array(name, value))


def codes(name: str, value: Any) -> tuple[str, ...]:
    """A list of upper-case words."""
    found = texts(name, value)
    for code in found:
        if not _CODE.fullmatch(code):
            raise Refused(400, f"{name} must hold upper-case codes")
    return found


def ids(name: str, value: Any) -> frozenset[str]:
    """A list of ids, which LivePerson's samples write as texts and as numbers; given back as texts."""
    return frozenset(
        text(name, each) if isinstance(each, str) else str(_number(name, each)) for each in array(name, value)
    )


@dataclass(frozen=True)
class Range:
    """A closed range of numbers."""

    low: float
    high: float

    def holds(self, number: float | None) -> bool:
        """Whether there is a number, and it lies in the range."""
        return number is not None and self.low <= number <= self.high


def number_range(name: str, value: Any, lowest: int, highest: int | None) -> Range:
    """A ``{from, to}`` of which one side may be missing; it then is the extreme."""
    members(name, value, optional=("from", "to"))
    if not value:
        raise Refused(400, f"{name} needs from or to")
    top = math.inf if highest is None else highest
    low, high = (_number(f"{name}.{side}", value[side]) if side in value else None for side in ("from", "to"))
    found = Range(lowest if low is None else low, top if high is None else high)
    if not lowest <= found.low <= found.high <= top:
        raise Refused(400, f"{name}: from and to must rise within {lowest} and {top}")
    return found


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, f"{name} must be a whole number")
    return value
