"""The sandbox: a LivePerson of its own, on a socket of this machine."""

from __future__ import annotations

import threading
from bisect import insort
from dataclasses import replace
from types import TracebackType

from airflow_provider_lp.sandbox.account import Account
from airflow_provider_lp.sandbox.control import Control
from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.sandbox.faults import Fault
from airflow_provider_lp.sandbox.http.exchange import Answer, Request, SeenRequest, json_answer
from airflow_provider_lp.sandbox.http.server import HttpServer, Reply
from airflow_provider_lp.sandbox.interactions.filters import END_FIELDS
from airflow_provider_lp.sandbox.routing import Api, gives_data

YEARS = (2025, 2026)
_REMEMBERED_REQUESTS = 100_000
_POLL_S = 0.01


class Sandbox:
    """An offline LivePerson. Use it as a context manager, or :meth:`start` and :meth:`stop` it.

    :param account: The account to serve; default: a generated one that believes in the real clock.
    :param port: 0 takes any free port.
    :param end_filter_field: Which moment the filter ``end`` tests: ``end``, ``conversation_end`` or
        ``full_dialog_end``. LivePerson does not document it.
    :param year: The LivePerson of which year, one of ``YEARS``. That of 2026 refuses OAuth 1.0, binds the versions of
        current queue health to the authentication, lets a user have one session, and logs bots in by client id. That of
        2025 accepts OAuth 1.0 and the API key of a bot, both versions, and any number of sessions.
    :param verbose: Print a line for each request.
    """

    def __init__(
        self,
        account: Account | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        end_filter_field: str = "end",
        *,
        year: int = YEARS[-1],
        verbose: bool = False,
    ) -> None:
        if end_filter_field not in END_FIELDS:
            raise ValueError(f"end_filter_field must be one of {', '.join(END_FIELDS)}")
        if year not in YEARS:
            raise ValueError(f"year must be one of {', '.join(map(str, YEARS))}")
        self.account = account or Account()
        self.credentials: dict[str, str] = dict(CREDENTIALS)
        self.requests: list[SeenRequest] = []
        #: Seconds before each answer with conversations or metrics.
        self.latency_s = 0.0
        #: How many requests for conversations or metrics are served at a time; any other is answered 429. Default: all.
        self.most_at_a_time: int | None = None
        self._at_a_time = 0
        self.gzip = False
        self._api = Api(self.account, end_filter_field, oauth1_has_ended=year == YEARS[-1])
        self._control = Control(self.account, self.credentials, self._api, self.requests)
        self._address = (host, port)
        self._verbose = verbose
        self._server: HttpServer | None = None
        self._lock = threading.Lock()

    def start(self) -> Sandbox:
        """Listen, and serve in a thread."""
        self._server = HttpServer(*self._address, self._serve, verbose=self._verbose)
        serve = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="sandbox", daemon=True)
        serve.start()
        return self

    def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, like ``http://127.0.0.1:54321``."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong."""
        self._api.faults.add(fault)

    def clear_faults(self) -> None:
        """Let all be well again."""
        self._api.faults.clear()

    def expire_tokens(self) -> None:
        """Refuse every token and bearer handed out so far; new logins work."""
        self._api.logins.tokens.expire_all()

    @property
    def token_lifetime_s(self) -> float:
        """How long tokens handed out from now on are good for."""
        return self._api.logins.tokens.lifetime_s

    @token_lifetime_s.setter
    def token_lifetime_s(self, seconds: float) -> None:
        self._api.logins.tokens.lifetime_s = seconds

    @property
    def page_rows(self) -> int:
        """The most rows of a page, whatever its limit asks."""
        return self._api.interactions.page_rows

    @page_rows.setter
    def page_rows(self, rows: int) -> None:
        self._api.interactions.page_rows = rows

    @property
    def empty_as_204(self) -> bool:
        """Whether a search without matches is answered with 204 and no body."""
        return self._api.interactions.empty_as_204

    @empty_as_204.setter
    def empty_as_204(self, answer_204: bool) -> None:
        self._api.interactions.empty_as_204 = answer_204

    def _serve(self, request: Request, arrived: float) -> Reply:
        if Control.owns(request.path):
            return Reply(self._control.respond(request))
        if not gives_data(request.path):
            return self._served(request, arrived)
        if not self._begin():
            answer = json_answer(429, {"message": "Too many requests at a time"})
            self._remember(_seen(request, answer, arrived))
            return Reply(answer)
        try:
            return replace(self._served(request, arrived), delay_s=self.latency_s, done=self._end)
        except BaseException:
            self._end()
            raise

    def _begin(self) -> bool:
        """Whether another request may be served beside those that are."""
        with self._lock:
            if self.most_at_a_time is not None and self._at_a_time >= self.most_at_a_time:
                return False
            self._at_a_time += 1
            return True

    def _end(self) -> None:
        with self._lock:
            self._at_a_time -= 1

    def _served(self, request: Request, arrived: float) -> Reply:
        fault = self._api.faults.for_request(request.path)
        answer = self._api.respond(request, fault)
        self._remember(_seen(request, answer, arrived, fault))
        if fault is None:
            return Reply(answer, may_compress=self.gzip)
        return Reply(answer, fault.kind, fault.seconds, may_compress=self.gzip)

    def _remember(self, seen: SeenRequest) -> None:
        with self._lock:
            insort(self.requests, seen, key=lambda each: each.at)
            del self.requests[:-_REMEMBERED_REQUESTS]


def _seen(request: Request, answer: Answer, arrived: float, fault: Fault | None = None) -> SeenRequest:
    is_cut = fault is not None and fault.kind == "cut_connection"
    return SeenRequest(
        request.method,
        request.path,
        dict(request.pairs),
        request.parsed_body(),
        None if is_cut else answer.status,
        fault.kind if fault else answer.fault,
        arrived,
        request.scheme,
    )
