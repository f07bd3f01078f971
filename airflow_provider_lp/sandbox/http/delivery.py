"""How an answer travels: whole, slowly, or broken off."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from io import BufferedIOBase

from airflow_provider_lp.sandbox.http.exchange import Answer

_DRIBBLES = 20
_KNOWN = frozenset(HTTPStatus)
_DEFAULT_SECONDS = 1.0


def deliver(
    answer: Answer, kind: str | None, seconds: float | None, out: BufferedIOBase, wait: Callable[[float], object]
) -> bool:
    """Write the answer as this kind of fault has it. ``False`` if the connection is to be closed."""
    seconds = _DEFAULT_SECONDS if seconds is None else seconds
    if kind == "cut_connection":
        return False
    if kind == "cut_chunked":
        half = answer.body[: len(answer.body) // 2]
        out.write(_head(answer, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(half), half))
        return False
    head = _head(answer, f"Content-Length: {len(answer.body)}")
    if kind == "cut_body":
        out.write(head + answer.body[: len(answer.body) // 2])
        return False
    if kind == "slow_body":
        out.write(head)
        _dribble(answer.body, seconds, out, wait)
        return True
    if kind == "stall":
        wait(seconds)
    out.write(head + answer.body)
    return True


def _head(answer: Answer, framing: str) -> bytes:
    phrase = HTTPStatus(answer.status).phrase if answer.status in _KNOWN else "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}", f"Content-Type: {answer.content_type}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.status != HTTPStatus.NO_CONTENT:
        lines.append(framing)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _dribble(body: bytes, seconds: float, out: BufferedIOBase, wait: Callable[[float], object]) -> None:
    size = max(1, -(-len(body) // _DRIBBLES))
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    for piece in pieces:
        out.flush()
        wait(seconds / len(pieces))
        out.write(piece)
