"""One HTTP session to LivePerson: connection reuse, timeouts and retrying."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from airflow_provider_lp.client.abortable import AbortableAdapter
from airflow_provider_lp.client.calls import Answer, Authorization, Call, Parsed, Sign
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import LivePersonError, LivePersonRateLimitError, LivePersonTransportError
from airflow_provider_lp.client.failures import status_error
from airflow_provider_lp.client.flow import Flow, PaceStore
from airflow_provider_lp.client.network import Route, network_error, root_cause, route_to
from airflow_provider_lp.client.retry import Backoff, RetryPolicy
from airflow_provider_lp.client.retry_log import RetryLog
from airflow_provider_lp.client.secrets import Secrets

log = logging.getLogger(__name__)

#: How many times the longest silence an answer may take in all.
LONGEST_ANSWER = 5
PARTING_TIMEOUT_S = 5.0
#: Bytes of an answer, unpacked: what is larger is no page of LivePerson's, and may be a bomb.
LARGEST_ANSWER = 512 * 2**20
LARGEST_ERROR_BODY = 64 * 2**10
#: Each time that one call has been throttled so often, that is worth a warning.
SERIOUS_THROTTLINGS = 5
CHUNK = 64 * 2**10
#: Holds up to here are everyday, and anybody waits for their end.
SHORT_HOLD_S = 20.0
SUCCESSES = (200, 204)
NETWORK_ERRORS = (requests.RequestException, Urllib3Error, OSError, ValueError)


class Transport:
    """
    Sends calls, from any number of threads; one flow says when each request may leave.

    :param connect_timeout: how long a connection may take to come about.
    :param read_timeout: how long LivePerson may be silent.
    :param max_concurrency: requests in flight at most; others wait.
    :param clock: the time to go by.
    :param policy: until when failed requests are retried, unless a call brings a policy of its own.
    :param secrets: what no error may show.
    :param pace_store: where the pace of requests is kept; default with this transport alone.
    """

    def __init__(
        self,
        *,
        connect_timeout: timedelta,
        read_timeout: timedelta,
        max_concurrency: int,
        clock: Clock,
        policy: RetryPolicy,
        secrets: Secrets,
        pace_store: PaceStore | None = None,
    ) -> None:
        self._timeout_s = (connect_timeout.total_seconds(), read_timeout.total_seconds())
        self._lock = threading.Lock()
        self._routes: dict[str, Route] = {}
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
        self._adapter = AbortableAdapter(
            longest_s=LONGEST_ANSWER * read_timeout.total_seconds(), max_concurrency=max_concurrency
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)
        self.clock = clock
        self._policy = policy
        self._secrets = secrets
        self.flow = Flow(max_concurrency, clock, pace_store=pace_store)
        self._retry_log = RetryLog(clock)
        #: HTTP requests sent so far, and how many of them repeated an earlier one.
        self.requests = 0
        self.retries = 0
        #: Bytes of the answers that were no errors, decompressed.
        self.received_bytes = 0

    def hide(self, *secrets: str) -> None:
        """Never show these values in an error, and tell whoever masks logs."""
        self._secrets.add(*secrets)

    def abort(self) -> None:
        """End waits and requests under way, and let no other begin."""
        self.clock.close()
        self.flow.close()
        self._adapter.end_all()

    def close(self) -> None:
        """End everything and drop connections."""
        self.abort()
        self._session.close()

    def call(
        self,
        call: Call,
        parse: Callable[[Answer], Parsed],
        authorization: Authorization | None = None,
        policy: RetryPolicy | None = None,
    ) -> Parsed:
        """
        Send ``call``, retry it as long as that makes sense, and give what ``parse`` makes of the answer.

        :param parse: reads the answer; a :class:`LivePersonError` it raises is retried by its kind.
        :param authorization: how to authorize the requests.
        :param policy: until when failed requests are retried; default the transport's.
        """
        with self._retry_log.request():
            return self._call(call, parse, authorization, policy or self._policy)

    def _call(
        self, call: Call, parse: Callable[[Answer], Parsed], authorization: Authorization | None, policy: RetryPolicy
    ) -> Parsed:
        self._check_hold(call, policy)
        backoff, sending = Backoff.of(call), _Sending(self, call)
        while True:
            try:
                parsed = _parsed(parse, sending.answer(authorization), call)
            except LivePersonError as error:
                # Of a request that was given up here, there is no trouble of LivePerson's to tell.
                self.clock.check()
                pause_s = self._pause_before_retry(error, backoff, policy)
                if pause_s is None:
                    error.exhausted = True
                    raise
                if isinstance(error, LivePersonRateLimitError):
                    # Not only this call waits, but all.
                    self._tell_of_throttling(error, self.flow.hold(pause_s), backoff.failures, sending)
                else:
                    self._retry_log.tell(error, pause_s, backoff.failures)
                    self.clock.sleep(pause_s)
            else:
                policy.is_answered = True
                return parsed

    def _check_hold(self, call: Call, policy: RetryPolicy) -> None:
        """Let who polls learn of a long hold, instead of sitting it out: another task may have been told of it."""
        held_s = self.flow.held_s
        if held_s > SHORT_HOLD_S and not policy.allows(self.clock.monotonic() + held_s):
            error = LivePersonRateLimitError(
                f"LivePerson wants no requests of this account for another {held_s:.0f} s.",
                endpoint=call.endpoint,
                retry_after_s=held_s,
            )
            error.exhausted = True
            raise error

    def _pause_before_retry(self, error: LivePersonError, backoff: Backoff, policy: RetryPolicy) -> float | None:
        pause_s = backoff.pause_after(error)
        if pause_s is not None and isinstance(error, LivePersonRateLimitError):
            pause_s = None if self.flow.is_hopeless else max(pause_s, self.flow.held_s)
        # Who polls retries what may pass; a failure that would be final is made sure of here.
        if pause_s and error.retry_helps and not policy.allows(self.clock.monotonic() + pause_s):
            return None
        return pause_s

    def _tell_of_throttling(
        self, error: LivePersonRateLimitError, held_s: float, failures: int, sending: _Sending
    ) -> None:
        if failures % SERIOUS_THROTTLINGS == 0:
            self._retry_log.tell(error, held_s, failures)
        elif sending.is_first_refusal:
            # Everyday while the flow finds the limit.
            log.info(
                "LivePerson throttles %s: nothing is sent for %.1f s, then fewer requests at a time.",
                error.endpoint,
                held_s,
            )

    def send(self, call: Call, sign: Sign, *, again: bool) -> Answer:
        """Send ``call`` once; raises the error that the answer, or its absence, stands for."""
        with self._lock:
            self.requests += 1
            self.retries += again
        route = self._route_to(call.url)
        try:
            prepared = self._session.prepare_request(
                requests.Request(
                    call.method,
                    call.url,
                    params=call.params,
                    data=call.content,
                    headers=call.headers,
                    # Never without: requests would look into ~/.netrc.
                    auth=sign,
                )
            )
            with self._adapter.deadline():
                sent_at = self.clock.now()
                with self._session.send(
                    prepared, timeout=self._timeout_s, allow_redirects=False, **route.settings
                ) as response:
                    body = _body(call, response)
        except NETWORK_ERRORS as error:
            failure = network_error(call, error, route.proxy)
        else:
            if response.status_code in SUCCESSES:
                with self._lock:
                    self.received_bytes += len(body)
                return Answer(response.status_code, body, response.cookies.get_dict(), sent_at)
            failure = status_error(call, response.status_code, response.headers, body, self._secrets, self.clock.now())
        # Outside of the except block: what requests raised may hold a header or a proxy's password.
        raise failure

    def part(self, call: Call) -> None:
        """Send a last ``call`` after :meth:`abort`, and do not wait for much of an answer."""
        with self._lock:
            self.requests += 1
        try:
            prepared = self._session.prepare_request(
                requests.Request(call.method, call.url, data=call.content, headers=call.headers, auth=unsigned)
            )
            with self._session.send(
                prepared,
                timeout=PARTING_TIMEOUT_S,
                allow_redirects=False,
                **self._route_to(call.url).settings,
            ) as response:
                log.debug("%s: HTTP %d", call.endpoint, response.status_code)
        except NETWORK_ERRORS as error:
            log.info("%s failed: %s", call.endpoint, root_cause(error))

    def _route_to(self, url: str) -> Route:
        # Looked up once a host instead of once a request.
        origin = urlsplit(url).netloc
        if origin not in self._routes:
            self._routes[origin] = route_to(self._session, url)
        return self._routes[origin]


@dataclass(frozen=True, slots=True)
class PolicyCaller:
    """Sends calls under a retry policy of its own."""

    transport: Transport
    policy: RetryPolicy

    def call(self, call: Call, parse: Callable[[Answer], Parsed], authorization: Authorization | None = None) -> Parsed:
        """As :meth:`Transport.call`."""
        return self.transport.call(call, parse, authorization, self.policy)

    def hide(self, *secrets: str) -> None:
        """As :meth:`Transport.hide`."""
        self.transport.hide(*secrets)


class _Sending:
    """
    Sends one call as often as it takes, each time when the flow lets a request go.

    ``is_first_refusal`` tells whether its last throttling was the first of those in flight together.
    """

    def __init__(self, transport: Transport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self._is_sent = False
        self.is_first_refusal = False

    def answer(self, authorization: Authorization | None) -> Answer:
        """Send the request, and again where the authorization knows another signature after a refusal."""
        if authorization is None:
            return self._send(unsigned)
        flow = authorization.flow(self._call)
        sign = next(flow)
        while True:
            try:
                answer = self._send(sign)
            except LivePersonError as refusal:
                # Comes out again unless the flow knows what to do about it.
                sign = flow.throw(refusal)
            else:
                next(flow, None)
                return answer

    def _send(self, sign: Sign) -> Answer:
        flow = self._transport.flow
        ticket = flow.start()
        again, self._is_sent = self._is_sent, True
        try:
            answer = self._transport.send(self._call, sign, again=again)
        except LivePersonRateLimitError:
            self.is_first_refusal = flow.throttled(ticket)
            raise
        except BaseException:
            flow.failed()
            raise
        flow.answered(ticket)
        return answer


def _body(call: Call, response: requests.Response) -> bytes:
    """The whole body of a success, the beginning of that of an error; decompressed."""
    if response.status_code not in SUCCESSES:
        return bytes(response.raw.read(LARGEST_ERROR_BODY, decode_content=True))
    # As sent: packed, it may be more.
    length = response.raw.length_remaining
    if length is not None and length <= LARGEST_ANSWER and "Content-Encoding" not in response.headers:
        return bytes(response.raw.read())
    body = io.BytesIO()
    while max(length or 0, body.tell()) <= LARGEST_ANSWER:
        chunk = response.raw.read(CHUNK, decode_content=True)
        if not chunk:
            return body.getvalue()
        body.write(chunk)
    error = LivePersonTransportError(
        f"The answer to {call.endpoint} is larger than {LARGEST_ANSWER >> 20} MB and was not read on.",
        endpoint=call.endpoint,
    )
    # The same request would be answered alike.
    error.exhausted = True
    raise error


def _parsed(parse: Callable[[Answer], Parsed], answer: Answer, call: Call) -> Parsed:
    try:
        return parse(answer)
    except RecursionError:
        problem = "is JSON nested too deeply to be read"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    # Outside of the except block: the error would hold the answer.
    raise LivePersonTransportError(f"The answer to {call.endpoint} {problem}.", endpoint=call.endpoint)


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request without authorization."""
    return request
