"""Parameters of Messaging Operations, all of them texts: each function returns what it reads or refuses the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_lp.sandbox.exchange import Refused

LONGEST_TIMEFRAME_MINUTES = 1_440
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")
_ID = re.compile(r"-?[0-9]+")
# Agents of other origins than LivePerson's own have ids with letters.
_AGENT_ID = re.compile(r"[A-Za-z0-9-]+")

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Selection:
    """The ids that a parameter names; ``None`` is every one."""

    ids: frozenset[str] | None = None

    def holds(self, identifier: str | int) -> bool:
        """Whether the id is one of them."""
        return self.ids is None or str(identifier) in self.ids


EVERY = Selection()


def version(parameters: Parameters, *allowed: str) -> str:
    """``v``, which every method asks for."""
    given = _required(parameters, "v")
    if given not in allowed:
        raise Refused(400, f"v must be {' or '.join(allowed)}")
    return given


def timeframe(parameters: Parameters) -> int:
    """``timeframe`` in minutes."""
    minutes = whole_number("timeframe", _required(parameters, "timeframe"))
    if not 1 <= minutes <= LONGEST_TIMEFRAME_MINUTES:
        raise Refused(400, f"timeframe must be from 1 to {LONGEST_TIMEFRAME_MINUTES} minutes")
    return minutes


def interval(parameters: Parameters, timeframe_minutes: int, shortest: int = 1) -> int | None:
    """``interval`` in minutes: it must divide the timeframe."""
    if "interval" not in parameters:
        return None
    minutes = whole_number("interval", parameters["interval"])
    if minutes < shortest:
        raise Refused(400, f"interval must be at least {shortest} minutes")
    if minutes > timeframe_minutes or timeframe_minutes % minutes:
        raise Refused(400, "interval must be a divisor of timeframe")
    return minutes


def ids(parameters: Parameters, name: str) -> Selection | None:
    """Ids joined by commas, or ``all``; ``None`` if the parameter was not sent."""
    given = parameters.get(name)
    if given is None or given == "all":
        return None if given is None else EVERY
    known = _AGENT_ID if name == "agentIds" else _ID
    each = given.split(",")
    if not all(known.fullmatch(identifier) for identifier in each):
        raise Refused(400, f"{name} must be ids joined by commas, or all")
    return Selection(frozenset(each))


def whole_number(name: str, given: str) -> int:
    """A whole number, not negative."""
    if not _WHOLE_NUMBER.fullmatch(given):
        raise Refused(400, f"{name} must be a whole number")
    return int(given)


def _required(parameters: Parameters, name: str) -> str:
    if name not in parameters:
        raise Refused(400, f"{name} is missing")
    return parameters[name]
