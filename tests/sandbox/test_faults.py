from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from airflow_provider_lp.sandbox import Conversation, Fault
from airflow_provider_lp.sandbox.faults import ODD_TEXTS

from .caller import ACCOUNT_ID, SEARCH, Caller, at, ids, records

BODY = {"start": {"from": at(18), "to": at(19)}}
TOKEN = f"/sentinel/api/v2/account/{ACCOUNT_ID}/app/token"
DOMAIN = f"/api/account/{ACCOUNT_ID}/service/agentVep/baseURI.json?version=1.0"


def call(caller: Caller, **changed: Any) -> requests.Response:
    return caller.conversations(SEARCH, BODY, **changed)


def statuses(caller: Caller, count: int) -> list[int]:
    return [call(caller).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "status"), [("throttle", 429), ("error_500", 500), ("error_503", 503), ("expired_token", 401)]
)
def test_a_status_instead_of_the_answer(caller: Caller, kind: str, status: int) -> None:
    caller.sandbox.add_fault(Fault(kind))
    answer = call(caller)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)
    assert "Retry-After" not in answer.headers
    assert call(caller).status_code == 200
    assert [(each.status, each.fault) for each in caller.sandbox.requests] == [(status, kind), (200, None)]


def test_forbidden(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("forbidden"))
    assert statuses(caller, 2) == [403, 200]


@pytest.mark.parametrize("value", ["3", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_retry_after_is_sent_word_for_word(caller: Caller, value: str) -> None:
    caller.sandbox.add_fault(Fault("throttle", retry_after=value))
    assert call(caller).headers["Retry-After"] == value


def test_times_after_and_every_choose_the_requests(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("throttle", times=2, after=1))
    assert statuses(caller, 5) == [200, 429, 429, 200, 200]
    caller.sandbox.add_fault(Fault("error_500", times=None, every=3))
    assert statuses(caller, 7) == [200, 200, 500, 200, 200, 500, 200]
    caller.sandbox.clear_faults()
    assert statuses(caller, 3) == [200, 200, 200]


def test_faults_follow_one_another(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("throttle"))
    caller.sandbox.add_fault(Fault("error_503", times=2))
    assert statuses(caller, 4) == [429, 503, 503, 200]


def test_a_fault_hits_the_conversation_methods_unless_it_names_a_path(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("error_500", times=None))
    assert caller.get(DOMAIN).status_code == 200
    caller.sandbox.clear_faults()
    caller.sandbox.add_fault(Fault("throttle", path="/app/token"))
    assert call(caller).status_code == 200
    assert caller.post(TOKEN).status_code == 429


def test_a_cut_connection_gives_no_answer(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("cut_connection"))
    with pytest.raises(requests.ConnectionError):
        call(caller)
    assert caller.sandbox.requests[-1].status is None
    assert call(caller).status_code == 200


def raw(caller: Caller) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    prepared = requests.Request(
        "POST",
        f"{caller.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/search?source=a",
        json=BODY,
        auth=caller.auth,
    ).prepare()
    connection = http.client.HTTPConnection(caller.sandbox.url.removeprefix("http://"), timeout=5)
    headers = {name: value if isinstance(value, str) else value.decode() for name, value in prepared.headers.items()}
    connection.request("POST", prepared.path_url, prepared.body, headers)
    return connection.getresponse(), connection


def test_a_cut_body_announces_more_than_it_sends(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("cut_body"))
    answer, connection = raw(caller)
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    connection.close()
    assert answer.status == 200
    assert len(cut.value.partial) == int(answer.headers["Content-Length"]) // 2
    assert cut.value.partial.startswith(b'{"_metadata"')


def test_a_cut_chunked_answer_lacks_its_last_chunk(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("cut_chunked"))
    answer, connection = raw(caller)
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    connection.close()
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers


def test_not_json_is_a_page_with_status_200(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("not_json"))
    answer = call(caller)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_slow_body_dribbles_and_is_whole(caller: Caller) -> None:
    whole = call(caller).json()
    caller.sandbox.add_fault(Fault("slow_body", seconds=0.4))
    begin = time.monotonic()
    answer, connection = raw(caller)
    headed = time.monotonic() - begin
    body = answer.read()
    connection.close()
    assert headed < 0.3
    assert 0.4 <= time.monotonic() - begin < 2
    assert len(body) == int(answer.headers["Content-Length"])
    assert ids(whole)


def test_a_stall_is_silence_before_the_answer(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("stall", seconds=0.3))
    begin = time.monotonic()
    assert call(caller).status_code == 200
    assert time.monotonic() - begin >= 0.3


def test_stopping_does_not_wait_for_a_stall(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("stall", seconds=60))
    url = f"{caller.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/search?source=a"
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json=BODY, auth=caller.auth, timeout=0.2)
    assert caller.sandbox.requests[-1].fault == "stall"
    begin = time.monotonic()
    caller.sandbox.stop()
    assert time.monotonic() - begin < 3


def test_a_partial_result_lacks_a_third_and_says_so(caller: Caller) -> None:
    whole = call(caller, limit=30).json()
    caller.sandbox.add_fault(Fault("partial_result"))
    partial = call(caller, limit=30).json()
    assert partial["_metadata"]["shardsStatusResult"] == {"partialResult": True}
    assert partial["_metadata"]["count"] == whole["_metadata"]["count"] - 10
    assert ids(partial) == ids(whole)[:20]


def test_missing_records_leave_the_count_as_it_was(caller: Caller) -> None:
    whole = call(caller, limit=30).json()
    caller.sandbox.add_fault(Fault("records_missing"))
    missing = call(caller, limit=30).json()
    assert missing["_metadata"]["count"] == whole["_metadata"]["count"]
    assert missing["_metadata"]["shardsStatusResult"] == {"partialResult": False}
    assert ids(missing) == ids(whole)[:15] + ids(whole)[18:]
    assert caller.sandbox.requests[-1].fault == "records_missing"


def test_a_repeated_record_takes_the_place_of_another(caller: Caller) -> None:
    whole = call(caller, limit=30).json()
    caller.sandbox.add_fault(Fault("records_repeated"))
    repeated = call(caller, limit=30).json()
    assert repeated["_metadata"]["count"] == whole["_metadata"]["count"]
    assert len(records(repeated)) == 30
    assert len(set(ids(repeated))) == 29
    assert set(ids(repeated)) < set(ids(whole))


@pytest.mark.parametrize("status", [404, 408, 421, 425, 499, 502])
def test_any_status_may_be_answered(caller: Caller, status: int) -> None:
    caller.sandbox.add_fault(Fault("status", status=status, retry_after="7"))
    answer = call(caller)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert call(caller).status_code == 200


def test_a_search_may_claim_once_that_it_finds_nothing(caller: Caller) -> None:
    whole = call(caller).json()
    caller.sandbox.add_fault(Fault("no_content"))
    caller.sandbox.add_fault(Fault("count_zero"))
    answer = call(caller)
    assert (answer.status_code, answer.content) == (204, b"")
    assert ids(whole)
    empty = call(caller).json()
    assert (empty["_metadata"]["count"], records(empty)) == (0, [])
    assert call(caller).json() == whole


def counts(caller: Caller, number: int) -> list[int]:
    return [call(caller, limit=1).json()["_metadata"]["count"] for _ in range(number)]


def test_counts_may_be_wrong(caller: Caller) -> None:
    (right,) = counts(caller, 1)
    caller.sandbox.add_fault(Fault("count_off", times=None, every=2))
    assert counts(caller, 4) == [right, right + 1, right, right + 1]
    caller.sandbox.clear_faults()
    caller.sandbox.add_fault(Fault("count_off", rows=-5))
    caller.sandbox.add_fault(Fault("count_capped", rows=right - 7))
    caller.sandbox.add_fault(Fault("count_capped", rows=right + 7))
    assert counts(caller, 3) == [right - 5, right - 7, right]


@pytest.mark.parametrize("sort", ["start:asc", "end:desc"])
def test_rows_of_one_moment_may_come_in_another_order_each_time(serve: Callable[..., Caller], sort: str) -> None:
    moments = (at(18, 1), at(18, 2), at(18, 3))
    caller = serve(
        *(Conversation(f"{number}-{start}", start, end_ms=start) for start in moments for number in range(20))
    )
    caller.sandbox.add_fault(Fault("ties_shuffled", times=None))
    orders = [ids(call(caller, sort=sort).json()) for _ in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset(order) for order in orders}) == 1
    rising = [str(start) for start in moments for _ in range(20)]
    for order in orders:
        assert [name.partition("-")[2] for name in order] == (rising if "asc" in sort else rising[::-1])


def test_a_heavy_page_fails_for_ever_and_a_lighter_one_does_not(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("heavy_page", times=None, rows=10))
    assert [call(caller, limit=limit).status_code for limit in (11, 10, 50, 1)] == [500, 200, 500, 200]
    assert caller.sandbox.requests[0].fault == "heavy_page"


@pytest.mark.parametrize("content", [None, ["campaign"]])
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_one_record_may_be_hard_to_read(caller: Caller, text: str, content: list[str] | None) -> None:
    body = BODY if content is None else BODY | {"contentToRetrieve": content}
    whole = caller.conversations(SEARCH, body, limit=5).content
    caller.sandbox.add_fault(Fault("odd_text", text=text))
    odd = caller.conversations(SEARCH, body, limit=5).content
    assert ODD_TEXTS[text] in odd
    assert odd != whole
    assert caller.conversations(SEARCH, body, limit=5).content == whole


def test_a_page_too_short_to_spoil_does_not_use_the_fault_up(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("records_repeated"))
    assert len(ids(call(caller, limit=1).json())) == 1
    assert caller.sandbox.requests[-1].fault is None
    assert len(set(ids(call(caller, limit=2).json()))) == 1


def test_a_bad_domain_is_named_by_the_domain_api_only(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("bad_domain", host="evil.example"))
    assert call(caller).status_code == 200
    assert caller.get(DOMAIN).json()["baseURI"] == "evil.example"
    assert caller.get(DOMAIN).json()["baseURI"] != "evil.example"


def test_a_redirect_leads_to_another_host(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("redirect", host="evil.example:81"))
    url = f"{caller.sandbox.url}/messaging_history/api/account/{ACCOUNT_ID}/conversations/search?source=a"
    answer = requests.post(url, json=BODY, auth=caller.auth, timeout=5, allow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["Location"] == url.replace(caller.sandbox.url, "http://evil.example:81")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "rain"},
        {"kind": "redirect"},
        {"kind": "throttle", "every": 0},
        {"kind": "status"},
        {"kind": "status", "status": 200},
        {"kind": "odd_text", "text": "runes"},
    ],
)
def test_an_impossible_fault_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fault|every"):
        Fault(**fields)


METRICS = {"method": "msgconversation", "timeframe": 60}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("throttle", 429), ("error_500", 500), ("error_503", 503), ("expired_token", 401), ("forbidden", 403)],
)
def test_a_fault_may_name_the_metrics(caller: Caller, kind: str, status: int) -> None:
    caller.sandbox.add_fault(Fault(kind, path="/operations/"))
    assert call(caller).status_code == 200
    assert [caller.metrics(**METRICS).status_code for _ in range(2)] == [status, 200]


def test_metrics_are_spared_by_default(caller: Caller) -> None:
    caller.sandbox.add_fault(Fault("error_500"))
    assert caller.metrics(**METRICS).status_code == 200
    assert call(caller).status_code == 500


@pytest.mark.parametrize("kind", ["cut_connection", "cut_body", "cut_chunked"])
def test_metrics_may_be_broken_off(caller: Caller, kind: str) -> None:
    caller.sandbox.add_fault(Fault(kind, path="/msgconversation"))
    with pytest.raises(requests.exceptions.RequestException):
        caller.metrics(**METRICS)
    assert caller.metrics(**METRICS).status_code == 200


@pytest.mark.parametrize("kind", ["stall", "slow_body"])
def test_metrics_may_be_slow(caller: Caller, kind: str) -> None:
    caller.sandbox.add_fault(Fault(kind, path="/operations/", seconds=0.3))
    begin = time.monotonic()
    assert caller.metrics(**METRICS).json()["metricsTotals"]
    assert time.monotonic() - begin >= 0.3


def test_latency_holds_metrics_back_too(caller: Caller) -> None:
    caller.sandbox.latency_s = 0.3
    begin = time.monotonic()
    caller.metrics(**METRICS)
    assert time.monotonic() - begin >= 0.3


def test_what_comes_while_enough_is_served_is_throttled(caller: Caller) -> None:
    caller.sandbox.latency_s = 0.5
    caller.sandbox.most_at_a_time = 2
    callers = [Caller(caller.sandbox) for _ in range(5)]

    def ask(number: int) -> int:
        other = callers[number]
        return (other.metrics(**METRICS) if number % 2 else call(other)).status_code

    with ThreadPoolExecutor(5) as threads:
        assert Counter(threads.map(ask, range(5))) == {200: 2, 429: 3}
        assert Counter(threads.map(ask, range(2))) == {200: 2}
    assert Counter(seen.status for seen in caller.sandbox.requests) == {200: 4, 429: 3}
