from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from airflow_provider_lp.client import liveperson as client_module
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonConnectionNotFoundError
from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS
from airflow_provider_lp.hooks.liveperson import LivePersonHook
from airflow_provider_lp.operators.base import LivePersonOperator
from airflow_provider_lp.sandbox import Fault, Sandbox
from airflow_provider_lp.sandbox.credentials import CREDENTIALS
from tests.exported import calls
from tests.fake_clock import FakeClock
from tests.samples import at, crowd

WINDOW = {"start": {"from": at(10), "to": at(11)}}
CLIENT = {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}
KEY = {name: CREDENTIALS[name] for name in ("app_key", "app_secret", "access_token", "access_token_secret")}


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Define the connection ``liveperson_default``."""

    def define(host: str | None = None, extra: Any = None, **fields: Any) -> LivePersonHook:
        described = {"conn_type": "liveperson", "host": host, **fields, "extra": extra or {}}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
        return LivePersonHook()

    return define


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of clients that are made inside."""
    clock = FakeClock()
    monkeypatch.setattr(client_module, "Clock", lambda: clock)
    return clock


@pytest.mark.parametrize(
    ("extra", "fields"),
    [
        (CLIENT, {}),
        (KEY, {}),
        ({}, {"login": CREDENTIALS["login"], "password": CREDENTIALS["password"]}),
        (KEY, {"login": CREDENTIALS["bot_login"]}),
        (CLIENT, {"login": CREDENTIALS["bot_login"]}),
    ],
)
def test_a_connection_becomes_a_client(sandbox_of: Any, connection: Any, extra: Any, fields: Any) -> None:
    sandbox: Sandbox = sandbox_of(*crowd(3), year=2025)
    hook = connection(sandbox.url, {"account_id": "12345678", **extra}, **fields)
    with hook.get_conn() as client:
        assert client.interactions.search(WINDOW).count == 3
    assert calls(sandbox)[0].query["source"] == "AirflowProviderLP"


def test_numbers_in_the_extras_and_a_port_of_its_own_will_do(sandbox_of: Any, connection: Any) -> None:
    sandbox = sandbox_of(*crowd(3))
    host, _, port = sandbox.url.rpartition(":")
    extra = {"account_id": 12345678, "connect_timeout": 3, "read_timeout": "4.5", "source": "Nightly_2", **CLIENT}
    with connection(host, extra, port=int(port)).get_conn() as client:
        assert client.interactions.search(WINDOW).count == 3
    assert calls(sandbox)[0].query["source"] == "Nightly_2"


def test_without_a_host_it_is_livepersons_own(connection: Any) -> None:
    with connection(None, {"account_id": "1", **CLIENT}).get_conn() as client:
        assert client.account_id == "1"


@pytest.mark.parametrize(
    ("host", "extra", "named"),
    [
        (None, CLIENT, "account_id"),
        (None, {"account_id": "1/2", **CLIENT}, "account_id"),
        (None, {"account_id": "1"}, "client_id"),
        (None, {"account_id": "1", "source": "too long a name for LivePerson", **CLIENT}, "source"),
        (None, {"account_id": "1", "read_timeout": "soon", **CLIENT}, "read_timeout"),
        (None, {"account_id": "1", "connect_timeout": 0, **CLIENT}, "connect_timeout"),
        (None, {"account_id": "1", "read_timeout": 1e12, **CLIENT}, "read_timeout"),
        (None, {"account_id": "1", "trusted_domains": [1], **CLIENT}, "trusted_domains"),
        ("https://api.liveperson.net/?key=pass-word", {"account_id": "1", **CLIENT}, "host"),
        ("http://api.liveperson.net", {"account_id": "1", **CLIENT}, "host"),
        ("http://user:pass-word@127.0.0.1", {"account_id": "1", **CLIENT}, "host"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_no_secret_shown(connection: Any, host: Any, extra: Any, named: str) -> None:
    hook = connection(host, extra)
    with pytest.raises(LivePersonConfigurationError, match=named) as caught:
        hook.get_conn()
    assert "'liveperson_default'" in str(caught.value)
    for secret in (*CLIENT.values(), "pass-word"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("conn_id", ["x", "liveperson", "s"])
def test_the_connection_is_named_however_short_its_id(monkeypatch: pytest.MonkeyPatch, conn_id: str) -> None:
    extra = {"account_id": "1", "source": "x y", **CLIENT}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": "liveperson", "extra": extra}))
    with pytest.raises(LivePersonConfigurationError, match=f"connection '{conn_id}': source='x y'"):
        LivePersonHook(conn_id).get_conn()


@pytest.mark.parametrize("conn_id", ["", "None", " ", None, 5, ["x"]])
def test_what_can_be_no_connection_is_no_outage(conn_id: Any) -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"liveperson_conn_id=.*template") as caught:
        LivePersonHook(conn_id).get_conn()
    assert not caught.value.retry_helps


@pytest.mark.parametrize("auth_type", ["OAuth2", " oauth2 ", "oauth2\n"])
def test_case_and_spaces_of_the_auth_type_do_not_matter(connection: Any, auth_type: str) -> None:
    hook = connection(None, {"account_id": "1", "auth_type": auth_type, **CLIENT, **KEY})
    with hook.get_conn() as client:
        assert client._authorization.kind == "oauth2"


@pytest.mark.parametrize("trusted", ["chat.example.com, example.org", ["chat.example.com", "example.org"]])
def test_trusted_domains_may_be_a_list(connection: Any, trusted: Any) -> None:
    with connection(None, {"account_id": "1", "trusted_domains": trusted, **CLIENT}).get_conn() as client:
        assert client._domains._trusted[-2:] == (".chat.example.com", ".example.org")


def test_another_connection_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "liveperson", "extra": {"account_id": "77", **CLIENT}})
    )
    with LivePersonHook("other").get_conn() as client:
        assert client.account_id == "77"


def redact(text: str) -> str:
    """What Airflow's own masker makes of a text."""
    try:
        from airflow.sdk.log import redact
    except ImportError:
        from airflow.utils.log.secrets_masker import redact
    return str(redact(text))


@pytest.mark.parametrize("auth", ["oauth2", "oauth1", "user"])
def test_secrets_and_tokens_are_masked_as_soon_as_they_are_known(
    sandbox_of: Any, connection: Any, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    sandbox = sandbox_of(*crowd(3))
    unmasked = {name: f"{auth}-{value[::-1]}" for name, value in CREDENTIALS.items()}
    extra = {"account_id": "12345678", "auth_type": auth}
    secrets = {"oauth2": ["client_secret"], "oauth1": list(KEY), "user": ["password"]}[auth]
    hook = connection(
        sandbox.url,
        {**extra, **{name: unmasked[name] for name in (*CLIENT, *KEY)}},
        login=CREDENTIALS["login"],
        password=unmasked["password"],
    )
    for name in secrets:
        assert redact(f"log {unmasked[name]} line") == f"log {unmasked[name]} line"
    with hook.get_conn():
        assert not sandbox.requests
        for name in secrets:
            assert redact(f"log {unmasked[name]} line") == "log *** line"


@pytest.mark.parametrize("names", [("client_id", "client_secret"), ("app_key", "app_secret")])
def test_the_placeholders_of_a_bot_user_are_no_other_way_to_log_in(
    sandbox_of: Any, connection: Any, names: tuple[str, str]
) -> None:
    sandbox = sandbox_of(*crowd(3))
    extra = dict(zip(names, CLIENT.values(), strict=True))
    dummies = {"access_token": "dummy", "access_token_secret": "dummy"}
    hook = connection(sandbox.url, {"account_id": "12345678", **extra, **dummies}, login=CREDENTIALS["bot_login"])
    with hook.get_conn() as client:
        assert client.interactions.search(WINDOW).count == 3
        assert client._authorization.kind == "application"


@pytest.mark.parametrize("auth", ["oauth2", "user"])
def test_the_token_that_is_fetched_is_masked(sandbox_of: Any, connection: Any, auth: str) -> None:
    sandbox = sandbox_of(*crowd(3))
    person = {"login": CREDENTIALS["login"], "password": CREDENTIALS["password"]}
    hook = connection(sandbox.url, {"account_id": "12345678", "auth_type": auth, **CLIENT}, **person)
    with hook.get_conn() as client:
        client.interactions.search(WINDOW)
        token = client._authorization.token()
        assert redact(f"Bearer {token}") == "Bearer ***"


# Airflow's button.


def test_a_connection_that_works_says_so(sandbox_of: Any, connection: Any) -> None:
    sandbox = sandbox_of()
    works, words = connection(sandbox.url, {"account_id": "12345678", **CLIENT}).test_connection()
    assert works
    assert words == (
        f"Airflow connection 'liveperson_default': LivePerson account 12345678 answers at {sandbox.url}, and accepts "
        "these credentials."
    )
    assert len(calls(sandbox, "/app/token")) == 1
    assert len(calls(sandbox)) == 1


def test_extras_that_there_are_not_are_named_and_change_nothing(
    sandbox_of: Any, connection: Any, caplog: pytest.LogCaptureFixture
) -> None:
    extra = {"account_id": "12345678", **CLIENT, "read_timeuot": 5, "hosts": "x", "host": "y", "of_others": "z"}
    hook = connection(sandbox_of(*crowd(3), year=2025).url, extra)
    works, words = hook.test_connection()
    assert works
    for told in (words, caplog.text):
        assert "The extra 'read_timeuot' is ignored: there is no such field. Did you mean 'read_timeout'?" in told
        assert "The extra 'hosts' is ignored: there is no such field. Did you mean 'host'?" in told
        assert "The extra 'host' is ignored: there is no such field. It is a field of the connection itself" in told
        assert "The extra 'of_others' is ignored: there is no such field." in told
    caplog.clear()
    with hook.get_conn() as client:
        assert client.interactions.search(WINDOW).count == 3
    assert "The extra 'of_others' is ignored" in caplog.text


def test_no_extra_is_ignored_that_the_form_has(connection: Any, caplog: pytest.LogCaptureFixture) -> None:
    extra = {**dict.fromkeys(CONNECTION_FIELDS), "account_id": "1", **CLIENT, "unknown": ""}
    connection(None, extra).get_conn().close()
    assert "ignored" not in caplog.text


def test_a_wrong_secret_is_told_from_the_rest(sandbox_of: Any, connection: Any, fast: FakeClock) -> None:
    sandbox = sandbox_of()
    hook = connection(sandbox.url, {"account_id": "12345678", **CLIENT, "client_secret": "wrong-secret"})
    works, words = hook.test_connection()
    assert not works
    assert "Check the credentials" in words
    assert "invalid_client" in words
    assert "wrong-secret" not in words
    assert not fast.pauses


def test_a_wrong_account_is_told_from_the_rest(sandbox_of: Any, connection: Any, fast: FakeClock) -> None:
    works, words = connection(sandbox_of().url, {"account_id": "999", **CLIENT}).test_connection()
    assert not works
    assert "account_id" in words


def test_a_missing_permission_is_told_from_the_rest(sandbox_of: Any, connection: Any, fast: FakeClock) -> None:
    sandbox = sandbox_of()
    sandbox.add_fault(Fault("forbidden", times=None))
    works, words = connection(sandbox.url, {"account_id": "12345678", **CLIENT}).test_connection()
    assert not works
    assert "grant these credentials access" in words


def test_a_host_that_cannot_be_reached_is_told_from_the_rest(connection: Any, fast: FakeClock) -> None:
    with Sandbox() as sandbox:
        url = sandbox.url
    works, words = connection(url, {"account_id": "12345678", **CLIENT}).test_connection()
    assert not works
    assert words.startswith("Airflow connection 'liveperson_default': ")
    assert "Connection refused. That is this machine, where only a sandbox would answer: start it" in words


def test_an_incomplete_connection_is_told_from_the_rest(connection: Any) -> None:
    works, words = connection(None, {"account_id": "1"}).test_connection()
    assert not works
    assert "no credentials" in words


def test_no_secret_is_logged(
    sandbox_of: Any, connection: Any, caplog: pytest.LogCaptureFixture, fast: FakeClock
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = sandbox_of()
    sandbox.add_fault(Fault("error_500", times=2))
    with connection(sandbox.url, {"account_id": "12345678", **CLIENT}).get_conn() as client:
        client.interactions.search(WINDOW)
        assert client._authorization.token() not in caplog.text
    assert CREDENTIALS["client_secret"] not in caplog.text


# Airflow's form.


def test_the_form_has_every_extra_field() -> None:
    pytest.importorskip("flask_appbuilder")
    pytest.importorskip("wtforms")
    from wtforms import PasswordField

    widgets = LivePersonHook.get_connection_form_widgets()
    assert list(widgets) == list(CONNECTION_FIELDS)
    hidden = {name for name, field in widgets.items() if field.field_class is PasswordField}
    assert hidden == {"client_secret", *KEY}


def test_the_forms_standard_fields_are_described() -> None:
    behaviour = LivePersonHook.get_ui_field_behaviour()
    assert set(behaviour) == {"hidden_fields", "relabeling", "placeholders"}
    assert behaviour["relabeling"]["host"] == "LivePerson API address (leave empty)"


def test_a_connection_that_does_not_exist_is_named() -> None:
    with pytest.raises(
        LivePersonConfigurationError, match="liveperson_conn_id='nowhere' is not an Airflow connection"
    ) as caught:
        LivePersonHook("nowhere").get_conn()
    # A secrets backend may be out of reach for a moment.
    assert caught.value.retry_helps


def test_an_operator_lets_airflow_retry_when_the_connection_is_not_found() -> None:
    operator = LivePersonOperator(task_id="x", liveperson_conn_id="nowhere")
    with pytest.raises(LivePersonConnectionNotFoundError), operator.final_failures(), operator.client(1):
        pass


@pytest.mark.filterwarnings("ignore")  # Airflow 2.11 warns of such extras
@pytest.mark.parametrize("extra", ["[1, 2]", '"text"', "5", "{'not': json}"])
def test_extras_that_are_no_object_are_refused_once_in_words(
    connection: Any, caplog: pytest.LogCaptureFixture, extra: str
) -> None:
    works, words = connection(None, extra).test_connection()
    assert not works
    assert words.startswith("Airflow connection 'liveperson_default': the extras are not a JSON object")
    # What Airflow itself logs of text that is no JSON is not ours.
    assert not [record for record in caplog.records if not record.name.startswith("airflow.")]


def test_a_secret_that_is_a_mask_is_refused_before_anything_is_sent(sandbox_of: Any, connection: Any) -> None:
    sandbox = sandbox_of()
    extra = {"account_id": "12345678", **CLIENT, "client_secret": "***"}
    works, words = connection(sandbox.url, extra).test_connection()
    assert not works
    assert "client_secret is ***: Airflow's form has saved its mask" in words
    assert not sandbox.requests


def test_scope_and_trusted_domains_come_from_the_extras(connection: Any) -> None:
    extra = {"account_id": "1", **CLIENT, "scope": "a.b", "trusted_domains": "not a domain"}
    works, words = connection(None, extra).test_connection()
    assert not works
    assert "trusted_domains='not a domain'" in words


def test_the_connection_test_answers_without_trying_again(sandbox_of: Any, connection: Any, fast: FakeClock) -> None:
    sandbox = sandbox_of(*crowd(1))
    sandbox.add_fault(Fault("error_503", times=None))
    works, words = connection(sandbox.url, {"account_id": "12345678", **CLIENT}).test_connection()
    assert not works
    assert "503" in words
    assert fast.pauses == []
