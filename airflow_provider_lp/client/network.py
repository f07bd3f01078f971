"""The way to LivePerson: proxies and CA bundles from the environment, and what goes wrong with them."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.utils import select_proxy
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError, ProxyError
from urllib3.util import parse_url

from airflow_provider_lp.client.calls import Call
from airflow_provider_lp.client.domains import LIVEPERSON_DOMAINS, is_loopback
from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonTransportError,
    LivePersonUnreachableError,
)

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")
PROXY_SCHEMES = ("http", "socks")
#: Errors of the HTTP libraries by which a server has ended a connection, before or in the midst of its answer.
_CLOSED = ("ProtocolError", "RemoteDisconnected", "IncompleteRead")
#: Of a proxy, these may pass: any other refusal is a setting.
_PASSING_REFUSALS = (408, 429)


@dataclass(frozen=True, slots=True)
class Route:
    """
    How to get to a host.

    :param settings: what :meth:`requests.Session.send` is to go by.
    :param proxy: the proxy on the way, without user and password; empty if there is none.
    """

    settings: Mapping[str, Any] = field(repr=False)
    proxy: str = ""


def route_to(session: requests.Session, url: str) -> Route:
    """
    The way to a URL, as the environment describes it to requests; none to this machine goes through a proxy.

    :raises LivePersonConfigurationError: for a setting that cannot be right; it is named.
    """
    settings: dict[str, Any] = {**session.merge_environment_settings(url, {}, True, None, None), "stream": True}
    target = urlsplit(url)
    if target.scheme == "https":
        _check_ca_bundle(settings["verify"])
    if is_loopback(target.hostname):
        return Route({**settings, "proxies": {}})
    proxy = select_proxy(url, settings["proxies"])
    return Route(settings, _checked_proxy(proxy) if proxy else "")


def _check_ca_bundle(verify: object) -> None:
    if not isinstance(verify, str):
        return
    try:
        is_folder = Path(verify).is_dir()
        ssl.create_default_context(cafile=None if is_folder else verify, capath=verify if is_folder else None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        name = "REQUESTS_CA_BUNDLE" if os.environ.get("REQUESTS_CA_BUNDLE") == verify else "CURL_CA_BUNDLE"
        raise LivePersonConfigurationError(
            f"{name} is {verify!r}, which cannot be read as CA certificates: {reason}. "
            "Point it at a PEM file, or unset it."
        ) from None


def _checked_proxy(proxy: str) -> str:
    """The proxy without user and password, which are secrets."""
    full = proxy if "://" in proxy else f"http://{proxy}"
    try:
        # As requests and urllib3 will read it.
        parse_url(full)
        url = urlsplit(full)
        shown = f"{url.scheme}://{_address(url)}"
    except (ValueError, LocationParseError):
        shown = ""
    if not shown or not url.hostname or not url.scheme.startswith(PROXY_SCHEMES):
        raise LivePersonConfigurationError(
            "HTTPS_PROXY (or ALL_PROXY) is not the URL of a proxy, such as http://proxy.example.com:3128. "
            "(In a password, write / as %2F, # as %23 and ? as %3F.)"
        )
    if url.scheme.startswith("socks") and find_spec("socks") is None:
        raise LivePersonConfigurationError(
            f"HTTPS_PROXY (or ALL_PROXY) names the SOCKS proxy {shown}, for which PySocks is not installed: "
            "pip install 'requests[socks]'."
        )
    return shown


def _address(url: SplitResult) -> str:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{host}:{url.port}" if url.port else f"{host}"


def network_error(call: Call, error: Exception, proxy: str = "") -> LivePersonError:
    """
    The error for a call that got no complete answer.

    :param proxy: the proxy on the way, if any.
    """
    host = urlsplit(call.url).netloc
    links = _chain(error)
    problem = _proxy_problem(proxy, links) if proxy else None
    if problem:
        return LivePersonConfigurationError(problem, endpoint=call.endpoint)
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
    way = f" through the proxy {proxy}" if proxy else ""
    cause = f"the proxy answers HTTP {status}" if (status := _tunnel_status(links)) else root_cause(error)
    if proxy.startswith("https://"):
        way += " (most proxies are spoken to in plain HTTP: http://...)"
    has_no_connection = status or any(isinstance(link, NewConnectionError | ConnectTimeoutError) for link in links)
    kind = LivePersonUnreachableError if has_no_connection else LivePersonTransportError
    hint = _host_hint(urlsplit(call.url).hostname or "") if has_no_connection and not proxy else ""
    return kind(f"No complete answer from {host} to {call.endpoint}{way}: {cause}.{hint}", endpoint=call.endpoint)


def _host_hint(host: str) -> str:
    """What to look at where nothing answers, and it is not LivePerson that should."""
    if is_loopback(host):
        return " That is this machine, where only a sandbox would answer: start it, or mend host of the connection."
    return "" if host.endswith(LIVEPERSON_DOMAINS) else " Is host of the connection right?"


def _proxy_problem(proxy: str, links: list[BaseException]) -> str | None:
    """What is wrong with the settings of the proxy, if that is the cause."""
    status = _tunnel_status(links)
    if status == 407:
        return (
            f"The proxy {proxy} wants to know who you are (HTTP 407): give it user and password in HTTPS_PROXY "
            "(http://user:password@proxy:port)."
        )
    if 300 <= status < 500 and status not in _PASSING_REFUSALS:
        return (
            f"The proxy {proxy} lets no request through to LivePerson (HTTP {status}): have *.liveperson.net allowed "
            "there, or name another proxy in HTTPS_PROXY."
        )
    is_proxys = any(isinstance(link, ProxyError) for link in links)
    if is_proxys and proxy.startswith("https://") and any(isinstance(link, ssl.SSLError) for link in links):
        return (
            f"HTTPS_PROXY is {proxy}, but no TLS connection to this proxy comes about. Most proxies are spoken to in "
            f"plain HTTP: write {proxy.replace('https://', 'http://', 1)}."
        )
    return None


def _tunnel_status(links: list[BaseException]) -> int:
    """The HTTP status by which a proxy refuses a tunnel to LivePerson; 0 if it does not."""
    refusal = next(filter(None, (_TUNNEL_REFUSED.search(str(link)) for link in links)), None)
    return int(refusal[1]) if refusal else 0


def root_cause(error: BaseException) -> str:
    """The innermost error in a few words."""
    innermost = _chain(error)[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    name = type(innermost).__name__
    if name in _CLOSED:
        return "the connection was closed"
    # zlib's has no name of its own.
    return name if name != "error" else f"{type(innermost).__module__}.{name}"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, outermost first; requests and urllib3 hide the cause in different places."""
    links: list[BaseException] = []
    link: object = error
    while isinstance(link, BaseException) and link not in links:
        links.append(link)
        inner = (getattr(link, name, None) for name in ("reason", "original_error", "__cause__"))
        link = next((each for each in inner if isinstance(each, BaseException)), link.args[0] if link.args else None)
    return links
