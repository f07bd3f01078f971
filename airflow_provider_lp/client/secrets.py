"""The secrets that a client knows, which no error and no log may show, in whatever clothes they come."""

from __future__ import annotations

import base64
import html
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote, unquote_plus

#: So many letters and digits in a row that a secret holds as well are a part of it.
PART = 8
#: A body that in all its forms together is longer than this is not worth an excerpt.
MOST_CHARACTERS = 1_200_000
DEEPEST = 6

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_HEX_ESCAPE = re.compile(
    r"(?:(?-i:\\+u)|%u)([0-9a-f]{4})|\\+u\{([0-9a-f]{1,6})\}|(?-i:\\+U)([0-9a-f]{8})|U\+([0-9a-f]{4,6})"
    r"|\\+x([0-9a-f]{2})|=([0-9a-f]{2})",
    re.IGNORECASE,
)
_OCTAL_ESCAPE = re.compile(r"\\+([0-3][0-7]{2})")
_ESCAPE = re.compile(r"\\+([^ux0-9])")
_TAG = re.compile(r"<[^<>]*>")
#: What may stand between the lines of a long value.
_BETWEEN_LINES = re.compile(r"[\s\"',]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}")
_HEX = re.compile(r"[0-9a-f]{6,}", re.IGNORECASE)
#: A byte written as a number of its own.
_HEX_BYTE = re.compile(r"(?<![0-9a-z])(?:0?x)?([0-9a-f]{2})(?![0-9a-z])", re.IGNORECASE)
_DECIMAL_BYTE = re.compile(r"(?<![0-9a-z])([0-9]{2,3})(?![0-9a-z])", re.IGNORECASE)
_LEGIBLE = re.compile(r"[\x20-\x7e]{6,}")


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
        JSON, encoded as base64 or in numbers, or several of these.
        """
        seen: set[str] = set()
        forms = _decoded(body)
        for _ in range(DEEPEST):
            forms = [form for form in dict.fromkeys(forms) if form and form not in seen]
            seen.update(forms)
            packed = [text for form in forms for text in _unpacked(form)]
            if sum(map(len, seen)) > MOST_CHARACTERS or any(map(self._is_shown_by, [*forms, *packed])):
                return True
            # Most of what was unpacked was not packed: only what can be read is unwrapped further.
            forms = [other for form in forms for other in _unwrapped(form)] + [_legible(text) for text in packed]
        return False

    def _is_shown_by(self, text: str) -> bool:
        bare = _bare(text)
        parts = (bare[at : at + PART] for at in range(len(bare) - PART + 1))
        return any(secret in bare or secret in text for secret in self._whole) or not self._parts.isdisjoint(parts)


def _bare(text: str) -> str:
    """Letters and digits only, so that neither escaping nor case nor line breaks make a difference."""
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", text).casefold())


def _decoded(body: bytes) -> list[str]:
    encodings = ["utf-8", "latin-1", *(["utf-16-le", "utf-16-be"] if b"\0" in body else [])]
    return [body.decode(encoding, "replace") for encoding in encodings]


def _unwrapped(text: str) -> Iterator[str]:
    """What a text says if it is spelled in one of the usual ways."""
    yield unquote_plus(text)
    yield unquote(text, "latin-1")
    yield html.unescape(text)
    yield _TAG.sub("", text)
    # Bytes of UTF-8 that were taken for characters.
    yield text.encode("latin-1", "ignore").decode("utf-8", "ignore")
    yield _without_escapes(text)


def _without_escapes(text: str) -> str:
    characters = _HEX_ESCAPE.sub(lambda found: _character(int(next(filter(None, found.groups())), 16)), text)
    characters = _OCTAL_ESCAPE.sub(lambda found: _character(int(found[1], 8)), characters)
    joined = characters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _ESCAPE.sub(lambda found: "" if found[1] in "nrtbf" else found[1], joined)


def _character(number: int) -> str:
    return chr(number) if number <= 0x10FFFF else ""


def _unpacked(text: str) -> Iterator[str]:
    """What a text says if it, or some of it, is encoded as base64 or in numbers; noise if it is not."""
    run = _BETWEEN_LINES.sub("", text)
    for skipped in range(4):
        yield _texts(
            _from_base64(found[skipped:]) for found in _BASE64.findall(run.replace("-", "+").replace("_", "/"))
        )
    for skipped in range(2):
        yield _texts(_from_hex(found[skipped:]) for found in _HEX.findall(run))
    yield _texts([bytes(int(found, 16) for found in _HEX_BYTE.findall(text))])
    yield _texts([bytes(int(found) % 256 for found in _DECIMAL_BYTE.findall(text))])


def _texts(decoded: Iterable[bytes]) -> str:
    return " ".join(each.decode("utf-8", "replace") for each in decoded)


def _from_base64(text: str) -> bytes:
    # What comes before a value, as in a path, is of its alphabet too: so it is read from each of four places.
    return base64.b64decode(text[: len(text) // 4 * 4] if len(text) % 4 == 1 else text + "=" * (-len(text) % 4))


def _from_hex(text: str) -> bytes:
    return bytes.fromhex(text[: len(text) // 2 * 2])


def _legible(text: str) -> str:
    return " ".join(_LEGIBLE.findall(text))
