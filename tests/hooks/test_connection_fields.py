from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_lp.client import (
    ApplicationCredentials,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
)
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.hooks.connection_fields import ConnectionFields

KEY = {name: f"value-of-{name}" for name in ("app_key", "app_secret", "access_token", "access_token_secret")}
CLIENT = {"client_id": "value-of-client_id", "client_secret": "value-of-client_secret"}
PERSON = {"login": "value-of-login", "password": "value-of-password"}


def fields(host: str | None = None, port: int | None = None, **given: Any) -> ConnectionFields:
    login, password = given.pop("login", None), given.pop("password", None)
    return ConnectionFields.of("my_conn", host=host, port=port, login=login, password=password, extra=given)


@pytest.mark.parametrize(
    ("given", "auth_type", "kind"),
    [
        (CLIENT, "oauth2", OAuth2Credentials),
        (KEY, "oauth1", OAuth1Credentials),
        (PERSON, "user", UserCredentials),
        ({**KEY, "login": "bot"}, "application", ApplicationCredentials),
        ({**CLIENT, "login": "bot"}, "application", ApplicationCredentials),
        ({**CLIENT, "login": "a note", "auth_type": "oauth2"}, "oauth2", OAuth2Credentials),
        ({**CLIENT, **KEY, "login": "bot", "auth_type": "application"}, "application", ApplicationCredentials),
        ({**KEY, "login": "x", "auth_type": "oauth1"}, "oauth1", OAuth1Credentials),
        ({**KEY, **CLIENT, "auth_type": "oauth2"}, "oauth2", OAuth2Credentials),
        ({**KEY, **CLIENT, **PERSON, "auth_type": "user"}, "user", UserCredentials),
        ({**KEY, **PERSON, "auth_type": "application"}, "application", ApplicationCredentials),
        ({**KEY, "client_id": "", "client_secret": None, "password": ""}, "oauth1", OAuth1Credentials),
        ({**CLIENT, "auth_type": ""}, "oauth2", OAuth2Credentials),
        ({**CLIENT, "auth_type": None}, "oauth2", OAuth2Credentials),
    ],
)
def test_the_login_is_what_the_fields_amount_to(given: dict[str, Any], auth_type: str, kind: type) -> None:
    found = fields(**given)
    assert found.auth_type() == auth_type
    credentials = found.credentials()
    assert isinstance(credentials, kind)
    names = {"username": "login"}
    if auth_type == "application" and "client_id" in given:
        names |= {"app_key": "client_id", "app_secret": "client_secret"}
        assert (credentials.access_token, credentials.access_token_secret) == ("dummy", "dummy")
        given = {**given, "access_token": "dummy", "access_token_secret": "dummy"}
    for name in credentials.__slots__:
        assert getattr(credentials, name) == given[names.get(name, name)]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, ["client_id", "app_key", "login"]),
        ({"client_id": "value-of-client_id"}, ["client_secret"]),
        ({"client_secret": "value-of-client_secret"}, ["client_id"]),
        ({"login": "value-of-login"}, ["password"]),
        ({"password": "value-of-password"}, ["login"]),
        ({"app_key": "value-of-app_key"}, ["app_secret", "access_token", "access_token_secret"]),
        ({"app_key": "value-of-app_key", "login": "value-of-login"}, ["app_secret"]),
        ({**CLIENT, "auth_type": "application"}, ["login"]),
        ({"login": "bot", "auth_type": "application"}, ["client_id", "client_secret"]),
        ({"login": "bot", "app_key": "k", "auth_type": "application"}, ["app_secret", "access_token"]),
        ({"login": "bot", "client_id": "k"}, ["client_secret"]),
        ({**CLIENT, "client_secret": "***"}, ["client_secret", "saved its mask"]),
        ({**PERSON, "password": "********"}, ["password", "saved its mask"]),
        ({**KEY, "access_token": "***", "app_secret": "***"}, ["app_secret and access_token is ***"]),
        ({**KEY, **CLIENT}, ["auth_type", "app_key", "client_id"]),
        ({**KEY, **PERSON}, ["auth_type", "password"]),
        ({**CLIENT, **PERSON}, ["auth_type", "password", "client_secret"]),
        ({**CLIENT, "auth_type": "oauth1"}, ["app_key", "access_token_secret"]),
        ({**CLIENT, "auth_type": "value-of-auth_type"}, ["auth_type", "oauth2"]),
        ({**CLIENT, "auth_type": ["value-of-auth_type"]}, ["auth_type"]),
        ({**CLIENT, "client_secret": ["value-of-client_secret"]}, ["client_secret"]),
        ({**CLIENT, "client_secret": True}, ["client_secret"]),
        ({**CLIENT, "client_id": {"value-of-client_id": 1}}, ["client_id"]),
    ],
)
def test_what_is_missing_or_at_odds_is_named_and_no_value_shown(given: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(LivePersonConfigurationError) as caught:
        fields(**given).credentials()
    message = str(caught.value)
    assert "'my_conn'" in message
    for name in named:
        assert name in message
    assert "value-of" not in message
    assert not caught.value.retry_helps


@pytest.mark.parametrize(("value", "text"), [("12", "12"), (12, "12"), (" 12 ", "12")])
def test_an_account_may_be_a_number(value: Any, text: str) -> None:
    assert fields(account_id=value).text("account_id") == text


@pytest.mark.parametrize("value", [None, "", True, ["12"], 12.5])
def test_an_account_that_is_no_text_is_named(value: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="'account_id'"):
        fields(account_id=value).text("account_id")


@pytest.mark.parametrize(("value", "seconds"), [(30, 30), ("30", 30), ("1.5", 1.5), (2.5, 2.5), (None, 10), ("", 10)])
def test_seconds_may_be_a_number_or_its_text(value: Any, seconds: float) -> None:
    found = fields(connect_timeout=value).seconds("connect_timeout", timedelta(seconds=10))
    assert found == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [0, -1, "x", "nan", "inf", True, [5], "0", 1e300])
def test_seconds_that_are_none_are_named(value: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match="'read_timeout'"):
        fields(read_timeout=value).seconds("read_timeout", timedelta(seconds=10))


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [
        ("http://127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080", None, "http://127.0.0.1:8080"),
        (None, 8080, None),
        ("", None, None),
    ],
)
def test_a_port_belongs_to_the_host(host: str | None, port: int | None, found: str | None) -> None:
    assert fields(host, port).fields.get("host") == found


def test_secrets_are_known_wherever_they_are() -> None:
    secrets = set(fields(**KEY, **CLIENT, **PERSON).secrets())
    assert secrets == {*KEY.values(), CLIENT["client_secret"], PERSON["password"]}
    assert fields(app_secret=12345).secrets() == ["12345"]


def test_nothing_secret_is_shown() -> None:
    assert "value-of" not in repr(fields(**KEY, **CLIENT, **PERSON))


@pytest.mark.parametrize("extra", ["[1]", '"text"', "5", "true", "not json", '{"account_id": 1', "[" * 100_000])
def test_extras_that_are_no_object_are_refused_in_words(extra: str) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"'my_conn': the extras are not a JSON object") as caught:
        ConnectionFields.of("my_conn", host=None, port=None, login=None, password=None, extra=extra)
    assert "not json" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("extra", [None, "", "  ", "null", "{}", {}])
def test_no_extras_will_do(extra: Any) -> None:
    found = ConnectionFields.of("my_conn", host="h", port=None, login=None, password=None, extra=extra)
    assert found.fields == {"host": "h"}


def test_a_mask_is_no_secret() -> None:
    assert fields(client_secret="***", app_key="a*b").secrets() == ["a*b"]


def test_placeholders_are_no_secrets() -> None:
    extra = {"client_id": "an-id", "client_secret": "a-secret", "access_token": "dummy", "access_token_secret": "dummy"}
    fields = ConnectionFields.of("bots", host=None, port=None, login="bot", password=None, extra=extra)
    assert fields.secrets() == ["a-secret"]
    assert fields.auth_type() == "application"


@pytest.mark.parametrize(
    ("given", "written", "meant"),
    [
        ({"client_id": "x", "client_secert": "y"}, "client_secert", "client_secret"),
        ({"account": "1", **CLIENT}, "account", "account_id"),
        ({"login": "me", "pasword": "y"}, "pasword", "password"),
    ],
)
def test_a_field_that_is_misspelt_is_named(given: dict[str, Any], written: str, meant: str) -> None:
    found = fields(**given)
    with pytest.raises(LivePersonConfigurationError, match=f"field '{written}'. Did you mean '{meant}'") as caught:
        (found.credentials(), found.text("account_id"))
    assert "y" not in str(caught.value).split("'")
