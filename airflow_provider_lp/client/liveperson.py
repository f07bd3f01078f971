"""The client: one account's session at LivePerson, from which its APIs hang."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from airflow_provider_lp.client.auth import authorization_for
from airflow_provider_lp.client.calls import Caller
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.credentials import Credentials
from airflow_provider_lp.client.domains import Domains, parse_domain_api, parse_trusted_domains
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.interactions import SERVICE, MessagingInteractions
from airflow_provider_lp.client.operations import MessagingOperations
from airflow_provider_lp.client.retry import RetryPolicy
from airflow_provider_lp.client.secrets import Secrets
from airflow_provider_lp.client.shared_pace import SharedPace
from airflow_provider_lp.client.transport import PolicyCaller, Transport
from airflow_provider_lp.client.versions import VersionMemory

ACCOUNT_ID = re.compile(r"[A-Za-z0-9]+")
SOURCE = re.compile(r"[A-Za-z0-9_]{1,20}")
DEFAULT_SOURCE = "AirflowProviderLP"
DEFAULT_CONNECT_TIMEOUT = timedelta(seconds=10)
DEFAULT_READ_TIMEOUT = timedelta(seconds=120)
#: What sockets take ends after some centuries; what people mean, much earlier.
LONGEST_TIMEOUT = timedelta(days=1)
DEFAULT_CONCURRENCY = 4


def _ignore_secret(_secret: str) -> None:
    """Without Airflow there is no log masker to tell."""


class LivePersonClient:
    """
    LivePerson for one account. May be used by several threads; close it, or use it in a ``with`` block.

    :param account_id: the LivePerson account (site, brand) id: digits or letters.
    :param credentials: one of the four kinds of credentials in :mod:`airflow_provider_lp.client`.
    :param host: the Domain API, as a URL; default LivePerson's own.
    :param trusted_domains: comma list of further domain suffixes whose hosts may be given credentials, for accounts
        with a domain of their own; default only LivePerson's.
    :param scope: the OAuth 2.0 scope to ask for, where an account needs one; default none.
    :param source: the caller name LivePerson asks for: letters, digits, underscore, at most 20.
    :param connect_timeout: how long a connection may take to come about, default 10 seconds.
    :param read_timeout: how long LivePerson may be silent, default 2 minutes.
    :param max_concurrency: requests in flight at most, from however many threads; default 4. What LivePerson's limit
        is, the clients of one account find out together, as far as they run on one machine for one user.
    :param retry: whether failed requests are retried, default yes.
    :param on_secret: told each secret, tokens included, as soon as it is known, for instance to mask it in logs.
    :param clock: the time to go by; default the real one. A client with a clock of its own has a pace of its own.
    :raises LivePersonConfigurationError: for an argument that cannot be right; it is named.
    """

    def __init__(
        self,
        account_id: str,
        credentials: Credentials,
        *,
        host: str | None = None,
        trusted_domains: str | None = None,
        scope: str | None = None,
        source: str = DEFAULT_SOURCE,
        connect_timeout: timedelta = DEFAULT_CONNECT_TIMEOUT,
        read_timeout: timedelta = DEFAULT_READ_TIMEOUT,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        retry: bool = True,
        on_secret: Callable[[str], None] = _ignore_secret,
        clock: Clock | None = None,
    ) -> None:
        if not ACCOUNT_ID.fullmatch(account_id):
            raise LivePersonConfigurationError(
                f"account_id={account_id!r} must be LivePerson's account id: only digits or letters."
            )
        if not SOURCE.fullmatch(source):
            raise LivePersonConfigurationError(
                f"source={source!r} must be 1 to 20 letters, digits or underscores: LivePerson refuses others."
            )
        for name, timeout in (("connect_timeout", connect_timeout), ("read_timeout", read_timeout)):
            if not timedelta(0) < timeout <= LONGEST_TIMEOUT:
                raise LivePersonConfigurationError(
                    f"{name}={timeout.total_seconds():g} must be more than 0 seconds, and a day at most."
                )
        domain_api = parse_domain_api(host)
        pace_store = SharedPace(f"{account_id} {domain_api.geturl()}", max_concurrency) if clock is None else None
        #: The time it goes by.
        self.clock = clock = clock or Clock()
        self._transport = Transport(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            max_concurrency=max_concurrency,
            clock=clock,
            policy=RetryPolicy() if retry else RetryPolicy(until_s=-math.inf),
            secrets=Secrets(on_secret),
            pace_store=pace_store,
        )
        self._domains = Domains(self._transport, clock, account_id, domain_api, parse_trusted_domains(trusted_domains))
        self._authorization = authorization_for(credentials, self._transport, self._domains, account_id, scope)
        self.account_id = account_id
        self.max_concurrency = max_concurrency
        self._source = source
        self._version_memory = VersionMemory(clock)
        self._offer_apis(self._transport)

    def _offer_apis(self, caller: Caller) -> None:
        access = (caller, self._domains, self._authorization, self.account_id)
        self.interactions = MessagingInteractions(*access, self._source)
        self.operations = MessagingOperations(*access, self._version_memory)

    @property
    def now(self) -> datetime:
        """The present moment, by the clock the client goes by."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, lookups and logins included."""
        return self._transport.requests

    @property
    def retries(self) -> int:
        """How many of these repeated an earlier one."""
        return self._transport.retries

    @property
    def received_bytes(self) -> int:
        """How many bytes LivePerson's answers had so far, decompressed."""
        return self._transport.received_bytes

    @property
    def throttled_s(self) -> float:
        """For how many seconds so far all requests were held, because LivePerson had throttled one."""
        return self._transport.flow.throttled_s

    @property
    def allowed_in_flight(self) -> int:
        """How many requests may be in flight at present: ``max_concurrency``, or fewer after a throttling."""
        return self._transport.flow.allowed

    def polling(self, patience: timedelta) -> Self:
        """
        This client's session for one poll: no retries until the first answer. Do not close it.

        :param patience: how long from now requests may be retried, once LivePerson has answered one of them.
        """
        client = copy(self)
        until_s = self.clock.monotonic() + patience.total_seconds()
        client._offer_apis(PolicyCaller(self._transport, RetryPolicy(until_s, is_answered=False)))
        return client

    def check(self) -> str:
        """
        Look the account's domain up and authenticate, by the smallest search there is.

        :return: the URL of the service that answered.
        :raises LivePersonError: by its kind, if any of it does not work.
        """
        base_url = self._domains.base_url(SERVICE)
        now_ms = int(self.clock.now() * 1000)
        self.interactions.search({"start": {"from": now_ms - 600_000, "to": now_ms}}, content=["summary"], limit=1)
        return base_url

    def close(self) -> None:
        """Log out where there was a login, end waits and drop connections."""
        self._transport.abort()
        self._authorization.close()
        self._transport.close()

    def wait(self, pause: timedelta) -> None:
        """Wait; raises :class:`LivePersonTransportError` if the client is closed meanwhile."""
        if pause:
            self.clock.sleep(pause.total_seconds())

    def abort(self) -> None:
        """End waits and requests under way at once, and ask for nothing more."""
        self._transport.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
