"""How fresh and how old LivePerson's conversations are."""

from __future__ import annotations

from datetime import timedelta

#: LivePerson keeps conversations for 13 months.
RETENTION = timedelta(days=397)
#: How long before a window, unless said otherwise, a conversation may have started that ended or changed in it.
DEFAULT_MAX_AGE = timedelta(days=90)
#: LivePerson shows what happened up to a minute late; the same again for safety.
FRESHNESS_DELAY = timedelta(minutes=2)
