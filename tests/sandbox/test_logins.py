from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
import requests

from .caller import ACCOUNT_ID, Caller, at

LOGIN = f"/api/account/{ACCOUNT_ID}/login"
TOKEN = f"/sentinel/api/v2/account/{ACCOUNT_ID}/app/token"
BODY = {"start": {"from": at(18), "to": at(19)}}
DATA = f"/messaging_history/api/account/{ACCOUNT_ID}/conversations/search?source=a"


def user(caller: Caller, **changed: str) -> requests.Response:
    known = caller.sandbox.credentials
    body = {"username": known["login"], "password": known["password"]} | changed
    return caller.post(LOGIN, params={"v": "1.3"}, json=body)


def application(caller: Caller, **changed: str) -> requests.Response:
    known = caller.sandbox.credentials
    body = {"username": known["bot_login"], "appKey": known["app_key"], "secret": known["app_secret"]}
    body |= {"accessToken": known["access_token"], "accessTokenSecret": known["access_token_secret"]}
    return caller.post(LOGIN, params={"v": "1.3"}, json=body | changed)


def application_of_client(caller: Caller, **changed: str) -> requests.Response:
    known = caller.sandbox.credentials
    placeholders = {"accessToken": "dummy", "accessTokenSecret": "dummy"}
    by_client = {"appKey": known["client_id"], "secret": known["client_secret"], **placeholders}
    return application(caller, **by_client | changed)


def client(caller: Caller, **changed: str) -> requests.Response:
    known = caller.sandbox.credentials
    form = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
    return caller.post(TOKEN, data=form | {"grant_type": "client_credentials"} | changed)


def signed(caller: Caller, **changed: Any) -> requests.Response:
    return caller.post(DATA, json=BODY, auth=caller.key(**changed))


def test_a_user_gets_a_bearer_that_opens_the_data(caller: Caller) -> None:
    answer = user(caller).json()
    assert answer["sessionTTl"] == "3600000"
    assert {each["service"] for each in answer["csdsCollectionResponse"]["baseURIs"]} >= {"msgHist", "sentinel"}
    assert list(answer)[-1] == "bearer"
    assert caller.with_bearer(answer["bearer"]) == 200


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"username": "nobody"}])
def test_a_wrong_user_is_told_so(caller: Caller, changed: dict[str, str]) -> None:
    answer = user(caller, **changed)
    assert answer.status_code == 401
    assert answer.json()["error"]["responseStatus"] == "UNAUTHORIZED"
    assert "Set-Cookie" not in answer.headers


def test_a_login_must_name_its_version_and_be_complete(steady: Caller) -> None:
    known = steady.sandbox.credentials
    body = {"username": known["login"], "password": known["password"]}
    assert steady.post(LOGIN, json=body).status_code == 400
    assert steady.post(LOGIN, params={"v": "1.2"}, json=body).status_code == 400
    assert steady.post(LOGIN, params={"v": "1.3"}, json={"username": known["login"]}).status_code == 400
    assert user(steady, appKey="x").status_code == 400


@pytest.mark.parametrize("text", ["dummy", "none"])
def test_a_bot_logs_in_with_an_oauth2_client_and_any_tokens(caller: Caller, old: Caller, text: str) -> None:
    for asked in caller, old:
        answer = application_of_client(asked, accessToken=text, accessTokenSecret=text)
        assert asked.with_bearer(answer.json()["bearer"]) == 200


def test_a_bot_logged_in_with_a_key_before(old: Caller) -> None:
    assert old.with_bearer(application(old).json()["bearer"]) == 200


@pytest.mark.parametrize("member", ["username", "appKey", "secret", "accessToken", "accessTokenSecret"])
def test_each_member_of_an_application_login_counts(old: Caller, member: str) -> None:
    assert application(old, **{member: "wrong"}).status_code == 401


@pytest.mark.parametrize("member", ["username", "appKey", "secret"])
def test_a_wrong_bot_is_refused(steady: Caller, member: str) -> None:
    assert application_of_client(steady, **{member: "wrong"}).status_code == 401


@pytest.mark.parametrize("member", ["accessToken", "accessTokenSecret"])
def test_the_placeholders_must_be_there(steady: Caller, member: str) -> None:
    assert application_of_client(steady, **{member: ""}).status_code == 400


def test_an_oauth2_token_says_its_account_client_and_lifetime(caller: Caller) -> None:
    caller.sandbox.token_lifetime_s = 120
    answer = client(caller).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 120)
    segment = answer["access_token"].split(".")[1]
    claims = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    assert claims["aud"] == ACCOUNT_ID
    assert claims["azp"] == caller.sandbox.credentials["client_id"]
    assert claims["exp"] - claims["iat"] == 120
    assert caller.with_bearer(answer["access_token"]) == 200


def test_a_wrong_client_is_refused(steady: Caller) -> None:
    for changed in {"client_id": "x"}, {"client_secret": "x"}:
        answer = client(steady, **changed)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})
    assert client(steady, grant_type="password").status_code == 400
    assert steady.post(TOKEN, json={"grant_type": "client_credentials"}).status_code == 400


def test_no_token_or_a_made_up_one_opens_nothing(caller: Caller) -> None:
    assert caller.post(DATA, json=BODY).status_code == 401
    assert caller.with_bearer("made-up") == 401
    assert caller.with_bearer("") == 401
    token = client(caller).json()["access_token"]
    basic = caller.post(DATA, json=BODY, headers={"Authorization": f"Basic {token}"})
    assert basic.status_code == 401


def test_a_token_opens_its_own_account_only(caller: Caller) -> None:
    token = client(caller).json()["access_token"]
    elsewhere = DATA.replace(ACCOUNT_ID, "87654321")
    assert caller.post(elsewhere, json=BODY, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_tokens_end_after_their_lifetime(caller: Caller) -> None:
    caller.sandbox.token_lifetime_s = 0.2
    token, bearer = client(caller).json()["access_token"], user(caller).json()["bearer"]
    assert caller.with_bearer(token) == 200
    time.sleep(0.25)
    assert (caller.with_bearer(token), caller.with_bearer(bearer)) == (401, 401)


def test_tokens_can_be_expired_and_new_ones_had(caller: Caller) -> None:
    token = client(caller).json()["access_token"]
    assert caller.with_bearer(token) == 200
    caller.sandbox.expire_tokens()
    assert caller.with_bearer(token) == 401
    assert caller.with_bearer(client(caller).json()["access_token"]) == 200


def test_refreshing_prolongs_a_session(caller: Caller) -> None:
    caller.sandbox.token_lifetime_s = 0.4
    login = user(caller).json()
    caller.sandbox.token_lifetime_s = 60
    refreshed = caller.post(f"/api/account/{ACCOUNT_ID}/refresh", json={"csrf": login["csrf"]})
    assert (refreshed.status_code, refreshed.content) == (200, b"")
    assert "Session_id=" in refreshed.headers["Set-Cookie"]
    time.sleep(0.45)
    assert caller.with_bearer(login["bearer"]) == 200


def test_logging_out_ends_the_bearer(caller: Caller) -> None:
    login = user(caller).json()
    assert caller.post(f"/api/account/{ACCOUNT_ID}/logout", json={"csrf": login["csrf"]}).status_code == 200
    assert caller.with_bearer(login["bearer"]) == 401
    assert caller.post(f"/api/account/{ACCOUNT_ID}/refresh", json={"csrf": login["csrf"]}).status_code == 401


@pytest.mark.parametrize("action", ["refresh", "logout"])
def test_a_foreign_csrf_or_a_missing_cookie_is_refused(caller: Caller, action: str) -> None:
    login = user(caller).json()
    path = f"/api/account/{ACCOUNT_ID}/{action}"
    answer = caller.post(path, json={"csrf": "foreign"})
    assert answer.status_code == 401
    assert answer.json()["error"]["internalCode"] == 10
    caller.session.cookies.clear()
    assert caller.post(path, json={"csrf": login["csrf"]}).status_code == 401
    assert caller.with_bearer(login["bearer"]) == 200


def test_a_signed_request_is_admitted(old: Caller) -> None:
    assert signed(old).status_code == 200
    assert old.sandbox.requests[-1].authorization == "OAuth"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"client_key": "x" * 20}, "consumer_key_unknown"),
        ({"resource_owner_key": "x" * 20}, "token_rejected"),
        ({"client_secret": "wrong"}, "signature_invalid"),
        ({"resource_owner_secret": "wrong"}, "signature_invalid"),
        ({"signature_method": "HMAC-SHA256"}, "signature_method_rejected"),
        ({"timestamp": -400}, "timestamp_refused"),
        ({"timestamp": 400}, "timestamp_refused"),
    ],
    ids=str,
)
def test_a_badly_signed_request_is_refused(old: Caller, changed: dict[str, Any], problem: str) -> None:
    if "timestamp" in changed:
        changed = {"timestamp": str(int(time.time()) + changed["timestamp"])}
    answer = signed(old, **changed)
    assert answer.status_code == 401
    assert answer.json()["reason"] == f"oauth_problem={problem}"


def test_a_signature_holds_for_its_own_url_only(old: Caller) -> None:
    prepared = requests.Request("POST", old.sandbox.url + DATA, json=BODY, auth=old.key()).prepare()
    prepared.url = f"{prepared.url}&limit=5"
    answer = old.session.send(prepared, timeout=10)
    assert answer.json()["reason"] == "oauth_problem=signature_invalid"


def test_a_nonce_is_good_once(old: Caller) -> None:
    prepared = requests.Request("POST", old.sandbox.url + DATA, json=BODY, auth=old.key()).prepare()
    assert old.session.send(prepared, timeout=10).status_code == 200
    again = old.session.send(prepared, timeout=10)
    assert (again.status_code, again.json()["reason"]) == (401, "oauth_problem=nonce_used")


def test_query_values_with_awkward_characters_can_be_signed(old: Caller) -> None:
    answer = old.post(DATA, params={"sort": "start:asc ü&=%"}, json=BODY, auth=old.key())
    assert answer.status_code == 400
    assert "sort" in answer.json()["message"]


def test_since_oauth_1_has_ended_no_signature_is_accepted(caller: Caller) -> None:
    answer = signed(caller)
    assert (answer.status_code, answer.json()["reason"]) == (401, "oauth_problem=consumer_key_refused")
    assert application(caller).status_code == 401


@pytest.mark.parametrize("log_in", [user, application_of_client])
def test_another_login_of_the_same_user_ends_the_first(
    caller: Caller, old: Caller, log_in: Callable[[Caller], requests.Response]
) -> None:
    first, token = log_in(caller).json(), client(caller).json()["access_token"]
    second = log_in(caller).json()["bearer"]
    assert [caller.with_bearer(each) for each in (first["bearer"], second, token)] == [401, 200, 200]
    refused = caller.post(f"/api/account/{ACCOUNT_ID}/refresh", json={"csrf": first["csrf"]})
    assert refused.status_code == 401
    both = [log_in(old).json()["bearer"] for _ in range(2)]
    assert [old.with_bearer(each) for each in both] == [200, 200]


def test_two_users_have_a_session_each(caller: Caller) -> None:
    bearers = [log_in(caller).json()["bearer"] for log_in in (user, application_of_client)]
    assert [caller.with_bearer(each) for each in bearers] == [200, 200]
