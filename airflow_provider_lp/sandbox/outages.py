"""Answers that a fault gives in place of the real one."""

from __future__ import annotations

from airflow_provider_lp.sandbox.exchange import Answer, Request, json_answer
from airflow_provider_lp.sandbox.faults import Fault

_HTML = b"<!DOCTYPE html><html><body><h1>Sandbox maintenance page</h1></body></html>"


def outage(fault: Fault, request: Request) -> Answer | None:
    """The answer that replaces the real one; ``None`` if the fault lets the real one be made."""
    waiting = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    match fault.kind:
        case "throttle":
            return json_answer(429, {"message": "Too many requests"}, waiting)
        case "error_500":
            return json_answer(500, {"internalCode": "0007", "message": "Search engine exception"})
        case "error_503":
            return json_answer(503, {"message": "Service unavailable"}, waiting)
        case "not_json":
            return Answer(200, _HTML, content_type="text/html;charset=UTF-8")
        case "expired_token":
            return json_answer(401, {"message": "The token has expired"})
        case "forbidden":
            return json_answer(403, {"message": "The key lacks the permission"})
        case "redirect":
            host = fault.host or ""
            origin = host if "://" in host else f"http://{host}"
            return json_answer(307, {"message": "Moved"}, {"Location": f"{origin}{request.target}"})
        case _:
            return None
