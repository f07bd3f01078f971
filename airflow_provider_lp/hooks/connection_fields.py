"""What an Airflow connection says about LivePerson: its fields, and which of the four logins they amount to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_lp.client.credentials import (
    PLACEHOLDER,
    ApplicationCredentials,
    Credentials,
    OAuth1Credentials,
    OAuth2Credentials,
    UserCredentials,
)
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS

OAUTH1_FIELDS = ("app_key", "app_secret", "access_token", "access_token_secret")
OAUTH2_FIELDS = ("client_id", "client_secret")
#: The fields of each way to log in; a bot user may have the keys of either kind of client.
FIELDS_BY_AUTH_TYPE: dict[str, tuple[tuple[str, ...], ...]] = {
    "oauth2": (OAUTH2_FIELDS,),
    "application": (("login", *OAUTH2_FIELDS), ("login", *OAUTH1_FIELDS)),
    "user": (("login", "password"),),
    "oauth1": (OAUTH1_FIELDS,),
}
CREDENTIALS_BY_AUTH_TYPE = {
    "oauth2": OAuth2Credentials,
    "application": ApplicationCredentials,
    "user": UserCredentials,
    "oauth1": OAuth1Credentials,
}
#: What Airflow shows in place of a secret.
MASK = "***"
#: Fields of the connection itself, which Airflow keeps beside the extras.
OWN_FIELDS = ("host", "login", "password", "port")
SECRET_FIELDS = ("password", *OAUTH1_FIELDS, "client_secret")


@dataclass(frozen=True, slots=True)
class ConnectionFields:
    """
    The fields of a connection of type ``liveperson``.

    :param conn_id: its id, for errors.
    :param fields: host, login, password and the extras, by name; absent ones are left out.
    :param strange: names of extras that there are not.
    """

    conn_id: str
    fields: Mapping[str, Any] = field(repr=False)
    strange: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        conn_id: str,
        *,
        host: str | None,
        port: int | None,
        login: str | None,
        password: str | None,
        extra: str | Mapping[str, Any] | None,
    ) -> ConnectionFields:
        """
        The fields as Airflow's connection has them.

        :param extra: the extras: the JSON text that Airflow stores, or what it holds.
        :raises LivePersonConfigurationError: if the extras are not the JSON of an object.
        """
        address = f"{host}:{port}" if host and port else host
        extras = {name: value for name, value in _object_of(conn_id, extra).items() if value not in (None, "")}
        own = {"host": address, "login": login, "password": password}
        fields = {**extras, **{name: value or None for name, value in own.items()}}
        strange = tuple(name for name in extras if name not in CONNECTION_FIELDS)
        return cls(conn_id, {name: value for name, value in fields.items() if value is not None}, strange)

    def wrong(self, problem: str) -> LivePersonConfigurationError:
        """The error for this connection."""
        return LivePersonConfigurationError(f"Airflow connection {self.conn_id!r}: {problem}")

    def ignored(self) -> str:
        """Says which extras are ignored, and what may have been meant; empty if none is."""
        said = []
        for name in self.strange:
            if name in OWN_FIELDS:
                hint = f" It is a field of the connection itself, beside the extras: enter {name} there."
            else:
                hint = nearest(name, [*CONNECTION_FIELDS, *OWN_FIELDS])
            said.append(f"The extra {name!r} is ignored: there is no such field.{hint}")
        return " ".join(said)

    def text(self, name: str, default: str | None = None) -> str:
        """A field that is a text or a number, as text."""
        value = self.fields.get(name, default)
        if value is None:
            raise self.wrong(f"field {name!r} is missing.{self._misspelt([name])}")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.wrong(f"field {name!r} must be a text, not a {type(value).__name__}.")
        return str(value).strip()

    def _misspelt(self, missing: list[str]) -> str:
        """Names fields that may have been meant for missing ones; empty if there are none."""
        close = ((name, nearest(name, missing)) for name in self.fields if name not in CONNECTION_FIELDS)
        return "".join(f" There is a field {name!r}.{meant}" for name, meant in close if meant)

    def listed(self, name: str) -> str:
        """A field that is a comma list, as text, or a list of texts."""
        value = self.fields.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ",".join(value)
        return self.text(name, "")

    def seconds(self, name: str, default: timedelta) -> timedelta:
        """A field that is a number of seconds."""
        value = self.fields.get(name, default.total_seconds())
        try:
            seconds = timedelta(seconds=float(value))
        except (TypeError, ValueError, OverflowError):
            seconds = timedelta(0)
        if isinstance(value, bool) or seconds <= timedelta(0):
            raise self.wrong(f"field {name!r} is {value!r}, but must be a number of seconds above 0.")
        return seconds

    def secrets(self) -> list[str]:
        """The values that no log may show."""
        values = [str(self.fields[name]) for name in SECRET_FIELDS if name in self.fields]
        return [value for value in values if not _is_mask(value) and value != PLACEHOLDER]

    def auth_type(self) -> str:
        """
        Which login the fields amount to: ``auth_type`` itself, or what the credentials that are present imply.

        :raises LivePersonConfigurationError: naming what is missing or at odds, never a value.
        """
        given = self.fields.get("auth_type")
        if isinstance(given, str):
            given = given.strip().lower()
        if given is not None and (not isinstance(given, str) or given not in FIELDS_BY_AUTH_TYPE):
            raise self.wrong(f"field 'auth_type' must be one of {', '.join(FIELDS_BY_AUTH_TYPE)}.")
        auth_type: str = given if given is not None else self._implied_auth_type()
        missing = [name for name in self._needed(auth_type) if name not in self.fields]
        if missing:
            raise self.wrong(f"auth_type {auth_type!r} also needs {_words(missing)}.{self._misspelt(missing)}")
        return auth_type

    def _needed(self, auth_type: str) -> tuple[str, ...]:
        """The fields of an ``auth_type``; of two sets, the one of which more is there."""
        sets = FIELDS_BY_AUTH_TYPE[auth_type]
        return max(sets, key=lambda names: len([name for name in names if name in self.fields]) / len(names))

    def _implied_auth_type(self) -> str:
        # Placeholders say nothing: LivePerson wants them beside a client's id and secret.
        api_key = [name for name in OAUTH1_FIELDS if self.fields.get(name, PLACEHOLDER) != PLACEHOLDER]
        client = [name for name in OAUTH2_FIELDS if name in self.fields]
        password = [name for name in ("password",) if name in self.fields]
        kinds = [names for names in (api_key, client, password) if names]
        if len(kinds) > 1:
            present = _words([name for names in kinds for name in names])
            raise self.wrong(
                f"{present} belong to different ways to authenticate. Say which one to use in extra field "
                f"'auth_type' ({', '.join(FIELDS_BY_AUTH_TYPE)})."
            )
        if client or api_key:
            return "application" if "login" in self.fields else "oauth2" if client else "oauth1"
        if password or "login" in self.fields:
            return "user"
        raise self.wrong(
            "no credentials. Give client_id and client_secret (OAuth 2.0; with login, a bot user). Older accounts may "
            "have login and password, or app_key, app_secret, access_token and access_token_secret (OAuth 1.0)."
        )

    def credentials(self) -> Credentials:
        """
        The credentials.

        :raises LivePersonConfigurationError: naming what is missing or at odds, never a value.
        """
        auth_type = self.auth_type()
        values = {name: self.text(name) for name in self._needed(auth_type)}
        masked = [name for name, value in values.items() if _is_mask(value)]
        if masked:
            raise self.wrong(
                f"{_words(masked)} is ***: Airflow's form has saved its mask in place of the secret. Enter it again."
            )
        credentials: Credentials = CREDENTIALS_BY_AUTH_TYPE[auth_type](*values.values())
        return credentials


def _object_of(conn_id: str, extra: str | Mapping[str, Any] | None) -> Mapping[str, Any]:
    fields: Any = extra
    if isinstance(extra, str):
        try:
            fields = json.loads(extra) if extra.strip() else None
        except (ValueError, RecursionError):
            fields = ...
    if isinstance(fields, Mapping | None):
        return fields or {}
    # Outside of the except block: the error would hold the text, and secrets with it.
    raise LivePersonConfigurationError(
        f"Airflow connection {conn_id!r}: the extras are not a JSON object, such as "
        '{"account_id": "12345678", "client_id": "...", "client_secret": "..."}.'
    )


def _is_mask(value: str) -> bool:
    return len(value) >= len(MASK) and not value.strip("*")


def _words(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
