"""The provider's description, by which Airflow discovers it."""

from __future__ import annotations

from typing import Any

#: Under these headings Airflow 3 shows the fields, in this order.
REQUIRED = "Required: account and OAuth 2.0 client"
OPTIONAL = "Only where needed"
OLDER = "Older accounts: OAuth 1.0 (ended 2026-05-31)"


def _field(label: str, description: str, section: str, *, secret: bool = False, **schema: Any) -> dict[str, Any]:
    text = {"type": ["string", "null"], **({"format": "password"} if secret else {})}
    return {"label": label, "description": description, "schema": {**text, **schema, "section": section}}


#: The connection's extras as Airflow's form shows them.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "account_id": _field(
        "Account id (required)", "The LivePerson account, also called site or brand: digits or letters.", REQUIRED
    ),
    "client_id": _field(
        "Client id (required)",
        "Of the OAuth 2.0 client that LivePerson's administrator has made for Airflow.",
        REQUIRED,
    ),
    "client_secret": _field("Client secret (required)", "Of the same OAuth 2.0 client.", REQUIRED, secret=True),
    "scope": _field("OAuth 2.0 scope", "Leave empty, unless LivePerson wants one with the token request.", OPTIONAL),
    "auth_type": _field(
        "Way to log in",
        "Leave empty: it follows from what is filled in. application is a bot user; user and oauth1 are for older "
        "accounts.",
        OPTIONAL,
        enum=["oauth2", "application", "user", "oauth1"],
    ),
    "trusted_domains": _field(
        "Domains of your own",
        "Leave empty, unless LivePerson serves the account under domains that you own: these, separated by commas.",
        OPTIONAL,
    ),
    "source": _field(
        "Name of the caller",
        "What LivePerson sees as the source of requests: at most 20 letters, digits, underscores. "
        "Empty: AirflowProviderLP.",
        OPTIONAL,
    ),
    "connect_timeout": _field(
        "Connect timeout (seconds)", "How long to wait for a connection. Empty: 10.", OPTIONAL, type=["number", "null"]
    ),
    "read_timeout": _field(
        "Read timeout (seconds)", "How long LivePerson may be silent. Empty: 120.", OPTIONAL, type=["number", "null"]
    ),
    "app_key": _field("App key (older accounts)", "Of an OAuth 1.0 API key.", OLDER, secret=True),
    "app_secret": _field("App secret (older accounts)", "Of the same key.", OLDER, secret=True),
    "access_token": _field("Access token (older accounts)", "Of the same key.", OLDER, secret=True),
    "access_token_secret": _field("Access token secret (older accounts)", "Of the same key.", OLDER, secret=True),
}

UI_FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["port", "schema"],
    "relabeling": {
        "host": "LivePerson API address (leave empty)",
        "login": "User name (bot users, older accounts)",
        "password": "Password (older accounts)",
    },
    "placeholders": {
        "description": "A note, if you like. What is required stands under the next heading.",
        "host": "https://api.liveperson.net",
        "login": "only for a bot user, or a user with a password",
        "password": "only for a user with a password",
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
        "asset-uris": [
            {
                "schemes": ["liveperson"],
                "handler": f"{package}.assets.sanitize_uri",
                "factory": f"{package}.assets.create_asset",
                "to_openlineage_converter": f"{package}.assets.convert_asset_to_openlineage",
            }
        ],
        "extra-links": [f"{package}.operators.links.PublishedObjectLink"],
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
