"""Sensors that wait for conversations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.operators.context import moments_of
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.searching import check_search
from airflow_provider_lp.operators.templates import (
    filters_from_template,
    ids_from_template,
    names_from_template,
    number_from_template,
)
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, FRESHNESS_DELAY, warn_of_short_max_age
from airflow_provider_lp.sensors.base import LivePersonSensor, present
from airflow_provider_lp.windows import parse_span, resolve_window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context
    from airflow_provider_lp.conditions.conversations import (
        ConversationsHaveStatus,
        ConversationsMatch,
        WindowedSearch,
        WindowIsReady,
    )

DEFAULT_SETTLING_TIME = timedelta(seconds=30)


class LivePersonWindowSensor(LivePersonSensor):
    """
    A sensor about the conversations of a period.

    The period is the one that :class:`~airflow_provider_lp.operators.conversations.LivePersonConversationsOperator`
    would export in the same run, and stays the same however long the sensor waits.
    """

    template_fields: Sequence[str] = (
        "start",
        "end",
        "window",
        "time_field",
        "filters",
        "max_age",
        "liveperson_conn_id",
    )
    template_fields_renderers = {"filters": "json"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        window: timedelta | float | str | None = None,
        time_field: str = "start",
        filters: Mapping[str, Any] | None = None,
        max_age: timedelta | float | str = DEFAULT_MAX_AGE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.window = window
        self.time_field = time_field
        self.filters = filters
        self.max_age = max_age

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        check_search(given)

    def search(self, context: Context) -> WindowedSearch:
        """
        The search for the conversations of the run's period.

        :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
        """
        from airflow_provider_lp.conditions.conversations import WindowedSearch

        now = present()
        max_age = parse_span("max_age", self.max_age)
        warn_of_short_max_age(self.time_field, self.max_age, max_age)
        window = resolve_window(self.start, self.end, self.window, moments_of(context), now)
        filters = filters_from_template(self.filters)
        search = WindowedSearch(
            window.start_ms,
            window.end_ms,
            self.time_field,
            max_age.total_seconds(),
            {} if filters is None else filters,
        )
        return search.checked(now)


class LivePersonConversationsSensor(LivePersonWindowSensor):
    """
    Waits until enough conversations of a period match.

    Counts exactly what an export of the period would hold: by LivePerson's ``conversations/search``, whose bounds are
    rounded outwards to ten minutes and trimmed here. While there cannot be enough, a poll costs one small request for
    each search (one, unless the period with ``max_age`` is longer than three months), and while there are none two.

    The task returns ``{"count": ..., "conversation_ids": [...]}``, with the first 1000 ids.

    :param start: start of the period: aware datetime or ISO 8601 text with offset; with ``end``. (templated)
    :param end: end of the period, likewise; may lie in the future. (templated)
    :param window: length of the period for runs that only have a moment: a timedelta, seconds, or ISO 8601 text such
        as ``"PT1H"``. (templated)
    :param time_field: which moment of a conversation must lie in the period: ``"start"`` (default), ``"end"``,
        ``"full_dialog_end"`` or ``"latest_update"``. (templated)
    :param filters: LivePerson's search filters by their own names; the time filters excepted. (templated)
    :param max_age: for time fields other than ``start``: how long before the period a conversation may have started;
        default 90 days, at most 13 months; given like ``window``. (templated)
    :param min_count: how many conversations to wait for, default 1. (templated)
    :param deferrable: whether to wait in the triggerer; default as Airflow's setting says.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what waiting cannot mend: arguments, credentials, permissions.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = (*LivePersonWindowSensor.template_fields, "min_count")

    def __init__(self, *, min_count: int | str = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_count = min_count
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("min_count", parse_min_count)

    def condition(self, context: Context) -> ConversationsMatch:
        """What to wait for."""
        from airflow_provider_lp.conditions.conversations import ConversationsMatch

        return ConversationsMatch(self.search(context), parse_min_count(self.min_count))


class LivePersonWindowReadySensor(LivePersonWindowSensor):
    """
    Waits until a period is over and LivePerson shows all of it: put it before an export.

    LivePerson shows what happened up to a minute late. The period is ready when ``delay`` has passed since its end,
    and two polls, ``settling_time`` apart, find LivePerson counting as many conversations. That it counts none is asked
    twice in each. A count of 10,000 or more is taken in parts, since LivePerson may stop counting there.

    The task returns ``{"start": ..., "end": ..., "count": ...}``: the period as ISO 8601 texts, ready to be an
    operator's ``start`` and ``end``, and LivePerson's count, whose bounds are rounded outwards to ten minutes.

    :param start: start of the period: aware datetime or ISO 8601 text with offset; with ``end``. (templated)
    :param end: end of the period, likewise; may lie in the future. (templated)
    :param window: length of the period for runs that only have a moment: a timedelta, seconds, or ISO 8601 text such
        as ``"PT1H"``. (templated)
    :param delay: how long ago the period must have ended, default 2 minutes; given like ``window``. (templated)
    :param settling_time: how far apart the two polls are, default 30 seconds; likewise. (templated)
    :param time_field: by which moment to count the period's conversations: the one that the export goes by; default
        ``"start"``. (templated)
    :param filters: LivePerson's search filters, those of the export; default none. (templated)
    :param max_age: as in the export. (templated)
    :param deferrable: whether to wait in the triggerer; default as Airflow's setting says.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what waiting cannot mend: arguments, credentials, permissions.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = (*LivePersonWindowSensor.template_fields, "delay", "settling_time")

    def __init__(
        self,
        *,
        delay: timedelta | float | str = FRESHNESS_DELAY,
        settling_time: timedelta | float | str = DEFAULT_SETTLING_TIME,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.delay = delay
        self.settling_time = settling_time
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("delay", partial(parse_pause, "delay"))
        given.check("settling_time", partial(parse_pause, "settling_time"))
        given.check("time_field", check_has_end)

    def condition(self, context: Context) -> WindowIsReady:
        """What to wait for."""
        from airflow_provider_lp.conditions.conversations import WindowIsReady

        delay = parse_pause("delay", self.delay)
        settling_time = parse_pause("settling_time", self.settling_time)
        check_has_end(self.time_field)
        return WindowIsReady(self.search(context), delay.total_seconds(), settling_time.total_seconds())


class LivePersonConversationStatusSensor(LivePersonSensor):
    """
    Waits until all of some conversations have a status.

    Rests on LivePerson's ``conversations/conversation/search``, 100 ids a request. Ids that LivePerson does not know,
    or does not know yet, are waited for; that it does not know one is asked twice in each poll that depends on it.

    The task returns ``{"count": ..., "conversation_ids": [...]}``, with the first 1000 ids.

    :param conversation_ids: ids, any number: a list, another sensor's output, or a template that gives one.
        (templated)
    :param status: ``"CLOSE"`` (default) or ``"OPEN"``. (templated)
    :param deferrable: whether to wait in the triggerer; default as Airflow's setting says.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what waiting cannot mend: arguments, credentials, permissions.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = ("conversation_ids", "status", "liveperson_conn_id")

    def __init__(
        self, *, conversation_ids: Sequence[str] | str, status: Collection[str] | str = "CLOSE", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.conversation_ids = conversation_ids
        self.status = status
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        ids = given.part("conversation_ids")
        if ids is not None:
            parse_ids(ids)
        given.check("status", parse_status)

    def condition(self, context: Context) -> ConversationsHaveStatus:  # noqa: ARG002 - the same in each run
        """What to wait for."""
        from airflow_provider_lp.conditions.conversations import ConversationsHaveStatus

        return ConversationsHaveStatus(parse_ids(self.conversation_ids), parse_status(self.status))


def parse_min_count(value: Any) -> int:
    """
    How many conversations to wait for.

    :raises LivePersonConfigurationError: if it is no number above zero.
    """
    number = number_from_template(value)
    if type(number) is not int or number < 1:
        raise LivePersonConfigurationError(f"min_count={value!r} must be a whole number above 0.")
    return number


def parse_pause(name: str, value: object) -> timedelta:
    """
    A length of time that may be zero.

    :raises LivePersonConfigurationError: if it is none, or less than zero.
    """
    length = parse_span(name, value)
    if length < timedelta(0):
        raise LivePersonConfigurationError(f"{name}={value!r} must not be less than zero.")
    return length


def check_has_end(time_field: object) -> None:
    """
    Refuse a moment after which more may always come.

    :raises LivePersonConfigurationError: naming the argument.
    """
    if time_field == "latest_update":
        raise LivePersonConfigurationError("time_field='latest_update' knows no end, so it is never ready.")


def parse_ids(value: object) -> list[str]:
    """
    The conversations to wait for.

    :raises LivePersonConfigurationError: if there are none, or they are no ids.
    """
    from airflow_provider_lp.export.lookup_query import LookupQuery

    ids = ids_from_template("conversation_ids", value)
    return LookupQuery.checked(conversation_ids=ids, consumer_id=None).conversation_ids or []


def parse_status(value: Any) -> str:
    """
    The status to wait for.

    :raises LivePersonConfigurationError: if it is none, or more than one.
    """
    from airflow_provider_lp.client.filters import check_status

    status = check_status(names_from_template(value))
    if len(status) > 1:
        raise LivePersonConfigurationError(f"status={value!r} must be one of CLOSE and OPEN.")
    return status[0]
