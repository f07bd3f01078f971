"""The hook: an Airflow connection in, a LivePerson client out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConnectionNotFoundError, LivePersonError
from airflow_provider_lp.compat import AirflowNotFoundException, BaseHook, mask_secret
from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS, UI_FIELD_BEHAVIOUR
from airflow_provider_lp.hooks.connection_fields import ConnectionFields
from airflow_provider_lp.hooks.connection_ids import check_conn_id

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 4


def mask(secret: str) -> None:
    """Let Airflow never show a secret in a log."""
    mask_secret(secret)


class LivePersonHook(BaseHook):
    """
    Builds a LivePerson client from an Airflow connection of type ``liveperson``.

    :param liveperson_conn_id: the connection's id, default ``liveperson_default``.
    """

    conn_name_attr = "liveperson_conn_id"
    default_conn_name = "liveperson_default"
    conn_type = "liveperson"
    hook_name = "LivePerson"

    def __init__(self, liveperson_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.liveperson_conn_id = liveperson_conn_id

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's fields for Airflow 2.11; Airflow 3 takes them from the provider's description."""
        from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
        from wtforms import PasswordField, StringField

        widgets = {}
        for name, description in CONNECTION_FIELDS.items():
            is_secret = description["schema"].get("format") == "password"
            field, widget = (PasswordField, BS3PasswordFieldWidget) if is_secret else (StringField, BS3TextFieldWidget)
            widgets[name] = field(description["label"], widget=widget(), description=description["description"])
        return widgets

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The form's standard fields for Airflow 2.11."""
        return {name.replace("-", "_"): value for name, value in UI_FIELD_BEHAVIOUR.items()}

    def get_conn(
        self,
        *,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        retry: bool = True,
        on_secret: Callable[[str], None] = mask,
    ) -> LivePersonClient:
        """
        A client for the connection's account; close it, or use it in a ``with`` block.

        :param max_concurrency: requests in flight at most, default 4.
        :param retry: whether failed requests are retried.
        :param on_secret: told each token that the client obtains; default :func:`mask`.
        :raises LivePersonConnectionNotFoundError: if Airflow finds no such connection; retrying helps if that passes.
        :raises LivePersonConfigurationError: if one of its fields is missing or wrong; it is named.
        """
        return self._client(self._fields(), max_concurrency=max_concurrency, retry=retry, on_secret=on_secret)

    def _fields(self) -> ConnectionFields:
        """What the connection says, its secrets masked."""
        check_conn_id("liveperson_conn_id", self.liveperson_conn_id)
        try:
            connection = self.get_connection(self.liveperson_conn_id)
        except AirflowNotFoundException as error:
            raise LivePersonConnectionNotFoundError(
                f"liveperson_conn_id={self.liveperson_conn_id!r} is not an Airflow connection. Define it, with type "
                f"{self.conn_type!r}."
            ) from error
        fields = ConnectionFields.of(
            self.liveperson_conn_id,
            host=connection.host,
            port=connection.port,
            login=connection.login,
            password=connection.password,
            extra=connection.extra,
        )
        for secret in fields.secrets():
            mask_secret(secret)
        if ignored := fields.ignored():
            log.warning("Airflow connection %r: %s", self.liveperson_conn_id, ignored)
        return fields

    def _client(
        self, fields: ConnectionFields, *, max_concurrency: int, retry: bool, on_secret: Callable[[str], None]
    ) -> LivePersonClient:
        from airflow_provider_lp.client import liveperson

        try:
            return liveperson.LivePersonClient(
                account_id=fields.text("account_id"),
                credentials=fields.credentials(),
                host=fields.fields.get("host"),
                trusted_domains=fields.listed("trusted_domains"),
                scope=fields.text("scope", "") or None,
                source=fields.text("source", liveperson.DEFAULT_SOURCE),
                connect_timeout=fields.seconds("connect_timeout", liveperson.DEFAULT_CONNECT_TIMEOUT),
                read_timeout=fields.seconds("read_timeout", liveperson.DEFAULT_READ_TIMEOUT),
                max_concurrency=max_concurrency,
                retry=retry,
                on_secret=on_secret,
            )
        except LivePersonError as error:
            if repr(self.liveperson_conn_id) in str(error):
                raise
            raise fields.wrong(str(error)) from error

    def test_connection(self) -> tuple[bool, str]:
        """Look the account's domain up and authenticate; says in words what works or what does not."""
        ignored = ""
        try:
            fields = self._fields()
            ignored = fields.ignored()
            with self._client(fields, max_concurrency=1, retry=False, on_secret=mask) as client:
                url = client.check()
        except LivePersonError as error:
            works, words = False, str(error)
        else:
            works = True
            words = f"LivePerson account {client.account_id} answers at {url}, and accepts these credentials."
        if repr(self.liveperson_conn_id) not in words:
            words = f"Airflow connection {self.liveperson_conn_id!r}: {words}"
        return works, f"{words} {ignored}".rstrip()
