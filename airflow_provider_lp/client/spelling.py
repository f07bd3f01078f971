"""Which name a wrong one may have been meant for."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: object, known: Iterable[str]) -> str:
    """Asks whether the known name that is most like a wrong one was meant; empty if none is like it."""
    # Here, since a DAG file whose arguments are right has no need of it.
    from difflib import get_close_matches

    by_lower_case = {some.lower(): some for some in known}
    close = get_close_matches(str(name).lower(), by_lower_case, n=1)
    return f" Did you mean {by_lower_case[close[0]]!r}?" if close else ""
