"""One HTTP session to LivePerson: connection reuse, timeouts, pacing, retrying, and errors by their right names."""

from __future__ import annotations

import json
import logging
import math
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic
from urllib.parse import quote_plus, urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception
from urllib3.exceptions import HTTPError as Urllib3Error

from airflow_provider_lp.client.abortable import AbortableAdapter
from airflow_provider_lp.client.calls import Answer, Authorization, Call, Parsed
from airflow_provider_lp.client.error_bodies import excerpt_of, internal_code_of
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonPermissionError,
    LivePersonRateLimitError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.pacing import Clock, Pacer
from airflow_provider_lp.client.retry import Patience, error_class, retry_after_seconds

log = logging.getLogger(__name__)

#: How many times the longest silence an answer may take in all.
LONGEST_ANSWER = 5
PARTING_TIMEOUT_S = 5.0

REMEDIES: dict[type[LivePersonError], str] = {
    LivePersonAuthenticationError: "Check the credentials in the Airflow connection.",
    LivePersonPermissionError: "Ask LivePerson's administrator to grant these credentials access to this API.",
    LivePersonRateLimitError: "Lower max_concurrency, or run fewer of these tasks side by side (an Airflow pool).",
}


class Transport:
    """
    Sends calls, any number at a time, at one common pace.

    :param connect_timeout: how long a connection may take to come about.
    :param read_timeout: how long LivePerson may be silent.
    :param max_concurrency: requests in flight at most; others wait.
    :param clock: the time to go by.
    :param retry: whether failed requests are tried again, unless a call says how long.
    """

    def __init__(
        self, *, connect_timeout: timedelta, read_timeout: timedelta, max_concurrency: int, clock: Clock, retry: bool
    ) -> None:
        self._timeout_s = (connect_timeout.total_seconds(), read_timeout.total_seconds())
        self._lock = threading.Lock()
        self.slots = threading.BoundedSemaphore(max_concurrency)
        self._environment: dict[str, Mapping[str, Any]] = {}
        self._secrets: frozenset[str] = frozenset()
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
        self._adapter = AbortableAdapter(
            longest_s=LONGEST_ANSWER * read_timeout.total_seconds(), max_concurrency=max_concurrency
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)
        self.clock = clock
        self._patience_s = math.inf if retry else 0.0
        self.pacer = Pacer(clock)
        #: HTTP requests sent so far, and how many of them repeated an earlier one.
        self.requests = 0
        self.retries = 0

    def hide(self, *secrets: str) -> None:
        """Never show these values in an error, nor the forms in which a form or JSON holds them."""
        known = {
            form for secret in secrets if secret for form in (secret, quote_plus(secret), json.dumps(secret)[1:-1])
        }
        with self._lock:
            self._secrets = self._secrets | known

    def abort(self) -> None:
        """End waits and requests under way, and let no other begin."""
        self.clock.close()
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
        *,
        until_s: float | None = None,
    ) -> Parsed:
        """
        Send ``call`` and give what ``parse`` makes of the answer, trying again as long as that makes sense.

        :param parse: reads the answer; a :class:`LivePersonError` it raises is retried by its kind.
        :param authorization: how to sign the request.
        :param until_s: the moment, on the monotonic clock, after which nothing is tried again.
        """
        if authorization:
            authorization.token()
        last_s = self.clock.monotonic() + self._patience_s if until_s is None else until_s
        patience = Patience(login=call.login, lasts_s=lambda: last_s - self.clock.monotonic())
        attempts = _Attempts(self, call, parse, authorization, patience)
        retrying = Retrying(
            retry=retry_if_exception(attempts.patience.allows),
            wait=attempts.pause_s,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return retrying(attempts.attempt)
        except LivePersonRateLimitError:
            attempts.slow_down()
            raise

    def send(self, call: Call, authorization: Authorization | None, token: str | None, *, again: bool) -> Answer:
        """Send ``call`` once; raises the error that the answer, or its absence, stands for."""
        with self._lock:
            self.requests += 1
            self.retries += again
        try:
            prepared = self._session.prepare_request(
                requests.Request(
                    call.method,
                    call.url,
                    params=call.params,
                    data=call.content,
                    headers=call.headers,
                    # A callable even where nothing is signed: without one, requests would look into ~/.netrc.
                    auth=(lambda request: authorization.sign(request, token)) if authorization else _unsigned,
                )
            )
            environment = self._environment_of(call.url)
            with self._adapter.deadline():
                sent_at = self.clock.now()
                with self._session.send(
                    prepared, timeout=self._timeout_s, allow_redirects=False, **environment
                ) as response:
                    body: bytes = response.raw.read(decode_content=True)
        except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
            raise self._transport_error(call, error) from error
        if response.status_code in (200, 204):
            return Answer(response.status_code, body, response.cookies.get_dict(), sent_at)
        raise self._status_error(call, response, body)

    def part(self, call: Call) -> None:
        """Send a last ``call`` after :meth:`abort`, and do not wait for much of an answer."""
        with self._lock:
            self.requests += 1
        try:
            with self._session.request(
                call.method,
                call.url,
                data=call.content,
                headers=dict(call.headers),
                auth=_unsigned,
                timeout=PARTING_TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                log.debug("%s: HTTP %d", call.endpoint, response.status_code)
        except (requests.RequestException, Urllib3Error, OSError, ValueError) as error:
            log.info("%s failed: %s", call.endpoint, _root_cause(_chain(error)[-1]))

    def _environment_of(self, url: str) -> Mapping[str, Any]:
        # Looked up once a host instead of once a request: proxies and CA bundles come from the environment.
        origin = urlsplit(url).netloc
        if origin not in self._environment:
            settings = self._session.merge_environment_settings(url, {}, True, None, None)
            self._environment[origin] = {**settings, "stream": True}
        return self._environment[origin]

    def _transport_error(self, call: Call, error: Exception) -> LivePersonError:
        host = urlsplit(call.url).netloc
        links = _chain(error)
        if any(isinstance(link, ssl.SSLCertVerificationError) for link in links):
            return LivePersonConfigurationError(
                f"The TLS certificate of {host} ({call.endpoint}) cannot be verified. If a proxy of your company "
                "re-signs traffic, point REQUESTS_CA_BUNDLE at its CA.",
                endpoint=call.endpoint,
            )
        if any(isinstance(link, ssl.SSLError) and link.reason == "WRONG_VERSION_NUMBER" for link in links):
            return LivePersonConfigurationError(
                f"{host} ({call.endpoint}) does not speak TLS. For a sandbox on this machine, write host as http://...",
                endpoint=call.endpoint,
            )
        return LivePersonTransportError(
            f"No complete answer from {host} to {call.endpoint}: {_root_cause(links[-1])}.", endpoint=call.endpoint
        )

    def _status_error(self, call: Call, response: requests.Response, body: bytes) -> LivePersonError:
        status = response.status_code
        kind = error_class(status)
        if call.login and kind is LivePersonBadRequestError:
            kind = LivePersonAuthenticationError
        excerpt = excerpt_of(body, self._secrets)
        if 300 <= status < 400:
            message = f"LivePerson answers {call.endpoint} with a redirect (HTTP {status}); redirects are not followed."
        else:
            said = f': "{excerpt}"' if excerpt else ""
            message = f"LivePerson answers {call.endpoint} with HTTP {status}{said}. {REMEDIES.get(kind, '')}".rstrip()
        error = kind(
            message,
            status=status,
            endpoint=call.endpoint,
            internal_code=internal_code_of(body, self._secrets),
            excerpt=excerpt,
            retry_after_s=retry_after_seconds(response.headers.get("Retry-After"), self.clock.now()),
        )
        error.exhausted = 300 <= status < 400
        return error


class BriefCalls:
    """
    Calls of one look: until LivePerson has answered one of them, none is tried again, and none for longer than given.

    What is looked at again anyhow should learn quickly that LivePerson is down; but where a look takes many calls, one
    that fails must not spoil them all.

    :param transport: how to send.
    :param patience: how long from now calls may be tried again.
    """

    def __init__(self, transport: Transport, patience: timedelta) -> None:
        self._transport = transport
        self._last_s = transport.clock.monotonic() + patience.total_seconds()
        self._is_answered = False

    def call(self, call: Call, parse: Callable[[Answer], Parsed], authorization: Authorization | None = None) -> Parsed:
        """As :meth:`Transport.call`."""
        until_s = self._last_s if self._is_answered else -math.inf
        parsed = self._transport.call(call, parse, authorization, until_s=until_s)
        self._is_answered = True
        return parsed


class _Attempts(Generic[Parsed]):
    """The tries of one call, of which the last one counts."""

    def __init__(
        self,
        transport: Transport,
        call: Call,
        parse: Callable[[Answer], Parsed],
        authorization: Authorization | None,
        patience: Patience,
    ) -> None:
        self.patience = patience
        self._transport = transport
        self._call = call
        self._parse = parse
        self._authorization = authorization
        self._ticket = 0
        self._sent = False

    def attempt(self) -> Parsed:
        authorization = self._authorization
        token = authorization.token() if authorization else None
        try:
            answer = self._send(token)
        except LivePersonAuthenticationError:
            if not authorization or not authorization.renew(token):
                raise
            answer = self._send(authorization.token())
        self._transport.pacer.succeeded()
        return self._parse(answer)

    def _send(self, token: str | None) -> Answer:
        # The pace is asked for last: who waits for a slot must still hear of a throttling.
        with self._transport.slots:
            self._ticket = self._transport.pacer.wait()
            again, self._sent = self._sent, True
            return self._transport.send(self._call, self._authorization, token, again=again)

    def slow_down(self, hold_s: float = 0.0) -> None:
        """Let all calls go slower after a throttling, and none begin before ``hold_s`` seconds have passed."""
        self._transport.pacer.throttled(self._ticket, hold_s)

    def pause_s(self, state: RetryCallState) -> float:
        """Seconds for this call alone to wait; a throttling holds every call, through the pacer."""
        error = state.outcome.exception() if state.outcome else None
        pause_s = self.patience.pause_s
        log.warning("%s Trying again in %g s (attempt %d failed).", error, pause_s, state.attempt_number)
        if isinstance(error, LivePersonRateLimitError):
            self.slow_down(pause_s)
            return 0.0
        return pause_s


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, outermost first; requests and urllib3 hide the cause in different places."""
    links: list[BaseException] = []
    link: object = error
    while isinstance(link, BaseException) and link not in links:
        links.append(link)
        link = getattr(link, "reason", None) or link.__cause__ or (link.args[0] if link.args else None)
    return links


def _root_cause(innermost: BaseException) -> str:
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return type(innermost).__name__
