"""What LivePerson says in the body of an error, in any of the shapes its APIs use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_lp.client.secrets import Secrets

LONGEST_EXCERPT = 200
LONGEST_CODE = 50
#: Names of members in lower case, without underscores: their spelling differs from API to API, and from proxy to proxy.
MESSAGE_FIELDS = (
    "message",
    "msg",
    "causes",
    "reason",
    "errordescription",
    "error",
    "errormessage",
    "errormsg",
    "faultstring",
    "description",
    "detail",
    "title",
    "responsestatus",
)
CODE_FIELDS = ("internalcode", "internalerrorcode", "errorcode", "code")
#: Names of tokens, of which one that is not known yet may stand behind.
_TOKEN = re.compile(rb"""["'](access_token|bearer|csrf|sessionId)["']\s*:""", re.IGNORECASE)
#: Members that hold the error itself, or several.
NESTED_FIELDS = ("error", "errors", "fault", "causes", "detail")
DEEPEST = 5


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """
    What an error says.

    :param excerpt: its words, on one line and cut short; ``None`` if it has none, or may repeat a secret.
    :param code: LivePerson's own error code, likewise.
    """

    excerpt: str | None = None
    code: str | None = None


def read_error_body(body: bytes, secrets: Secrets) -> ErrorBody:
    """
    Read the body of an answer with an error status; never that of a success, which may hold transcripts.

    :param body: as much of it as was read.
    :param secrets: what must not be shown, should LivePerson or something in between repeat it.
    """
    if _TOKEN.search(body) or secrets.are_in(body):
        return ErrorBody()
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ErrorBody(_on_one_line(body[: 10 * LONGEST_EXCERPT].decode("utf-8", "replace"), LONGEST_EXCERPT))
    except RecursionError:
        return ErrorBody()
    if isinstance(answer, str):
        return ErrorBody(_on_one_line(answer, LONGEST_EXCERPT))
    errors = list(_errors(answer))
    words = dict.fromkeys(text for error in errors for text in _words(error))
    codes = [_text(error[name]) for error in errors for name in CODE_FIELDS if _text(error.get(name))]
    return ErrorBody(
        _on_one_line("; ".join(words), LONGEST_EXCERPT), _on_one_line(codes[0], LONGEST_CODE) if codes else None
    )


def _errors(answer: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The errors in an answer, the innermost ones first: they say most."""
    if depth > DEEPEST:
        return
    if isinstance(answer, list):
        for each in answer[:5]:
            yield from _errors({"message": each} if isinstance(each, str) else each, depth + 1)
    elif isinstance(answer, dict):
        error = {name.lower().replace("_", ""): value for name, value in answer.items()}
        for name in NESTED_FIELDS:
            nested = error.get(name)
            # A list of texts is a message of its own.
            if isinstance(nested, dict | list) and (name == "errors" or not _is_texts(nested)):
                yield from _errors(nested, depth + 1)
            if name == "errors" and isinstance(nested, dict) and not {*MESSAGE_FIELDS, *CODE_FIELDS} & nested.keys():
                # By field: {"start": ["is too old"]}.
                yield from _errors([f"{field}: {_listed(value)}" for field, value in nested.items() if _listed(value)])
        yield error


def _words(error: dict[str, Any]) -> Iterator[str]:
    for name in MESSAGE_FIELDS:
        value = error.get(name)
        if isinstance(value, str | list) and (text := _listed(value)):
            yield text


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _listed(value: object) -> str:
    return ", ".join(filter(None, map(_text, value))) if isinstance(value, list) else _text(value)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _on_one_line(text: str, longest: int) -> str | None:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:longest] or None
