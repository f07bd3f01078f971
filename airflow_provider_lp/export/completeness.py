"""Asking LivePerson until its answer is complete: the pauses before each try, and the one loop that asks again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

log = logging.getLogger(__name__)

Complete = TypeVar("Complete")

#: Pauses before each try. Data that is not whole yet is usually whole a moment later.
PAUSES = (timedelta(0), timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=5))


def ask_until_complete(
    client: LivePersonClient,
    ask: Callable[[int], tuple[Complete, str]],
    *,
    pauses: Sequence[timedelta] = PAUSES,
) -> Complete:
    """
    Ask again and again, with pauses, until an answer lacks nothing.

    :param client: whose clock the pauses go by, and which ends them when it closes.
    :param ask: asks once, given the number of the try from 0 on; returns the answer and what is wrong with it, as the
        beginning of a sentence, or an empty text if nothing is.
    :param pauses: before each try; default :data:`PAUSES`.
    :raises LivePersonIncompleteDataError: with what was wrong the last time.
    """
    problem = ""
    for number, pause in enumerate(pauses):
        client.wait(pause)
        answer, problem = ask(number)
        if not problem:
            return answer
        if number + 1 < len(pauses):
            log.info("%s: asking again (try %d of %d).", problem, number + 2, len(pauses))
    raise LivePersonIncompleteDataError(f"{problem}, however often asked. Nothing was published.")
