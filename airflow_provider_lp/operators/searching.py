"""The arguments by which operators and sensors search for conversations: what is wrong as it stands in a DAG file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from airflow_provider_lp.export.terms import check_max_age, check_time_field
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.templates import (
    PAIRED_FILTERS,
    filters_from_template,
    from_template,
    names_from_template,
)
from airflow_provider_lp.windows import parse_length, parse_moment, parse_period, parse_span


def check_period(given: Literals) -> None:
    """
    Check ``start``, ``end`` and ``window``, as far as they are known.

    :raises LivePersonConfigurationError: naming the one that is wrong.
    """
    if given.knows("start", "end"):
        parse_period(given.get("start"), given.get("end"))
    else:
        for name in ("start", "end"):
            given.check(name, partial(parse_moment, name))
    given.check("window", parse_length)


def check_search(given: Literals) -> None:
    """
    Check the period, ``time_field``, ``max_age`` and ``filters``, as far as they are known.

    :raises LivePersonConfigurationError: naming the one that is wrong.
    """
    check_period(given)
    given.check("time_field", check_time_field)
    given.check("max_age", lambda max_age: check_max_age(parse_span("max_age", max_age)))
    if given.part("filters") is not None:
        _check_filters(given)


def _check_filters(given: Literals) -> None:
    from airflow_provider_lp.client.filters import FILTERS, check_filters

    filters = given.part("filters")
    if isinstance(filters, Mapping) and not given.knows("filters"):
        whole = given.unrendered("filters")
        # Names are known even where values are not.
        check_filters({name: None for name in whole if name not in FILTERS})
        filters = {name: value for name, value in filters.items() if name not in PAIRED_FILTERS or value == whole[name]}
    check_filters(filters_from_template(filters))


def check_status_literals(given: Literals) -> None:
    """
    Check ``status``, as far as it is known.

    :raises LivePersonConfigurationError: naming the one that is wrong.
    """
    status = given.part("status")
    if status is not None:
        from airflow_provider_lp.client.filters import check_status

        check_status(names_from_template(status))


def check_content_literals(given: Literals, *, by_consumer: bool = False) -> None:
    """
    Check ``content``, as far as it is known.

    :raises LivePersonConfigurationError: naming the name that is wrong.
    """
    content = given.part("content")
    if content is not None:
        from airflow_provider_lp.client.filters import check_content

        check_content(from_template(content), by_consumer=by_consumer)
