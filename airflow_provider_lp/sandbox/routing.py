"""Which path is served by what."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.domains import Domains
from airflow_provider_lp.sandbox.faults import CONVERSATION_PATH, OPERATIONS_PATH, Fault, Faults, outage
from airflow_provider_lp.sandbox.http.exchange import Answer, Refused, Request
from airflow_provider_lp.sandbox.interactions.methods import Interactions
from airflow_provider_lp.sandbox.logins.logins import Logins
from airflow_provider_lp.sandbox.operations.closed import ClosedOperations
from airflow_provider_lp.sandbox.operations.queues import (
    CURRENT_VERSIONS,
    CURRENT_VERSIONS_OF_OAUTH2,
    QueueOperations,
)
from airflow_provider_lp.sandbox.operations.segments import SegmentOperations

_ACCOUNT = r"(?P<account_id>[^/]+)"
_CONVERSATIONS = rf"/messaging_history/api/account/{_ACCOUNT}/conversations"
_OPERATIONS = rf"/operations/api/account/{_ACCOUNT}"


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    serve: Callable[..., Answer]
    guarded: bool = False


class Api:
    """LivePerson's part of the sandbox: every request to it gets an answer."""

    def __init__(self, account: Account, end_filter_field: str, *, oauth1_has_ended: bool) -> None:
        self.faults = Faults()
        self.logins = Logins(account.account_id, oauth1_has_ended=oauth1_has_ended)
        self.interactions = Interactions(account, self.faults, end_filter_field)
        versions = CURRENT_VERSIONS_OF_OAUTH2 if oauth1_has_ended else CURRENT_VERSIONS
        closed, queues = ClosedOperations(account), QueueOperations(account, versions)
        segments = SegmentOperations(account)
        domains = Domains(account.account_id)
        self._routes = [
            _route("GET", rf"/api/account/{_ACCOUNT}/service/(?P<service>[^/]+)/baseURI\.json", domains.one),
            _route("GET", rf"/api/account/{_ACCOUNT}/service/baseURI\.json", domains.every),
            _route("POST", rf"/api/account/{_ACCOUNT}/login", self.logins.login),
            _route("POST", rf"/api/account/{_ACCOUNT}/refresh", self.logins.refresh),
            _route("POST", rf"/api/account/{_ACCOUNT}/logout", self.logins.logout),
            _route("POST", rf"/sentinel/api/v2/account/{_ACCOUNT}/app/token", self.logins.token),
            _route("POST", rf"{_CONVERSATIONS}/search", self.interactions.search, guarded=True),
            _route("POST", rf"{_CONVERSATIONS}/conversation/search", self.interactions.by_conversation, guarded=True),
            _route("POST", rf"{_CONVERSATIONS}/consumer/search", self.interactions.by_consumer, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgconversation", closed.resolved, guarded=True),
            _route("POST", rf"{_OPERATIONS}/msgconversation", closed.resolved_by_post, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgcsatdistribution", closed.satisfaction, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgqueuehealth", queues.health, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgqueuehealth/current/", queues.current, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgqueuehealthbygroup/current/", queues.by_group, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgskillsegments", segments.by_skill, guarded=True),
            _route("GET", rf"{_OPERATIONS}/msgagentsegments", segments.by_agent, guarded=True),
        ]

    def respond(self, request: Request, fault: Fault | None) -> Answer:
        """The answer to a request that ``fault`` has hit."""
        try:
            replaced = outage(fault, request) if fault else None
            return replaced or self._serve(request, fault)
        except Refused as refusal:
            return refusal.answer()

    def _serve(self, request: Request, fault: Fault | None) -> Answer:
        route, groups = self._find(request)
        if route.guarded:
            self.logins.admit(request, groups["account_id"])
            return route.serve(request)
        if fault and fault.kind == "bad_domain" and "service" in groups:
            groups["host"] = fault.host or ""
        return route.serve(request, **groups)

    def _find(self, request: Request) -> tuple[_Route, dict[str, str]]:
        allowed = []
        for route in self._routes:
            match = route.path.fullmatch(request.path)
            if match and route.method == request.method:
                return route, match.groupdict()
            if match:
                allowed.append(route.method)
        if allowed:
            raise Refused(405, f"{request.method} is not allowed here", {"Allow": ", ".join(allowed)})
        raise Refused(404, f"nothing is served at {request.path}")


def _route(method: str, path: str, serve: Callable[..., Answer], *, guarded: bool = False) -> _Route:
    return _Route(method, re.compile(path), serve, guarded)


def gives_data(path: str) -> bool:
    """Whether the path is one of the methods that give conversations or metrics."""
    return CONVERSATION_PATH in path or OPERATIONS_PATH in path
