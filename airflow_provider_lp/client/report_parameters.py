"""What the reports of Messaging Operations may be asked for: each parameter's name on the wire, check and text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from typing import Any, NamedTuple

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import CODE, IDENTIFIER, NUMERIC_ID
from airflow_provider_lp.client.spelling import nearest

ALL = "all"
MINUTES_PER_HOUR = 60
LONGEST_TIMEFRAME = 1440
#: The shortest interval that LivePerson documents, in minutes.
SHORTEST_INTERVAL = 5
USER_TYPES = ("human", "bot", ALL)

#: Ids of skills, agents or groups: a list of them, one, ``"all"``, or ``None`` for LivePerson's default.
Ids = Collection[str | int] | str | int | None


def _as_text(value: Any) -> str | int:
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else int(value) if isinstance(value, int) else str(value)


class Parameter(NamedTuple):
    """
    One parameter.

    :param wire: LivePerson's name of it.
    :param check: takes the argument's name and value; gives the value that LivePerson accepts, or raises.
    :param encode: what to send of that value.
    """

    wire: str
    check: Callable[[str, Any], Any]
    encode: Callable[[Any], str | int] = _as_text


def check_ids(name: str, ids: Ids) -> list[str]:
    """
    Ids as LivePerson takes them, each once; ``["all"]`` for all.

    :raises LivePersonConfigurationError: for what cannot be ids.
    """
    given = [ids] if isinstance(ids, int) else _listed(ids)
    texts = [str(some) for some in given if isinstance(some, str | int) and not isinstance(some, bool)]
    if not texts or len(texts) < len(given) or not all(IDENTIFIER.fullmatch(text) for text in texts):
        raise LivePersonConfigurationError(f"{name}={ids!r} must be a list of ids that is not empty, 'all', or None.")
    if "None" in texts:
        raise LivePersonConfigurationError(
            f"{name}={ids!r} holds a text None, which comes from a template whose value this run does not have."
        )
    texts = [ALL if text.lower() == ALL else text for text in texts]
    wrong = next((text for text in texts if text != ALL and not NUMERIC_ID.fullmatch(text)), None)
    if wrong is not None and name != "agent_ids":
        raise LivePersonConfigurationError(
            f"{name}={ids!r} must be numbers, the ids at LivePerson, or 'all'.{nearest(wrong, [ALL])}"
        )
    if ALL in texts and len(texts) > 1:
        raise LivePersonConfigurationError(f"{name}={ids!r}: give ids only, or 'all' alone.")
    return list(dict.fromkeys(texts))


def check_minutes(name: str, minutes: object) -> int:
    """
    A timeframe in minutes.

    :raises LivePersonConfigurationError: for anything but 1 to 1440.
    """
    return _whole(name, minutes, 1, LONGEST_TIMEFRAME)


def check_hours(name: str, minutes: object) -> int:
    """
    A timeframe of whole hours, in minutes.

    :raises LivePersonConfigurationError: for anything else.
    """
    whole = _whole(name, minutes, 1, None)
    if whole % MINUTES_PER_HOUR:
        raise LivePersonConfigurationError(f"{name}={minutes} (minutes) must be whole hours here, such as 1440.")
    return whole


def check_interval(name: str, minutes: object) -> int:
    """
    The length of an interval in minutes.

    :raises LivePersonConfigurationError: for anything but 5 or more.
    """
    return _whole(name, minutes, SHORTEST_INTERVAL, None)


def check_divides(interval: int, timeframe: int) -> None:
    """
    Make sure that a timeframe can be cut into such intervals.

    :raises LivePersonConfigurationError: if not.
    """
    if timeframe % interval:
        raise LivePersonConfigurationError(
            f"interval={interval} (minutes) must divide the timeframe of {timeframe} minutes without a rest: "
            "LivePerson refuses others."
        )


def check_user_type(name: str, value: object) -> str:
    """
    Whose segments: ``human``, ``bot`` or ``all``.

    :raises LivePersonConfigurationError: for anything else.
    """
    if not isinstance(value, str) or value not in USER_TYPES:
        raise LivePersonConfigurationError(f"{name}={value!r} must be one of {', '.join(USER_TYPES)}.")
    return value


def check_channels(name: str, value: object) -> list[str]:
    """
    Channels as LivePerson names them.

    :raises LivePersonConfigurationError: for what cannot be channels.
    """
    channels = _listed(value)
    if not channels or not all(isinstance(some, str) and (some == ALL or CODE.fullmatch(some)) for some in channels):
        raise LivePersonConfigurationError(
            f"{name}={value!r} must be channels such as APP, FACEBOOK, SMS, or 'all'. (In this report LivePerson's "
            "source is a channel, not the caller's name.)"
        )
    if ALL in channels and len(set(channels)) > 1:
        raise LivePersonConfigurationError(f"{name}={value!r}: give channels only, or 'all' alone.")
    return list(dict.fromkeys(channels))


def check_flag(name: str, value: object) -> bool:
    """
    A flag.

    :raises LivePersonConfigurationError: for anything but ``True`` and ``False``.
    """
    if not isinstance(value, bool):
        raise LivePersonConfigurationError(f"{name}={value!r} must be True or False.")
    return value


def _whole(name: str, value: object, lowest: int, highest: int | None) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest or value > (highest or value):
        limits = f"from {lowest} to {highest}" if highest else f"of at least {lowest}"
        raise LivePersonConfigurationError(f"{name}={value!r} must be a whole number {limits}.")
    return value


def _listed(values: object) -> list[Any]:
    """What was given as a list; one text is a list of one."""
    if isinstance(values, str):
        return [values]
    return list(values) if isinstance(values, Sequence | Set) and not isinstance(values, bytes | bytearray) else []


def names(argument: str, allowed: Collection[str]) -> dict[str, Parameter]:
    """A parameter that takes some of these names."""

    def check(name: str, value: object) -> list[str]:
        given = _listed(value)
        if not given or not all(isinstance(each, str) and each in allowed for each in given):
            raise LivePersonConfigurationError(f"{name}={value!r} must be some of {', '.join(allowed)}.")
        return list(dict.fromkeys(given))

    return {argument: Parameter(argument, check)}


def flag(argument: str) -> dict[str, Parameter]:
    """A parameter that is true or false."""
    first, *others = argument.split("_")
    return {argument: Parameter(first + "".join(map(str.capitalize, others)), check_flag)}


SKILL_IDS = {"skill_ids": Parameter("skillIds", check_ids)}
AGENT_IDS = {"agent_ids": Parameter("agentIds", check_ids)}
GROUP_IDS = {"group_ids": Parameter("groupIds", check_ids)}
MINUTES = {"timeframe": Parameter("timeframe", check_minutes)}
HOURS = {"timeframe": Parameter("timeframe", check_hours, lambda minutes: minutes // MINUTES_PER_HOUR)}
INTERVAL = {"interval": Parameter("interval", check_interval)}
USER_TYPE = {"user_type": Parameter("userType", check_user_type)}
CHANNELS = {"source": Parameter("source", check_channels)}
