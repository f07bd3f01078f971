"""Answers of Messaging Operations: metrics of an account, its skills, agents and groups, in each of their shapes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from airflow_provider_lp.client.calls import Answer
from airflow_provider_lp.client.errors import LivePersonTransportError
from airflow_provider_lp.client.records import milliseconds

#: LivePerson's samples and its tables disagree on the name.
TOTALS = ("metricsTotals", "metricsTotal")
SKILLS = ("skillsMetricsPerAgent", "skillsMetrics")
GROUPINGS = (*TOTALS, *SKILLS, "agentsMetrics", "metricsPerSkill", "metricsPerAgent", "skillGroupMetrics")
#: What may be a moment: no stamp lies beyond the year 2200, and none of today's before 2001.
EARLIEST_MS = 1_000_000_000_000
LATEST_MS = 7_258_118_400_000
INTERVALS = "metricsByIntervals"
FRAME = "timeframeSummary"


class Subject(NamedTuple):
    """
    Whom metrics are about.

    :param level: ``account``, ``skill``, ``agent`` or ``skill_agent``.
    :param skill_id: the skill, where there is one.
    :param agent_id: the agent, where there is one.
    :param group_id: the agent group, where there is one.
    """

    level: str
    skill_id: str | None = None
    agent_id: str | None = None
    group_id: str | None = None


class Measurement(NamedTuple):
    """
    Metrics of one subject.

    :param subject: whom they are about.
    :param metrics: values by LivePerson's own names, as it sent them.
    :param section: what LivePerson grouped by where it gave them: ``skills``, ``agents`` or, without groups, nothing.
    """

    subject: Subject
    metrics: Mapping[str, Any]
    section: str | None = None


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """
    What an answer holds.

    :param frame: the measurements of the whole timeframe.
    :param intervals: the measurements of each interval by its stamp, in epoch milliseconds and order of time; ``None``
        if the answer has no intervals. They are the same events as the frame's: never add the two.
    :param asked_ms: when it was asked for, in epoch milliseconds: where a timeframe ends.
    :param is_empty: whether it is ``{}``, which LivePerson answers for a quiet hour.
    """

    frame: list[Measurement] = field(repr=False)
    intervals: dict[int, list[Measurement]] | None = field(default=None, repr=False)
    asked_ms: int = field(default=0, compare=False)
    is_empty: bool = field(default=False, compare=False)

    @property
    def has_nothing(self) -> bool:
        """Whether it holds nobody's measurements: empty, or nothing but empty sections."""
        return not self.frame and not any((self.intervals or {}).values())


def read_metrics(answer: Answer, endpoint: str, metrics: Collection[str] = ()) -> MetricsAnswer:
    """
    The measurements of an answer.

    :param answer: LivePerson's answer.
    :param endpoint: what to call it in errors.
    :param metrics: names of the account's metrics: what has some of them, and no totals member, is the account's.
    :raises LivePersonTransportError: if it is not LivePerson's JSON, for instance cut short; or if it holds numbers,
        but none where they could be read.
    """
    if answer.status == 204:
        raise LivePersonTransportError(
            f"LivePerson answers {endpoint} with HTTP 204 (no content), which it does not document for metrics: that "
            "does not mean that nothing happened.",
            status=204,
            endpoint=endpoint,
        )
    asked_ms = int(answer.sent_at * 1000)
    try:
        content = _decoded(answer.body)
        if not isinstance(content, dict):
            raise ValueError("no metrics")
        if not content:
            return MetricsAnswer([], asked_ms=asked_ms, is_empty=True)
        frame, intervals = _frame(content, metrics), _intervals(content, metrics)
        if not frame and not content.keys() & {*GROUPINGS, INTERVALS, FRAME} and not _has_figures(content):
            raise ValueError("no metrics")
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise LivePersonTransportError(
            f"The answer to {endpoint} ({len(answer.body)} bytes) is cut short or not LivePerson's JSON: {error}.",
            endpoint=endpoint,
        ) from error
    return MetricsAnswer(frame, intervals, asked_ms)


def _decoded(body: bytes) -> Any:
    """JSON, and what LivePerson sends in its place: NaN is null, and bytes that are no text are replaced."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _readable(json.loads(body.decode("utf-8-sig", "replace"), parse_constant=lambda _: None))


def _readable(value: Any) -> Any:
    """The same with halves of surrogate pairs replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_readable(each) for each in value]
    return {_readable(key): _readable(each) for key, each in value.items()} if isinstance(value, dict) else value


def _frame(content: Mapping[str, Any], metrics: Collection[str]) -> list[Measurement]:
    summary = _members(content, FRAME)
    return _taken(summary or {name: each for name, each in content.items() if name != INTERVALS}, metrics)


def _intervals(content: Mapping[str, Any], metrics: Collection[str]) -> dict[int, list[Measurement]] | None:
    if INTERVALS not in content:
        return None
    rows = content[INTERVALS] or []
    if not isinstance(rows, list):
        raise ValueError(f"{INTERVALS} is no list")
    intervals: dict[int, list[Measurement]] = {}
    for row in rows:
        stamp_ms, measurements = _interval(row, metrics)
        if intervals.setdefault(stamp_ms, measurements) != measurements:
            raise ValueError(f"two different intervals are stamped {stamp_ms}")
    return dict(sorted(intervals.items()))


def _interval(row: Any, metrics: Collection[str]) -> tuple[int, list[Measurement]]:
    stamp_ms = milliseconds(row.get("timestamp")) if isinstance(row, dict) else None
    if stamp_ms is None or stamp_ms > LATEST_MS:
        raise ValueError("an interval without its timestamp")
    content = {**row, **_members(row, "metricsData")}
    del content["timestamp"]
    content.pop("metricsData", None)
    return stamp_ms, _taken(content, metrics)


def _taken(content: Mapping[str, Any], metrics: Collection[str]) -> list[Measurement]:
    """
    The measurements of a frame or an interval.

    :raises ValueError: if there are none, though it holds numbers: whatever they mean, they must not get lost.
    """
    taken = list(_measurements(content, metrics))
    if not any(_is_figure(value) for each in taken for value in each.metrics.values()) and _has_figures(content):
        raise ValueError(f"numbers where none are known, in {', '.join(content)}")
    return taken


def _has_figures(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_has_figures(each) for each in (value.values() if isinstance(value, dict) else value))
    return _is_figure(value)


def _is_figure(value: Any) -> bool:
    """Whether it is a number, but no moment."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and not EARLIEST_MS <= value <= LATEST_MS


def _measurements(content: Mapping[str, Any], metrics: Collection[str]) -> Iterator[Measurement]:
    """The measurements of a frame or an interval, totals first."""
    if totals := _totals(content) or _flat(content, metrics):
        yield Measurement(Subject("account"), totals)
    yield from _skills(_first(content, SKILLS))
    yield from _skills({name: content[name] for name in ("metricsPerSkill",) if name in content})
    yield from _agents(_members(content, "agentsMetrics"))
    yield from _agents({name: content[name] for name in ("metricsPerAgent",) if name in content})
    for skill_id, groups in _maps(_members(content, "skillGroupMetrics")):
        for group_id, metrics in _maps(groups):
            yield Measurement(Subject("skill", skill_id, group_id=group_id), metrics, "skills")


def _skills(section: Mapping[str, Any]) -> Iterator[Measurement]:
    """A section of skills: each split by agents below ``metricsPerSkill``, or its bare metrics at once."""
    if totals := _totals(section):
        yield Measurement(Subject("account"), totals, "skills")
    for skill_id, skill in _grouped(section, "metricsPerSkill"):
        if not skill.keys() & {*TOTALS, "metricsPerAgent"}:
            yield Measurement(Subject("skill", skill_id), skill, "skills")
            continue
        if totals := _totals(skill):
            yield Measurement(Subject("skill", skill_id), totals, "skills")
        for agent_id, metrics in _maps(_members(skill, "metricsPerAgent")):
            yield Measurement(Subject("skill_agent", skill_id, agent_id), metrics, "skills")


def _agents(section: Mapping[str, Any]) -> Iterator[Measurement]:
    if totals := _totals(section):
        yield Measurement(Subject("account"), totals, "agents")
    for agent_id, metrics in _grouped(section, "metricsPerAgent"):
        yield Measurement(Subject("agent", agent_id=agent_id), metrics, "agents")


def _grouped(section: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a section holds by id, whether below a member of its own or at once."""
    if name in section:
        return _maps(_members(section, name))
    return _maps({key: value for key, value in section.items() if key not in TOTALS})


def _totals(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return _first(content, TOTALS)


def _flat(content: Mapping[str, Any], metrics: Collection[str]) -> Mapping[str, Any]:
    """The account's metrics, where they stand beside the sections instead of in a totals member."""
    values = {
        name: value for name, value in content.items() if value is not None and not isinstance(value, dict | list)
    }
    return values if values.keys() & {*metrics} else {}


def _first(content: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """What stands under the first of these names that holds something."""
    return next((members for name in names if (members := _members(content, name))), {})


def _maps(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ids that hold something; one without data is left out by LivePerson, or empty."""
    return ((key, members) for key in content if (members := _members(content, key)))


def _members(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object at ``name``; an absent one, and null, hold nothing."""
    value = content.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no object")
    return value
