"""The secrets that a client knows, which no error and no log may show."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from urllib.parse import quote_plus


class Secrets:
    """
    Values to keep out of errors and logs.

    :param on_secret: told each secret as soon as it is known, for instance to mask it in logs.
    """

    def __init__(self, on_secret: Callable[[str], None]) -> None:
        self._on_secret = on_secret
        self._lock = threading.Lock()
        self._forms: frozenset[str] = frozenset()

    def add(self, *secrets: str) -> None:
        """Keep these values secret, also in the forms in which a form or JSON holds them."""
        for secret in filter(None, secrets):
            with self._lock:
                self._forms |= {secret, quote_plus(secret), json.dumps(secret)[1:-1]}
            self._on_secret(secret)

    def blot_out(self, text: str) -> str:
        """The text with every secret replaced."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text
