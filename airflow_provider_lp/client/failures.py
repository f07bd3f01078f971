"""What an answer with an error status means, as an error that says what to do."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_lp.client.calls import Call
from airflow_provider_lp.client.error_bodies import ErrorBody, read_error_body
from airflow_provider_lp.client.errors import (
    LivePersonAuthenticationError,
    LivePersonBadRequestError,
    LivePersonConfigurationError,
    LivePersonError,
    LivePersonPermissionError,
    LivePersonRateLimitError,
)
from airflow_provider_lp.client.retry import LONGEST_RETRY_AFTER_S, error_class, retry_after_seconds
from airflow_provider_lp.client.secrets import Secrets

REMEDIES: dict[type[LivePersonError], str] = {
    LivePersonAuthenticationError: "Check the credentials in the Airflow connection.",
    LivePersonPermissionError: "Ask LivePerson's administrator to grant these credentials access to this API.",
    LivePersonConfigurationError: (
        "A proxy wants to know who you are: give it user and password in HTTPS_PROXY (http://user:password@proxy:port)."
    ),
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
    # What is not an error may hold transcripts, or a token that is not known yet.
    said = read_error_body(body, secrets) if status >= 400 else ErrorBody()
    retry_after_s = retry_after_seconds(headers.get("Retry-After"), now_s)
    is_redirect = 300 <= status < 400
    if is_redirect:
        message = f"LivePerson answers {call.endpoint} with a redirect (HTTP {status}); redirects are not followed."
    else:
        words = (f': "{said.excerpt}"' if said.excerpt else "") + (f" (code {said.code})" if said.code else "")
        message = f"LivePerson answers {call.endpoint} with HTTP {status}{words}."
        if retry_after_s and retry_after_s > LONGEST_RETRY_AFTER_S:
            message += f" It wants no request for {retry_after_s:.0f} s, which is too long to wait here."
    error = kind(
        message,
        status=status,
        endpoint=call.endpoint,
        internal_code=said.code,
        excerpt=said.excerpt,
        retry_after_s=retry_after_s,
        remedy="" if is_redirect else REMEDIES.get(kind, ""),
    )
    error.exhausted = is_redirect
    return error
