"""The secrets that a client knows, which no error and no log may show, in whatever clothes they come."""

from __future__ import annotations

import base64
import binascii
import html
import re
import threading
from collections.abc import Callable, Iterator
from urllib.parse import unquote, unquote_plus

#: So many letters and digits in a row that a secret holds as well are a part of it.
PART = 8
#: A body that in all its forms together is longer than this is not worth an excerpt.
MOST_CHARACTERS = 1_200_000
DEEPEST = 6

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_UNICODE_ESCAPE = re.compile(r"(?:\\+u|%u)([0-9a-f]{4})|\\+x([0-9a-f]{2})", re.IGNORECASE)
_ESCAPE = re.compile(r"\\+([^uxUX])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){3,}")
_SPACE = re.compile(r"\s+")


class Secrets:
    """
    Values to keep out of errors and logs.

    :param on_secret: told each secret as soon as it is known, for instance to mask it in logs.
    """

    def __init__(self, on_secret: Callable[[str], None]) -> None:
        self._on_secret = on_secret
        self._lock = threading.Lock()
        self._whole: frozenset[str] = frozenset()
        self._parts: frozenset[str] = frozenset()

    def add(self, *secrets: str) -> None:
        """Keep these values secret, and tell the listener."""
        for secret in filter(None, secrets):
            bare = _bare(secret)
            with self._lock:
                if len(bare) > PART:
                    self._parts |= {bare[at : at + PART] for at in range(len(bare) - PART + 1)}
                else:
                    # A secret of nothing but punctuation can only be looked for as it is.
                    self._whole |= {bare or secret}
            self._on_secret(secret)

    def are_in(self, body: bytes) -> bool:
        """
        Whether a body holds a secret or a part of one, or may hold it: in any case, spelled as in a URL, in HTML or in
        JSON, encoded as base64 or hexadecimal digits, or several of these.
        """
        seen: set[str] = set()
        forms = [body.decode("utf-8", "replace"), body.decode("latin-1")]
        for _ in range(DEEPEST):
            forms = [form for form in dict.fromkeys(forms) if form not in seen]
            seen.update(forms)
            if sum(map(len, seen)) > MOST_CHARACTERS or any(map(self._is_shown_by, forms)):
                return True
            forms = [other for form in forms for other in _unwrapped(form)]
        return False

    def _is_shown_by(self, text: str) -> bool:
        bare = _bare(text)
        parts = (bare[at : at + PART] for at in range(len(bare) - PART + 1))
        return any(secret in bare or secret in text for secret in self._whole) or not self._parts.isdisjoint(parts)


def _bare(text: str) -> str:
    """Letters and digits only, so that neither escaping nor case nor line breaks make a difference."""
    return _NOT_ALPHANUMERIC.sub("", text.casefold())


def _unwrapped(text: str) -> Iterator[str]:
    """What a text says if it is spelled in one of the usual ways."""
    yield unquote_plus(text)
    yield unquote(text, "latin-1")
    yield html.unescape(text)
    yield _without_escapes(text)
    # Bytes of UTF-8 that were taken for characters.
    yield text.encode("latin-1", "ignore").decode("utf-8", "ignore")
    yield _SPACE.sub("", text)
    yield _texts(_BASE64, _from_base64, text)
    yield _texts(_HEX, bytes.fromhex, text)


def _without_escapes(text: str) -> str:
    characters = _UNICODE_ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    joined = characters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _ESCAPE.sub(lambda found: "" if found[1] in "nrtbf" else found[1], joined)


def _texts(pattern: re.Pattern[str], decode: Callable[[str], bytes], text: str) -> str:
    return " ".join(_utf8(decode(found)) for found in pattern.findall(text))


def _utf8(content: bytes) -> str:
    """The text in some bytes; nothing if they are none, as most words are that only look like base64."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""


def _from_base64(text: str) -> bytes:
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_" if {"-", "_"} & set(bare) else None)
    except binascii.Error:
        return b""
