from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from airflow_provider_lp.sandbox import Account, Sandbox

from .caller import ACCOUNT_ID, SEARCH, Caller, at, ids

BODY = {"start": {"from": at(18), "to": at(19)}}


def domain(account_id: str = ACCOUNT_ID, service: str = "/msgHist", query: str = "?version=1.0") -> str:
    return f"/api/account/{account_id}/service{service}/baseURI.json{query}"


def test_the_domain_api_answers_in_both_documented_shapes(steady: Caller) -> None:
    host = steady.sandbox.url.removeprefix("http://")
    for service in "agentVep", "sentinel":
        flat = steady.get(domain(service=f"/{service}")).json()
        assert flat == {"service": service, "account": ACCOUNT_ID, "baseURI": host}
    for service in "msgHist", "leDataReporting":
        listed = steady.get(domain(service=f"/{service}")).json()
        assert listed == {"baseURIs": [{"service": service, "account": ACCOUNT_ID, "baseURI": host}]}
    every = steady.get(domain(service="")).json()["baseURIs"]
    assert [each["service"] for each in every] == ["agentVep", "sentinel", "msgHist", "leDataReporting"]


@pytest.mark.parametrize(
    "path",
    [domain(query=""), domain(query="?version=2.0"), domain(service="/msghist"), domain(account_id="1")],
)
def test_the_domain_api_is_exact(steady: Caller, path: str) -> None:
    assert steady.get(path).status_code == 400


def test_unknown_paths_and_methods(steady: Caller) -> None:
    assert steady.get("/nowhere").status_code == 404
    refused = steady.session.put(f"{steady.sandbox.url}/api/account/{ACCOUNT_ID}/login", timeout=5)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert steady.get(f"/messaging_history/api/account/{ACCOUNT_ID}/conversations/search").status_code == 405


def test_a_connection_serves_many_requests_even_refused_ones(caller: Caller) -> None:
    sockets = set()
    for _ in range(3):
        for path in domain(), "/nowhere":
            answer = caller.get(path, stream=True)
            sockets.add(answer.raw.connection.sock.getsockname())
            assert answer.content
    assert len(sockets) == 1


def test_many_clients_are_served_at_once(caller: Caller) -> None:
    caller.sandbox.latency_s = 0.3
    begin = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: _count(caller), range(8)))
    assert len(set(counts)) == 1
    assert 0.3 <= time.monotonic() - begin < 2.0


def _count(caller: Caller) -> int:
    url = f"{caller.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/search?source=a"
    return int(requests.post(url, json=BODY, auth=caller.auth, timeout=5).json()["_metadata"]["count"])


def test_answers_are_minified_and_compressed_only_when_both_agree(caller: Caller) -> None:
    plain = caller.conversations(SEARCH, BODY)
    assert "Content-Encoding" not in plain.headers
    assert plain.text == json.dumps(plain.json(), ensure_ascii=False, separators=(",", ":"))
    caller.sandbox.gzip = True
    packed = caller.conversations(SEARCH, BODY)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content) // 2
    assert packed.json() == plain.json()
    caller.session.headers["Accept-Encoding"] = "identity"
    assert "Content-Encoding" not in caller.conversations(SEARCH, BODY).headers


def test_requests_are_seen_as_they_came(caller: Caller) -> None:
    begin = time.monotonic()
    caller.conversations(SEARCH, BODY, limit=5)
    (seen,) = caller.sandbox.requests
    assert (seen.method, seen.status, seen.fault, seen.authorization) == ("POST", 200, None, "Bearer")
    assert seen.path.endswith("/conversations/search")
    assert seen.query == {"offset": "0", "limit": "5", "sort": "start:asc", "v": "2", "source": "SandboxTests"}
    assert seen.body == BODY
    assert begin <= seen.at <= time.monotonic()


def test_a_body_without_length_is_refused(caller: Caller) -> None:
    answer = caller.post(domain(), data=iter([b"{}"]))
    assert answer.status_code == 411


def test_a_sandbox_starts_and_stops_again(generated: Account) -> None:
    sandbox = Sandbox(account=generated)
    for _ in range(2):
        with sandbox:
            assert requests.get(f"{sandbox.url}/sandbox", timeout=5).status_code == 200
        with pytest.raises(RuntimeError, match="not running"):
            _ = sandbox.url


def test_an_unknown_end_filter_field_is_refused() -> None:
    with pytest.raises(ValueError, match="end_filter_field"):
        Sandbox(end_filter_field="start")
    with pytest.raises(ValueError, match="year"):
        Sandbox(year=2024)


def test_faults_by_http(caller: Caller) -> None:
    added = caller.post("/sandbox/faults", json={"kind": "throttle", "times": None, "retry_after": "3"})
    assert added.status_code == 201
    assert caller.conversations(SEARCH, BODY).headers["Retry-After"] == "3"
    assert caller.session.delete(f"{caller.sandbox.url}/sandbox/faults", timeout=5).status_code == 204
    assert caller.conversations(SEARCH, BODY).status_code == 200
    for wrong in {"kind": "rain"}, {"kind": "throttle", "colour": 1}, {"times": 1}, {"kind": "throttle", "times": "2"}:
        assert caller.post("/sandbox/faults", json=wrong).status_code == 400, wrong


def test_requests_by_http(caller: Caller) -> None:
    caller.conversations(SEARCH, BODY)
    (seen,) = caller.get("/sandbox/requests").json()
    assert (seen["status"], seen["body"]) == (200, BODY)
    caller.session.delete(f"{caller.sandbox.url}/sandbox/requests", timeout=5)
    assert caller.get("/sandbox/requests").json() == []


def test_the_truth_by_http(caller: Caller) -> None:
    query = "time_field=end&start=2026-03-18T00:00:00Z&end=2026-03-19T01:00:00+01:00"
    answer = caller.get(f"/sandbox/truth?{query}").json()
    expected = caller.sandbox.account.truth("end", at(18), at(19))
    assert answer == {"count": len(expected), "conversation_ids": expected}
    assert expected
    for wrong in "", "start=2026-03-18", "start=2026-03-18T00:00:00", "time_field=x&start=2026-03-18T00:00:00Z":
        assert caller.get(f"/sandbox/truth?{wrong}").status_code == 400


def test_the_sandbox_tells_how_to_use_it(caller: Caller) -> None:
    told = caller.get("/sandbox").json()
    assert told["account_id"] == ACCOUNT_ID
    assert told["conversations"] == len(caller.sandbox.account.conversations())
    assert told["connection"]["conn_type"] == "liveperson"
    assert told["connection"]["host"] == caller.sandbox.url
    extra = told["connection"]["extra"]
    token = caller.post(
        f"/sentinel/api/v2/account/{extra['account_id']}/app/token",
        data={name: extra[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"},
    )
    bearer = token.json()["access_token"]
    assert caller.with_bearer(bearer) == 200
    assert caller.post("/sandbox/expire-tokens").status_code == 204
    assert caller.with_bearer(bearer) == 401
    assert "throttle" in told["fault_kinds"]


def test_control_knows_its_own_paths_only(caller: Caller) -> None:
    assert caller.get("/sandbox/nowhere").status_code == 404
    refused = caller.get("/sandbox/faults")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, POST")
    assert caller.sandbox.requests == []


def test_ids_of_a_second_pass_are_those_of_the_first(caller: Caller) -> None:
    first, second = (caller.search(at(17), at(19)) for _ in range(2))
    assert ids(first) == ids(second)
    assert first == second
