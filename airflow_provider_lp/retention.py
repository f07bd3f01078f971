"""How fresh and how old LivePerson's conversations are."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

#: LivePerson keeps conversations for 13 months.
RETENTION = timedelta(days=397)
#: The shortest 13 months have 393 days. What is older than this may be going already.
SURELY_KEPT = timedelta(days=390)
#: How long before a window, unless said otherwise, a conversation may have started that ended or changed in it.
DEFAULT_MAX_AGE = timedelta(days=90)
#: LivePerson shows what happened up to a minute late; the same again for safety.
FRESHNESS_DELAY = timedelta(minutes=2)
#: A ``max_age`` below this was probably meant to be in days.
SUSPICIOUSLY_SHORT = timedelta(hours=1)


def is_final(end: datetime, now: datetime) -> bool:
    """Whether LivePerson shows all that happened before a window's end: it is over, and has been for a moment."""
    return end <= now - FRESHNESS_DELAY


def warn_of_short_max_age(time_field: str, given: object, max_age: timedelta) -> None:
    """
    Warn of a ``max_age`` that leaves nearly everything out: a number counts seconds.

    :param time_field: which moment of a conversation counts; for ``start``, its age does not matter.
    :param given: what the author gave.
    :param max_age: what that means.
    """
    if time_field != "start" and max_age < SUSPICIOUSLY_SHORT:
        log.warning(
            "max_age=%r means that conversations which started more than %s before the window are not found. A "
            "number counts seconds.",
            given,
            max_age,
        )
