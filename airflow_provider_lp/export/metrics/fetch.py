"""Fetching what a query takes: each request until its answer is whole, all of them about the same time."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from airflow_provider_lp.client.errors import LivePersonBadRequestError, LivePersonIncompleteDataError
from airflow_provider_lp.client.measurements import MetricsAnswer
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.export.completeness import ask_until_complete
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.export.metrics.timing import Timing
from airflow_provider_lp.export.metrics.totals import Dated, account_section, silence, with_account
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.export.progress import Progress, Standing
from airflow_provider_lp.windows import to_ms

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

#: How often to ask for batches of ids that have to be about the same time.
TRIES = 4


def fetch(client: LivePersonClient, query: MetricsQuery) -> list[list[Dated]]:
    """
    What LivePerson answers to each batch of ids; all about the same time where they are to be added up.

    :param client: LivePerson.
    :param query: what to ask for.
    :raises LivePersonWindowError: if LivePerson no longer holds all of the window.
    :raises LivePersonIncompleteDataError: if data are missing, however often asked.
    """
    batches = query.batches()
    _wait(client, query.timing.until_over(to_ms(client.now)))
    # Once for all, so that every batch ends at the same moment where the window is not over yet.
    timing = query.timing.so_far(to_ms(client.now))
    requests = [timing.requests(batch) for batch in batches]
    parts, progress = list(chain.from_iterable(requests)), Progress(client)
    for _ in range(TRIES):
        fetched = iter(in_parallel(client, lambda each: _whole(client, timing, each), parts, progress=progress))
        answers = [[dated for _ in of_batch for dated in next(fetched)] for of_batch in requests]
        if not query.report.additive or all(_periods(answer) == _periods(answers[0]) for answer in answers):
            progress.finish(Standing(len(parts), len(parts)))
            return answers
    raise LivePersonIncompleteDataError(
        f"The ids of {query.report.name} take {len(batches)} requests, and LivePerson did not answer them within one "
        "five-minute bucket. Ask for fewer ids, or 'all'. Nothing was published."
    )


def _whole(client: LivePersonClient, timing: Timing, request: MetricsRequest) -> list[Dated]:
    """One request, asked until its answer is whole."""
    section = account_section(request.skill_ids, request.agent_ids)
    window = f" for the window {timing.covers}" if timing.covers else ""

    was_empty = False

    def ask(number: int) -> tuple[tuple[MetricsRequest, MetricsAnswer], str]:
        timed = timing.at(request, to_ms(client.now), number)
        _wait(client, timing.until_steady(timed, to_ms(client.now)))
        try:
            answer = with_account(request.report, client.operations.send(timed), section)
        except LivePersonBadRequestError:
            # The window may have gone out of reach meanwhile.
            timing.check_reach(to_ms(client.now))
            raise
        nonlocal was_empty
        problem = silence(request.report, answer, section) or timing.problem(timed, answer, to_ms(client.now))
        if answer.has_nothing and not was_empty:
            # The one answer that could be wrong without a sign of it.
            problem = problem or ("is empty, which it was not before" if number else "is empty")
        was_empty = answer.has_nothing
        return (timed, answer), problem and f"LivePerson's answer to {request.report.name}{window} {problem}"

    return timing.dated(*ask_until_complete(client, ask))


def _periods(answer: list[Dated]) -> list[object]:
    return [dated.covered for dated in answer]


def _wait(client: LivePersonClient, pause_ms: int) -> None:
    client.wait(timedelta(milliseconds=pause_ms))
