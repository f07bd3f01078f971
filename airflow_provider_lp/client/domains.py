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
    LivePersonPermissionError,
    LivePersonRateLimitError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.client.retry import Setback

DEFAULT_DOMAIN_API = "https://api.liveperson.net"
#: The hosts of the Domain API; other hosts of LivePerson serve one API each.
DOMAIN_API_HOSTS = ("api.liveperson.net", "adminlogin.liveperson.net")
LIVEPERSON_DOMAINS = (".liveperson.net", ".lpsnmedia.net", ".liveperson.com")
DOMAIN_SUFFIX = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)+")
#: What is shown of the services that an answer lists.
SERVICE_NAME = re.compile(r"[\w.-]{1,60}")
#: What the Domain API is documented to answer where it does not know an account.
UNKNOWN_ACCOUNT = (400, 401)
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
        # What stands before an @, or in a query, may be a password.
        raise LivePersonConfigurationError(
            f"host={text.rpartition('@')[2].partition('?')[0]!r} is not a URL of the form https://api.liveperson.net. "
            "Leave it empty to use LivePerson's own Domain API."
        )
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise LivePersonConfigurationError(
            f"host={text!r} would send credentials unencrypted. Use https:// (http:// is only for a sandbox on "
            "this machine)."
        )
    return url


def parse_trusted_domains(text: str | None) -> tuple[str, ...]:
    """
    Domain suffixes from a comma list, each with a leading dot.

    :raises LivePersonConfigurationError: for what is no domain.
    """
    suffixes = [suffix.strip().lower() for suffix in (text or "").split(",") if suffix.strip()]
    for suffix in suffixes:
        if not DOMAIN_SUFFIX.fullmatch(suffix) or suffix.rpartition(".")[2].isdigit():
            raise LivePersonConfigurationError(
                f"trusted_domains={suffix!r} is not a domain such as chat.example.com. Write domains of your own, "
                "separated by commas, without scheme, path or asterisk."
            )
    return tuple(f".{suffix.removeprefix('.')}" for suffix in suffixes)


class Domains:
    """
    Looks services up, once each.

    :param caller: sends the lookups.
    :param clock: the time to go by.
    :param account_id: the LivePerson account.
    :param domain_api: URL of the Domain API, from :func:`parse_domain_api`; its scheme applies to what it answers.
    :param trusted: further domain suffixes, with a leading dot, whose hosts may be given credentials.
    """

    def __init__(
        self,
        caller: Caller,
        clock: Clock,
        account_id: str,
        domain_api: SplitResult,
        trusted: tuple[str, ...] = (),
    ) -> None:
        self._trusted = (*LIVEPERSON_DOMAINS, *trusted)
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
        except (LivePersonBadRequestError, LivePersonAuthenticationError, LivePersonPermissionError) as error:
            raise LivePersonConfigurationError(
                self._why_refused(service, error.status),
                status=error.status,
                endpoint=error.endpoint,
                internal_code=error.internal_code,
                excerpt=error.excerpt,
            ) from error

    def _why_refused(self, service: str, status: int | None) -> str:
        account = f"account_id={self._account_id!r}"
        check_account = "Check account_id in the Airflow connection."
        host = self._domain_api.hostname or ""
        unknown = f"LivePerson's Domain API does not know service {service!r} of {account} (HTTP {status}). "
        if host in DOMAIN_API_HOSTS or (status in UNKNOWN_ACCOUNT and not host.endswith(LIVEPERSON_DOMAINS)):
            return unknown + check_account
        return (
            f"host={self._domain_api.geturl()!r} does not answer as the Domain API does (HTTP {status} to a lookup of "
            f"{service!r} for {account}). If it is the base URI of a service, it does not belong there: leave host "
            f"empty to use LivePerson's own Domain API. If it is the Domain API: {check_account}"
        )

    def _check(self, service: str, host: str) -> None:
        name = (urlsplit(f"//{host}").hostname or "") if BARE_HOST.fullmatch(host) else ""
        if is_loopback(self._domain_api.hostname) and is_loopback(name):
            return
        is_trusted = f".{name}".endswith(self._trusted)
        if self._domain_api.scheme == "https" and is_trusted:
            return
        says = f"The Domain API at {self._domain_api.netloc} says that {service!r} is served by {host[:100]!r}"
        if is_trusted:
            raise LivePersonConfigurationError(
                f"{says}, which is not on this machine, and http:// would send credentials there unencrypted; none "
                "were sent. Write host in the Airflow connection with https://."
            )
        raise LivePersonConfigurationError(
            f"{says}, which is not a LivePerson domain; no credentials were sent there. Check host in the Airflow "
            "connection; if your account has a domain of its own, name it in the extra field trusted_domains."
        )


def _host_of(service: str, answer: Answer) -> str:
    try:
        found = _answer_decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LivePersonTransportError(
            f"The domain lookup of {service!r} did not answer with its JSON. Is host the Domain API?"
        ) from error
    entries = (found, *found.base_uris)
    for entry in entries:
        if entry.base_uri and entry.service in (service, None):
            return entry.base_uri
    named = {entry.service or "" for entry in entries if entry.base_uri}
    others = sorted(name for name in named if SERVICE_NAME.fullmatch(name))
    listed = f"It lists {', '.join(others)[:500]}. " if others else ""
    raise LivePersonConfigurationError(
        f"LivePerson's Domain API names no host for service {service!r} of this account. {listed}Check account_id in "
        "the Airflow connection, and whether the account has this service."
    )
