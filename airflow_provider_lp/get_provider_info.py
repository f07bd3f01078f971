"""The provider's description, by which Airflow discovers it."""

from __future__ import annotations

from typing import Any


def _field(label: str, description: str, *, secret: bool = False, **schema: Any) -> dict[str, Any]:
    text = {"type": ["string", "null"], **({"format": "password"} if secret else {})}
    return {"label": label, "description": description, "schema": {**text, **schema}}


#: The connection's extras as Airflow's form shows them.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "account_id": _field("Account id", "LivePerson account (site, brand) id: digits or letters. Required."),
    "client_id": _field("Client id (OAuth 2.0)", "Of an OAuth 2.0 client: the way to log in."),
    "client_secret": _field(
        "Client secret (OAuth 2.0)", "Of the same client. With User name: the login of a bot user.", secret=True
    ),
    "scope": _field("Scope (OAuth 2.0)", "Only where LivePerson wants one with the token request. Empty: none."),
    "auth_type": _field(
        "Auth type",
        "oauth2, application (a bot user), user or oauth1. Empty: inferred from the credentials that are filled in.",
        enum=["oauth2", "application", "user", "oauth1"],
    ),
    "trusted_domains": _field(
        "Trusted domains", "For accounts with a domain of their own: domains, separated by commas. Empty: LivePerson's."
    ),
    "source": _field(
        "Source", "Caller name for LivePerson: at most 20 letters, digits, underscores. Empty: AirflowProviderLP."
    ),
    "connect_timeout": _field(
        "Connect timeout (s)", "Seconds to wait for a connection. Empty: 10.", type=["number", "null"]
    ),
    "read_timeout": _field(
        "Read timeout (s)", "Seconds LivePerson may be silent. Empty: 120.", type=["number", "null"]
    ),
    "app_key": _field("App key (older accounts)", "Of an OAuth 1.0 API key; OAuth 1.0 ended 2026-05-31.", secret=True),
    "app_secret": _field("App secret (older accounts)", "Of the same key.", secret=True),
    "access_token": _field("Access token (older accounts)", "Of the same key.", secret=True),
    "access_token_secret": _field("Access token secret (older accounts)", "Of the same key.", secret=True),
}

UI_FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["port", "schema"],
    "relabeling": {"host": "Domain API", "login": "User name", "password": "Password (older accounts)"},
    "placeholders": {
        "host": "https://api.liveperson.net",
        "login": "only for a bot user (application) or auth type user",
        "password": "only for auth type user",
        "account_id": "12345678",
        "source": "AirflowProviderLP",
        "connect_timeout": "10",
        "read_timeout": "120",
    },
}


def get_provider_info() -> dict[str, Any]:
    """What Airflow asks through the entry point ``apache_airflow_provider``."""
    from importlib.metadata import version

    integration = "LivePerson"
    package = "airflow_provider_lp"
    return {
        "package-name": "airflow-provider-lp",
        "name": integration,
        "description": "Conversations and metrics of LivePerson Conversational Cloud, each exported exactly once.",
        "versions": [version("airflow-provider-lp")],
        "integrations": [
            {
                "integration-name": integration,
                "external-doc-url": "https://developers.liveperson.com",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": integration, "python-modules": [f"{package}.hooks.liveperson"]}],
        "operators": [
            {
                "integration-name": integration,
                "python-modules": [
                    f"{package}.operators.conversations",
                    f"{package}.operators.metrics",
                    f"{package}.operators.planning",
                    f"{package}.operators.reconciling",
                    f"{package}.operators.tables",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": integration,
                "python-modules": [f"{package}.sensors.conversations", f"{package}.sensors.metrics"],
            }
        ],
        "triggers": [
            {
                "integration-name": integration,
                "python-modules": [
                    f"{package}.triggers.condition",
                    f"{package}.triggers.conversations",
                    f"{package}.triggers.metrics",
                ],
            }
        ],
        "connection-types": [
            {
                "connection-type": "liveperson",
                "hook-class-name": f"{package}.hooks.liveperson.LivePersonHook",
                "hook-name": integration,
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": UI_FIELD_BEHAVIOUR,
            }
        ],
    }
