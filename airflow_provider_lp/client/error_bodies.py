"""What LivePerson says in the body of an error, in any of the shapes its APIs use."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_lp.client.secrets import Secrets

LONGEST_EXCERPT = 200
MESSAGE_FIELDS = ("message", "causes", "reason", "error_description", "error")


def _members(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        answer = answer["error"]
    return answer if isinstance(answer, dict) else {}


def internal_code_of(body: bytes, secrets: Secrets) -> str | None:
    """LivePerson's ``internalCode`` in an error body, if any."""
    code = _members(body).get("internalCode")
    return _on_one_line(secrets.blot_out(str(code))) if isinstance(code, str | int) else None


def excerpt_of(body: bytes, secrets: Secrets) -> str | None:
    """
    The words of an error body, on one line and cut short; ``None`` if it has none.

    :param body: body of an answer with an error status; never of a success, which may hold transcripts.
    :param secrets: values to blot out, should LivePerson or something in between repeat them.
    """
    members = _members(body)
    words = "; ".join(
        str(value) if isinstance(value, str) else ", ".join(map(str, value))
        for name in MESSAGE_FIELDS
        if isinstance(value := members.get(name), str | list)
    )
    if not words and not members:
        words = body[: 10 * LONGEST_EXCERPT].decode("utf-8", "replace")
    return _on_one_line(secrets.blot_out(words)) or None


def _on_one_line(words: str) -> str:
    return " ".join(words.split())[:LONGEST_EXCERPT]
