"""What went wrong with a call, as an error that says what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from airflow_provider_lp.client.calls import Call
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
from airflow_provider_lp.client.retry import error_class, retry_after_seconds
from airflow_provider_lp.client.secrets import Secrets

REMEDIES: dict[type[LivePersonError], str] = {
    LivePersonAuthenticationError: "Check the credentials in the Airflow connection.",
    LivePersonPermissionError: "Ask LivePerson's administrator to grant these credentials access to this API.",
    LivePersonRateLimitError: "Lower max_concurrency, or run fewer of these tasks side by side (an Airflow pool).",
}


def status_error(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, secrets: Secrets, now_s: float
) -> LivePersonError:
    """
    The error that an answer stands for whose status is no success.

    :param body: as much of the answer's body as was read.
    :param secrets: what the error must not repeat.
    :param now_s: the present moment, seconds since the epoch.
    """
    kind = error_class(status)
    if call.login and kind is LivePersonBadRequestError:
        kind = LivePersonAuthenticationError
    excerpt = excerpt_of(body, secrets)
    is_redirect = 300 <= status < 400
    if is_redirect:
        message = f"LivePerson answers {call.endpoint} with a redirect (HTTP {status}); redirects are not followed."
    else:
        said = f': "{excerpt}"' if excerpt else ""
        message = f"LivePerson answers {call.endpoint} with HTTP {status}{said}. {REMEDIES.get(kind, '')}".rstrip()
    error = kind(
        message,
        status=status,
        endpoint=call.endpoint,
        internal_code=internal_code_of(body, secrets),
        excerpt=excerpt,
        retry_after_s=retry_after_seconds(headers.get("Retry-After"), now_s),
    )
    error.exhausted = is_redirect
    return error


def network_error(call: Call, error: Exception) -> LivePersonError:
    """The error for a call that got no complete answer."""
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
        f"No complete answer from {host} to {call.endpoint}: {root_cause(error)}.", endpoint=call.endpoint
    )


def root_cause(error: BaseException) -> str:
    """The innermost error in a few words."""
    innermost = _chain(error)[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return type(innermost).__name__


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, outermost first; requests and urllib3 hide the cause in different places."""
    links: list[BaseException] = []
    link: object = error
    while isinstance(link, BaseException) and link not in links:
        links.append(link)
        link = getattr(link, "reason", None) or link.__cause__ or (link.args[0] if link.args else None)
    return links
