"""The sandbox's own paths under ``/sandbox``: faults, requests seen, the truth to compare an export with."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import msgspec

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.credentials import airflow_connection
from airflow_provider_lp.sandbox.faults import KINDS, Fault
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, SeenRequest, json_answer
from airflow_provider_lp.sandbox.http.values import members
from airflow_provider_lp.sandbox.moments import epoch_ms
from airflow_provider_lp.sandbox.routing import Api

_ROOT = "/sandbox"
_TRUTH_PARAMETERS = frozenset({"time_field", "report", "start", "end"})


class Control:
    """Answers the sandbox's own paths. They ask for no login and no fault hits them."""

    def __init__(self, account: Account, credentials: dict[str, str], api: Api, requests: list[SeenRequest]) -> None:
        self._account = account
        self._credentials = credentials
        self._api = api
        self._seen = requests
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

    def _about(self, request: Request) -> Answer:
        account = self._account
        about = {
            "account_id": account.account_id,
            "now": datetime.fromtimestamp(account.now_ms() / 1_000, UTC).isoformat(),
            "conversations": len(account.conversations()),
            "credentials": self._credentials,
            "connection": airflow_connection(f"http://{request.host}", account.account_id, self._credentials),
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
        self._api.faults.add(fault)
        return json_answer(201, fault)

    def _clear_faults(self, _request: Request) -> Answer:
        self._api.faults.clear()
        return Answer(204)

    def _requests(self, _request: Request) -> Answer:
        return json_answer(200, list(self._seen))

    def _forget_requests(self, _request: Request) -> Answer:
        self._seen.clear()
        return Answer(204)

    def _expire_tokens(self, _request: Request) -> Answer:
        self._api.logins.tokens.expire_all()
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
            ids = self._account.truth(time_field, start_ms, end_ms)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        return json_answer(200, {"count": len(ids), "conversation_ids": ids})

    def _metrics_truth(self, report: str, start_ms: int, end_ms: int) -> Answer:
        truths = {
            "messaging_conversation": self._account.resolved_truth,
            "csat_distribution": self._account.csat_truth,
        }
        if report not in truths:
            raise Refused(400, f"report must be one of {', '.join(truths)}")
        subjects = truths[report](start_ms, end_ms)
        rows = [{"skill_id": skill, "agent_id": agent, **metrics} for (skill, agent), metrics in subjects.items()]
        return json_answer(200, {"report": report, "rows": rows})


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
