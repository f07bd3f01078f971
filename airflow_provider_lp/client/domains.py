"""Which host serves which LivePerson service for an account: the Domain API."""

from __future__ import annotations

import ipaddress
import re
import threading
from urllib.parse import SplitResult, urlsplit

import msgspec

from airflow_provider_lp.client.calls import Answer, Call, Caller
from airflow_provider_lp.client.clock import Clock
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.retry import Setback

DEFAULT_DOMAIN_API = "https://api.liveperson.net"
LIVEPERSON_DOMAINS = (".liveperson.net", ".lpsnmedia.net", ".liveperson.com")
BARE_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


class _BaseUri(msgspec.Struct):
    service: str | None = None
    base_uri: str | None = msgspec.field(default=None, name="baseURI")


class _BaseUris(_BaseUri):
    base_uris: list[_BaseUri] = msgspec.field(default_factory=list, name="baseURIs")


_answer_decoder = msgspec.json.Decoder(_BaseUris)


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def parse_domain_api(host: str | None) -> SplitResult:
    """
    The URL of the Domain API from what a connection's ``host`` says.

    :param host: a full URL, a bare host name, or nothing for LivePerson's own.
    :raises LivePersonConfigurationError: if it is no URL, or would send credentials unencrypted.
    """
    text = (host or "").strip() or DEFAULT_DOMAIN_API
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        is_url = url.scheme in ("https", "http") and bool(BARE_HOST.fullmatch(url.netloc)) and url.port != 0
    except ValueError:
        is_url = False
    if not is_url or url.path.strip("/") or url.query or url.fragment:
        # What stands before an @ may be a password.
        raise LivePersonConfigurationError(
            f"host={text.rpartition('@')[2]!r} is not a URL of the form https://api.liveperson.net. "
            "Leave it empty to use LivePerson's own Domain API."
        )
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise LivePersonConfigurationError(
            f"host={text!r} would send credentials unencrypted. Use https:// (http:// is only for a sandbox on "
            "this machine)."
        )
    return url


class Domains:
    """
    Looks services up, once each.

    :param caller: sends the lookups.
    :param clock: the time to go by.
    :param account_id: the LivePerson account.
    :param domain_api: URL of the Domain API, from :func:`parse_domain_api`; its scheme applies to what it answers.
    """

    def __init__(self, caller: Caller, clock: Clock, account_id: str, domain_api: SplitResult) -> None:
        self._caller = caller
        self._account_id = account_id
        self._domain_api = domain_api
        self._lock = threading.Lock()
        self._base_urls: dict[str, str] = {}
        self._setback = Setback(clock)

    def base_url(self, service: str) -> str:
        """
        The URL, without path, of a service such as ``msgHist``. Rests on LivePerson's Domain API.

        :raises LivePersonConfigurationError: if LivePerson does not know the account or the service there, or
            answers a host that is not its own.
        """
        with self._lock:
            if service not in self._base_urls:
                self._setback.check()
                host = self._look_up(service)
                self._check(service, host)
                self._base_urls[service] = f"{self._domain_api.scheme}://{host}"
            return self._base_urls[service]

    def _look_up(self, service: str) -> str:
        path = f"/api/account/{self._account_id}/service/{service}/baseURI.json"
        call = Call(
            endpoint=f"domain lookup of {service}",
            method="GET",
            url=f"{self._domain_api.scheme}://{self._domain_api.netloc}{path}",
            params={"version": "1.0"},
        )
        try:
            return self._caller.call(call, lambda answer: _host_of(service, answer))
        except (LivePersonRateLimitError, LivePersonServerError, LivePersonTransportError) as error:
            self._setback.remember(error)
            raise
        except (LivePersonBadRequestError, LivePersonAuthenticationError) as error:
            raise LivePersonConfigurationError(
                f"LivePerson's Domain API does not know service {service!r} of account_id={self._account_id!r} "
                f"(HTTP {error.status}). Check account_id in the Airflow connection.",
                status=error.status,
                endpoint=error.endpoint,
                internal_code=error.internal_code,
                excerpt=error.excerpt,
            ) from error

    def _check(self, service: str, host: str) -> None:
        name = urlsplit(f"//{host}").hostname if BARE_HOST.fullmatch(host) else None
        if is_loopback(self._domain_api.hostname) and is_loopback(name):
            return
        if self._domain_api.scheme == "https" and name and name.endswith(LIVEPERSON_DOMAINS):
            return
        raise LivePersonConfigurationError(
            f"The Domain API at {self._domain_api.netloc} says that {service!r} is served by {host[:100]!r}, which is "
            "not a LivePerson domain; no credentials were sent there. Check host in the Airflow connection."
        )


def _host_of(service: str, answer: Answer) -> str:
    try:
        found = _answer_decoder.decode(answer.body)
    except msgspec.DecodeError as error:
        raise LivePersonTransportError(f"The domain lookup of {service!r} did not answer with its JSON.") from error
    for entry in (found, *found.base_uris):
        if entry.base_uri and entry.service in (service, None):
            return entry.base_uri
    raise LivePersonConfigurationError(
        f"LivePerson's Domain API names no host for service {service!r} of this account. Check account_id in the "
        "Airflow connection, and whether the account has this service."
    )
