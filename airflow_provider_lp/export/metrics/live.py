"""The rows of a report, as LivePerson measures it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.liveperson import LivePersonClient
from airflow_provider_lp.client.measurements import Measurement, Subject
from airflow_provider_lp.export.metrics.asking import Dated, ask_periods, ask_snapshot, ask_timeframe
from airflow_provider_lp.export.metrics.portions import Portion, portions_of
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.reports import MESSAGING_CONVERSATION, Dating
from airflow_provider_lp.export.metrics.rows import Row, row_of
from airflow_provider_lp.export.metrics.sums import add_up, zeros
from airflow_provider_lp.export.metrics.tiling import ask_tiles
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

#: How often to ask for portions that have to be about the same time.
TRIES = 4

Asking = Callable[[LivePersonClient, MetricsQuery, Portion], list[Dated]]


def measured_rows(client: LivePersonClient, query: MetricsQuery) -> Iterator[Row]:
    """
    The rows of a report.

    :param client: LivePerson.
    :param query: which report, of whom, for when.
    :raises LivePersonError: by its kind.
    """
    for covered, measurements in _joined(query, _answers(client, query)):
        for subject, metrics, _ in _with_one_account(query, measurements):
            yield row_of(query.report, client.account_id, subject, covered, metrics)


def _answers(client: LivePersonClient, query: MetricsQuery) -> list[list[Dated]]:
    """What LivePerson answers to each portion; all about the same time where they are to be added up."""
    portions = portions_of(query)
    if query.window and query.report.name == MESSAGING_CONVERSATION:
        # Once for all, so that every portion is cut at the same bucket where the window is not over yet.
        window = query.tiled_until(client.now)
        return in_parallel(client, lambda portion: ask_tiles(client, query, portion, window), portions)
    asking = _asking(query)
    for _ in range(TRIES):
        answers = in_parallel(client, lambda portion: asking(client, query, portion), portions)
        if not query.report.additive or all(_periods(answer) == _periods(answers[0]) for answer in answers):
            return answers
    raise LivePersonIncompleteDataError(
        f"The ids of {query.report.name} take {len(portions)} requests, and LivePerson did not answer them within one "
        "five-minute bucket. Ask for fewer ids, or 'all'. Nothing was published."
    )


def _periods(answer: list[Dated]) -> list[Window | int]:
    return [dated.covered for dated in answer]


def _asking(query: MetricsQuery) -> Asking:
    if query.report.dating is Dating.SNAPSHOT:
        return ask_snapshot
    return ask_periods if query.window and query.report.dating is Dating.PERIOD else ask_timeframe


def _joined(query: MetricsQuery, answers: list[list[Dated]]) -> Iterable[Dated]:
    """The answers to all portions of a query as one."""
    if len(answers) == 1:
        return answers[0]
    if not query.report.additive:
        log.warning(
            "The ids of %s take %d requests: its rows for the account are left out, since such totals do not add up.",
            query.report.name,
            len(answers),
        )
        return _once_each(answers)
    by_period: dict[Window | int, list[Measurement]] = {}
    for covered, measurements in (dated for answer in answers for dated in answer):
        by_period.setdefault(covered, []).extend(measurements)
    return [Dated(covered, add_up(query.report, measurements)) for covered, measurements in by_period.items()]


def _once_each(answers: list[list[Dated]]) -> Iterator[Dated]:
    """Each subject from the first answer that has it."""
    first_in: dict[Subject, int] = {}
    for number, answer in enumerate(answers):
        for covered, measurements in answer:
            own = [each for each in measurements if first_in.setdefault(each.subject, number) == number]
            yield Dated(covered, [each for each in own if each.subject.level != "account"])


def _with_one_account(query: MetricsQuery, measurements: list[Measurement]) -> Iterator[Measurement]:
    """
    The account's total once: sections of skills and of agents have one each, of the same events.

    Where nothing happened, LivePerson may leave it out: counts are then zero.
    """
    accounts = [each for each in measurements if each.subject.level == "account"]
    if query.report.additive:
        zero = Measurement(Subject("account"), zeros(query.report), query.account_section)
        accounts = [each for each in accounts if each.section == query.account_section] or [zero]
    yield from accounts[:1]
    yield from (each for each in measurements if each.subject.level != "account")
