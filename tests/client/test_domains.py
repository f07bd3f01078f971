from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_lp.client import LivePersonClient
from airflow_provider_lp.client.calls import Answer, Call
from airflow_provider_lp.client.domains import Domains, is_loopback, parse_domain_api, parse_trusted_domains
from airflow_provider_lp.client.errors import (
    LivePersonConfigurationError,
    LivePersonServerError,
    LivePersonTransportError,
)
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls, connect
from tests.fake_clock import FakeClock
from tests.samples import OAUTH1, OAUTH2, USER, at
from tests.scripted import Say, scripted

WINDOW = {"start": {"from": at(10), "to": at(11)}}
LOOKUP = "/baseURI.json"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (None, "https://api.liveperson.net"),
        ("", "https://api.liveperson.net"),
        ("  ", "https://api.liveperson.net"),
        ("api.liveperson.net", "https://api.liveperson.net"),
        ("https://api.liveperson.net/", "https://api.liveperson.net/"),
        ("https://proxy.example.com:8443", "https://proxy.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTP://LOCALHOST", "http://LOCALHOST"),
    ],
)
def test_hosts_that_are_accepted(host: str | None, url: str) -> None:
    assert parse_domain_api(host).geturl() == url


@pytest.mark.parametrize(
    "host",
    [
        "http://api.liveperson.net",
        "http://192.168.0.1",
        "http://0.0.0.0",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "http://evil.com@127.0.0.1",
        "https://user:pass-word@api.liveperson.net",
        "user:pass-word@api.liveperson.net",
        "http://[::2]",
        "http://[::1",
        "https://[:::]",
        "ftp://127.0.0.1",
        "https://api.liveperson.net/path",
        "https://api.liveperson.net?x=1",
        "https://",
        "https://a b",
        "https://api.liveperson.net:x",
        "https://api.liveperson.net:99999",
        "https://api.liveperson.net\\@evil.com",
        "file:///etc/passwd",
    ],
)
def test_hosts_that_are_refused(host: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match="host=") as caught:
        parse_domain_api(host)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.3", "::1"])
def test_what_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "10.0.0.1", "127.1", "localhost.com", "::", "0.0.0.0"])
def test_what_is_not_this_machine(host: str | None) -> None:
    assert not is_loopback(host)


def bad_answer_refused(answered: Any, host: str = "", credentials: Any = OAUTH2) -> LivePersonConfigurationError:
    """Have the Domain API name a host; it must be refused with nothing but lookups sent."""
    with scripted(lambda _: Say(500), Say(body=answered)) as server:
        client = LivePersonClient("1234", credentials, host=host or server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonConfigurationError) as caught:
            client.interactions.search(WINDOW)
        assert not server.calls
        assert "Authorization" not in server.requests[-1].headers
        return caught.value


@pytest.mark.parametrize(
    "named",
    [
        "evil.com",
        "evil-liveperson.net",
        "liveperson.net.evil.com",
        "127.0.0.1@evil.com",
        "user:secret@127.0.0.1",
        "evil.com#.liveperson.net",
        "evil.com/.liveperson.net",
        "evil.com?.liveperson.net",
        "evil.com\\.liveperson.net",
        "http://127.0.0.1",
        "127.0.0.1:port",
        "[::1",
        "[:::]",
        "10.0.0.1",
        # Over plain http, to which a loopback Domain API leads, nothing but this machine will do.
        "va.msghist.liveperson.net",
        " ",
        "evil.com\n.liveperson.net",
    ],
)
def test_a_host_that_is_not_livepersons_gets_nothing(named: str) -> None:
    error = bad_answer_refused({"service": "sentinel", "account": "1234", "baseURI": named})
    assert not error.retry_helps


@pytest.mark.parametrize(
    "answered",
    [
        {},
        {"baseURIs": []},
        {"baseURI": ""},
        {"baseURI": None},
        {"service": "agentVep", "baseURI": "127.0.0.1:1"},
        {"baseURIs": [{"service": "agentVep", "account": "1234", "baseURI": "127.0.0.1:1"}]},
    ],
)
def test_an_answer_without_the_service_is_refused(answered: Any) -> None:
    assert "names no host" in str(bad_answer_refused(answered, credentials=OAUTH1))


def test_the_services_that_are_listed_are_named() -> None:
    entries = [{"service": name, "account": "1234", "baseURI": "x.example"} for name in ("leIntl", "agentVep")]
    error = bad_answer_refused({"baseURIs": entries}, credentials=OAUTH1)
    assert "'msgHist' of this account. It lists agentVep, leIntl. Check account_id" in str(error)


@pytest.mark.parametrize("status", [403, 404, 405, 410])
def test_a_base_uri_as_host_is_told_apart_from_a_wrong_account(status: int) -> None:
    with scripted(lambda _: Say(), Say(status, b"<html>no</html>")) as server:
        client = LivePersonClient("999", OAUTH1, host=server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonConfigurationError, match="leave host empty") as caught:
            client.interactions.search(WINDOW)
    assert f"host='{server.url}' does not answer as the Domain API does (HTTP {status}" in str(caught.value)


def test_a_web_page_in_place_of_the_domain_api_says_where_to_look() -> None:
    with scripted(lambda _: Say(), Say(body=b"<html>welcome</html>")) as server:
        client = LivePersonClient("999", OAUTH1, host=server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonTransportError, match="Is host the Domain API"):
            client.interactions.search(WINDOW)


VANITY = {"service": "msgHist", "account": "99990000", "baseURI": "msghist.chat.example.com"}


def looked_up(answered: Any, host: str, trusted_domains: str | None) -> str:
    """The URL that the Domain API's answer leads to."""

    class Answered:
        def call(self, call: Call, parse: Any, authorization: Any = None) -> Any:
            return parse(Answer(200, json.dumps(answered).encode(), {}))

    domains = Domains(
        Answered(), FakeClock(), "99990000", parse_domain_api(host), parse_trusted_domains(trusted_domains)
    )
    return domains.base_url(answered["service"])


@pytest.mark.parametrize("trusted", ["chat.example.com", ".example.com", "other.example, example.com ", "Example.COM"])
def test_a_domain_of_the_accounts_own_may_be_trusted(trusted: str) -> None:
    assert looked_up(VANITY, "https://api.liveperson.net", trusted) == "https://msghist.chat.example.com"


@pytest.mark.parametrize("trusted", [None, "", "chat.example.org", "ample.com", "msghist.example.com"])
def test_a_domain_that_is_not_trusted_says_how_to_trust_it(trusted: str | None) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"not a LivePerson domain.*trusted_domains"):
        looked_up(VANITY, "https://api.liveperson.net", trusted)


def test_a_trusted_domain_gets_nothing_over_plain_http() -> None:
    with pytest.raises(LivePersonConfigurationError, match="unencrypted"):
        looked_up(VANITY, "http://127.0.0.1:1", "example.com")


@pytest.mark.parametrize(
    "trusted", ["com", "*.example.com", "https://example.com", "example.com/x", "10.0.0.1", "a b.c"]
)
def test_what_is_no_domain_cannot_be_trusted(trusted: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match="trusted_domains="):
        LivePersonClient("1", OAUTH1, trusted_domains=trusted)


@pytest.mark.parametrize("shape", ["flat", "flat without service", "list", "full list"])
def test_both_shapes_of_the_answer_are_read(shape: str) -> None:
    with scripted(lambda _: Say()) as server:
        host = server.url.removeprefix("http://")
        entry = {"service": "msgHist", "account": "1234", "baseURI": host}
        server.domain = Say(
            body={
                "flat": entry,
                "flat without service": {"baseURI": host},
                "list": {"baseURIs": [entry]},
                "full list": {"baseURIs": [{"service": "leIntl", "account": "1234", "baseURI": "evil.com"}, entry]},
            }[shape]
        )
        with LivePersonClient("1234", OAUTH1, host=server.url, clock=FakeClock()) as client:
            assert client.interactions.search(WINDOW).count == 0


@pytest.mark.parametrize(("credentials", "services"), [(OAUTH1, 1), (OAUTH2, 2), (USER, 2)])
def test_each_service_is_looked_up_once(sandbox_of: Any, credentials: Any, services: int) -> None:
    sandbox = sandbox_of(year=2025)
    with connect(sandbox, credentials=credentials) as client:
        for _ in range(3):
            client.interactions.search(WINDOW)
    assert len(calls(sandbox, LOOKUP)) == services
    assert {seen.authorization for seen in calls(sandbox, LOOKUP)} == {None}


def test_the_sandboxs_lie_about_a_domain_is_seen_through(sandbox_of: Any) -> None:
    sandbox = sandbox_of()
    sandbox.add_fault(Fault("bad_domain", times=None, host="evil.example"))
    with (
        connect(sandbox) as client,
        pytest.raises(LivePersonConfigurationError, match=r"evil\.example.*no credentials"),
    ):
        client.interactions.search(WINDOW)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404])
def test_an_unknown_account_is_the_connections_fault(status: int) -> None:
    with scripted(lambda _: Say(), Say(status, {"message": "no such site"})) as server:
        client = LivePersonClient("999", OAUTH1, host=server.url, clock=FakeClock())
        with client, pytest.raises(LivePersonConfigurationError, match=r"account_id='999'.*Check account_id") as caught:
            client.interactions.search(WINDOW)
        assert caught.value.status == status
        # A single 404 may be one of a moment.
        assert len(server.requests) == (2 if status == 404 else 1)


def test_a_lookup_that_fails_is_retried_like_any_request(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of()
    sandbox.add_fault(Fault("error_503", times=2, path=LOOKUP))
    with connect(sandbox, clock) as client:
        client.interactions.search(WINDOW)
        assert clock.pauses == [5, 10]
    sandbox.add_fault(Fault("error_503", times=None, path=LOOKUP))
    with connect(sandbox, FakeClock()) as client, pytest.raises(LivePersonServerError, match="domain lookup"):
        client.interactions.search(WINDOW)


def test_a_lookup_that_is_not_json_is_not_believed(sandbox_of: Any, clock: FakeClock) -> None:
    sandbox = sandbox_of()
    sandbox.add_fault(Fault("not_json", times=None, path=LOOKUP))
    with (
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonTransportError, match="did not answer with its JSON"),
    ):
        client.interactions.search(WINDOW)
    assert clock.pauses == [5, 10, 15]


@pytest.mark.parametrize("account_id", ["", "12/34", "..", "12 34", "1?x", "é", "12\n"])
def test_an_account_id_that_could_change_the_path_is_refused(account_id: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match="account_id="):
        LivePersonClient(account_id, OAUTH1)


@pytest.mark.parametrize("source", ["", "a" * 21, "a-b", "a b", "é", "a\n"])
def test_a_source_that_liveperson_refuses_is_refused(source: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match="source="):
        LivePersonClient("1", OAUTH1, source=source)
