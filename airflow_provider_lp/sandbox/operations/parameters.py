"""Parameters of Messaging Operations, all of them texts: each function returns what it reads or refuses the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_lp.sandbox.http.exchange import Refused
from airflow_provider_lp.sandbox.http.values import choice
from airflow_provider_lp.sandbox.moments import HOUR_MS
from airflow_provider_lp.sandbox.operations.frames import Frame

PERIOD = ("fromMillis", "toMillis")
LONGEST_TIMEFRAME_MINUTES = 1_440
#: The shortest interval of the methods that document one.
SHORTEST_INTERVAL_MINUTES = 5
#: LivePerson calls ``source`` "not required" by most methods: it may come, and says nothing.
COMMON = frozenset({"v", "source"})
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")
_CODE = re.compile(r"[A-Z][A-Z_]*")
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


def period(parameters: Parameters, clock_ms: int, hours_back: int) -> Frame:
    """``fromMillis`` and ``toMillis``: no further back than so many hours, and not in the future."""
    from_ms, to_ms = (whole_number(name, _required(parameters, name)) for name in PERIOD)
    if not clock_ms - hours_back * HOUR_MS <= from_ms < to_ms <= clock_ms:
        raise Refused(400, f"fromMillis and toMillis must rise, from {hours_back} hours ago at the earliest until now")
    return Frame(from_ms, to_ms)


def foreign(parameters: Parameters, *names: str) -> None:
    """Refuse parameters that belong to another version of the method."""
    for name in names:
        if name in parameters:
            raise Refused(400, f"{name} is not known to this version")


def flag(parameters: Parameters, name: str, default: str) -> bool:
    """``true`` or ``false``."""
    return choice(name, parameters.get(name, default), ("true", "false")) == "true"


def user_type(parameters: Parameters) -> str:
    """``userType``; every one by default."""
    return choice("userType", parameters.get("userType", "all"), ("human", "bot", "all"))


def names(parameters: Parameters, name: str, known: tuple[str, ...], default: str = "all") -> frozenset[str]:
    """Names joined by commas; ``all`` among them stands for every one."""
    given = parameters.get(name, default).split(",")
    wanted = {choice(name, each, (*known, "all")) for each in given}
    return frozenset(known if "all" in wanted else wanted)


def channels(parameters: Parameters) -> Selection:
    """``source`` where it is a filter: channels such as ``APP``, or ``all``."""
    given = parameters.get("source", "all")
    if given == "all":
        return EVERY
    codes = given.split(",")
    if not all(_CODE.fullmatch(code) for code in codes):
        raise Refused(400, "source must be channels in upper case joined by commas, or all")
    return Selection(frozenset(codes))


def whole_number(name: str, given: str, at_least: int = 0) -> int:
    """A whole number, not negative."""
    if not _WHOLE_NUMBER.fullmatch(given) or int(given) < at_least:
        raise Refused(400, f"{name} must be a whole number, {at_least} or more")
    return int(given)


def _required(parameters: Parameters, name: str) -> str:
    if name not in parameters:
        raise Refused(400, f"{name} is missing")
    return parameters[name]
