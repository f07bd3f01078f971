"""The sandbox's own paths under ``/sandbox``: faults, requests seen, the truth to compare an export with."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.sandbox.account import epoch_ms
from airflow_provider_lp.sandbox.exchange import Answer, Refused, Request, json_answer
from airflow_provider_lp.sandbox.faults import KINDS, Fault
from airflow_provider_lp.sandbox.ranges import members

if TYPE_CHECKING:
    from airflow_provider_lp.sandbox.sandbox import Sandbox

_ROOT = "/sandbox"
_TRUTH_PARAMETERS = frozenset({"time_field", "report", "start", "end"})


class Control:
    """Answers the sandbox's own paths. They ask for no login and no fault hits them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._served = {
            ("GET", ""): self._about,
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
            ("GET", "/requests"): self._requests,
            ("DELETE", "/requests"): self._forget_requests,
            ("POST", "/expire-tokens"): self._expire_tokens,
            ("GET", "/truth"): self._truth,
        }

    @staticmethod
    def owns(path: str) -> bool:
        """Whether the path is the sandbox's own."""
        return path == _ROOT or path.startswith(f"{_ROOT}/")

    def respond(self, request: Request) -> Answer:
        """The answer to a request of one of its paths."""
        path = request.path.removeprefix(_ROOT).rstrip("/")
        serve = self._served.get((request.method, path))
        try:
            if serve is not None:
                return serve(request)
            allowed = sorted(method for method, known in self._served if known == path)
            if allowed:
                raise Refused(405, f"{request.method} is not allowed here", {"Allow": ", ".join(allowed)})
            raise Refused(404, f"nothing is served at {request.path}")
        except Refused as refusal:
            return refusal.answer()

    def _about(self, _request: Request) -> Answer:
        account = self._sandbox.account
        about = {
            "account_id": account.account_id,
            "now": datetime.fromtimestamp(account.now_ms() / 1_000, UTC).isoformat(),
            "conversations": len(account.conversations()),
            "credentials": self._sandbox.credentials,
            "connection": airflow_connection(self._sandbox),
            "fault_kinds": sorted(KINDS),
        }
        return json_answer(200, about)

    def _add_fault(self, request: Request) -> Answer:
        wanted = request.parsed_body()
        members("fault", wanted, required=("kind",), optional=tuple(field.name for field in fields(Fault)))
        try:
            fault = msgspec.convert(wanted, Fault)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        self._sandbox.add_fault(fault)
        return json_answer(201, fault)

    def _clear_faults(self, _request: Request) -> Answer:
        self._sandbox.clear_faults()
        return Answer(204)

    def _requests(self, _request: Request) -> Answer:
        return json_answer(200, list(self._sandbox.requests))

    def _forget_requests(self, _request: Request) -> Answer:
        self._sandbox.requests.clear()
        return Answer(204)

    def _expire_tokens(self, _request: Request) -> Answer:
        self._sandbox.expire_tokens()
        return Answer(204)

    def _truth(self, request: Request) -> Answer:
        parameters = request.parameters(_TRUTH_PARAMETERS)
        time_field = parameters.get("time_field", "start")
        start_ms, end_ms = _moment(parameters, "start"), _moment(parameters, "end")
        if start_ms is None:
            raise Refused(400, "start is missing")
        if "report" in parameters:
            if end_ms is None:
                raise Refused(400, "end is missing")
            return self._metrics_truth(parameters["report"], start_ms, end_ms)
        try:
            ids = self._sandbox.account.truth(time_field, start_ms, end_ms)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        return json_answer(200, {"count": len(ids), "conversation_ids": ids})

    def _metrics_truth(self, report: str, start_ms: int, end_ms: int) -> Answer:
        account = self._sandbox.account
        truths = {"messaging_conversation": account.resolved_truth, "csat_distribution": account.csat_truth}
        if report not in truths:
            raise Refused(400, f"report must be one of {', '.join(truths)}")
        subjects = truths[report](start_ms, end_ms)
        rows = [{"skill_id": skill, "agent_id": agent, **metrics} for (skill, agent), metrics in subjects.items()]
        return json_answer(200, {"report": report, "rows": rows})


def airflow_connection(sandbox: Sandbox) -> dict[str, Any]:
    """The Airflow connection to the sandbox."""
    credentials = sandbox.credentials
    extra = {
        "account_id": sandbox.account.account_id,
        "client_id": credentials["client_id"],
        "client_secret": credentials["client_secret"],
    }
    return {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}


def airflow_variable(sandbox: Sandbox) -> str:
    """The same connection as a line for a shell."""
    return f"export AIRFLOW_CONN_LIVEPERSON_DEFAULT='{json.dumps(airflow_connection(sandbox))}'"


def _moment(parameters: dict[str, str], name: str) -> int | None:
    """An ISO 8601 moment. A plus that nobody escaped arrives as a space."""
    given = parameters.get(name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise Refused(400, f"{name} must be an ISO 8601 moment") from error
    if moment.tzinfo is None:
        raise Refused(400, f"{name} needs an offset, such as Z")
    return epoch_ms(moment)
