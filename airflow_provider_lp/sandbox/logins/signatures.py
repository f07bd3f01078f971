"""OAuth 1.0 API keys: every request carries a signature of its own."""

from __future__ import annotations

import hmac
import re
import threading
import time
from base64 import b64encode
from typing import Any

from oauthlib.oauth1.rfc5849 import signature, utils

from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from airflow_provider_lp.sandbox.http.exchange import Refused, Request

_MAX_SKEW_S = 300
_REQUIRED = ("consumer_key", "token", "signature_method", "timestamp", "nonce", "signature")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Signatures:
    """Verifies HMAC-SHA1 signatures, the clock and that no nonce comes twice."""

    def __init__(self) -> None:
        self._nonces: set[tuple[int, str]] = set()
        self._lock = threading.Lock()

    def verify(self, request: Request) -> None:
        """Refuse the request unless it is signed with the account's key, now, and for the first time."""
        given = _oauth_members(request.headers["Authorization"])
        for name in _REQUIRED:
            if not given.get(f"oauth_{name}"):
                raise refused_signature(f"parameter_absent&oauth_parameters_absent=oauth_{name}")
        if given["oauth_signature_method"] != "HMAC-SHA1":
            raise refused_signature("signature_method_rejected")
        if given.get("oauth_version", "1.0") != "1.0":
            raise refused_signature("version_rejected")
        if given["oauth_consumer_key"] != CREDENTIALS["app_key"]:
            raise refused_signature("consumer_key_unknown")
        if given["oauth_token"] != CREDENTIALS["access_token"]:
            raise refused_signature("token_rejected")
        timestamp = _current(given["oauth_timestamp"])
        if not _is_signed(request, given["oauth_signature"]):
            raise refused_signature("signature_invalid")
        self._spend(timestamp, given["oauth_nonce"])

    def _spend(self, timestamp: int, nonce: str) -> None:
        with self._lock:
            if (timestamp, nonce) in self._nonces:
                raise refused_signature("nonce_used")
            if len(self._nonces) > 100_000:
                oldest = time.time() - _MAX_SKEW_S
                self._nonces = {spent for spent in self._nonces if spent[0] >= oldest}
            self._nonces.add((timestamp, nonce))


def _oauth_members(header: str) -> dict[str, str]:
    try:
        return dict(signature.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))
    except ValueError as error:
        raise refused_signature("parameter_rejected") from error


def _current(timestamp: str) -> int:
    if not _TIMESTAMP.fullmatch(timestamp) or abs(time.time() - int(timestamp)) > _MAX_SKEW_S:
        raise refused_signature("timestamp_refused")
    return int(timestamp)


def _is_signed(request: Request, given: str) -> bool:
    # Loose types: the published ones of oauthlib know neither a list of pairs nor a method that is not a literal.
    method: Any = request.method
    parameters: Any = signature.collect_parameters(
        uri_query=request.target.partition("?")[2],
        headers={"Authorization": request.headers["Authorization"]},
        exclude_oauth_signature=True,
        with_realm=False,
    )
    base = signature.signature_base_string(
        method,
        signature.base_string_uri(f"http://{request.host}{request.target}"),
        signature.normalize_parameters(parameters),
    )
    key = f"{utils.escape(CREDENTIALS['app_secret'])}&{utils.escape(CREDENTIALS['access_token_secret'])}"
    expected = b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
    return hmac.compare_digest(expected, given)


def refused_signature(problem: str) -> Refused:
    """The answer to a signed request that is not accepted."""
    return Refused(401, {"reason": f"oauth_problem={problem}", "message": "The signed request was not accepted"})
