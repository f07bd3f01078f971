"""Tokens that LivePerson refuses, and where credentials may go."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonAuthenticationError, LivePersonTransportError
from airflow_provider_lp.client.pace import LONGEST_GAP_S
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import APPLICATION, OAUTH1, OAUTH2, USER, crowd
from tests.scripted import Say, scripted

from .searches import SandboxOf, search


def test_a_refused_bearer_is_renewed_once_by_one_thread_for_all(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock, OAUTH2) as client:
        search(client)
        sandbox.expire_tokens()
        sandbox.latency_s = 0.05
        found: list[list[str]] = []
        threads = [threading.Thread(target=lambda: found.append(search(client))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [len(each) for each in found] == [3] * 8
    assert len(calls(sandbox, "/app/token")) == 2
    assert max(clock.pauses) <= LONGEST_GAP_S


@pytest.mark.parametrize("credentials", [OAUTH2, USER, APPLICATION])
def test_a_401_that_a_new_token_does_not_mend_is_final(
    sandbox_of: SandboxOf, clock: FakeClock, credentials: Any
) -> None:
    sandbox = sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("expired_token", times=None))
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonAuthenticationError) as caught:
        search(client)
    assert caught.value.status == 401
    # With a renewed token, and once more: that may not be known everywhere yet. Others may log in as the same user.
    assert len(calls(sandbox)) == (3 if credentials is OAUTH2 else 5)
    assert ("logs in elsewhere" in str(caught.value)) is (credentials is not OAUTH2)
    assert "permission for Messaging Interactions" in str(caught.value)
    assert ("scope" in str(caught.value)) is (credentials is OAUTH2)
    assert "Check the credentials" not in str(caught.value)


def test_a_401_of_a_signed_request_is_final(sandbox_of: SandboxOf, clock: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(3), year=2025)
    sandbox.add_fault(Fault("expired_token"))
    with connect(sandbox, clock, OAUTH1) as client, pytest.raises(LivePersonAuthenticationError):
        search(client)
    assert len(calls(sandbox)) == 1


def test_each_attempt_is_signed_with_a_fresh_nonce(clock: FakeClock) -> None:
    answers = [Say(503), Say(429), Say(500), Say()]
    with scripted(lambda _: answers.pop(0)) as server:
        with LivePersonClient("1", OAUTH1, host=server.url, clock=clock) as client:
            search(client)
        headers = [seen.headers["Authorization"] for seen in server.calls]
    nonces = {part for header in headers for part in header.split(", ") if "oauth_nonce" in part}
    signatures = {part for header in headers for part in header.split(", ") if "oauth_signature=" in part}
    assert len(nonces) == len(signatures) == 4


# Where credentials may go.


@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2])
def test_a_redirect_is_never_followed(sandbox_of: SandboxOf, clock: FakeClock, credentials: Any) -> None:
    sandbox, other = sandbox_of(*crowd(3)), sandbox_of(*crowd(3))
    sandbox.add_fault(Fault("redirect", times=None, host=other.url))
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonTransportError) as caught:
        search(client)
    assert "redirect (HTTP 307)" in str(caught.value)
    assert caught.value.status == 307
    assert not other.requests
    assert len(calls(sandbox)) == 1


@pytest.mark.parametrize("path", ["/app/token", "/login", "/baseURI.json"])
def test_no_login_or_lookup_is_redirected_either(sandbox_of: SandboxOf, clock: FakeClock, path: str) -> None:
    sandbox, other = sandbox_of(), sandbox_of()
    sandbox.add_fault(Fault("redirect", times=None, host=other.url, path=path))
    credentials = USER if path == "/login" else OAUTH2
    with connect(sandbox, clock, credentials) as client, pytest.raises(LivePersonTransportError, match="redirect"):
        search(client)
    assert not other.requests


@pytest.mark.parametrize("credentials", [OAUTH1, OAUTH2, USER])
def test_netrc_is_never_used(
    sandbox_of: SandboxOf, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, credentials: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login netrc-user password netrc-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    sandbox = sandbox_of(*crowd(3), year=2025)
    with connect(sandbox, clock, credentials) as client:
        assert len(search(client)) == 3
    assert {seen.authorization for seen in sandbox.requests} == {
        None,
        "OAuth" if credentials is OAUTH1 else "Bearer",
    }
