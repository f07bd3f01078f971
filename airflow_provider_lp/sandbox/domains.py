"""The Domain API: which host serves which service. All of them are the sandbox itself."""

from __future__ import annotations

from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request, json_answer

SERVICES = ("agentVep", "sentinel", "msgHist", "leDataReporting")
# LivePerson documents both shapes for the look-up of one service.
_LISTED = frozenset({"msgHist", "leDataReporting"})


def base_uris(account_id: str, host: str) -> list[dict[str, str]]:
    """One entry for each service."""
    return [{"service": service, "account": account_id, "baseURI": host} for service in SERVICES]


class Domains:
    """Answers the Domain API."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def one(self, request: Request, account_id: str, service: str, host: str | None = None) -> Answer:
        """The look-up of one service; ``host`` is a lie to tell."""
        self._check(request, account_id)
        if service not in SERVICES:
            raise Refused(400, f"unknown service {service!r}")
        entry = {"service": service, "account": account_id, "baseURI": host or request.host}
        return json_answer(200, {"baseURIs": [entry]} if service in _LISTED else entry)

    def every(self, request: Request, account_id: str) -> Answer:
        """The look-up of all services."""
        self._check(request, account_id)
        return json_answer(200, {"baseURIs": base_uris(account_id, request.host)})

    def _check(self, request: Request, account_id: str) -> None:
        if request.parameters(frozenset({"version"})).get("version") != "1.0":
            raise Refused(400, "version must be 1.0")
        if account_id != self._account_id:
            raise Refused(400, "unknown account")
